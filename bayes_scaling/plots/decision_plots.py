"""Figures of decisions: the frontier, marginal gains, plans side by side, depth against width."""

from typing import TYPE_CHECKING, Any

import numpy as np

from bayes_scaling.decisions import BudgetFrontier, Marginal, Plan, ShapeChoice
from bayes_scaling.decisions.decision_result import DecisionResult
from bayes_scaling.plots import style
from bayes_scaling.plots.number_format import axis_count, axis_power, plain_number
from bayes_scaling.plots.style import COLOURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_alternatives", "plot_frontier", "plot_marginal", "plot_shapes"]

_APART = 0.11
"""Share of the axis by which labels are apart, so that they do not cover each other."""
_FAR = 0.02
"""Penalty in loss up to which shapes are drawn in full."""
_NAMES = {"params": "parameters N", "tokens": "tokens D", "both": "both"}


@style.styled
def plot_frontier(found: BudgetFrontier) -> "Figure":
    """Plot loss of one run, and size, against the budget.

    Parameters
    ----------
    found : BudgetFrontier
        Plans for budgets from small to large.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels: loss with its 50% and 90% intervals, with the target where there is one and the
        budgets that reach it; recommended parameters, with the 90% interval of the size that is
        best in each draw.

    Examples
    --------
    >>> fit = bs.load_fit("fit.nc")
    >>> scenario = bs.load_scenario("scenario.toml")
    >>> frontier = bs.budget_frontier(fit, scenario, factors=[0.5, 1, 2])
    >>> len(bs.plots.plot_frontier(frontier).axes)
    2
    """
    table = found.table
    figure, (loss, size) = style.panels(2, width=9.6, height=3.9)
    x, blue = table["budget"], COLOURS["forecast"]
    loss.fill_between(x, table["q05"], table["q95"], color=blue, alpha=0.15, lw=0, label="90%")
    loss.fill_between(x, table["q25"], table["q75"], color=blue, alpha=0.25, lw=0, label="50%")
    loss.plot(x, table["q50"], color=blue, lw=1.6, label="median")
    _target(loss, found)
    loss.set(ylabel=_loss(found), title="Loss of one run")
    loss.legend()
    green = COLOURS["good"]
    size.fill_between(
        x, table["optimum_q05"], table["optimum_q95"], color=green, alpha=0.2, lw=0, label="90%"
    )
    size.plot(x, table["params"], color=green, lw=1.6, label="recommended")
    style.log_axis(size.yaxis, axis_count, (1.0, 3.0))
    size.set(ylabel="parameters N", title="Size of the model")
    size.legend()
    for axes in (loss, size):
        style.log_axis(axes.xaxis, axis_power)
        axes.set(xlabel=f"budget ({found.unit})")
    return figure


def _target(axes: "Axes", found: BudgetFrontier) -> None:
    target = found.target_loss
    if target is None:
        return
    axes.axhline(target, color=COLOURS["plan"], lw=1.2, ls=":", label="target")
    shown = {p: budget for p, budget in found.needed.items() if budget is not None}
    width = np.log(found.table["budget"].max() / found.table["budget"].min())
    last = max(shown, default=0.0)
    before = -np.inf
    for probability, budget in shown.items():
        axes.plot(budget, target, "|", color=COLOURS["plan"], ms=11, mew=1.4)
        place = np.log(budget) / width
        room = np.log(shown[last]) / width - place >= _APART or probability == last
        if place - before < _APART or not room:
            continue
        before = place
        axes.annotate(
            f"{probability:.0%}",
            (budget, target),
            xytext=(0, 9),
            textcoords="offset points",
            ha="center",
            fontsize=8,
            color=COLOURS["plan"],
        )


def _loss(found: DecisionResult) -> str:
    return f"loss ({found.loss_unit})" if found.loss_unit else "loss"


