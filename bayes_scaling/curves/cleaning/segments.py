"""Segments of a curve: points on it, steps of its level, and an unfinished excursion."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.curves.cleaning.recovery import Recovery, recovery
from bayes_scaling.curves.cleaning.regimes import EXCURSION, LEVEL, ON, OUTLIER, Regimes, regimes

__all__ = ["Segments", "Step", "Unfinished", "segmented"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_CELLS, _LATEST = 200, 40
"""Cells of a long log, so many evenly in t and as many in log t, and points at the end that are
each one; what lasts shorter than a cell is recognised point by point."""
_TO_SD = 1.4826
_NOISE = 1e-3
"""Least sd of the noise of a point, log loss."""
_FAR, _LEAST = 8.0, 0.01
"""Robust standard deviations, and log loss, by which a wrong point is off the curve: less is left
to the noise."""
_CLOSE = 3.0
"""Robust standard deviations within which a point at the edge of an excursion is on the curve."""
_HIGH = 0.1
"""Log loss above the best level so far from which a run may have diverged."""
_TINY = 1e-300
_LASTS = 3
"""Cells for which it must be so."""
_FLAT = 0.1
"""Fraction of its height by which a level may rise."""
_SETTLED = 5
"""Points that a level must have."""
_SAME = 0.2
"""Fraction of the first of two steps within which the loss is back after the second: then what lies
between is a spike or a dip."""
_JUMP = 0.1
"""Change of the log of a learning rate from one cell to the next that is a jump."""
_NEAR, _ENOUGH, _MOST = 0.3, 6, 60
"""Log of t, and fewest and most points, on each side of a step from which its size is estimated."""


@dataclass(frozen=True)
class Step:
    """Step to another level: its first point, and the log loss before and after it there."""

    at: int
    before: float
    after: float


@dataclass(frozen=True)
class Unfinished:
    """Excursion that is under way at the last point.

    Where it began, the log loss of the curve there, how far from it the last points are, and what
    it will do.
    """

    at: int
    before: float
    height: float
    recovery: Recovery


@dataclass(frozen=True, eq=False)
class Segments:
    """Segments of a curve.

    Attributes
    ----------
    out : (point,) array of bool
        Points that are not on the curve.
    base : (point,) array
        Log loss of the curve at each point, from the points before.
    steps : tuple of Step
        Where its level stepped, in order.
    unfinished : Unfinished or None
        Excursion under way at the last point.
    """

    out: Mask
    base: Floats
    steps: tuple[Step, ...]
    unfinished: Unfinished | None


def segmented(t: Floats, loss: Floats, lr: Floats | None = None) -> Segments:
    """Compute the segments of a curve from the regimes of its points.

    Where learning rates are known and jump, a step of the loss is theirs and no other level.
    """
    x, y = np.log(t), np.log(loss)
    noise = _noise(y)
    cells = _Cells.of(x, y, noise)
    found = regimes(cells.x, cells.y, cells.sd)
    labels, trend = found.labels.copy(), found.trend.copy()
    starts = _levels(found, labels, trend, cells)
    unfinished = _unfinished(labels, trend, starts, cells, found)
    lowered = _lowered(lr, cells)
    starts = [start for start in starts if start not in lowered]
    if unfinished is not None and unfinished.at in lowered:
        # What follows a change of the rate is the curve, unless it is far above what was.
        unfinished = unfinished if unfinished.height > _HIGH else None
        labels[labels == LEVEL] = ON
    if unfinished is not None:
        settled = len(labels) - unfinished.at >= _SETTLED
        stays = settled and unfinished.recovery.likely == "level"
        wrong = stays & (labels[unfinished.at :] == OUTLIER)
        labels[unfinished.at :] = np.where(wrong, OUTLIER, ON if stays else EXCURSION)
        starts = [start for start in starts if start < unfinished.at - _LASTS]
        if stays:
            trend[unfinished.at :] = cells.y[unfinished.at :]
        if stays and starts and _back(cells, trend, starts[-1], unfinished.at):
            between = slice(starts.pop(), unfinished.at)
            labels[between], trend[between] = EXCURSION, trend[between.start - 1]
            unfinished = None
        elif stays:
            starts.append(unfinished.at)
    out = _out(labels, trend, cells, y, noise)
    first = [_edge(cells, start, y) for start in starts]
    bounds = [0, *first, len(x)]
    steps = tuple(_step(x, y, ~out, at, (bounds[k], bounds[k + 2])) for k, at in enumerate(first))
    base = np.interp(x, cells.x, trend)
    if unfinished is not None:
        at = _edge(cells, unfinished.at, y)
        out[int(cells.first[unfinished.at - 1]) : at] = False
        unfinished = replace(unfinished, at=at)
    return Segments(out, base, steps, unfinished)


def _noise(y: Floats) -> float:
    """Estimate the robust sd of a point from second differences, in which a trend has no part."""
    bends = np.abs(y[1:-1] - (y[2:] + y[:-2]) / 2.0)
    return max(_TO_SD * float(np.median(bends)) / float(np.sqrt(1.5)), _NOISE)


def _lowered(lr: Floats | None, cells: "_Cells") -> set[int]:
    """Return cells in which, or next to which, the learning rate jumps."""
    if lr is None:
        return set()
    rates = np.log(np.maximum(lr, _TINY))[cells.first]
    jumps = np.flatnonzero(np.abs(np.diff(rates)) > _JUMP)
    return {int(cell) for jump in jumps for cell in (jump, jump + 1, jump + 2)}


@dataclass(frozen=True, eq=False)
class _Cells:
    """Medians of a long log over cells; a short log as it is.

    Which cell each point is in, where cells begin, their log of t, log loss, and its sd.
    """

    each: Ints
    first: Ints
    x: Floats
    y: Floats
    sd: Floats

    @classmethod
    def of(cls, x: Floats, y: Floats, noise: float) -> "_Cells":
        each = np.arange(len(x))
        if len(x) > 2 * _CELLS:
            even = np.linspace(x[0], x[-1], _CELLS)
            late = np.log(np.linspace(np.exp(x[0]), np.exp(x[-1]), _CELLS))
            edges = np.unique(np.concatenate([even, late, x[-_LATEST:]]))
            _, each = np.unique(np.searchsorted(edges, x, side="right"), return_inverse=True)
        counts = np.bincount(each)
        first = np.cumsum(counts) - counts
        middle = np.array([np.median(part) for part in np.split(y, first[1:])])
        sd = np.hypot(noise / np.sqrt(counts), _NOISE)
        return cls(each, first, np.bincount(each, x) / counts, middle, sd)


def _levels(found: Regimes, labels: Ints, trend: Floats, cells: _Cells) -> list[int]:
    """Return the first cells of levels that became the trend; these are then on the curve."""
    starts: list[int] = []
    for end in np.flatnonzero(found.became):
        start = int(end)
        while start > 0 and labels[start - 1] in (LEVEL, OUTLIER):
            start -= 1
        while labels[start] == OUTLIER:
            start += 1
        level = labels[start:end] == LEVEL
        size = float(np.median((cells.y - trend)[start:end][level])) if level.any() else 0.0
        labels[start:end][level] = ON
        trend[start:end] += size
        if starts and _back(cells, trend, starts[-1], start):
            # Back where it was: the level between was none that stayed.
            between = slice(starts.pop(), start)
            labels[between], trend[between] = EXCURSION, trend[between.start - 1]
        else:
            starts.append(start)
    return starts


def _back(cells: _Cells, trend: Floats, start: int, end: int) -> bool:
    """Return whether a level that starts with one cell is over with another: the loss is back."""
    size = float(trend[start] - trend[start - 1])
    after = float(np.median(cells.y[end : end + _SETTLED]))
    soon = bool(cells.x[end] - cells.x[start] < _NEAR)
    return soon and abs(after - float(trend[start - 1])) < _SAME * abs(size)


def _smoothed(y: Floats) -> Floats:
    """Return running medians; beyond the ends the first and the last value go on."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(y, _LASTS // 2, "edge"), _LASTS)
    medians: Floats = np.median(windows, axis=-1)
    return medians


