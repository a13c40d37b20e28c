"""Risk measures for losses: more is worse, and the bad tail is the upper one."""

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.core.records import about
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.field import quantity
from bayes_scaling.scenarios.part import Part

__all__ = ["Measure", "Risk", "cvar"]

Measure = Literal["mean", "quantile", "cvar", "entropic", "miss", "regret"]


class Risk(Part, frozen=True):
    """Measure of risk.

    Attributes
    ----------
    measure : {"mean", "quantile", "cvar", "entropic", "miss", "regret"}
        "mean": the expected loss. "quantile": the loss exceeded with probability ``1 - level``
        (value at risk). "cvar": the expected loss in the worst ``1 - level`` of cases.
        "entropic": log E exp(aversion·L) / aversion (Föllmer and Schied 2016, Example 4.34).
        "miss": the probability of not reaching the target loss. "regret": the most by which, in
        any draw, the loss exceeds that of the best plan for the draw (Savage 1951).
    level : float
        Level of the quantile and the CVaR, between 0 and 1.
    aversion : float
        Risk aversion of the entropic measure, per unit of loss: the certain loss that counts like
        a normal one is its mean plus half the aversion times its variance.

    Raises
    ------
    ScenarioError
        If the measure is unknown or a number out of range.

    Examples
    --------
    >>> float(bs.Risk("cvar", 0.5).of([1.0, 2.0, 3.0, 4.0]))
    3.5
    """

    place: ClassVar[str] = "risk."
    example: ClassVar[str] = "Risk('cvar', level=0.9)"
    short: ClassVar[str] = "measure"

    measure: Annotated[Measure, about("Which.")] = "mean"
    level: Annotated[float, quantity("Of the quantile and the CVaR.", "", "0.9", gt=0, lt=1)] = 0.9
    aversion: Annotated[
        float, quantity("Of the entropic measure, per unit of loss.", "", "10", gt=0, le=1e6)
    ] = 10.0

    def of(
        self,
        losses: ArrayLike,
        axis: int = -1,
        *,
        target: float | None = None,
        best: ArrayLike | None = None,
    ) -> Any:
        """Compute the measure of equally likely losses.

        Parameters
        ----------
        losses : array-like
            Draws of the loss along ``axis``.
        axis : int
            Axis of the draws.
        target : float, optional
            The loss to reach, for "miss".
        best : array-like, optional
            Loss of the best plan in each draw, for "regret"; broadcasts with ``losses``.

        Returns
        -------
        array-like
            Without that axis.

        Raises
        ------
        ScenarioError
            If the measure needs a target or the best losses and they are not given.

        Examples
        --------
        >>> float(bs.Risk("quantile", 0.5).of([1.0, 2.0, 3.0]))
        2.0
        """
        draws = np.asarray(losses, dtype=np.float64)
        if self.measure == "mean":
            return draws.mean(axis=axis)
        if self.measure == "quantile":
            return np.quantile(draws, self.level, axis=axis)
        if self.measure == "cvar":
            return cvar(draws, self.level, axis)
        if self.measure == "entropic":
            from scipy.special import logsumexp

            whole = logsumexp(self.aversion * draws, axis=axis) - np.log(draws.shape[axis])
            return whole / self.aversion
        if self.measure == "miss":
            if target is None:
                raise ScenarioError("risk measure 'miss' needs a target_loss")
            return (draws > target).mean(axis=axis)
        if best is None:
            raise ScenarioError("risk measure 'regret' needs the best loss of every draw")
        return (draws - np.asarray(best)).max(axis=axis)

    def __str__(self) -> str:
        """The measure in words."""
        words = {
            "mean": "expected loss",
            "quantile": f"loss exceeded with probability {1 - self.level:.3g}",
            "cvar": f"expected loss in the worst {100 * (1 - self.level):.3g}% of cases",
            "entropic": f"entropic risk of the loss at aversion {self.aversion:.3g}",
            "miss": "probability of missing the target",
            "regret": "greatest regret in any draw",
        }
        return words[self.measure]


def cvar(losses: NDArray[np.float64], level: float, axis: int = -1) -> Any:
    """Compute the conditional value at risk of losses: their mean in the upper tail.

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

    Examples
    --------
    >>> float(cvar(np.array([1.0, 2.0, 3.0, 4.0]), 0.5))
    3.5
    """
    threshold = np.quantile(losses, level, axis=axis, method="inverted_cdf", keepdims=True)
    excess = np.maximum(losses - threshold, 0.0).mean(axis=axis)
    return np.squeeze(threshold, axis=axis) + excess / (1 - level)
