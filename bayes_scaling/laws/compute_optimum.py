"""The compute-optimal size by search on the log scale."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["GRID", "numeric", "track"]

Floats = NDArray[np.float64]
Objective = Callable[[Floats], Floats]

GRID = 65
_GOLDEN = (np.sqrt(5.0) - 1) / 2
_WIDTHS = (0.5, 0.2, 0.05)
"""Half widths of successive parabolas in log N; a parabola through a smooth minimum errs by the
square of its width, times how far it was off."""
_STEPS = 100
_TOLERANCE = 1e-8
"""Width of the final bracket in log N; the loss there is flat to its square."""


def numeric(loss: Objective, bounds: tuple[float, float], samples: int) -> Floats:
    """The minimiser of every draw by grid and golden-section search.

    Parameters
    ----------
    loss : callable
        Loss of every draw at logs of a size, (..., sample) to (..., sample).
    bounds : tuple of float
        Natural logs of the smallest and largest size.
    samples : int
        How many draws.

    Returns
    -------
    (sample,) array
        The minimiser; at a bound where the loss still falls towards it.
    """
    grid = np.linspace(*bounds, GRID)
    best = loss(np.broadcast_to(grid[:, None], (GRID, samples))).argmin(axis=0)
    low, high = grid[np.maximum(best - 1, 0)], grid[np.minimum(best + 1, GRID - 1)]
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    f_left, f_right = loss(left), loss(right)
    while np.max(high - low) > _TOLERANCE:
        go_left = f_left < f_right
        high, low = np.where(go_left, right, high), np.where(go_left, low, left)
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        f_left, f_right = loss(left), loss(right)
    middle = (low + high) / 2
    # Within the bracket's width of a bound the bound itself may be the minimum.
    ends = np.stack([np.full(samples, bounds[0]), middle, np.full(samples, bounds[1])])
    return ends[np.stack([loss(end) for end in ends]).argmin(axis=0), np.arange(middle.size)]


def track(
    loss: Objective, start: Floats, bounds: tuple[float, float], *, near: bool = False
) -> Floats:
    """The minimiser of every draw near a known one, by parabolas.

    For budgets that follow each other: a minimum that has moved a little is found in a fraction of
    the evaluations that a search from nothing takes.

    Parameters
    ----------
    loss : callable
        As :func:`numeric`; with one minimum.
    start : (sample,) array
        Natural logs of sizes near the minimum.
    bounds : tuple of float
        Natural logs of the smallest and largest size.
    near : bool
        Whether the start is so near that the widest parabola has nothing to add.

    Returns
    -------
    (sample,) array
    """
    at = np.clip(start, *bounds)
    widths = iter(_WIDTHS[1:] if near else _WIDTHS)
    width = next(widths)
    for _ in range(_STEPS):
        left, middle, right = loss(at - width), loss(at), loss(at + width)
        bend = left - 2.0 * middle + right
        with np.errstate(divide="ignore", invalid="ignore"):
            step = 0.5 * width * (left - right) / bend
        # Where three points do not bend upwards, downhill.
        downhill = np.where(left < right, -width, width)
        bent = (bend > 0) & np.isfinite(step)
        step = np.where(bent, np.clip(step, -2 * width, 2 * width), downhill)
        moved = np.clip(at + step, *bounds)
        away, at = float(np.max(np.abs(moved - at))), moved
        # Whatever is still on its way goes on as it was; then closer.
        if away < width:
            width = next(widths, 0.0)
        if not width:
            break
    return at