def _unfinished(
    labels: Ints, trend: Floats, starts: list[int], cells: _Cells, found: Regimes
) -> Unfinished | None:
    """Find an excursion at the end: off the trend, or on one far above the best so far."""
    size = len(labels)
    since = size
    while since > 0 and labels[since - 1] != ON:
        since -= 1
    if not np.isin(labels[since:], (EXCURSION, LEVEL)).any():
        since = size
    best = np.minimum.accumulate(np.where(labels == ON, trend, np.inf))
    below = np.flatnonzero(_smoothed(cells.y) <= best + _HIGH)
    high = int(below[-1]) + 1 if len(below) else 0
    if high + _LASTS <= min(since, size):
        # Far above the best so far, whatever regimes it went through since.
        since = high
        steps = [trend[start] - trend[start - 1] for start in starts if start >= since - _LASTS]
        whole = float(np.median(cells.y[-_LASTS:])) - best[max(since - 1, 0)]
        parallel = float(np.clip(steps[0] / whole, 0.0, 1.0)) if len(steps) == 1 else 0.0
        trend = np.full(size, best[max(since - 1, 0)])
    elif since < size:
        regime = found.probabilities
        parallel = float(regime[LEVEL] / max(regime[LEVEL] + regime[EXCURSION], _TINY))
    else:
        return None
    if since == 0:
        return None
    # A trend that rises has learned of what it is compared with.
    base = np.minimum(trend[since:], trend[since - 1])
    away = (cells.y[since:] - base)[labels[since:] != OUTLIER]
    height = float(np.median(away[-3:]))
    quarters = [abs(float(np.median(part))) for part in np.array_split(away, 4) if len(part)]
    left = quarters[-1] / max(*quarters[1:-1], _TINY) if len(quarters) > 2 else 1.0
    late = np.array_split(cells.y[since:], 4)
    rise = float(np.median(late[-1]) - np.median(late[1])) if len(late[1]) else 0.0
    parallel *= float(np.exp(-0.5 * (max(rise, 0.0) / np.hypot(_FLAT * height, 2 * _LEAST)) ** 2))
    began, now = (float(np.exp(cells.x[i])) for i in (since, -1))
    spacing = (now - float(np.exp(cells.x[since - 1]))) / (size - since)
    what = recovery(began, now, spacing=spacing, height=height, left=left, parallel=parallel)
    return Unfinished(since, float(base[0]), height, what)


