"""Figures of forecasts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_scaling.decisions import Plan
from bayes_scaling.errors import DataError
from bayes_scaling.forecast.forecast_result import Kind
from bayes_scaling.inference import Fit
from bayes_scaling.plots import style
from bayes_scaling.plots.forecast_path import forecast_data
from bayes_scaling.plots.number_format import axis_power
from bayes_scaling.results.belonging import ResultLike, as_plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_forecast"]

COLOURS = style.COLOURS


@style.styled
def plot_forecast(
    fit: Fit,
    family: str | None = None,
    *,
    plans: Sequence[ResultLike] = (),
    beyond: float = 2.0,
    points: int = 60,
    kind: Kind = "run",
    seed: int = 0,
) -> "Figure":
    """Plot loss against compute: runs, forecast along the frontier, held-out runs.

    Parameters
    ----------
    fit : Fit
        The fit.
    family : str, optional
        One panel for this family; without it one panel for each fitted family.
    plans : sequence of Plan
        Recommended runs to mark in the panels of their families.
    beyond : float
        Decades of compute to forecast beyond the largest run.
    points : int
        Budgets at which the forecast is computed.
    kind : {"run", "curve"}
        Loss of one new run, or expected loss.
    seed : int
        Seed of the forecast.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    DataError
        If the family is unknown.
    ScenarioError
        If a plan does not belong to the fit.

    Examples
    --------
    >>> figure = bs.plots.plot_forecast(bs.load_fit("fit.nc"), "web", points=10)
    >>> figure.axes[0].get_xscale()
    'log'
    """
    shown = fit.families if family is None else (family,)
    if family is not None and family not in fit.families:
        raise DataError(
            f"there is no family {family!r} in the fit; it has {', '.join(map(repr, fit.families))}"
        )
    marked = [as_plan(plan, fit) for plan in plans]
    figure, axes = style.panels(len(shown))
    for name, panel in zip(shown, axes, strict=True):
        own = [plan for plan in marked if plan.family == name]
        flops = _budgets(fit, name, own, beyond, points)
        table = forecast_data(fit, name, flops, kind=kind, seed=seed)
        _forecast_panel(panel, fit, name, table, own)
        panel.set_title(style.label(name, 30 if len(shown) > 1 else 48))
        panel.set_xlabel("training compute C (FLOP)")
        panel.set_ylabel(f"loss ({fit.loss_unit()})")
    handles, labels = _unique_handles(axes)
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _budgets(
    fit: Fit, family: str, plans: Sequence[Plan], beyond: float, points: int
) -> "np.ndarray[Any, np.dtype[np.float64]]":
    runs = fit.runs
    own = runs.loc[runs["family"] == family, "flops"]
    held_out = fit.targets.loc[fit.targets["family"] == family, "flops"]
    last = max([own.max() * 10**beyond, *held_out, *(1.5 * p.budget_flops for p in plans)])
    return np.geomspace(own.min(), last, points)


def _forecast_panel(
    axes: "Axes", fit: Fit, family: str, table: pd.DataFrame, plans: Sequence[Plan]
) -> None:
    runs = fit.runs[fit.runs["family"] == family]
    x = table["flops"]
    blue = COLOURS["forecast"]
    axes.fill_between(x, table["q05"], table["q95"], color=blue, alpha=0.18, lw=0, label="90%")
    axes.fill_between(x, table["q25"], table["q75"], color=blue, alpha=0.35, lw=0, label="50%")
    axes.plot(x, table["q50"], color=blue, lw=1.6, label="forecast, median")
    axes.plot(
        runs["flops"],
        runs["loss"],
        "o",
        color=COLOURS["runs"],
        ms=3.2,
        alpha=0.65,
        mew=0,
        label="fitted runs",
        rasterized=style.many(len(runs)),
    )
    held_out = fit.targets[(fit.targets["family"] == family) & fit.targets["loss"].notna()]
    if len(held_out):
        axes.plot(
            held_out["flops"],
            held_out["loss"],
            "D",
            mfc="white",
            mec=COLOURS["held_out"],
            mew=1.4,
            ms=6,
            label="held-out runs",
        )
    _mark_plans(axes, plans)
    end = runs["flops"].max()
    axes.axvline(end, color=COLOURS["limit"], ls=(0, (4, 3)), lw=1, label="end of the data")
    axes.axvspan(end, x.max(), color="#000000", alpha=0.035, lw=0, zorder=0)
    axes.set_xlim(x.min() * 0.8, x.max())
    style.log_axis(axes.xaxis, axis_power, most=7)


def _mark_plans(axes: "Axes", plans: Sequence[Plan]) -> None:
    targets = {plan.target_loss for plan in plans if plan.target_loss is not None}
    for target in sorted(targets):
        axes.axhline(target, color=COLOURS["plan"], lw=1.2, ls=":", label="target loss")
    for plan in plans:
        loss = plan.loss
        axes.errorbar(
            plan.recommended.flops,
            loss.q50,
            yerr=[[loss.q50 - loss.q05], [loss.q95 - loss.q50]],
            fmt="*",
            ms=12,
            mfc=COLOURS["plan"],
            mec="black",
            mew=0.7,
            ecolor="black",
            elinewidth=1,
            label="recommended",
            zorder=5,
        )


def _unique_handles(axes: "Sequence[Axes]") -> tuple[list[Any], list[str]]:
    found: dict[str, Any] = {}
    for panel in axes:
        for handle, text in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(text, handle)
    return list(found.values()), list(found)
