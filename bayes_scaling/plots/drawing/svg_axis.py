"""One axis: its scale, its limits, its ticks, as matplotlib chooses them."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.plots.number_format import axis_power

__all__ = ["SvgAxis"]

Floats = NDArray[np.float64]

_MARGIN = 0.05
"""Share of the data's span that stays free at either end."""
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_PLAIN = (1e-3, 1e4)
"""Between these, numbers on a log axis are written out."""
_MOST_MINOR_DECADES = 10
_SHORT = 0.4
"""Decades in view below which every multiple of a power of ten is labelled."""


class SvgAxis:
    """An axis of a panel.

    Attributes
    ----------
    scale : {"linear", "log"}
        Scale.
    label : str
        Label.
    stated : list of float or None
        Limits that were stated, low and high.
    fixed : sequence of (float, str) or None
        Ticks that were stated, with their labels.
    subs : tuple of float
        Multiples of the powers of ten at which a log axis has ticks.
    most : int or None
        Largest number of decades with a tick.
    whole : bool
        Whether ticks are whole numbers.
    minor : bool
        Whether a log axis has ticks between those with labels.
    """

    def __init__(self) -> None:
        self.scale = "linear"
        self.label = ""
        self.stated: list[float | None] = [None, None]
        self.fixed: Sequence[tuple[float, str]] | None = None
        self.subs: tuple[float, ...] = (1.0,)
        self.most: int | None = None
        self.whole = False
        self.minor = True
        self.sticks_at_zero = False
        self._formatter: Callable[[float], str] | None = None
        self._minor_labels = True
        self._seen: list[Floats] = []

    def set_major_formatter(self, formatter: Callable[[float], str]) -> None:
        """Label ticks by a function of their values."""
        self._formatter = formatter

    def set_minor_formatter(self, _formatter: Callable[[float], str]) -> None:
        """Leave minor ticks without labels; no figure of ours labels them otherwise."""
        self._minor_labels = False

    def include(self, *values: ArrayLike) -> None:
        """Make room for data."""
        self._seen += [np.asarray(each, dtype=np.float64).ravel() for each in values]

    def view(self) -> tuple[float, float]:
        """Limits: those stated, else of the data with a margin."""
        seen = np.concatenate(self._seen) if self._seen else np.empty(0)
        seen = seen[np.isfinite(seen) & ((seen > 0) | (self.scale == "linear"))]
        if not len(seen):
            seen = np.array([0.0, 1.0] if self.scale == "linear" else [1.0, 10.0])
        low, high = float(seen.min()), float(seen.max())
        if low == high:
            low, high = self._about(low)
        first, last = self._move(np.array([low, high])).tolist()
        room = _MARGIN * (last - first)
        ends = [first - (0.0 if self.sticks_at_zero and first == 0.0 else room), last + room]
        found = [10.0**end for end in ends] if self.scale == "log" else ends
        low, high = (f if s is None else s for s, f in zip(self.stated, found, strict=True))
        return low, high

    def _about(self, value: float) -> tuple[float, float]:
        if self.scale == "log":
            return value / 10.0, value * 10.0
        room = _MARGIN * abs(value) or _MARGIN
        return value - room, value + room

    def _move(self, values: Floats) -> Floats:
        if self.scale == "linear":
            return values
        with np.errstate(divide="ignore", invalid="ignore"):
            moved: Floats = np.log10(values)
        # Far below the axis, where matplotlib clips what has no logarithm.
        return np.where(values > 0, moved, -1e3)

    def place(self, values: ArrayLike) -> Floats:
        """Return where values lie between the limits, 0 to 1."""
        low, high = self._move(np.array(self.view()))
        placed: Floats = (self._move(np.asarray(values, dtype=np.float64)) - low) / (high - low)
        return placed

    def ticks(self, room: int) -> list[tuple[float, str]]:
        """Return major ticks and their labels; about ``room`` of them have a place."""
        low, high = sorted(self.view())
        if self.fixed is not None:
            listed = list(self.fixed)
        elif self.scale == "log":
            listed = self._log_ticks(low, high, room)
        else:
            listed = self._linear_ticks(low, high, min(max(room, 1), 9))
        slack = 1e-9 * (high - low)
        return [(at, words) for at, words in listed if low - slack <= at <= high + slack]

    def minor_ticks(self) -> list[tuple[float, str]]:
        """Return ticks between powers of ten, labelled where few of those are in view."""
        if self.scale != "log" or not self.minor:
            return []
        low, high = sorted(self.view())
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        if len(decades) > _MOST_MINOR_DECADES:
            return []
        span = math.log10(high / low)
        labelled = {2, 3, 4, 6} if span > _SHORT else set(range(2, 10))
        powers = sum(low <= 10.0**decade <= high for decade in decades)
        labelled = labelled if self._minor_labels and powers <= 1 else set()
        found = [(m * 10.0**d, m) for d in decades for m in range(2, 10)]
        return [
            (at, self._named(at) if m in labelled else "") for at, m in found if low < at < high
        ]

    def _log_ticks(self, low: float, high: float, room: int) -> list[tuple[float, str]]:
        first, last = math.log10(low), math.log10(high)
        whole = max(math.floor(last) - math.ceil(first), 0)
        most = self.most or min(max(room, 2), 9)
        stride = next(n for n in range(1, whole + 2) if whole // n + 1 <= most)
        decades = range(math.floor(first), math.ceil(last) + 1)
        kept = [d for d in decades if d % stride == 0 or stride == 1]
        subs = self.subs if stride == 1 else (1.0,)
        return [(at, self._named(at)) for at in (m * 10.0**d for d in kept for m in subs)]

    def _named(self, value: float) -> str:
        if self._formatter is not None:
            return self._formatter(value)
        return f"{value:.4g}" if _PLAIN[0] <= value <= _PLAIN[1] else axis_power(value)

    def _linear_ticks(self, low: float, high: float, most: int) -> list[tuple[float, str]]:
        scale = 10.0 ** math.floor(math.log10((high - low) / most))
        steps = [m * f * scale for f in (0.1, 1.0, 10.0) for m in _STEPS[:-1]]
        if self.whole:
            steps = [step for step in steps if abs(step - round(step)) < 1e-9 and step >= 1]
        fitting = (s for s in steps if s >= (high - low) / most * (1 - 1e-10))
        step = next(fitting, max(1.0, steps[-1] if steps else 1.0))
        numbers = np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
        at = (numbers * step).tolist()
        if self._formatter is not None:
            return [(value, self._formatter(value)) for value in at]
        return list(zip(at, _decimal(at), strict=True))


def _decimal(values: Sequence[float]) -> list[str]:
    """Numbers with as many decimals as tell them apart."""
    largest = max(map(abs, values), default=0.0)
    if largest >= 1e6 or 0 < largest < 1e-4:
        return [f"{value:.3g}".replace("-", "−") for value in values]
    rounded = ([round(v, d) for v in values] for d in range(10))
    digits = next(
        (d for d, r in enumerate(rounded) if np.allclose(r, values, rtol=0, atol=1e-4 * largest)), 9
    )
    return [f"{value:.{digits}f}".replace("-", "−") for value in values]