def _out(labels: Ints, trend: Floats, cells: _Cells, y: Floats, noise: float) -> Mask:
    """Find points off the curve: those of cells that are, and single ones."""
    enough = max(_FAR * noise, _LEAST)
    counts = np.bincount(cells.each)
    small = (labels == OUTLIER) & (np.abs(cells.y - trend) < _LEAST)
    on = (labels == ON) | small
    out: Mask = ~on[cells.each]
    # Far from the cells on both sides that are on the curve: steps are not wrong.
    known = np.flatnonzero(on)
    last = np.clip(np.cumsum(on) - 1, 0, len(known) - 1)
    places = [known[np.clip(last + shift, 0, len(known) - 1)] for shift in (-1, 0, 1, 2)]
    near = [np.abs(y - cells.y[place[cells.each]]) for place in places]
    wrong = (np.min(near, axis=0) > enough) & (counts > 1)[cells.each]
    out |= wrong
    base = np.interp(np.arange(len(y)), cells.first, trend)
    close = np.abs(y - base) < max(_CLOSE * noise, _NOISE)
    ends = np.append(cells.first[1:], len(y))
    for cell in np.flatnonzero(~on & (counts > 1)):
        part = slice(cells.first[cell], ends[cell])
        far = np.flatnonzero(~close[part])
        if not len(far):
            continue
        # In the first and the last cell of an excursion only what comes after and before.
        if cell and on[cell - 1]:
            out[part][: far[0]] = False
        if cell + 1 < len(on) and on[cell + 1]:
            out[part][far[-1] + 1 :] = False
    return out


def _edge(cells: _Cells, start: int, y: Floats) -> int:
    """Find the first point of a segment that starts with a cell, or late in the cell before."""
    low, high = int(cells.first[start - 1]), int(np.append(cells.first, len(y))[start + 1])
    before, after = float(np.median(y[max(low - 9, 0) : low + 1])), float(cells.y[start])
    costs = np.abs(y[low:high] - after) - np.abs(y[low:high] - before)
    # Points from the edge on cost as those of the new level, the others as those of the old.
    return low + int((np.cumsum(costs[::-1])[::-1]).argmin())


def _step(x: Floats, y: Floats, kept: Mask, at: int, within: tuple[int, int]) -> Step:
    """Estimate a step by least squares of a line in log t with a step, over points near it."""
    sides = []
    for side in (np.arange(at - 1, within[0] - 1, -1), np.arange(at, within[1])):
        near = side[kept[side]]
        count = max(int((np.abs(x[near] - x[at]) < _NEAR).sum()), _ENOUGH)
        sides.append(near[: min(count, _MOST)])
    chosen = np.concatenate(sides)
    later = np.repeat([0.0, 1.0], [len(side) for side in sides])
    columns = np.stack([np.ones(len(chosen)), x[chosen] - x[at], later], axis=1)
    before, _, size = np.linalg.lstsq(columns, y[chosen], rcond=None)[0]
    return Step(at, float(before), float(before + size))
