"""Tracks: points of runs in the order in which they were logged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Floats", "Track", "aligned", "counted"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Track:
    """Points of one run or segment.

    Attributes
    ----------
    run : str
        Name.
    t, loss : (point,) array
        Steps or tokens, and losses, as logged.
    lr, seconds : (point,) array or None
        Learning rate, and wall-clock from any origin.
    blanks : int
        Number of losses that are blank cells, taken as no number.
    """

    run: str
    t: Floats
    loss: Floats
    lr: Floats | None = None
    seconds: Floats | None = None
    blanks: int = 0


def counted(count: int) -> Floats:
    """Return positions of points that are counted from 1."""
    return np.arange(1.0, count + 1.0)


def aligned(t: Floats, values: Floats, at: Floats) -> Floats:
    """Interpolate what was logged on rows of its own at the points of the loss.

    Linear between the places where it was logged, constant beyond them; where a place was logged
    twice, the later holds.
    """
    latest = dict(zip(t.tolist(), values.tolist(), strict=True))
    places = np.array(sorted(latest), dtype=np.float64)
    if not len(places):
        return np.full(len(at), np.nan)
    values = np.array([latest[place] for place in places.tolist()], dtype=np.float64)
    return np.asarray(np.interp(at, places, values), dtype=np.float64)
