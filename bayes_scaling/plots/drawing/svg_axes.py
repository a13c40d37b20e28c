"""A panel: the part of matplotlib's Axes that our figures use."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bayes_scaling.plots.drawing.svg_artists import (
    Area,
    Artist,
    ErrorBars,
    Floats,
    Labels,
    Line,
    Note,
    Segments,
    floats,
)
from bayes_scaling.plots.drawing.svg_axis import SvgAxis

__all__ = ["SvgAxes"]

_LINE_STYLES = ("-", "--", ":", "-.")
_ANCHORS = {"center": "middle", "left": "start", "right": "end"}
_FIRST = "#1f77b4"


class SvgAxes:
    """A panel of a figure. Methods are those of matplotlib's Axes, with the keywords in use here.

    Parameters
    ----------
    yaxis : SvgAxis, optional
        Vertical axis that it shares with the panel to its left, which has the labels.
    """

    def __init__(self, yaxis: SvgAxis | None = None) -> None:
        self.xaxis = SvgAxis()
        self.yaxis = yaxis or SvgAxis()
        self.shares = yaxis is not None
        self.title = ""
        self.shown = True
        self.has_legend = False
        self.artists: list[Artist] = []
        # Lines across the panel, and parts of it: where in data, and along which axis.
        self.across: list[tuple[str, float, float]] = []

    @property
    def lines(self) -> list[Line]:
        """Lines and markers."""
        return [artist for artist in self.artists if isinstance(artist, Line)]

    def _add[T: Artist](self, artist: T, x: ArrayLike = (), y: ArrayLike = ()) -> T:
        self.artists.append(artist)
        self.xaxis.include(x)
        self.yaxis.include(y)
        return artist

    def plot(self, x: ArrayLike, y: ArrayLike, fmt: str = "", **look: Any) -> tuple[Line]:
        """Draw a line, or markers."""
        line = _line(x, y, fmt, **look)
        return (self._add(line, line.x, line.y),)

    def axhline(self, y: float, **look: Any) -> None:
        """Draw a line across the panel at a height."""
        self._rule(self.yaxis, y, look)

    def axvline(self, x: float, **look: Any) -> None:
        """Draw a line up the panel."""
        self._rule(self.xaxis, x, look)

    def _rule(self, axis: SvgAxis, at: float, look: dict[str, Any]) -> None:
        there, ends = np.full(2, float(at)), np.array([-np.inf, np.inf])
        x, y = (there, ends) if axis is self.xaxis else (ends, there)
        self.artists.append(_line(x, y, "", **look))
        axis.include(at)

    def axhspan(self, low: float, high: float, **look: Any) -> None:
        """Fill the panel between two heights."""
        ends = np.array([-np.inf, np.inf, np.inf, -np.inf])
        self.artists.append(_area(ends, np.array([low, low, high, high]), **look))
        self.yaxis.include([low, high])

    def axvspan(self, low: float, high: float, **look: Any) -> None:
        """Fill the panel between two places."""
        ends = np.array([-np.inf, np.inf, np.inf, -np.inf])
        self.artists.append(_area(np.array([low, low, high, high]), ends, **look))
        self.xaxis.include([low, high])

    def fill_between(self, x: ArrayLike, low: ArrayLike, high: ArrayLike, **look: Any) -> None:
        """Fill between two lines."""
        at, ends = floats(x), np.broadcast_arrays(floats(low), floats(high), floats(x))
        outline = np.concatenate([at, at[::-1]]), np.concatenate([ends[0], ends[1][::-1]])
        self._add(_area(*outline, **look), *outline)

    def hist(
        self, values: ArrayLike, bins: int, *, range: tuple[float, float],  # noqa: A002
        rwidth: float = 1.0, **look: Any,
    ) -> None:  # fmt: skip
        """Draw a histogram."""
        counts, edges = np.histogram(floats(values), bins, range)
        for count, low, high in zip(counts, edges, edges[1:], strict=False):
            half = 0.5 * rwidth * (high - low)
            left, right = 0.5 * (low + high) - half, 0.5 * (low + high) + half
            x, y = np.array([left, left, right, right]), np.array([0.0, count, count, 0.0])
            self._add(_area(x, y, **look), x, y)
        self.yaxis.sticks_at_zero = True

    def vlines(self, x: ArrayLike, low: ArrayLike, high: ArrayLike, **look: Any) -> None:
        """Draw vertical lines."""
        width = look.pop("lw", 1.5)
        at, start, end = floats(x), floats(low), floats(high)
        self._add(Segments(x=at, low=start, high=end, width=width, **look), at, [start, end])

    def errorbar(
        self, x: ArrayLike, y: ArrayLike, *, yerr: Any = None, xerr: Any = None, fmt: str = "",
        ecolor: str | None = None, elinewidth: float | None = None, capsize: float = 0.0,
        **look: Any,
    ) -> None:  # fmt: skip
        """Draw points with error bars; lengths are below, then above."""
        at, height = floats(x), floats(y)
        bars: list[tuple[Floats, Floats]] = []
        for values, errors, up in ((at, xerr, False), (height, yerr, True)):
            if errors is None:
                continue
            low, high = values - floats(errors[0]), values + floats(errors[1])
            for k, ends in enumerate(np.column_stack([low, high])):
                there = np.full(2, (at if up else height)[k])
                bars.append((there, ends) if up else (ends, there))
        line = _line(at, height, fmt, **look)
        colour = ecolor or line.color
        made = ErrorBars(
            color=colour, label=line.label, line=line, bars=bars, cap=capsize,
            width=line.width if elinewidth is None else elinewidth, zorder=line.zorder,
        )  # fmt: skip
        self._add(made, [at, *(bar[0] for bar in bars)][0], height)
        for bar in bars:
            self.xaxis.include(bar[0])
            self.yaxis.include(bar[1])

    def contour(
        self, x: Floats, y: Floats, z: Floats, *, levels: Floats, colors: str, linewidths: float
    ) -> list[tuple[Floats, Floats, float]]:
        """Draw lines along which a surface has one height, and return them with it."""
        import contourpy

        made = contourpy.contour_generator(x, y, z)
        found = [(*np.asarray(part).T, level) for level in levels for part in made.lines(level)]
        for along, up, _ in found:
            self._add(_line(along, up, "-", color=colors, lw=linewidths))
        self.xaxis.include(x)
        self.yaxis.include(y)
        return found

    def clabel(
        self, lines: Sequence[tuple[Floats, Floats, float]], *, fmt: str, fontsize: float
    ) -> None:
        """Label contours."""
        labelled = [(x, y, fmt % level) for x, y, level in lines]
        colour = next(line.color for line in self.lines)
        self.artists.append(Labels(color=colour, lines=labelled, size=fontsize))

    def annotate(
        self, words: str, at: tuple[float, float], *, xytext: tuple[float, float], fontsize: float,
        color: str, ha: str = "left", **_look: Any,
    ) -> None:  # fmt: skip
        """Write words near a point."""
        self.artists.append(
            Note(
                color=color, x=at[0], y=at[1], words=words, offset=xytext, size=fontsize,
                anchor=_ANCHORS[ha],
            )
        )  # fmt: skip

    def set(self, **what: Any) -> None:
        """Set several things by their names."""
        for name, value in what.items():
            getattr(self, f"set_{name}")(value)

    def set_xscale(self, scale: str) -> None:
        """Set the horizontal scale."""
        self.xaxis.scale = scale

    def set_yscale(self, scale: str) -> None:
        """Set the vertical scale."""
        self.yaxis.scale = scale

    def set_xlim(self, low: Any, high: float | None = None) -> None:
        """Set limits, two numbers or a pair; None is left to the data."""
        self.xaxis.stated = list(low) if isinstance(low, tuple) else [low, high]

    def set_ylim(self, low: Any, high: float | None = None) -> None:
        """Set limits, two numbers or a pair; None is left to the data."""
        self.yaxis.stated = list(low) if isinstance(low, tuple) else [low, high]

    def get_xlim(self) -> tuple[float, float]:
        """Return the limits."""
        return self.xaxis.view()

    def get_ylim(self) -> tuple[float, float]:
        """Return the limits."""
        return self.yaxis.view()

    def set_xlabel(self, words: str) -> None:
        """Set the label."""
        self.xaxis.label = words

    def set_ylabel(self, words: str) -> None:
        """Set the label."""
        self.yaxis.label = words

    def set_title(self, words: str) -> None:
        """Set the title."""
        self.title = words

    def set_xticks(self, at: ArrayLike, labels: Sequence[str] | None = None) -> None:
        """Set places of ticks, and their labels."""
        self.xaxis.fixed = _ticks(at, labels)

    def set_yticks(self, at: ArrayLike, labels: Sequence[str] | None = None) -> None:
        """Set places of ticks, and their labels."""
        self.yaxis.fixed = _ticks(at, labels)

    def set_axis_off(self) -> None:
        """Leave the place empty."""
        self.shown = False

    def legend(self) -> None:
        """Explain what is drawn, where there is most room."""
        self.has_legend = True

    def get_legend_handles_labels(self) -> tuple[list[Artist], list[str]]:
        """Return what a legend explains; error bars come last."""
        named = [artist for artist in self.artists if artist.label]
        named.sort(key=lambda artist: isinstance(artist, ErrorBars))
        return named, [str(artist.label) for artist in named]


def _ticks(at: ArrayLike, labels: Sequence[str] | None) -> list[tuple[float, str]]:
    places = floats(at).tolist()
    return list(zip(places, labels or [f"{place:g}" for place in places], strict=True))


def _line(x: ArrayLike, y: ArrayLike, fmt: str, **look: Any) -> Line:
    """A line from matplotlib's keywords."""
    stated = look.get("ls")
    marker = look.get("marker")
    style: Any = stated or "-"
    if fmt and fmt != "none" and fmt not in _LINE_STYLES:
        marker, style = fmt, stated
    elif fmt == "none":
        marker, style = None, None
    elif fmt:
        style = fmt
    colour = look.get("color", _FIRST)
    return Line(
        x=floats(x), y=floats(y), color=colour, alpha=look.get("alpha"), style=style,
        width=look.get("lw", 1.5), marker=marker, size=look.get("ms", 6.0),
        face=look.get("mfc", colour), edge=look.get("mec", colour),
        edge_width=look.get("mew", 1.0), zorder=look.get("zorder", 2.0),
        capstyle=look.get("solid_capstyle", "square"), label=look.get("label"),
    )  # fmt: skip


def _area(x: ArrayLike, y: ArrayLike, *, lw: float = 0.0, **look: Any) -> Area:  # noqa: ARG001
    return Area(x=floats(x), y=floats(y), **look)
