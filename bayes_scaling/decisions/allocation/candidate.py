"""One plan: its size, tokens, repeats and shape."""

import math
from dataclasses import dataclass, replace

from bayes_scaling.decisions.decision_result import Point

__all__ = ["ROUNDING", "Candidate"]

ROUNDING = 0.005
"""Relative rounding error of a number of three digits, as plans are printed."""


@dataclass(frozen=True)
class Candidate:
    """Plan: model size, training tokens, repeats and shape.

    Attributes
    ----------
    log_params, log_tokens : float
        Natural logs of N and D.
    epochs : float
        How often each unique token is seen.
    shape : tuple of int or None
        n_layer and d_model, where they are chosen.
    """

    log_params: float
    log_tokens: float
    epochs: float
    shape: tuple[int, int] | None = None

    @property
    def point(self) -> Point:
        """The plan in plain numbers."""
        params, tokens = math.exp(self.log_params), math.exp(self.log_tokens)
        n_layer, d_model = self.shape or (None, None)
        return Point(
            params=params,
            tokens=tokens,
            flops=6.0 * params * tokens,
            tokens_per_param=tokens / params,
            unique_tokens=tokens / self.epochs,
            epochs=self.epochs,
            n_layer=n_layer,
            d_model=d_model,
        )

    def rounded(self, sign: int) -> "Candidate":
        """Return the largest (1) or smallest (-1) plan that prints the same three digits.

        What a limit or a budget allows of the smallest it allows of the plan: a plan may be given
        as it was printed.
        """
        away = sign * math.log1p(ROUNDING)
        return replace(self, log_params=self.log_params + away, log_tokens=self.log_tokens + away)
