"""Long curves as a few dozen points on a log grid, with what is known of their noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.curves.curve import Curve

__all__ = ["POINTS", "Thinned", "thinned"]

Floats = NDArray[np.float64]

POINTS = 64
"""Most points that are fitted: beyond these a smooth curve tells nothing new."""
_TO_SD = 1.4826 / np.sqrt(2.0)
"""From the median absolute difference of neighbours to the sd of one of them, if normal."""
_KNOWN = 30


@dataclass(frozen=True)
class Thinned:
    """Points of a curve on a log grid.

    Attributes
    ----------
    log_t, log_loss : (point,) array
        Means of the logs over the logged points of each cell.
    counts : (point,) array
        How many those are.
    white : float
        sd of the log loss of one logged point, from differences of neighbours; NaN if few.
    logged : int
        Points there were.
    """

    log_t: Floats
    log_loss: Floats
    counts: Floats
    white: float
    logged: int

    @property
    def said(self) -> str:
        """What was done, in words; empty if nothing."""
        if len(self.log_t) == self.logged:
            return ""
        return (
            f"{self.logged} points are averaged to {len(self.log_t)} on a grid of log t; one point "
            f"scatters by {100 * self.white:.2g}% of the loss."
        )


def thinned(curve: Curve, points: int = POINTS) -> Thinned:
    """A curve on a log grid.

    Parameters
    ----------
    curve : Curve
        As logged.
    points : int
        Most cells; a curve with no more points is left as it is.

    Returns
    -------
    Thinned
    """
    log_t, log_loss = np.log(curve.t), np.log(curve.loss)
    steps = np.abs(np.diff(log_loss))
    white = float(np.median(steps) * _TO_SD) if len(steps) >= _KNOWN else float("nan")
    if len(curve) <= points:
        return Thinned(log_t, log_loss, np.ones(len(curve)), white, len(curve))
    # Cells that hold one point at least: in log t where points are dense, else as logged.
    edges = np.linspace(log_t[0], log_t[-1], points + 1)
    cells = np.clip(np.searchsorted(edges, log_t, side="right") - 1, 0, points - 1)
    _, cells = np.unique(cells, return_inverse=True)
    counts = np.bincount(cells).astype(np.float64)
    return Thinned(
        np.bincount(cells, log_t) / counts,
        np.bincount(cells, log_loss) / counts,
        counts,
        white,
        len(curve),
    )
