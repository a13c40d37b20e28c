"""A figure: panels in rows and columns, with what stands around them, as text of an SVG."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.plots.drawing.svg_artists import Artist, Floats, Note
from bayes_scaling.plots.drawing.svg_axes import SvgAxes
from bayes_scaling.plots.drawing.svg_axis import SvgAxis
from bayes_scaling.plots.drawing.svg_text import element, lines_of, text, width_of

__all__ = ["SvgFigure"]

_POINTS = 72.0
_PAD = 3.0
_LINE = 1.25
"""Height of a line of text, in units of its size."""
_TICK, _TICK_GAP, _MINOR = 3.5, 3.5, 2.0
_TITLE, _LABEL, _SMALL = 11.0, 10.0, 9.0
_GRID = "#E3E3E3"
_KEY, _GAP, _BETWEEN = 18.0, 7.0, 18.0
"""Widths in a legend: of a sample, to its words, between columns."""


class SvgFigure:
    """A figure; methods are those of matplotlib's Figure that are in use here.

    Parameters
    ----------
    width, height : float
        In inches.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width * _POINTS, height * _POINTS
        self.grid: list[list[SvgAxes]] = []
        self.ratios: Sequence[float] = ()
        self.named: tuple[list[Artist], list[str]] = ([], [])
        self.columns = 1

    @property
    def axes(self) -> list[SvgAxes]:
        """All panels."""
        return [panel for row in self.grid for panel in row]

    def subplots(
        self, rows: int = 1, columns: int = 1, *, squeeze: bool = True, sharey: bool = False,
        width_ratios: Sequence[float] = (),
    ) -> Any:  # fmt: skip
        """Make panels: one, or an array of them; a row of them may share the vertical axis."""
        for _ in range(rows):
            shared = SvgAxis() if sharey else None
            row = [SvgAxes(shared) for _ in range(columns)]
            row[0].shares = False
            self.grid.append(row)
        self.ratios = width_ratios or [1.0] * columns
        if squeeze and rows == columns == 1:
            return self.grid[0][0]
        array: NDArray[Any] = np.empty((rows, columns), dtype=object)
        for i, row in enumerate(self.grid):
            for j, panel in enumerate(row):
                array[i, j] = panel
        return array[0] if squeeze and rows == 1 else array

    def legend(
        self, handles: list[Artist] | None = None, labels: list[str] | None = None, *,
        loc: str = "outside lower center", ncols: int = 1,  # noqa: ARG002
    ) -> None:  # fmt: skip
        """Explain what is drawn, below all panels."""
        if handles is None or labels is None:
            found = [panel.get_legend_handles_labels() for panel in self.axes]
            handles = [handle for each, _ in found for handle in each]
            labels = [label for _, each in found for label in each]
        self.named, self.columns = (handles, labels), ncols

    def to_svg(self) -> str:
        """Return the figure as an SVG element."""
        legend, height = _legend(*self.named, self.columns)
        room = self.height - (height + _PAD if height else 0.0)
        body = [element("rect", width=self.width, height=self.height, fill="white")]
        body += [_panel(panel, place, k) for k, (panel, place) in enumerate(self._places(room))]
        if height:
            left = (self.width - legend.width) / 2
            body.append(legend.draw(max(left, _PAD), room + _PAD / 2))
        return element(
            "svg",
            "".join(body),
            xmlns="http://www.w3.org/2000/svg",
            width=f"{self.width:g}pt",
            height=f"{self.height:g}pt",
            viewBox=f"0 0 {self.width:g} {self.height:g}",
        )

    def _places(self, room: float) -> list[tuple[SvgAxes, "Place"]]:
        """Give each panel its place: those of a column, and of a row, begin and end together."""
        share = np.array(self.ratios) / sum(self.ratios)
        guess = [(0.75 * self.width * s, 0.7 * room / len(self.grid)) for s in share]
        around = np.array(
            [[_around(p, guess[j]) for j, p in enumerate(row)] for row in self.grid]
        )  # dims (row, column, side)
        left, right = around[..., 0].max(axis=0), around[..., 1].max(axis=0)
        top, bottom = around[..., 2].max(axis=1), around[..., 3].max(axis=1)
        wide = (self.width - 2 * _PAD - (left + right).sum()) * share
        high = (room - 2 * _PAD - (top + bottom).sum()) / len(self.grid)
        found = []
        y = _PAD
        for i, row in enumerate(self.grid):
            x = _PAD
            y += float(top[i])
            for j, panel in enumerate(row):
                x += float(left[j])
                found.append((panel, Place(x, y, float(wide[j]), high)))
                x += float(wide[j] + right[j])
            y += high + float(bottom[i])
        return [(panel, place) for panel, place in found if panel.shown]


