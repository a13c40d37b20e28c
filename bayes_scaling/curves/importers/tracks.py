"""What every format comes to: points of runs in the order in which they were logged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["COUNTED", "Floats", "Track", "aligned"]

Floats = NDArray[np.float64]

COUNTED = (
    "points were counted in the order in which they were logged: one point is one step, of the "
    "planned end too"
)
"""A note where t= asks for it."""


@dataclass(frozen=True, slots=True)
class Track:
    """Points of one run or segment.

    Attributes
    ----------
    run : str
        Its name.
    t, loss : (point,) array
        Steps or tokens, and losses, as logged.
    lr, seconds : (point,) array or None
        Learning rate, and wall-clock from any origin.
    blanks : int
        How many of the losses are blank cells that were taken as no number.
    """

    run: str
    t: Floats
    loss: Floats
    lr: Floats | None = None
    seconds: Floats | None = None
    blanks: int = 0


def aligned(t: Floats, values: Floats, at: Floats) -> Floats:
    """What was logged beside the loss, on rows of its own, brought to the points of the loss.

    Straight between the places where it was logged, and level beyond them; where a place was
    logged twice, the later holds.

    Parameters
    ----------
    t, values : (row,) array
        Places and values, as logged.
    at : (point,) array
        Where they are wanted.
    """
    latest = dict(zip(t.tolist(), values.tolist(), strict=True))
    places = np.array(sorted(latest), dtype=np.float64)
    if not len(places):
        return np.full(len(at), np.nan)
    values = np.array([latest[place] for place in places.tolist()], dtype=np.float64)
    return np.asarray(np.interp(at, places, values), dtype=np.float64)
