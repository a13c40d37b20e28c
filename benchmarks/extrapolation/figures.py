"""The pictures of the page."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bayes_scaling.plots.style import COLOURS, CYCLE, MARKERS, styled
from benchmarks.extrapolation.methods import BOOTSTRAP, DEFAULT
from benchmarks.extrapolation.summary import against, order, scored, summarise

SHOWN = 60
"""Runs of a root that are drawn; of more, as many evenly by compute."""
ACROSS = 4


@styled
def methods_figure(rows: pd.DataFrame) -> Figure:
    """Coverage and interval score by method and distance."""
    table, over = summarise(rows), against(rows, "interval")
    names = order(list(table.index.unique("method")))[::-1]
    figure = Figure(figsize=(9.5, 1.3 + 0.36 * len(names)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    places = pd.Series(range(len(names)), names)
    for k, ratio in enumerate(table.index.unique("ratio")):
        style = {"color": CYCLE[k % len(CYCLE)], "marker": MARKERS[k % len(MARKERS)]}
        own, beyond = table.loc[ratio], over.loc[ratio]
        at = places[own.index] + 0.18 * (1 - k)
        left.plot(own["in_90"], at, ls="", label=f"{ratio:g} times beyond", **style)
        right.plot(beyond["bootstrap"], places[beyond.index] + 0.18 * (1 - k), ls="", **style)
    left.axvline(0.9, color=COLOURS["limit"], lw=1)
    left.set_xlabel("coverage of the 90% interval")
    left.set_yticks(places, places.index)
    left.set_xlim(0, 1.02)
    right.axvline(1.0, color=COLOURS["limit"], lw=1)
    right.set_xscale("log")
    right.set_xlabel(f"interval score, over that of {BOOTSTRAP}")
    # Few values between decades would be left without a number.
    ticks = [t for t in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20) if _within(t, right.get_xlim())]
    right.set_xticks(ticks, [f"{t:g}" for t in ticks])
    right.minorticks_off()
    figure.legend(loc="outside upper left", ncols=4)
    return figure


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


@styled
def roots_figure(results: pd.DataFrame, ratio: float, method: str = DEFAULT) -> Figure:
    """Forecasts over outcomes, one panel a root."""
    rows = scored(results)
    rows = rows[(rows["ratio"] == ratio) & (rows["method"] == method)]
    groups = list(rows.groupby("root"))
    high = -(-len(groups) // ACROSS)
    figure = Figure(figsize=(2.5 * ACROSS, 0.5 + 1.9 * high), layout="constrained")
    panels = figure.subplots(high, ACROSS, squeeze=False).ravel()
    for axes in panels[len(groups) :]:
        axes.remove()
    for axes, (root, own) in zip(panels, groups, strict=False):
        _root(axes, own)
        axes.set_title(f"{root}: {own['in_90'].sum():.0f} of {len(own)}", fontsize=9)
    figure.supxlabel("runs, in order of compute", fontsize=9)
    figure.supylabel("forecast over outcome - 1, %", fontsize=9)
    return figure


def _root(axes: Axes, rows: pd.DataFrame) -> None:
    shown = rows.sort_values("flops")
    if len(shown) > SHOWN:
        shown = shown.iloc[np.linspace(0, len(shown) - 1, SHOWN).round().astype(int)]
    low, middle, high = (100 * (shown[q] / shown["loss"] - 1) for q in ("q05", "q50", "q95"))
    x = np.arange(len(shown))
    for inside, colour in ((1, COLOURS["forecast"]), (0, COLOURS["held_out"])):
        at = (shown["in_90"] == inside).to_numpy()
        axes.vlines(x[at], low[at], high[at], color=colour, lw=1.0, alpha=0.7)
        axes.plot(x[at], middle[at], ".", color=colour, ms=3)
    axes.axhline(0.0, color=COLOURS["limit"], lw=0.8)
    axes.set_xticks([])
    axes.margins(x=0.1)
    axes.tick_params(labelsize=7)
