"""Sections on what comes out: forecasts, held-out runs, other budgets."""

import math
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.core.draw_summary import NAMES, describe
from bayes_scaling.forecast.prediction import forecast_columns, predict_own
from bayes_scaling.plots.forecast_path import forecast_data, frontier
from bayes_scaling.report.study import Study

__all__ = ["MULTIPLES", "budgets_section", "forecasts_section", "held_out_section"]

MULTIPLES = (2.0, 4.0, 10.0, 100.0)
"""Budgets of forecasts, in units of the largest fitted run of the family."""
_BUDGETS = (0.25, 0.5, 2.0, 4.0)


def forecasts_section(study: Study) -> list[dict[str, Any]]:
    """Loss of one new run at multiples of each family's largest compute, along the frontier."""
    rows = []
    for family in study.fit.families:
        largest = float(study.of_family(family)["flops"].max())
        flops = largest * np.array(MULTIPLES)
        path = frontier(study.fit, family, flops, seed=study.seed).kind
        table = forecast_data(study.fit, family, flops, seed=study.seed)
        for multiple, row in zip(MULTIPLES, table.to_dict("records"), strict=True):
            ratio = row["tokens"] / row["params"]
            rows.append(
                {"family": family, "multiple": multiple, "path": path}
                | {name: float(row[name]) for name in ("flops", "params", "tokens")}
                | {"tokens_per_param": ratio}
                | {name: float(row[name]) for name in ("mean", "sd", *NAMES, "extrapolation")}
                | {"tags": study.tags(_at(family, row), ratio)}
            )
    return rows


def _at(family: str, row: Mapping[Hashable, Any]) -> dict[str, Any]:
    """Where a row of a forecast lies, and its median loss."""
    return {"family": family} | {str(name): value for name, value in row.items()}


def held_out_section(study: Study) -> dict[str, Any]:
    """Forecasts of the runs kept out of the fit, beside what they reached."""
    targets = study.fit.targets
    if not len(targets):
        return {"runs": [], "known": 0, "inside_50": None, "inside_90": None, "bias": None}
    forecast = predict_own(study.fit, forecast_columns(study.fit.law, targets), study.seed)
    rows = []
    for place, (_, target) in enumerate(targets.iterrows()):
        row = describe(forecast.loss_run.isel(point=place))
        observed = float(target["loss"])
        known = math.isfinite(observed)
        decades = float(forecast.points["extrapolation"].iloc[place])
        rows.append(
            {
                "run": str(target["run"]),
                "family": str(target["family"]),
                **{name: float(target[name]) for name in ("params", "tokens", "flops")},
                **row,
                "observed": observed if known else None,
                "inside_50": bool(row["q25"] <= observed <= row["q75"]) if known else None,
                "inside_90": bool(row["q05"] <= observed <= row["q95"]) if known else None,
                "error": observed / row["q50"] - 1 if known else None,
                "extrapolation": decades,
                "tags": study.tags({**target, **row}),
            }
        )
    return {"runs": rows} | _score(pd.DataFrame(rows))


def _score(table: pd.DataFrame) -> dict[str, Any]:
    known = table[table["observed"].notna()]
    if not len(known):
        return {"known": 0, "inside_50": None, "inside_90": None, "bias": None}
    return {
        "known": len(known),
        "inside_50": int(known["inside_50"].sum()),
        "inside_90": int(known["inside_90"].sum()),
        "bias": float(known["error"].astype(float).median()),
    }


def _of_plan(study: Study, family: str, row: dict[str, Any]) -> dict[str, Any]:
    largest = float(study.of_family(family)["flops"].max())
    decades = math.log10(row["flops"] / largest)
    names = ("flops", "params", "tokens", "mean", "sd", *NAMES, "probability_of_target")
    return {
        "times_budget": row["factor"],
        **{name: row[name] for name in names},
        "extrapolation": decades,
        "tags": study.tags(row | {"family": family}),
    }


def budgets_section(study: Study, plan: dict[str, Any]) -> list[dict[str, Any]]:
    """The loss of a plan with less or more compute, tokens per parameter unchanged.

    As the plan's own file has it, prices and limits considered; at the same tokens per parameter
    where it does not say. The probability is that of the plan's target loss, None where it has
    none.
    """
    if plan.get("other_budgets") is not None:
        return [_of_plan(study, plan["family"], row) for row in plan["other_budgets"]]
    chosen, target, family = plan["recommended"], plan.get("target_loss"), plan["family"]
    factors = np.array(_BUDGETS)
    sizes = {name: chosen[name] * np.sqrt(factors) for name in ("params", "tokens")}
    forecast = predict_own(study.fit, pd.DataFrame(sizes | {"family": family}), study.seed)
    rows = []
    for place, factor in enumerate(_BUDGETS):
        losses = forecast.loss_run.isel(point=place)
        point = forecast.points.iloc[place]
        decades = float(point["extrapolation"])
        reached = None if target is None else float(np.mean(losses.to_numpy() <= target))
        row: dict[str, Any] = {
            "times_budget": factor,
            **{name: float(point[name]) for name in ("flops", "params", "tokens")},
            **describe(losses),
            "probability_of_target": reached,
            "extrapolation": decades,
        }
        rows.append(row | {"tags": study.tags(row | {"family": family})})
    return rows
