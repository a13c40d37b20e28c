"""Binning of long curves on a log grid, with an estimate of their white noise."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.curves.curve import Curve

__all__ = ["POINTS", "BinnedCurve", "binned"]

Floats = NDArray[np.float64]

POINTS = 64
"""Largest number of fitted points: beyond it a smooth curve holds no more information."""
_TO_SD = 1.4826 / np.sqrt(2.0)
"""From the median absolute difference of neighbours to the sd of one of them, if normal."""
_KNOWN = 30


@dataclass(frozen=True)
class BinnedCurve:
    """Means of a curve over bins of a log grid.

    Attributes
    ----------
    log_t, log_loss : (point,) array
        Means of the logs over the logged points of each bin.
    counts : (point,) array
        Number of these points.
    white_sd : float
        sd of the log loss of one logged point, from differences of neighbours; NaN if few.
    logged : int
        Number of logged points.
    """

    log_t: Floats
    log_loss: Floats
    counts: Floats
    white_sd: float
    logged: int

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Note that points were averaged, where they were."""
        if len(self.log_t) == self.logged:
            return ()
        return (
            Caveat(
                code="binned-points",
                severity="note",
                text=f"{self.logged} points are averaged to {len(self.log_t)} on a grid of log t; "
                f"one point scatters by {100 * self.white_sd:.2g}% of the loss.",
                data={
                    "logged": self.logged,
                    "bins": len(self.log_t),
                    "white_sd": self.white_sd,
                },
            ),
        )


def binned(curve: Curve, points: int = POINTS) -> BinnedCurve:
    """Average a curve over so many bins; one with no more points is left as it is."""
    log_t, log_loss = np.log(curve.t), np.log(curve.loss)
    steps = np.abs(np.diff(log_loss))
    white_sd = float(np.median(steps) * _TO_SD) if len(steps) >= _KNOWN else float("nan")
    if len(curve) <= points:
        return BinnedCurve(log_t, log_loss, np.ones(len(curve)), white_sd, len(curve))
    # Bins that hold one point at least: in log t where points are dense, else as logged.
    edges = np.linspace(log_t[0], log_t[-1], points + 1)
    bins = np.clip(np.searchsorted(edges, log_t, side="right") - 1, 0, points - 1)
    _, bins = np.unique(bins, return_inverse=True)
    counts = np.bincount(bins).astype(np.float64)
    return BinnedCurve(
        np.bincount(bins, log_t) / counts,
        np.bincount(bins, log_loss) / counts,
        counts,
        white_sd,
        len(curve),
    )
