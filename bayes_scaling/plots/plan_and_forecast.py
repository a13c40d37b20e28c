"""Figures of forecasts and allocations."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from bayes_scaling.errors import DataError, ScenarioError
from bayes_scaling.forecast.forecast_result import Kind
from bayes_scaling.inference import Fit
from bayes_scaling.plots import style
from bayes_scaling.plots.forecast_path import forecast_data
from bayes_scaling.plots.number_format import axis_count, axis_power
from bayes_scaling.results.belonging import ResultLike, as_dict, checked, only_compute

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["plot_allocation", "plot_forecast"]

COLOURS = style.COLOURS


@style.styled
def plot_forecast(
    fit: Fit,
    family: str | None = None,
    *,
    plans: Sequence[ResultLike | Mapping[str, Any]] = (),
    beyond: float = 2.0,
    points: int = 60,
    kind: Kind = "run",
    seed: int = 0,
) -> "Figure":
    """Loss against compute: runs, forecast along the frontier, held-out runs, end of the data.

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
    """
    shown = fit.families if family is None else (family,)
    if family is not None and family not in fit.families:
        raise DataError(
            f"there is no family {family!r} in the fit; it has {', '.join(map(repr, fit.families))}"
        )
    marked = [checked(plan, fit) for plan in plans]
    figure, axes = style.panels(len(shown))
    for name, panel in zip(shown, axes, strict=True):
        own = [plan for plan in marked if plan["family"] == name]
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
    fit: Fit, family: str, plans: Sequence[Mapping[str, Any]], beyond: float, points: int
) -> "np.ndarray[Any, np.dtype[np.float64]]":
    runs = fit.runs
    own = runs.loc[runs["family"] == family, "flops"]
    held_out = fit.targets.loc[fit.targets["family"] == family, "flops"]
    last = max([own.max() * 10**beyond, *held_out, *(1.5 * p["budget_flops"] for p in plans)])
    return np.geomspace(own.min(), last, points)


def _forecast_panel(
    axes: "Axes", fit: Fit, family: str, table: pd.DataFrame, plans: Sequence[Mapping[str, Any]]
) -> None:
    from matplotlib.ticker import LogLocator

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
    axes.set_xscale("log")
    axes.set_xlim(x.min() * 0.8, x.max())
    axes.xaxis.set_major_formatter(axis_power)
    axes.xaxis.set_minor_formatter(_blank)
    axes.xaxis.set_major_locator(LogLocator(numticks=7))


def _mark_plans(axes: "Axes", plans: Sequence[Mapping[str, Any]]) -> None:
    targets = {plan["target_loss"] for plan in plans if plan.get("target_loss") is not None}
    for target in sorted(targets):
        axes.axhline(target, color=COLOURS["plan"], lw=1.2, ls=":", label="target loss")
    for plan in plans:
        loss = plan["loss"]
        axes.errorbar(
            plan["recommended"]["flops"],
            loss["q50"],
            yerr=[[loss["q50"] - loss["q05"]], [loss["q95"] - loss["q50"]]],
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


def _blank(_value: float, _position: object = None) -> str:
    return ""


def _unique_handles(axes: "Sequence[Axes]") -> tuple[list[Any], list[str]]:
    found: dict[str, Any] = {}
    for panel in axes:
        for handle, text in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(text, handle)
    return list(found.values()), list(found)


@style.styled
def plot_allocation(plan: ResultLike | Mapping[str, Any]) -> "Figure":
    """Risk and interval of the loss against model size at the budget of a plan.

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
    """
    content = as_dict(plan)
    figure = style.new_figure()
    axes = figure.subplots()
    table = _curve(content)
    risk, chosen = content.get("risk") or {}, content["recommended"]
    # A probability or a regret is no loss, and has no place on the axis of losses.
    drawn = risk.get("measure") not in ("mean", "miss", "regret")
    x, blue = table["params"], COLOURS["forecast"]
    axes.fill_between(
        x, table["q05"], table["q95"], color=blue, alpha=0.18, lw=0, label="loss, 90% interval"
    )
    axes.plot(x, table["mean"], color=blue, lw=1.6, label="loss, mean")
    if drawn:
        label = style.label(risk.get("meaning", "risk"))
        axes.plot(x, table["risk"], color=COLOURS["held_out"], lw=1.6, ls="--", label=label)
    near = content.get("near_optimal")
    if near:
        axes.axvspan(
            *near["params"],
            color=COLOURS["good"],
            alpha=0.13,
            lw=0,
            label=f"risk within {100 * near['within']:.3g}% of the lowest",
        )
    axes.axvline(chosen["params"], color=COLOURS["limit"], lw=1, label="recommended size")
    _dress_allocation(axes, content, table["risk"] if drawn else table["mean"], table)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


def _dress_allocation(
    axes: "Axes", content: Mapping[str, Any], bottom: "pd.Series[float]", table: pd.DataFrame
) -> None:
    target = content.get("target_loss")
    # Far ends of the line would flatten what matters: the bottom of the risk.
    low, high = table["q05"].min(), bottom.min()
    room = max(high - low, 0.02 * high)
    if target is not None and low - room < target < high + 3 * room:
        axes.axhline(target, color=COLOURS["plan"], lw=1.3, ls=":", label="target loss")
    axes.set_ylim(low - 0.4 * room, high + 2.5 * room)
    inside = table["q05"] < high + 2.5 * room
    axes.set_xscale("log")
    sizes = table.loc[inside, "params"] if inside.any() else table["params"]
    axes.set_xlim(sizes.min(), sizes.max())
    axes.xaxis.set_major_formatter(axis_count)
    axes.xaxis.set_minor_formatter(_blank)
    axes.set_xlabel(
        f"parameters N, with C = {axis_power(content['budget_flops'])} FLOP fixed"
        if only_compute(content)
        else "parameters N, along the budgets"
    )
    axes.set_ylabel(f"loss ({content['loss_unit']})" if content.get("loss_unit") else "loss")
    axes.set_title(style.label(content["family"]))


def _curve(content: Mapping[str, Any]) -> pd.DataFrame:
    curve = content.get("curve")
    if not curve:
        raise ScenarioError("the plan holds no curve along its budget, so there is nothing to plot")
    return pd.DataFrame(curve).dropna().sort_values("params")