class Place:
    """Where a panel lies, in points from the upper left."""

    def __init__(self, x: float, y: float, width: float, height: float) -> None:
        self.x, self.y, self.width, self.height = x, y, width, height

    def ticks_across(self) -> int:
        """How many ticks have a place below it."""
        return int(self.width / (3 * _SMALL))

    def ticks_up(self) -> int:
        """How many ticks have a place beside it."""
        return int(self.height / (2 * _SMALL))


def _around(panel: SvgAxes, size: tuple[float, float]) -> tuple[float, float, float, float]:
    """Room that a panel needs to its left, right, top and bottom for what is written there."""
    if not panel.shown:
        return 0.0, 0.0, 0.0, 0.0
    place = Place(0.0, 0.0, *size)
    up = [] if panel.shares else _ticks(panel.yaxis, place.ticks_up())
    across = _ticks(panel.xaxis, place.ticks_across())
    widest = max((width_of(w, _SMALL) for _, words in up for w in lines_of(words)), default=0.0)
    last = width_of(across[-1][1], _SMALL) / 2 if across else 0.0
    lines = max((len(lines_of(words)) for _, words in across), default=0)
    return (
        _TICK + _TICK_GAP + widest + (_LINE * _LABEL + _PAD if panel.yaxis.label else 0.0) + _PAD,
        last + _PAD,
        (_LINE * _TITLE * len(lines_of(panel.title)) if panel.title else 0.0) + _PAD,
        _TICK + _TICK_GAP + _LINE * _SMALL * lines
        + (_LINE * _LABEL + _PAD if panel.xaxis.label else 0.0) + _PAD,
    )  # fmt: skip


def _ticks(axis: SvgAxis, room: int) -> list[tuple[float, str]]:
    return [*axis.ticks(room), *axis.minor_ticks()]


def _panel(panel: SvgAxes, place: Place, number: int) -> str:
    def to(x: ArrayLike, y: ArrayLike) -> tuple[Floats, Floats]:
        right = np.clip(panel.xaxis.place(x), -50.0, 50.0)
        up = np.clip(panel.yaxis.place(y), -50.0, 50.0)
        return place.x + right * place.width, place.y + (1.0 - up) * place.height

    name = f"panel{number}"
    frame = element("rect", x=place.x, y=place.y, width=place.width, height=place.height)
    clip = element("clipPath", frame, id=name)
    ordered = sorted(panel.artists, key=lambda artist: artist.zorder)
    drawn = "".join(artist.draw(to) for artist in ordered if not isinstance(artist, Note))
    notes = "".join(artist.draw(to) for artist in ordered if isinstance(artist, Note))
    ends = [(place.x, place.y), (place.x, place.y + place.height)]
    ends.append((place.x + place.width, place.y + place.height))
    spines = element(
        "polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in ends), fill="none",
        stroke="black", stroke_width=0.8,
    )  # fmt: skip
    legend = _inside(panel, place, to) if panel.has_legend else ""
    return "".join(
        [
            clip,
            _across(panel, place, to),
            _up(panel, place, to),
            element("g", drawn, clip_path=f"url(#{name})"),
            spines,
            notes,
            _words(panel, place),
            legend,
        ]
    )


def _across(panel: SvgAxes, place: Place, to: Any) -> str:
    """Grid, ticks and labels below a panel."""
    bottom = place.y + place.height
    grid, ticks, words = [], [], []
    for major, found in (
        (True, panel.xaxis.ticks(place.ticks_across())),
        (False, panel.xaxis.minor_ticks()),
    ):
        for value, label in found:
            x = float(to([value], [1.0])[0][0])
            if major:
                grid.append(f"M{x:.1f},{place.y:.1f}V{bottom:.1f}")
            ticks.append(f"M{x:.1f},{bottom:.1f}v{_TICK if major else _MINOR}")
            for k, line in enumerate(lines_of(label) if label else ()):
                y = bottom + _TICK + _TICK_GAP + _SMALL * (0.75 + _LINE * k)
                words.append(text(x, y, line, _SMALL, text_anchor="middle"))
    return _ruled(grid, ticks) + "".join(words)


