"""Risk measures for losses: more is worse, and the bad tail is the upper one."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.errors import ScenarioError

__all__ = ["Measure", "Risk", "cvar"]

Measure = Literal["mean", "quantile", "cvar"]


@dataclass(frozen=True)
class Risk:
    """A named measure of risk.

    Parameters
    ----------
    measure : {"mean", "quantile", "cvar"}
        "mean": the expected loss. "quantile": the loss exceeded with probability ``1 - level``
        (value at risk). "cvar": the expected loss in the worst ``1 - level`` of cases.
    level : float
        Between 0 and 1; ignored for the mean.

    Raises
    ------
    ScenarioError
        If the measure is unknown or the level out of range.
    """

    measure: Measure = "mean"
    level: float = 0.9

    def __post_init__(self) -> None:
        if self.measure not in get_args(Measure):
            raise ScenarioError(
                f"risk measure is {self.measure!r}; it can be {', '.join(get_args(Measure))}"
            )
        number = isinstance(self.level, int | float) and not isinstance(self.level, bool)
        if not (number and 0 < self.level < 1):
            raise ScenarioError(f"risk level is {self.level!r}, a number between 0 and 1 is needed")

    def of(self, losses: ArrayLike, axis: int = -1) -> Any:
        """The measure of equally likely losses.

        Parameters
        ----------
        losses : array-like
            Draws of the loss along ``axis``.
        axis : int
            Axis of the draws.

        Returns
        -------
        array-like
            Without that axis.
        """
        draws = np.asarray(losses, dtype=np.float64)
        if self.measure == "mean":
            return draws.mean(axis=axis)
        if self.measure == "quantile":
            return np.quantile(draws, self.level, axis=axis)
        return cvar(draws, self.level, axis)

    def __str__(self) -> str:
        """The measure in words."""
        if self.measure == "mean":
            return "expected loss"
        if self.measure == "quantile":
            return f"loss exceeded with probability {1 - self.level:.3g}"
        return f"expected loss in the worst {100 * (1 - self.level):.3g}% of cases"


def cvar(losses: NDArray[np.float64], level: float, axis: int = -1) -> Any:
    """Conditional value at risk of losses: their mean in the upper tail.

    Rockafellar and Uryasev 2002, Theorem 10: VaR + E[max(L - VaR, 0)] / (1 - level), exact for
    any number of equally likely draws.

    Parameters
    ----------
    losses : array
        Draws along ``axis``.
    level : float
        Between 0 and 1; the tail holds ``1 - level`` of the probability.
    axis : int
        Axis of the draws.
    """
    threshold = np.quantile(losses, level, axis=axis, method="inverted_cdf", keepdims=True)
    excess = np.maximum(losses - threshold, 0.0).mean(axis=axis)
    return np.squeeze(threshold, axis=axis) + excess / (1 - level)
