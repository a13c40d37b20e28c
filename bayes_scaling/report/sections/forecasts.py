"""Sections on what comes out: forecasts, held-out runs, plans with what stands beside them."""

import math
from collections.abc import Mapping

import msgspec
import numpy as np

from bayes_scaling.core.draw_summary import NAMES, describe
from bayes_scaling.decisions import Plan
from bayes_scaling.decisions.decision_result import BudgetRow
from bayes_scaling.forecast.prediction import forecast_columns, predict_own
from bayes_scaling.plots.forecast_path import forecast_data, frontier
from bayes_scaling.report.content_records import (
    ForecastRow,
    HeldOut,
    HeldOutRun,
    OtherBudget,
    ReportedPlan,
)
from bayes_scaling.report.study import Place, Study, place_of

__all__ = ["MULTIPLES", "forecasts_section", "held_out_section", "reported"]

MULTIPLES = (2.0, 4.0, 10.0, 100.0)
"""Budgets of forecasts, in units of the largest fitted run of the family."""
_SIZES = ("params", "tokens", "flops")


def forecasts_section(study: Study) -> list[ForecastRow]:
    """Return forecasts of one run at multiples of each family's largest compute."""
    return [row for family in study.fit.families for row in _of_family(study, family)]


def _of_family(study: Study, family: str) -> list[ForecastRow]:
    """Forecasts along the frontier of a family."""
    flops = float(study.of_family(family)["flops"].max()) * np.array(MULTIPLES)
    path = frontier(study.fit, family, flops, seed=study.seed).kind
    table = forecast_data(study.fit, family, flops, seed=study.seed)
    rows = []
    for multiple, row in zip(MULTIPLES, table.to_dict("records"), strict=True):
        numbers = {n: float(row[n]) for n in (*_SIZES, "mean", "sd", *NAMES, "extrapolation")}
        ratio = numbers["tokens"] / numbers["params"]
        rows.append(
            ForecastRow(
                family=family,
                multiple=multiple,
                path=path,
                tokens_per_param=ratio,
                tags=study.tags(_place(family, numbers), numbers["q50"], ratio),
                **numbers,
            )
        )
    return rows


def _place(family: str, sizes: Mapping[str, float]) -> Place:
    return Place(family, *(sizes[name] for name in _SIZES))


def held_out_section(study: Study) -> HeldOut:
    """Return forecasts of the runs kept out of the fit, beside what they reached."""
    targets = study.fit.targets
    if not len(targets):
        return HeldOut(runs=[])
    forecast = predict_own(study.fit, forecast_columns(study.fit.law, targets), study.seed)
    rows = []
    for place, (_, target) in enumerate(targets.iterrows()):
        losses = describe(forecast.loss_run.isel(point=place))
        observed, family = float(target["loss"]), str(target["family"])
        known = math.isfinite(observed)
        sizes = {name: float(target[name]) for name in _SIZES}
        rows.append(
            HeldOutRun(
                run=str(target["run"]),
                family=family,
                observed=observed if known else None,
                inside_50=losses["q25"] <= observed <= losses["q75"] if known else None,
                inside_90=losses["q05"] <= observed <= losses["q95"] if known else None,
                error=observed / losses["q50"] - 1 if known else None,
                extrapolation=float(forecast.points["extrapolation"].iloc[place]),
                tags=study.tags(_place(family, sizes), losses["q50"]),
                **sizes,
                **losses,
            )
        )
    return _scored(rows)


def _scored(rows: list[HeldOutRun]) -> HeldOut:
    errors = [row.error for row in rows if row.error is not None]
    if not errors:
        return HeldOut(runs=rows)
    return HeldOut(
        runs=rows,
        known=len(errors),
        inside_50=sum(bool(row.inside_50) for row in rows),
        inside_90=sum(bool(row.inside_90) for row in rows),
        bias=float(np.median(errors)),
    )


def reported(study: Study, plan: Plan) -> ReportedPlan:
    """Return a plan with what must stand beside its numbers."""
    fields = {name: getattr(plan, name) for name in Plan.__struct_fields__}
    return ReportedPlan(
        **fields | {"other_budgets": [_other(study, plan, row) for row in plan.other_budgets]},
        tags=study.tags(place_of(plan), plan.loss.q50, plan.recommended.tokens_per_param),
    )


def _other(study: Study, plan: Plan, row: BudgetRow) -> OtherBudget:
    largest = float(study.of_family(plan.family)["flops"].max())
    place = Place(plan.family, row.params, row.tokens, row.flops)
    return OtherBudget(
        **msgspec.structs.asdict(row),
        extrapolation=math.log10(row.flops / largest),
        tags=study.tags(place, row.q50),
    )
