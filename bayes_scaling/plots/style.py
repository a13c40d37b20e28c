"""One look for all figures, and SVG and image files of them."""

import base64
import functools
import io
import math
import warnings
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_scaling.core.files import FIGURES, check_suffix, write_bytes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

__all__ = [
    "COLOURS",
    "data_uri",
    "label",
    "log_axis",
    "new_figure",
    "panels",
    "save_figure",
    "styled",
    "to_svg",
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
    # Stated, or it is sought above everything else, which draws the ticks once more.
    "axes.titley": 1.0,
    "axes.labelsize": 10,
    "font.size": 10,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.7,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "path.simplify_threshold": 0.5,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}
_DECADES, _FEW = 4, 4
_FINE = (1.0, 2.0, 5.0)
_VECTOR_POINTS = 1500
"""More markers than this are drawn as pixels: an SVG spends a hundred bytes on each."""


def styled[**P, R](plot: Callable[P, R]) -> Callable[P, R]:
    """Run a plotting function under the house style, leaving the user's settings alone."""

    @functools.wraps(plot)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib as mpl

        with mpl.rc_context(_RC):
            return plot(*args, **kwargs)

    return inner


def new_figure(width: float = 5.4, height: float = 3.7) -> "Figure":
    """An empty figure that pyplot knows nothing of; sizes in inches."""
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


def log_axis(
    axis: "Axis",
    text: Callable[[float, Any], str],
    multiples: Sequence[float] = (1.0,),
    most: int = 9,
) -> None:
    """Make an axis logarithmic, with ticks where there are labels alone, for its limits of now.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        Of an axes.
    text : callable
        Label of a value; matplotlib's own are mathematical text, which is slow to parse.
    multiples : sequence of float
        Ticks lie at these multiples of the powers of ten; at the powers alone over many decades,
        at round numbers where few or none of those are in the limits.
    most : int
        Most decades that have ticks.
    """
    from matplotlib.ticker import Locator, LogLocator, MaxNLocator

    scale = axis.axes.set_xscale if axis is axis.axes.xaxis else axis.axes.set_yscale
    scale("log")
    low, high = sorted(axis.get_view_interval())
    locator: Locator = MaxNLocator(_FEW)
    for subs in (_FINE, multiples) if high < low * 10**_DECADES else (_FINE, (1.0,)):
        found = LogLocator(subs=subs, numticks=most)
        ticks = np.asarray(found.tick_values(low, high))
        if np.sum((ticks >= low) & (ticks <= high)) > 1:
            locator = found
    axis.set_major_locator(locator)
    axis.set_major_formatter(text)
    # Each is an artist of its own, and a page would have hundreds.
    axis.minorticks_off()


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
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": "bayes_scaling"}
    with mpl.rc_context(settings), warnings.catch_warnings():
        # The browser has the scripts that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        # Figure.savefig would draw everything once more, for the layout.
        FigureCanvasSVG(figure).print_svg(  # type: ignore[no-untyped-call]
            buffer, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type"))
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


def data_uri(figure: "Figure") -> str:
    """A figure as a ``data:`` address: in an img element nothing in it can run or load."""
    encoded = base64.b64encode(to_svg(figure).encode("utf-8")).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"
