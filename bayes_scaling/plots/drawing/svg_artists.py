"""What is drawn in a panel: lines, areas, markers, error bars, contours, words."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.plots.drawing.svg_marks import POLYGONS, dashes
from bayes_scaling.plots.drawing.svg_text import coordinates, element, text, width_of

__all__ = ["Area", "Artist", "ErrorBars", "Labels", "Line", "Note", "Segments", "To", "floats"]

Floats = NDArray[np.float64]
To = Callable[[Any, Any], tuple[Floats, Floats]]
"""From data to points of the page."""

_GRAIN = 0.5
"""Distance in points below which a screen does not tell places apart."""
_MANY = 1500


def floats(values: ArrayLike) -> Floats:
    """Numbers as an array of one dimension."""
    return np.atleast_1d(np.asarray(values, dtype=np.float64)).ravel()


@dataclass(eq=False, kw_only=True)
class Artist:
    """Something drawn: its colour, opacity, place in the stack, and name in the legend."""

    color: str
    alpha: float | None = None
    zorder: float = 1.0
    label: str | None = None

    def draw(self, to: To) -> str:
        """Return its SVG."""
        raise NotImplementedError

    def key(self, x: float, y: float, width: float) -> str:
        """Return its sample in a legend, of a width, about a height ``y``."""
        raise NotImplementedError

    def outline(self) -> tuple[Floats, Floats]:
        """Return points that a legend should not cover."""
        return np.empty(0), np.empty(0)


@dataclass(eq=False, kw_only=True)
class Line(Artist):
    """A line through points, markers at them, or both."""

    x: Floats
    y: Floats
    width: float = 1.5
    style: Any = "-"
    marker: str | None = None
    size: float = 6.0
    face: str
    edge: str
    edge_width: float = 1.0
    capstyle: str = "square"
    zorder: float = 2.0

    def get_xdata(self) -> Floats:
        """Return horizontal positions."""
        return self.x

    def get_ydata(self) -> Floats:
        """Return vertical positions."""
        return self.y

    def outline(self) -> tuple[Floats, Floats]:
        """Return its points."""
        return self.x, self.y

    def draw(self, to: To) -> str:
        """Return its SVG."""
        x, y = to(self.x, self.y)
        known = np.isfinite(x) & np.isfinite(y)
        x, y = x[known], y[known]
        return self._line(*_thinned(x, y)) + self._markers(x, y)

    def key(self, x: float, y: float, width: float) -> str:
        """Return a short piece of it."""
        line = self._line(np.array([x, x + width]), np.array([y, y]))
        return line + self._markers(np.array([x + width / 2]), np.array([y]))

    def _line(self, x: Floats, y: Floats) -> str:
        if self.style is None or not len(x):
            return ""
        return element(
            "polyline",
            points=coordinates(x, y),
            fill="none",
            stroke=self.color,
            stroke_width=self.width,
            stroke_opacity=self.alpha,
            stroke_dasharray=dashes(self.style, self.width),
            stroke_linecap="butt" if self.capstyle == "butt" or self.style != "-" else "square",
            stroke_linejoin="round",
        )

    def _markers(self, x: Floats, y: Floats) -> str:
        if self.marker is None or not len(x):
            return ""
        if len(x) > _MANY:
            x, y = np.unique(np.round(np.array([x, y]) / _GRAIN), axis=1) * _GRAIN
        look: dict[str, Any] = {
            "fill": self.face,
            "fill_opacity": self.alpha,
            "stroke_opacity": self.alpha,
        }
        look |= {"stroke": self.edge, "stroke_width": self.edge_width} if self.edge_width else {}
        radius = self.size / (4.0 if self.marker == "." else 2.0)
        if self.marker in POLYGONS:
            shape = radius * np.array(POLYGONS[self.marker])
            path = "M" + "L".join(f"{a:.2f},{b:.2f}" for a, b in shape) + "Z"
            one = element("path", d=path, **look)
        else:
            one = element("circle", r=radius, **look)
        if len(x) == 1:
            return element("g", one, transform=f"translate({x[0]:.1f} {y[0]:.1f})")
        reach = 2.0 * radius + self.edge_width
        # Two of one name look the same.
        name = f"m{crc32(one.encode()):x}"
        marker = element(
            "marker", one, id=name, overflow="visible", markerUnits="userSpaceOnUse",
            markerWidth=reach, markerHeight=reach,
        )  # fmt: skip
        at = f"url(#{name})"
        return marker + element(
            "polyline", points=coordinates(x, y), fill="none",
            marker_start=at, marker_mid=at, marker_end=at,
        )  # fmt: skip


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Of a long line from left to right, the ends and extremes in each column of a screen."""
    if len(x) <= _MANY / 4 or (np.diff(x) < 0).any():
        return x, y
    column = np.floor(x / _GRAIN)
    starts = np.flatnonzero(np.diff(column, prepend=-np.inf))
    ends = np.append(starts[1:], len(x)) - 1
    order = np.lexsort((y, column))
    kept = np.unique(np.concatenate([starts, ends, order[starts], order[ends]]))
    return x[kept], y[kept]


