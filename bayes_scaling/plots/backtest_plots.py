"""Figures of a backtest: do intervals hold, and how do errors grow with distance."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.forecast import Backtest
from bayes_scaling.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_backtest", "plot_pit"]

_SHOWN = (50, 90)


@style.styled
def plot_backtest(tested: Backtest) -> "Figure":
    """Plot coverage, error and width of forecasts by their distance.

    Parameters
    ----------
    tested : Backtest
        One law or several; several thresholds give more distances.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels: share of runs inside their 50% and 90% intervals (dotted: where it should
        be); absolute error of the median; width of the 90% interval. Families have equal weight.

    Examples
    --------
    >>> tested = bs.backtest("runs.csv", ["chinchilla"], ratio=[4])  # doctest: +SKIP
    >>> bs.plots.plot_backtest(tested)  # doctest: +SKIP
    """
    classes = tested.by_distance()
    figure, (coverage, error, width) = style.panels(3, columns=3, width=11.0, height=3.6)
    for index, (law, rows) in enumerate(classes.groupby("law", sort=False)):
        look: dict[str, Any] = {
            "color": style.CYCLE[index % len(style.CYCLE)],
            "marker": style.MARKERS[index % len(style.MARKERS)],
        }
        x = _middle(rows)
        for percent in _SHOWN:
            coverage.plot(
                x,
                rows[f"coverage_{percent}"],
                ls="-" if percent == max(_SHOWN) else "--",
                label=f"{style.label(law)}, {percent}%",
                **look,
            )
        error.plot(x, 100 * rows["are"], label=style.label(law), **look)
        width.plot(x, 100 * np.expm1(rows["width"]), label=style.label(law), **look)
    for percent in _SHOWN:
        coverage.axhline(percent / 100, color=style.COLOURS["limit"], lw=0.8, ls=":")
    coverage.set(ylim=(-0.03, 1.03), ylabel="share of runs inside", title="Do intervals hold?")
    error.set(ylabel="absolute error of the median, %", title="How far off?")
    width.set(ylabel="width of the 90% interval, %", title="How sure?")
    for axes in (error, width):
        # From zero, and with room above the highest point, which the limits of the data have not.
        axes.set_ylim(0, 1.08 * max(np.max(np.asarray(line.get_ydata())) for line in axes.lines))
    for axes in (coverage, error, width):
        _distances(axes, classes)
    handles, labels = coverage.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    return figure


def _middle(rows: pd.DataFrame) -> NDArray[np.float64]:
    middle: NDArray[np.float64] = np.sqrt(np.maximum(rows["low"], 0.5) * rows["high"]).to_numpy()
    return middle


def _distances(axes: "Axes", classes: pd.DataFrame) -> None:
    where = classes.drop_duplicates("beyond").sort_values("low")
    axes.set_xscale("log")
    axes.xaxis.minorticks_off()
    named = [text.replace("x to ", "–").replace("x", "×") for text in where["beyond"]]
    axes.set_xticks(_middle(where), named)
    axes.set_xlabel("compute beyond the fitted runs")


@style.styled
def plot_pit(tested: Backtest) -> "Figure":
    """Plot histograms of probability integral transforms, by law.

    Parameters
    ----------
    tested : Backtest
        One panel a law.

    Returns
    -------
    matplotlib.figure.Figure
        Histogram of the share of the forecast below what came; families have equal weight, the band
        holds 90% of what as many independent runs would give.

    Examples
    --------
    >>> tested = bs.backtest("runs.csv", ["chinchilla"], ratio=[4])  # doctest: +SKIP
    >>> bs.plots.plot_pit(tested)  # doctest: +SKIP
    """
    laws = list(dict.fromkeys(tested.points["law"]))
    figure, grid = style.panels(len(laws))
    bins = np.linspace(0, 1, 11)
    for law, axes in zip(laws, grid, strict=True):
        rows = tested.points[tested.points["law"] == law]
        weight = 1.0 / rows.groupby("family")["pit"].transform("size")
        weight = weight / weight.sum() * (len(bins) - 1)
        axes.hist(rows["pit"], bins=bins.tolist(), weights=weight, color=style.COLOURS["forecast"])
        # Of a binomial fraction, normal approximation.
        half = 1.645 * np.sqrt((len(bins) - 2) / len(rows))
        axes.axhspan(1 - half, 1 + half, color=style.COLOURS["prior"], alpha=0.3, lw=0)
        axes.axhline(1, color=style.COLOURS["limit"], lw=0.8, ls=":")
        axes.set(
            title=style.label(law),
            xlabel="share of the forecast below what came",
            ylabel="runs, relative to calibrated",
            xlim=(0, 1),
        )
    return figure
