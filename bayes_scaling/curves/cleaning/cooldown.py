"""Cool-down: whether the learning rate of a run has been lowered to its planned end."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["cooled"]

Floats = NDArray[np.float64]

_LOW = 0.1
"""Fraction of its peak at which a rate has been lowered, however it came there."""
_SLACK = 1.02
"""For peaks between two points of the log."""
_GAP = 0.05
"""Fraction of the peak that the rate may still fall by until the next point of the log."""
_HIGHEST = 1.0 / 3.0
"""Fraction of its peak above which no rate has been lowered, though it rests there."""
_RESTS = 0.15
"""Fraction of the steepest fall below which a rate has come to rest."""
_STEP = 0.35
"""Fraction of the whole fall in one step: a staircase, whose next step may be to come."""
_APART = 1.25
_SLOW = 1.05
"""Power of t: 1 / sqrt(t) and 1 / t fall for as long as a run goes on, and end nowhere."""
_TINY = 1e-3


def cooled(t: Floats, lr: Floats) -> bool:
    """Return whether a run's learning rate has been lowered to its end.

    It has been if it stands at a tenth of its peak or below, or has come to rest at up to a third
    of it after a smooth fall, and fell faster than 1 / t somewhere on the way: a constant rate, a
    warm-up and a decay by the inverse square root have no such end. The peak may lie between two
    points of the log, and the end one point behind the last.
    """
    peak = float(lr.max())
    if not peak > 0 or len(lr) < 2 or lr[-1] > _HIGHEST * peak:
        return False
    level = lr / peak
    if _steepest_power(t, level) <= _SLOW:
        return False
    still = min(float(level[-2] - level[-1]), _GAP)
    return bool(level[-1] <= _SLACK * _LOW + max(still, 0.0)) or _rests(t, level)


def _steepest_power(t: Floats, level: Floats) -> float:
    """Return the largest p with which the rate fell as t ** -p, over a quarter of t each."""
    at, logs = np.log(t), np.log(np.maximum(level, _TINY))
    # Straight on logarithms, so that a power stays one between points that lie far apart.
    before = np.interp(at - np.log(_APART), at, logs)
    return float(((before - logs) / np.log(_APART)).max())


def _rests(t: Floats, level: Floats) -> bool:
    """Return whether the rate stands at its lowest, after a fall that slowed down smoothly."""
    top = int(np.flatnonzero(level >= 1.0 - 1e-9)[-1])
    falls = -np.diff(level[top:])
    slopes = falls / np.diff(t[top:])
    smooth = falls.max() <= _STEP * falls.sum()
    return bool(smooth and abs(slopes[-1]) <= _RESTS * slopes.max())