@dataclass(eq=False, kw_only=True)
class Area(Artist):
    """A filled shape: the outline of a band, a bar, or a part of the panel."""

    x: Floats
    y: Floats

    def draw(self, to: To) -> str:
        """Return its SVG."""
        x, y = to(self.x, self.y)
        known = np.isfinite(x) & np.isfinite(y)
        return self._filled("polygon", points=coordinates(x[known], y[known]))

    def key(self, x: float, y: float, width: float) -> str:
        """Return a patch of it."""
        return self._filled("rect", x=x, y=y - 3.2, width=width, height=6.4)

    def outline(self) -> tuple[Floats, Floats]:
        """Return its corners."""
        return self.x, self.y

    def _filled(self, shape: str, **attributes: Any) -> str:
        return element(shape, fill=self.color, fill_opacity=self.alpha, **attributes)


@dataclass(eq=False, kw_only=True)
class Segments(Artist):
    """Vertical lines between two heights."""

    x: Floats
    low: Floats
    high: Floats
    width: float

    def draw(self, to: To) -> str:
        """Return its SVG."""
        x, low = to(self.x, self.low)
        _, high = to(self.x, self.high)
        ends = np.column_stack([x, low, high])
        if len(x) > _MANY:
            ends = np.unique(np.round(ends / _GRAIN), axis=0) * _GRAIN
        body = "".join(
            f'<path d="M{at:.1f},{first:.1f}V{last:.1f}"/>' for at, first, last in ends.tolist()
        )
        return element(
            "g", body, stroke=self.color, stroke_width=self.width, stroke_opacity=self.alpha
        )

    def key(self, x: float, y: float, width: float) -> str:
        """Return a short piece of one."""
        return element(
            "line", x1=x, x2=x + width, y1=y, y2=y, stroke=self.color, stroke_width=self.width,
            stroke_opacity=self.alpha,
        )  # fmt: skip


@dataclass(eq=False, kw_only=True)
class ErrorBars(Artist):
    """Points with bars in one or both directions."""

    line: Line
    bars: Sequence[tuple[Floats, Floats]] = field(default_factory=list)
    width: float = 1.5
    cap: float = 0.0
    zorder: float = 2.0

    def draw(self, to: To) -> str:
        """Return its SVG."""
        body = []
        for x, y in self.bars:
            (x1, x2), (y1, y2) = to(x, y)
            level = y1 == y2
            along = (0.0, self.cap) if level else (self.cap, 0.0)
            body.append(f"M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}")
            for a, b in ((x1, y1), (x2, y2)) if self.cap else ():
                body.append(
                    f"M{a - along[0]:.1f},{b - along[1]:.1f}L{a + along[0]:.1f},{b + along[1]:.1f}"
                )
        return self._stroked("".join(body)) + self.line.draw(to)

    def key(self, x: float, y: float, width: float) -> str:
        """Return a point with its bar."""
        middle, level = x + width / 2, [ys[0] == ys[1] for _, ys in self.bars]
        path = f"M{middle:.1f},{y - 4:.1f}v8" if not all(level) else ""
        path += f"M{middle - 4:.1f},{y:.1f}h8" if any(level) else ""
        return self._stroked(path) + self.line.key(x, y, width)

    def outline(self) -> tuple[Floats, Floats]:
        """Return ends of the bars."""
        return tuple(np.concatenate([bar[k] for bar in self.bars]) for k in (0, 1))  # type: ignore[return-value]

    def _stroked(self, path: str) -> str:
        return element("path", d=path, stroke=self.color, stroke_width=self.width, fill="none")


@dataclass(eq=False, kw_only=True)
class Labels(Artist):
    """Words at the middle of lines, along them, on a halo of white."""

    lines: Sequence[tuple[Floats, Floats, str]]
    size: float
    zorder: float = 3.0

    def draw(self, to: To) -> str:
        """Return its SVG."""
        found = []
        for x, y, words in self.lines:
            a, b = to(x, y)
            long = np.hypot(a[-1] - a[0], b[-1] - b[0]) > 1.5 * width_of(words, self.size)
            if not long:
                continue
            k = len(a) // 2
            slope = math.degrees(math.atan2(b[k] - b[k - 1], a[k] - a[k - 1]))
            angle = (slope + 90.0) % 180.0 - 90.0
            found.append(
                text(
                    float(a[k]), float(b[k]) + 0.35 * self.size, words, self.size,
                    fill=self.color, text_anchor="middle", stroke="white", stroke_width=3,
                    paint_order="stroke",
                    transform=f"rotate({angle:.1f} {a[k]:.1f} {b[k]:.1f})",
                )
            )  # fmt: skip
        return "".join(found)


@dataclass(eq=False, kw_only=True)
class Note(Artist):
    """Words near a point; the offset is in points, upwards."""

    x: float
    y: float
    words: str
    offset: tuple[float, float]
    size: float
    anchor: str
    zorder: float = 3.0

    def draw(self, to: To) -> str:
        """Return its SVG."""
        (x,), (y,) = to(floats(self.x), floats(self.y))
        return text(
            float(x) + self.offset[0], float(y) - self.offset[1], self.words, self.size,
            fill=self.color, text_anchor=self.anchor,
        )  # fmt: skip
