"""Learning rates along a run, and their integrals, which a law reads."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.core.old_names import old_names
from bayes_scaling.curves.curve import Axis, Curve
from bayes_scaling.errors import DataError

__all__ = ["Schedule", "warmed"]

Floats = NDArray[np.float64]

_GRID = 8192
_FEWEST = 4
_TIME_CONSTANT = 1000.0
"""Steps over which the effect of a lower rate comes: 1 / (1 - 0.999) (Tissue et al. 2024, 3.2)."""
_FRACTION = 0.05
"""Fraction of the plan, where it is so short that 1000 steps would be all of it."""


@old_names(memory="time_constant")
@dataclass(frozen=True, eq=False)
class Schedule:
    """Learning rate against steps or tokens, planned to the end of a run.

    The rate is linear between the points. S1 is its integral; S2 is that of a momentum
    which each decrease of the rate adds to and which decays (Tissue et al. 2024, Eq. 2), in steps
    or tokens as ``t`` is.

    Parameters
    ----------
    t, lr : (point,) array-like
        Positions, growing, the last one the planned end; rates there, 0 or more.
    axis : {"step", "tokens"}, optional
        What ``t`` counts; a curve that counts otherwise is then refused.
    time_constant : float, optional
        Time constant of the decay of the momentum, in units of ``t``; by default 1000, or a
        twentieth of the plan if that is shorter.

    Raises
    ------
    DataError
        If there are fewer than two points, positions do not grow, or a rate is no number of 0 or
        more, or all are 0.

    Examples
    --------
    >>> plan = bs.curves.Schedule([0, 7000, 10_000], [1e-3, 1e-3, 1e-4])
    >>> plan.end, plan.areas([7000])[0]
    (10000.0, array([7.]))
    """

    t: Floats
    lr: Floats
    time_constant: float
    axis: Axis | None

    def __init__(
        self,
        t: ArrayLike,
        lr: ArrayLike,
        time_constant: float | None = None,
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
        default = min(_TIME_CONSTANT, _FRACTION * float(at[-1]))
        constant = default if time_constant is None else float(time_constant)
        if not constant > 0:
            raise DataError(
                f"time_constant of a schedule is {constant:g}, a number above 0 is needed"
            )
        object.__setattr__(self, "t", at)
        object.__setattr__(self, "lr", rate)
        object.__setattr__(self, "time_constant", constant)
        object.__setattr__(self, "axis", axis)

    @property
    def end(self) -> float:
        """Planned end."""
        return float(self.t[-1])

    @property
    def peak(self) -> float:
        """Position of the first highest rate: the end of the warm-up."""
        return float(self.t[int(self.lr.argmax())])

    def areas(self, t: ArrayLike) -> tuple[Floats, Floats]:
        """Return S1 and S2 at positions; beyond the plan the last rate goes on.

        Parameters
        ----------
        t : array-like
            Steps or tokens.
        """
        places = np.asarray(t, np.float64)
        far = max(self.end, float(np.max(places)))
        # Fine near the start too, where curves are on a log scale.
        grid = np.unique(
            np.concatenate(
                [np.linspace(0.0, far, _GRID), np.geomspace(far * 1e-6, far, _GRID // 4), self.t]
            )
        )
        rate = np.interp(grid, self.t, self.lr)
        gap = np.diff(grid)
        total = np.concatenate([[0.0], np.cumsum(gap * (rate[1:] + rate[:-1]) / 2.0)])
        momentum = _decaying(np.diff(rate), gap, self.time_constant)
        lowered = np.concatenate([[0.0], np.cumsum(gap * (momentum[1:] + momentum[:-1]) / 2.0)])
        return np.interp(places, grid, total), np.interp(places, grid, np.maximum(lowered, 0.0))


def warmed(curve: Curve, schedule: Schedule | None) -> Curve:
    """Return a curve from the end of its warm-up on, where a schedule says when that is.

    Laws of learning rates hold after it (Tissue et al. 2024, Section 3). A curve with fewer than
    four points there is left whole; one that counts otherwise than the schedule is refused.
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


def _decaying(change: Floats, gap: Floats, time_constant: float) -> Floats:
    """Return the momentum: decreases of the rate, decaying exponentially."""
    stays = np.exp(-gap / time_constant)
    # A decrease, spread evenly over a cell, has decayed by this at its end. A rate
    # that rises, in a warm-up or a restart, undoes nothing.
    added = np.maximum(-change, 0.0) * time_constant / gap * (1.0 - stays)
    momentum = np.zeros(len(gap) + 1)
    for at in range(len(gap)):
        momentum[at + 1] = stays[at] * momentum[at] + added[at]
    return momentum
