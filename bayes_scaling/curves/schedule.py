"""Learning rates along a run, and what a law of them reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.curves.curve import Axis, Curve
from bayes_scaling.errors import DataError

__all__ = ["Schedule", "warmed"]

Floats = NDArray[np.float64]

_GRID = 8192
_FEWEST = 4
_KEPT = 1000.0
"""Steps over which the effect of a lower rate comes: 1 / (1 - 0.999) (Tissue et al. 2024, 3.2)."""
_SHARE = 0.05
"""Of the plan, where it is so short that 1000 steps would be all of it."""


@dataclass(frozen=True, eq=False)
class Schedule:
    """Learning rate against t, planned to the end of a run.

    Between the points the rate is a straight line. S1 is its integral; S2 is that of a momentum
    which each lowering of the rate adds to and which fades (Tissue et al. 2024, Eq. 2), in steps
    or tokens as ``t`` is.

    Parameters
    ----------
    t, lr : (point,) array-like
        Positions, growing, the last one the planned end; rates there, 0 or more.
    axis : {"step", "tokens"}, optional
        What ``t`` counts; a curve that counts otherwise is then refused.
    memory : float, optional
        How long, in ``t``, the momentum lasts; 1000 steps, or a twentieth of the plan if that is
        shorter.

    Raises
    ------
    DataError
        If there are fewer than two points, positions do not grow, or a rate is no number of 0 or
        more, or all are 0.
    """

    t: Floats
    lr: Floats
    memory: float
    axis: Axis | None

    def __init__(
        self,
        t: ArrayLike,
        lr: ArrayLike,
        memory: float | None = None,
        axis: Axis | None = None,
    ) -> None:
        at, rate = (np.asarray(values, np.float64).reshape(-1) for values in (t, lr))
        if at.size != rate.size or at.size < 2:
            raise DataError(
                f"a schedule has {at.size} positions and {rate.size} rates; two or more of each "
                "are needed"
            )
        if not (np.all(np.isfinite(at)) and np.all(np.diff(at) > 0) and at[0] >= 0):
            raise DataError("positions of a schedule must be numbers of 0 or more that grow")
        if not (np.all(np.isfinite(rate)) and np.all(rate >= 0) and rate.max() > 0):
            raise DataError("rates of a schedule must be numbers of 0 or more, and not all 0")
        lasting = min(_KEPT, _SHARE * float(at[-1])) if memory is None else float(memory)
        if not lasting > 0:
            raise DataError(f"memory of a schedule is {lasting:g}, a number above 0 is needed")
        object.__setattr__(self, "t", at)
        object.__setattr__(self, "lr", rate)
        object.__setattr__(self, "memory", lasting)
        object.__setattr__(self, "axis", axis)

    @property
    def end(self) -> float:
        """Where the plan ends."""
        return float(self.t[-1])

    @property
    def peak(self) -> float:
        """Where the highest rate is reached first: the end of the warm-up."""
        return float(self.t[int(self.lr.argmax())])

    def areas(self, t: ArrayLike) -> tuple[Floats, Floats]:
        """S1 and S2 at positions; beyond the plan the last rate goes on.

        Parameters
        ----------
        t : array-like
            Steps or tokens.
        """
        wanted = np.asarray(t, np.float64)
        far = max(self.end, float(np.max(wanted)))
        # Fine near the start too, where curves are on a log scale.
        grid = np.unique(
            np.concatenate(
                [np.linspace(0.0, far, _GRID), np.geomspace(far * 1e-6, far, _GRID // 4), self.t]
            )
        )
        rate = np.interp(grid, self.t, self.lr)
        gap = np.diff(grid)
        total = np.concatenate([[0.0], np.cumsum(gap * (rate[1:] + rate[:-1]) / 2.0)])
        momentum = _faded(np.diff(rate), gap, self.memory)
        lowered = np.concatenate([[0.0], np.cumsum(gap * (momentum[1:] + momentum[:-1]) / 2.0)])
        return np.interp(wanted, grid, total), np.interp(wanted, grid, np.maximum(lowered, 0.0))


def warmed(curve: Curve, schedule: Schedule | None) -> Curve:
    """A curve from the end of its warm-up on, where a schedule says when that is.

    Laws of learning rates hold after it (Tissue et al. 2024, Section 3). A curve with fewer than
    four points there is left whole.

    Parameters
    ----------
    curve : Curve
        The curve.
    schedule : Schedule or None
        Its learning rates.

    Raises
    ------
    DataError
        If the schedule counts steps and the curve tokens, or the other way round.
    """
    if schedule is None:
        return curve
    if schedule.axis not in (None, curve.axis):
        raise DataError(
            f"the schedule counts {schedule.axis} and the curve of {curve.run!r} {curve.axis}; "
            "both must count the same"
        )
    kept = curve.t >= schedule.peak
    return curve.where(kept) if kept.sum() >= _FEWEST else curve


def _faded(change: Floats, gap: Floats, memory: float) -> Floats:
    """The momentum: what rates were lowered by, fading over the memory."""
    stays = np.exp(-gap / memory)
    # What a rate is lowered by, spread evenly over a cell, has faded by this at its end. A rate
    # that rises, in a warm-up or a restart, undoes nothing.
    added = np.maximum(-change, 0.0) * memory / gap * (1.0 - stays)
    momentum = np.zeros(len(gap) + 1)
    for at in range(len(gap)):
        momentum[at + 1] = stays[at] * momentum[at] + added[at]
    return momentum
