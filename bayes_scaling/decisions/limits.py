"""Bounds on a configuration."""

import math
from dataclasses import dataclass, fields

from bayes_scaling.decisions.units import in_unit
from bayes_scaling.errors import ScenarioError

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """Bounds on a configuration.

    Parameters
    ----------
    min_params, max_params : float
        Parameters; the largest number that fits in memory, say.
    min_tokens, max_tokens : float
        Training tokens.
    max_unique_tokens : float
        Distinct tokens that exist.
    max_epochs : float
        How often a token may be seen; above 1 only under a law that knows of repeats.

    Raises
    ------
    ScenarioError
        If a bound is not positive, or a lower one is above its upper one.
    """

    min_params: float = 0.0
    max_params: float = math.inf
    min_tokens: float = 0.0
    max_tokens: float = math.inf
    max_unique_tokens: float = math.inf
    max_epochs: float = 1.0

    def __post_init__(self) -> None:
        for bound in fields(self):
            value = getattr(self, bound.name)
            if value != bound.default:
                in_unit(bound.name, value, "", "1e9")
        for what in ("params", "tokens"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if not low <= high:
                raise ScenarioError(f"min_{what} is {low:.6g}, above max_{what} = {high:.6g}")
        if self.max_epochs < 1:
            raise ScenarioError(f"max_epochs is {self.max_epochs:.6g}, 1 or more is needed")
        most = self.max_epochs * self.max_unique_tokens
        if self.min_tokens > most:
            raise ScenarioError(
                f"min_tokens is {self.min_tokens:.6g}, above {most:.6g}, max_unique_tokens seen "
                "max_epochs times"
            )
