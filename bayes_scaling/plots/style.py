"""One look for all figures, drawn by matplotlib or, for a page, as SVG without it."""

import base64
import functools
import io
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bayes_scaling.core.files import FIGURES, check_suffix, write_bytes
from bayes_scaling.plots.drawing.svg_axis import SvgAxis
from bayes_scaling.plots.drawing.svg_figure import SvgFigure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "data_uri",
    "for_a_page",
    "label",
    "log_ticks",
    "new_figure",
    "no_minor_ticks",
    "panels",
    "save_figure",
    "styled",
    "to_svg",
    "whole_ticks",
]

COLOURS = {
    "runs": "#595959",
    "forecast": "#0072B2",
    "held_out": "#D55E00",
    "plan": "#CC79A7",
    "limit": "#333333",
    "prior": "#9A9A9A",
    "good": "#009E73",
}
"""Roles to colours of Okabe and Ito (2008), who chose them for colour-blind readers."""

CYCLE = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
    "#000000",
    "#8C6D1F",
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

_RC: Any = {
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.labelsize": 10,
    "font.size": 10,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.7,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}
_FOR_A_PAGE = ContextVar("for_a_page", default=False)
"""Whether figures are drawn as SVG for a page, and not by matplotlib."""
_VECTOR_POINTS = 1500
"""More markers than this are drawn as pixels: an SVG spends a hundred bytes on each."""


def styled[**P, R](plot: Callable[P, R]) -> Callable[P, R]:
    """Run a plotting function under the house style, leaving the user's settings alone."""

    @functools.wraps(plot)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        if _FOR_A_PAGE.get():
            return plot(*args, **kwargs)
        import matplotlib as mpl

        with mpl.rc_context(_RC):
            return plot(*args, **kwargs)

    return inner


def new_figure(width: float = 5.4, height: float = 3.7) -> "Figure":
    """An empty figure that pyplot knows nothing of; sizes in inches."""
    if _FOR_A_PAGE.get():
        # It has the methods that figures here use, and no others.
        return cast("Figure", SvgFigure(width, height))
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def panels(
    n: int, *, columns: int = 2, width: float = 6.4, height: float = 2.9
) -> "tuple[Figure, list[Axes]]":
    """A figure with ``n`` axes in rows of at most ``columns``; unused places stay empty."""
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    figure = new_figure(width, height * rows) if n > 1 else new_figure()
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in grid[n:]:
        axes.set_axis_off()
    return figure, list(grid[:n])


def label(text: object, most: int = 48) -> str:
    """User text for a figure: shortened, printable, and never read as mathematics."""
    shown = "".join(char if char.isprintable() else "�" for char in str(text))
    if len(shown) > most:
        shown = shown[: most - 1] + "…"
    return shown.replace("$", r"\$")


def plain_ticks(axis: "Axis", *multiples: float) -> None:
    """Label a log axis in plain numbers, at multiples of the powers of ten."""
    log_ticks(axis, multiples)
    axis.set_major_formatter(_plain)
    axis.set_minor_formatter(no_label)


def _plain(value: float, _position: object = None) -> str:
    return f"{value:g}"


def log_ticks(axis: "Axis", multiples: Sequence[float] = (1.0,), most: int | None = None) -> None:
    """Place ticks of a log axis at multiples of the powers of ten, at most so many decades."""
    if isinstance(axis, SvgAxis):
        axis.subs, axis.most = tuple(multiples), most
        return
    from matplotlib.ticker import LogLocator

    axis.set_major_locator(LogLocator(subs=multiples, numticks=most))


def whole_ticks(axis: "Axis") -> None:
    """Place ticks at whole numbers only."""
    if isinstance(axis, SvgAxis):
        axis.whole = True
        return
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


def no_minor_ticks(axis: "Axis") -> None:
    """Leave ticks between those with labels away."""
    if isinstance(axis, SvgAxis):
        axis.minor = False
        return
    from matplotlib.ticker import NullLocator

    axis.set_minor_locator(NullLocator())


def no_label(_value: float, _position: object = None) -> str:
    """Return no label, for minor ticks."""
    return ""


def many(points: int) -> bool:
    """Whether so many markers are better drawn as pixels."""
    return points > _VECTOR_POINTS


def to_svg(figure: "Figure") -> str:
    """A figure as an SVG element: text stays text, bytes are the same each time.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    """
    import matplotlib as mpl

    buffer = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "bayes_scaling"}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # The browser has the scripts that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        figure.savefig(
            buffer,
            format="svg",
            dpi=144,
            facecolor="white",
            metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")),
        )
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def save_figure(figure: "Figure", path: str | PathLike[str]) -> Path:
    """Write a figure as PNG, SVG or PDF, by the suffix, whole or not at all.

    Raises
    ------
    FileError
        If the suffix is none of these or the file cannot be written.
    """
    suffix = check_suffix(path, FIGURES)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=suffix[1:], dpi=144, facecolor="white")
    return write_bytes(path, buffer.getvalue())


@contextmanager
def for_a_page() -> Iterator[None]:
    """Within this, figures are :class:`SvgFigure`: the same ones, made without matplotlib."""
    token = _FOR_A_PAGE.set(True)
    try:
        yield
    finally:
        _FOR_A_PAGE.reset(token)


def data_uri(svg: str) -> str:
    """An SVG as a ``data:`` address: in an img element nothing in it can run or load."""
    encoded = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"
