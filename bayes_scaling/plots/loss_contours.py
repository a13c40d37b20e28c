"""Figures of a plan: the loss over sizes and tokens with the optimum, and the regret."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.decisions import Plan
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.plots import style
from bayes_scaling.plots.number_format import axis_count, axis_power
from bayes_scaling.plots.style import COLOURS
from bayes_scaling.posterior import family_posterior, runs_of
from bayes_scaling.results.belonging import ResultLike, checked, only_compute

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["loss_surface", "plot_contours", "plot_regret"]

Floats = NDArray[np.float64]

_GRID = 36
_DRAWS = 250
_LINES = 9
_ROOM = 1.6
"""Factor by which the figure reaches beyond runs and plan."""
_POINTS = 400


def loss_surface(fit: Fit, family: str, params: Floats, tokens: Floats, *, seed: int = 0) -> Floats:
    """Expected loss over sizes and tokens: the mean over draws of the noise-free loss.

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
    """
    draws = family_posterior(fit, family, seed)
    draws = draws.thinned(max(draws.size // _DRAWS, 1))
    log_tokens = np.log(tokens)[:, None, None]
    logs = draws.curve(draws.at(np.log(params)[None, :, None], log_tokens, log_tokens))
    surface: Floats = np.exp(logs).mean(axis=-1)
    return surface


@style.styled
def plot_contours(fit: Fit, plan: ResultLike | Mapping[str, Any]) -> "Figure":
    """Expected loss over parameters and tokens, the budget of a plan, and where the optimum lies.

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
    """
    content = checked(plan, fit)
    family = content["family"]
    runs = runs_of(fit, family)
    sizes = _range(runs["params"], content, "params")
    data = _range(runs["tokens"], content, "tokens")
    figure = style.new_figure(6.0, 4.4)
    axes = figure.subplots()
    surface = loss_surface(fit, family, sizes, data, seed=int(content.get("seed", 0)))
    levels = np.geomspace(surface.min(), surface.max(), _LINES + 2)[1:-1]
    lines = axes.contour(
        sizes, data, surface, levels=levels, colors=COLOURS["prior"], linewidths=0.9
    )
    axes.clabel(lines, fmt="%.4g", fontsize=7)
    axes.plot(
        runs["params"], runs["tokens"], "o", color=COLOURS["runs"], ms=3, mew=0, alpha=0.6,
        label="fitted runs",
    )  # fmt: skip
    _optimum(axes, plan, content)
    if only_compute(content):
        axes.plot(
            sizes, content["budget_flops"] / 6.0 / sizes, color=COLOURS["limit"], lw=1, ls="--",
            label=f"C = {axis_power(content['budget_flops'])} FLOP",
        )  # fmt: skip
    chosen = content["recommended"]
    axes.plot(
        chosen["params"], chosen["tokens"], "*", ms=13, mfc=COLOURS["plan"], mec="black", mew=0.7,
        label="recommended",
    )  # fmt: skip
    _dress(axes, fit, family, sizes, data)
    figure.legend(loc="outside lower center", ncols=4)
    return figure


def _dress(axes: "Axes", fit: Fit, family: str, sizes: Floats, data: Floats) -> None:
    axes.set(
        xscale="log",
        yscale="log",
        xlim=(sizes[0], sizes[-1]),
        ylim=(data[0], data[-1]),
        xlabel="parameters N",
        ylabel="tokens D",
        title=f"{style.label(family, 30)}: expected loss ({fit.loss_unit(family)})",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(axis_count)


def _range(values: "pd.Series[float]", content: Mapping[str, Any], name: str) -> Floats:
    found = [content["recommended"][name], *values]
    optimum = (content.get("optimum") or {}).get(name)
    found += [optimum["q05"], optimum["q95"]] if optimum else []
    return np.geomspace(min(found) / _ROOM, max(found) * _ROOM, _GRID)


def _optimum(axes: "Axes", plan: Any, content: Mapping[str, Any]) -> None:
    """The optimum of every draw, or its intervals where there are no draws."""
    green = COLOURS["good"]
    draws = getattr(plan, "draws", None)
    if draws is not None:
        params, tokens = (draws[name].to_numpy().ravel() for name in ("params", "tokens"))
        step = max(params.size // _POINTS, 1)
        axes.plot(
            params[::step], tokens[::step], ".", color=green, ms=2.5, alpha=0.5,
            label="best of each draw", rasterized=True,
        )  # fmt: skip
        return
    found = content.get("optimum")
    if not found:
        return
    (x, across), (y, along) = (_spread(found[name]) for name in ("params", "tokens"))
    axes.errorbar(
        x, y, xerr=across, yerr=along, fmt="none", ecolor=green, elinewidth=2, capsize=3,
        label="optimum, 90%",
    )  # fmt: skip


def _spread(found: Mapping[str, float]) -> tuple[float, list[list[float]]]:
    """The median, and how far the 90% interval reaches to either side."""
    return found["q50"], [[found["q50"] - found["q05"]], [found["q95"] - found["q50"]]]


@style.styled
def plot_regret(plan: Plan) -> "Figure":
    """How much loss it costs not to know the best split: the chance of each regret or more.

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
