"""One plan: its size, tokens, repeats and shape."""

import math
from dataclasses import dataclass

__all__ = ["Choice"]

_SHAPE = ("n_layer", "d_model")


@dataclass(frozen=True)
class Choice:
    """A plan on the budget line.

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
    def point(self) -> dict[str, float]:
        """The plan in plain numbers: params, tokens, flops, unique_tokens, ratios and shape."""
        params, tokens = math.exp(self.log_params), math.exp(self.log_tokens)
        shape = {} if self.shape is None else dict(zip(_SHAPE, self.shape, strict=True))
        return {
            "params": params,
            "tokens": tokens,
            "flops": 6.0 * params * tokens,
            "tokens_per_param": tokens / params,
            "unique_tokens": tokens / self.epochs,
            "epochs": self.epochs,
            **shape,
        }
