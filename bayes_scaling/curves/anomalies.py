"""Spikes and divergence of a curve: recognised and named, not fitted through."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from bayes_scaling.curves.curve import Curve, Flag

__all__ = ["Cleaned", "cleaned"]

Floats = NDArray[np.float64]

_WINDOW = 9
"""Points of the running median: spikes take fewer than half of them."""
_FEWEST = 12
_SPIKE = 8.0
"""Robust standard deviations above the running median."""
_LEAST = 0.01
"""Log loss below which nothing is a spike: that much seeds differ by."""
_DIVERGED = 0.1
"""Log loss above the best so far by which a curve that does not come back has diverged."""
_TAIL = 3
_TO_SD = 1.4826


@dataclass(frozen=True)
class Cleaned:
    """A curve without what a law cannot explain.

    Attributes
    ----------
    curve : Curve
        Without spikes, and without what came after it diverged.
    flags : tuple of Flag
        What was kept out and why.
    diverged : bool
        Whether it went up and did not come back.
    """

    curve: Curve
    flags: tuple[Flag, ...]
    diverged: bool


def cleaned(curve: Curve) -> Cleaned:
    """Name spikes and divergence of a curve, and keep them out.

    Parameters
    ----------
    curve : Curve
        As logged.

    Returns
    -------
    Cleaned
    """
    gone = curve.lost[curve.lost > curve.t[-1]]
    if len(gone) >= _TAIL:
        said = "the loss is no number, and does not come back"
        ends = float(gone.min()), float(gone.max())
        return Cleaned(curve, (Flag(curve.run, "diverged", *ends, len(gone), said),), True)
    if len(curve) < _FEWEST:
        return Cleaned(curve, (), diverged=False)
    log_loss = np.log(curve.loss)
    middle = median_filter(log_loss, size=_WINDOW, mode="nearest")
    away = log_loss - middle
    usual = max(_TO_SD * float(np.median(np.abs(away - np.median(away)))), 1e-9)
    start = _diverges_at(log_loss, middle, usual)
    kept = np.ones(len(curve), dtype=np.bool_)
    flags = []
    if start is not None:
        kept[start:] = False
        flags.append(
            _flag(curve, ~kept, "diverged", "the loss went up and did not come back: kept out")
        )
    spikes = kept & (away > max(_SPIKE * usual, _LEAST))
    # The first points of a run fall so fast that their median lags behind them.
    spikes[: _WINDOW // 2] = False
    if spikes.any():
        flags.append(_flag(curve, spikes, "spike", "far above its neighbours: kept out"))
        kept &= ~spikes
    return Cleaned(curve.where(kept), tuple(flags), diverged=start is not None)


def _diverges_at(log_loss: Floats, middle: Floats, usual: float) -> int | None:
    """The first of the points that are all far above the best so far, up to the end."""
    best = np.minimum.accumulate(middle)
    above = log_loss > best + max(_DIVERGED, _SPIKE * usual)
    if not above[-_TAIL:].all():
        return None
    below = np.flatnonzero(~above)
    return int(below[-1]) + 1 if len(below) else None


def _flag(curve: Curve, where: NDArray[np.bool_], code: str, meaning: str) -> Flag:
    at = curve.t[where]
    return Flag(curve.run, code, float(at[0]), float(at[-1]), int(where.sum()), meaning)