def _up(panel: SvgAxes, place: Place, to: Any) -> str:
    """Grid, ticks and labels beside a panel."""
    grid, ticks, words = [], [], []
    for major, found in (
        (True, panel.yaxis.ticks(place.ticks_up())),
        (False, panel.yaxis.minor_ticks()),
    ):
        for value, label in found:
            y = float(to([1.0], [value])[1][0])
            if major:
                grid.append(f"M{place.x:.1f},{y:.1f}h{place.width:.1f}")
            ticks.append(f"M{place.x:.1f},{y:.1f}h-{_TICK if major else _MINOR}")
            lines = lines_of(label) if label and not panel.shares else ()
            for k, line in enumerate(lines):
                at = y + _SMALL * (0.35 + _LINE * (k - (len(lines) - 1) / 2))
                x = place.x - _TICK - _TICK_GAP
                words.append(text(x, at, line, _SMALL, text_anchor="end"))
    return _ruled(grid, ticks) + "".join(words)


def _ruled(grid: list[str], ticks: list[str]) -> str:
    return element("path", d="".join(grid), stroke=_GRID, stroke_width=0.7, fill="none") + element(
        "path", d="".join(ticks), stroke="black", stroke_width=0.7, fill="none"
    )


def _words(panel: SvgAxes, place: Place) -> str:
    """Title and labels of the axes."""
    found = []
    title = lines_of(panel.title) if panel.title else []
    for k, line in enumerate(reversed(title)):
        found.append(text(place.x, place.y - 6.0 - _LINE * _TITLE * k, line, _TITLE))
    if panel.xaxis.label:
        x, y = place.x + place.width / 2, place.y + place.height
        lines = max(
            (len(lines_of(w)) for _, w in panel.xaxis.ticks(place.ticks_across())), default=0
        )
        y += _TICK + _TICK_GAP + _LINE * _SMALL * lines + _PAD + 0.75 * _LABEL
        found += [text(x, y, w, _LABEL, text_anchor="middle") for w in lines_of(panel.xaxis.label)]
    if panel.yaxis.label and not panel.shares:
        labels = _ticks(panel.yaxis, place.ticks_up())
        widest = max((width_of(w, _SMALL) for _, s in labels for w in lines_of(s)), default=0.0)
        x, y = place.x - _TICK - _TICK_GAP - widest - _PAD - 2.0, place.y + place.height / 2
        found += [
            text(x, y, w, _LABEL, text_anchor="middle", transform=f"rotate(-90 {x:.1f} {y:.1f})")
            for w in lines_of(panel.yaxis.label)
        ]
    return "".join(found)


class Legend:
    """Samples and their words in columns, filled one after the other."""

    def __init__(self, handles: list[Artist], labels: list[str], columns: int) -> None:
        columns = max(min(columns, len(labels)), 1)
        rows, more = divmod(len(labels), columns)
        entries = list(zip(handles, labels, strict=True))
        self.columns: list[list[tuple[Artist, str]]] = []
        for k in range(columns):
            size = rows + (k < more)
            self.columns.append(entries[:size])
            entries = entries[size:]
        self.rows = rows + bool(more)
        self.widths = [
            _KEY + _GAP + max((width_of(lines_of(w)[0], _SMALL) for _, w in column), default=0.0)
            for column in self.columns
        ]
        self.width = sum(self.widths) + _BETWEEN * (len(self.widths) - 1)
        self.height = self.rows * 1.5 * _SMALL

    def draw(self, x: float, y: float) -> str:
        """Return its SVG, with the upper left at a place."""
        found = []
        for column, width in zip(self.columns, self.widths, strict=True):
            for k, (artist, label) in enumerate(column):
                middle = y + (k + 0.5) * 1.5 * _SMALL
                found.append(artist.key(x, middle, _KEY))
                words = lines_of(label)[0]
                found.append(text(x + _KEY + _GAP, middle + 0.35 * _SMALL, words, _SMALL))
            x += width + _BETWEEN
        return "".join(found)


def _legend(handles: list[Artist], labels: list[str], columns: int) -> tuple[Legend, float]:
    legend = Legend(handles, labels, columns)
    return legend, legend.height if labels else 0.0


def _inside(panel: SvgAxes, place: Place, to: Any) -> str:
    """A legend in the corner, or at the side, that covers fewest points."""
    legend = Legend(*panel.get_legend_handles_labels(), 1)
    points = [to(*artist.outline()) for artist in panel.artists]
    x = np.concatenate([each[0] for each in points])
    y = np.concatenate([each[1] for each in points])
    left, right = place.x + 5.0, place.x + place.width - legend.width - 5.0
    top, bottom = place.y + 4.0, place.y + place.height - legend.height - 4.0
    middle = place.y + (place.height - legend.height) / 2
    corners = [(right, top), (left, top), (left, bottom), (right, bottom), (right, middle)]

    def covered(corner: tuple[float, float]) -> int:
        a, b = corner
        within = (x >= a) & (x <= a + legend.width) & (y >= b) & (y <= b + legend.height)
        return int(within.sum())

    return legend.draw(*min(corners, key=covered))