@style.styled
def plot_marginal(found: Marginal) -> "Figure":
    """Plot diminishing returns: the loss after doublings of each factor, and its gains.

    Parameters
    ----------
    found : Marginal
        Gains at one configuration.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels: expected loss after each doubling with its 90% interval; expected gain of each
        doubling for its cost, and what it must be to pay where a lower loss has a value.

    Examples
    --------
    >>> gains = bs.marginal(bs.load_fit("fit.nc"), 1e9, 2e10, family="web")
    >>> len(bs.plots.plot_marginal(gains).axes)
    2
    """
    figure, (loss, gain) = style.panels(2, width=9.6, height=3.9)
    for index, (factor, rows) in enumerate(found.doublings.groupby("factor", sort=False)):
        colour, marker = style.CYCLE[index], style.MARKERS[index]
        # Side by side, so that one interval does not hide another.
        at = rows["doubling"] + 0.09 * (index - 1)
        # A mean may lie outside the interval.
        low, high = rows["loss_mean"] - rows["loss_q05"], rows["loss_q95"] - rows["loss_mean"]
        ends = low.clip(lower=0.0), high.clip(lower=0.0)
        loss.errorbar(
            at, rows["loss_mean"], yerr=ends, color=colour, marker=marker, lw=1.2, capsize=2,
            label=_NAMES[str(factor)],
        )  # fmt: skip
        gain.plot(rows["doubling"], rows["gain_per_cost"], color=colour, marker=marker)
    value = found.value_per_nat
    if value is not None:
        gain.axhline(1.0 / value, color=COLOURS["limit"], lw=1, ls=":", label="pays above")
        gain.legend()
    loss.set(ylabel=_loss(found), title="Expected loss, 90% interval")
    style.log_axis(gain.yaxis, axis_power)
    gain.set(ylabel=f"gain per {found.unit}", title="Gain of each doubling")
    for axes in (loss, gain):
        axes.set(xlabel="doublings")
        axes.set_xticks(sorted(set(found.doublings["doubling"])))
    figure.legend(*loss.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


@style.styled
def plot_alternatives(plan: Plan) -> "Figure":
    """Plot the recommended plan and the alternatives of the scenario, side by side.

    Parameters
    ----------
    plan : Plan
        A plan.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels, a row a plan: loss of one run with its 90% interval and the target; regret over
        the best plan of each draw, from its mean to what it exceeds in 5% of cases.

    Examples
    --------
    >>> plan = bs.load_result("plan.json")
    >>> len(bs.plots.plot_alternatives(plan).axes)
    2
    """
    table = plan.alternatives
    rows = np.arange(len(table))[::-1]
    figure, (loss, regret) = style.panels(2, width=9.6, height=1.4 + 0.42 * len(table))
    colours = [COLOURS["plan"], *[COLOURS["forecast"]] * (len(table) - 1)]
    loss.hlines(rows, table["q05"], table["q95"], colors=colours, lw=2.4, alpha=0.45)
    loss.scatter(table["loss"], rows, c=colours, zorder=3)
    regret.hlines(rows, table["regret"], table["regret_q95"], colors=colours, lw=2.4, alpha=0.45)
    regret.scatter(table["regret"], rows, c=colours, zorder=3)
    target = plan.target_loss
    if target is not None:
        loss.axvline(target, color=COLOURS["limit"], lw=1, ls=":")
        loss.annotate(
            "target", (target, 1.0), xycoords=("data", "axes fraction"), fontsize=8,
            xytext=(3, -9), textcoords="offset points",
        )  # fmt: skip
    loss.set_yticks(rows, [_named(row) for _, row in table.iterrows()])
    regret.set_yticks(rows, [""] * len(rows))
    loss.set(xlabel=_loss(plan), title="Loss of one run, 90% interval")
    regret.axvline(0, color=COLOURS["limit"], lw=0.8)
    regret.set(xlabel="loss over the best plan", title="Regret: mean, and 95%")
    for axes in (loss, regret):
        axes.set_ylim(-0.6, len(table) - 0.4)
    return figure


def _named(row: "pd.Series[Any]") -> str:
    beyond = f"\n(beyond {row['beyond']})" if row["beyond"] else ""
    return f"{style.label(row['name'], 32)}{beyond}"


@style.styled
def plot_shapes(found: ShapeChoice) -> "Figure":
    """Plot the penalty in loss of shapes of one size, against their depth.

    Parameters
    ----------
    found : ShapeChoice
        Shapes of one size.

    Returns
    -------
    matplotlib.figure.Figure
        Penalty over the best shape of each draw in percent, mean and 90% interval, against
        n_layer; the recommended shape and the range that is as good.

    Examples
    --------
    >>> shapes = bs.best_shape(bs.load_fit("shaped.nc"), 1e9, family="web")
    >>> bs.plots.plot_shapes(shapes).axes[0].get_xlabel()
    'layers'
    """
    table = found.table.sort_values(["n_layer", "penalty_mean"]).drop_duplicates("n_layer")
    best, blue = found.recommended, COLOURS["forecast"]
    figure = style.new_figure(6.0, 3.9)
    axes = figure.subplots()
    axes.fill_between(
        table["n_layer"],
        100 * table["penalty_q05"],
        100 * table["penalty_q95"],
        color=blue,
        alpha=0.18,
        lw=0,
        label="90% interval",
    )
    axes.plot(table["n_layer"], 100 * table["penalty_mean"], color=blue, lw=1.5, label="mean")
    axes.axvspan(
        found.as_good.min_layers,
        found.as_good.max_layers,
        color=COLOURS["good"],
        alpha=0.13,
        lw=0,
        label="as good (0.1%)",
    )
    axes.plot(
        best.n_layer,
        100 * best.penalty_mean,
        "D",
        color=COLOURS["plan"],
        label=f"{best.n_layer} layers of width {best.d_model}",
    )
    axes.set(
        xlabel="layers",
        ylabel="loss over the best shape, %",
        ylim=(0, _top(found)),
        title=f"{found.params:.3g} parameters, {style.label(found.family)}",
    )
    style.log_axis(axes.xaxis, plain_number, (1.0, 2.0, 5.0))
    axes.legend()
    return figure


def _top(found: ShapeChoice) -> float:
    """Where the axis ends: shapes far from the best would flatten the candidates."""
    table = found.table
    near = table[table["penalty_mean"] <= max(_FAR, 2 * table["penalty_mean"].min())]
    return 110.0 * float(near["penalty_q95"].max()) + 1e-9
