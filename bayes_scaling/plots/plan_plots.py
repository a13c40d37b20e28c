"""Figures of a plan: loss and risk by size, the loss over sizes and tokens, the regret."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.decisions import Plan
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.plots import style
from bayes_scaling.plots.number_format import axis_count, axis_power
from bayes_scaling.plots.style import COLOURS
from bayes_scaling.posterior import family_posterior, runs_of
from bayes_scaling.results.belonging import ResultLike, as_plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["loss_surface", "plot_allocation", "plot_contours", "plot_regret"]

Floats = NDArray[np.float64]

_GRID = 36
_DRAWS = 250
_LINES = 9
_ROOM = 1.6
"""Factor by which the figure reaches beyond runs and plan."""
_POINTS = 400


@style.styled
def plot_allocation(plan: ResultLike) -> "Figure":
    """Plot risk and interval of the loss against model size at the budget of a plan.

    Parameters
    ----------
    plan : Plan or mapping
        A plan, or the content of its file.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If it is not a plan, or holds no curve.

    Examples
    --------
    >>> bs.plots.plot_allocation(bs.load_result("plan.json")).axes[0].get_xscale()
    'log'
    """
    plan = as_plan(plan)
    figure = style.new_figure()
    axes = figure.subplots()
    table = _curve(plan)
    risk, near = plan.risk, plan.near_optimal
    # A probability or a regret is no loss, and has no place on the axis of losses.
    shows_risk = risk.measure not in ("mean", "miss", "regret")
    x, blue = table["params"], COLOURS["forecast"]
    axes.fill_between(
        x, table["q05"], table["q95"], color=blue, alpha=0.18, lw=0, label="loss, 90% interval"
    )
    axes.plot(x, table["mean"], color=blue, lw=1.6, label="loss, mean")
    if shows_risk:
        label = style.label(risk.meaning)
        axes.plot(x, table["risk"], color=COLOURS["held_out"], lw=1.6, ls="--", label=label)
    axes.axvspan(
        *near.params,
        color=COLOURS["good"],
        alpha=0.13,
        lw=0,
        label=f"risk within {100 * near.within:.3g}% of the lowest",
    )
    axes.axvline(plan.recommended.params, color=COLOURS["limit"], lw=1, label="recommended size")
    _dress_allocation(axes, plan, table["risk"] if shows_risk else table["mean"], table)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _dress_allocation(
    axes: "Axes", plan: Plan, bottom: "pd.Series[float]", table: pd.DataFrame
) -> None:
    target = plan.target_loss
    # Far ends of the line would flatten what matters: the bottom of the risk.
    low, high = table["q05"].min(), bottom.min()
    room = max(high - low, 0.02 * high)
    if target is not None and low - room < target < high + 3 * room:
        axes.axhline(target, color=COLOURS["plan"], lw=1.3, ls=":", label="target loss")
    axes.set_ylim(low - 0.4 * room, high + 2.5 * room)
    inside = table["q05"] < high + 2.5 * room
    sizes = table.loc[inside, "params"] if inside.any() else table["params"]
    axes.set_xlim(sizes.min(), sizes.max())
    style.log_axis(axes.xaxis, axis_count, (1.0, 3.0))
    axes.set_xlabel(
        f"parameters N, with C = {axis_power(plan.budget_flops)} FLOP fixed"
        if plan.scenario.only_compute
        else "parameters N, along the budgets"
    )
    axes.set_ylabel(f"loss ({plan.loss_unit})" if plan.loss_unit else "loss")
    axes.set_title(style.label(plan.family))


def _curve(plan: Plan) -> pd.DataFrame:
    if not plan.curve_points:
        raise ScenarioError("the plan holds no curve along its budget, so there is nothing to plot")
    return plan.curve.dropna().sort_values("params")


def loss_surface(fit: Fit, family: str, params: Floats, tokens: Floats, *, seed: int = 0) -> Floats:
    """Return the expected loss over sizes and tokens: the mean of the noise-free loss.

    Parameters
    ----------
    fit : Fit
        The fit.
    family : str
        The family.
    params : (size,) array
        Parameters N.
    tokens : (data,) array
        Tokens D, all fresh.
    seed : int
        Seed of an unseen family.

    Returns
    -------
    (data, size) array
        In the loss unit of the fit, from at most about 250 of the draws.

    Examples
    --------
    >>> fit = bs.load_fit("fit.nc")
    >>> bs.plots.loss_surface(fit, "web", np.array([1e9, 1e10]), np.array([2e10])).shape
    (1, 2)
    """
    draws = family_posterior(fit, family, seed)
    draws = draws.thinned(max(draws.size // _DRAWS, 1))
    log_tokens = np.log(tokens)[:, None, None]
    logs = draws.curve(draws.at(np.log(params)[None, :, None], log_tokens, log_tokens))
    surface: Floats = np.exp(logs).mean(axis=-1)
    return surface


@style.styled
def plot_contours(fit: Fit, plan: ResultLike) -> "Figure":
    """Plot expected loss over parameters and tokens, with the budget and optimum of a plan.

    Parameters
    ----------
    fit : Fit
        The fit.
    plan : Plan or mapping
        A plan made from it, or the content of its file. One that was just made shows the optimum of
        every draw; a file has its median and 90% intervals.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ScenarioError
        If the plan belongs to another fit.

    Examples
    --------
    >>> fit = bs.load_fit("fit.nc")
    >>> figure = bs.plots.plot_contours(fit, bs.load_result("plan.json"))
    >>> figure.axes[0].get_xlabel()
    'parameters N'
    """
    plan = as_plan(plan, fit)
    family = plan.family
    runs = runs_of(fit, family)
    sizes = _range(runs["params"], plan, "params")
    data = _range(runs["tokens"], plan, "tokens")
    figure = style.new_figure(6.0, 4.4)
    axes = figure.subplots()
    # Before the lines, whose labels lie where they have room.
    _dress(axes, fit, family, sizes, data)
    surface = loss_surface(fit, family, sizes, data, seed=plan.seed)
    levels = np.geomspace(surface.min(), surface.max(), _LINES + 2)[1:-1]
    lines = axes.contour(
        sizes, data, surface, levels=levels, colors=COLOURS["prior"], linewidths=0.9
    )
    axes.clabel(lines, fmt="%.4g", fontsize=7)
    axes.plot(
        runs["params"], runs["tokens"], "o", color=COLOURS["runs"], ms=3, mew=0, alpha=0.6,
        label="fitted runs",
    )  # fmt: skip
    _optimum(axes, plan)
    if plan.scenario.only_compute:
        axes.plot(
            sizes, plan.budget_flops / 6.0 / sizes, color=COLOURS["limit"], lw=1, ls="--",
            label=f"C = {axis_power(plan.budget_flops)} FLOP",
        )  # fmt: skip
    chosen = plan.recommended
    axes.plot(
        chosen.params, chosen.tokens, "*", ms=13, mfc=COLOURS["plan"], mec="black", mew=0.7,
        label="recommended",
    )  # fmt: skip
    figure.legend(loc="outside lower center", ncols=4)
    return figure


def _dress(axes: "Axes", fit: Fit, family: str, sizes: Floats, data: Floats) -> None:
    axes.set(
        xlim=(sizes[0], sizes[-1]),
        ylim=(data[0], data[-1]),
        xlabel="parameters N",
        ylabel="tokens D",
        title=f"{style.label(family, 30)}: expected loss ({fit.loss_unit(family)})",
    )
    for axis in (axes.xaxis, axes.yaxis):
        style.log_axis(axis, axis_count, (1.0, 3.0))


def _range(values: "pd.Series[float]", plan: Plan, name: str) -> Floats:
    optimum = getattr(plan.optimum, name)
    found = [getattr(plan.recommended, name), *values, optimum.q05, optimum.q95]
    return np.geomspace(min(found) / _ROOM, max(found) * _ROOM, _GRID)


def _optimum(axes: "Axes", plan: Plan) -> None:
    """The optimum of every draw, or its intervals where there are no draws."""
    green = COLOURS["good"]
    draws = plan.draws
    if draws is not None:
        params, tokens = (draws[name].to_numpy().ravel() for name in ("params", "tokens"))
        step = max(params.size // _POINTS, 1)
        axes.plot(
            params[::step], tokens[::step], ".", color=green, ms=2.5, alpha=0.5,
            label="best of each draw", rasterized=True,
        )  # fmt: skip
        return
    (x, across), (y, along) = map(_spread, (plan.optimum.params, plan.optimum.tokens))
    axes.errorbar(
        x, y, xerr=across, yerr=along, fmt="none", ecolor=green, elinewidth=2, capsize=3,
        label="optimum, 90%",
    )  # fmt: skip


def _spread(found: PosteriorSummary) -> tuple[float, list[list[float]]]:
    """Median, and how far the 90% interval reaches to either side."""
    return found.q50, [[found.q50 - found.q05], [found.q95 - found.q50]]


@style.styled
def plot_regret(plan: Plan) -> "Figure":
    """Plot the distribution of the regret of a plan: its loss above that of the optimum.

    Parameters
    ----------
    plan : Plan
        A plan that was just made: its file has no draws.

    Returns
    -------
    matplotlib.figure.Figure
        Probability, over draws, that the plan's loss exceeds that of the best plan by at least so
        much; its mean, and what is exceeded in 5% of cases.

    Raises
    ------
    ScenarioError
        If the plan was read from a file.

    Examples
    --------
    >>> fit = bs.load_fit("fit.nc")
    >>> plan = bs.allocate(fit, bs.load_scenario("scenario.toml"))
    >>> bs.plots.plot_regret(plan).axes[0].get_ylim()[0]
    np.float64(0.0)
    """
    if plan.draws is None:
        raise ScenarioError("a plan read from a file holds no draws, so its regret has no curve")
    regret = np.sort(plan.draws["regret"].to_numpy().ravel())
    chance = 1.0 - np.arange(regret.size) / regret.size
    figure = style.new_figure()
    axes = figure.subplots()
    axes.step(regret, chance, where="post", color=COLOURS["forecast"], lw=1.6)
    mean, high = plan.regret.mean, plan.regret.q95
    axes.axvline(mean, color=COLOURS["limit"], lw=1, ls=":", label=f"mean, {mean:.2g}")
    axes.axvline(high, color=COLOURS["held_out"], lw=1.2, ls="--", label=f"5% exceed {high:.2g}")
    axes.set(
        xlim=(0, None),
        ylim=(0, 1.02),
        xlabel=f"regret: loss over the best plan ({plan.loss_unit})",
        ylabel="probability of this much or more",
        title=style.label(plan.family),
    )
    axes.legend()
    return figure
