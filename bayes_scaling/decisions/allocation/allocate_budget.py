"""Split budgets between parameters, tokens and their repeats, on the whole posterior."""

import math
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import rankdata

from bayes_scaling.core.caveat import texts
from bayes_scaling.core.draw_summary import describe
from bayes_scaling.decisions.allocation.candidate import ROUNDING, Choice
from bayes_scaling.decisions.allocation.compare_alternatives import contest
from bayes_scaling.decisions.allocation.least_cost import at_size
from bayes_scaling.decisions.allocation.plan import SCHEMA, Plan
from bayes_scaling.decisions.allocation.plan_costs import budgets_of, costs_of
from bayes_scaling.decisions.allocation.plan_shape import Shaped, shaped
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.problem_from_fit import problem
from bayes_scaling.decisions.allocation.risk_search import NEAR_OPTIMAL, least_risk, near_optimal
from bayes_scaling.decisions.allocation.wait_and_see import Optimum, wait_and_see
from bayes_scaling.decisions.budgets.frontier import budget_row
from bayes_scaling.decisions.decision_caveats import alternative_doubts, price_doubts, target_doubts
from bayes_scaling.decisions.decision_family import SHAPE, aspects_of, provenance
from bayes_scaling.errors import ScenarioError
from bayes_scaling.forecast.forecast_result import Forecast
from bayes_scaling.forecast.prediction import predict_own
from bayes_scaling.inference import Fit
from bayes_scaling.posterior import runs_of
from bayes_scaling.scenarios.risk import Risk
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["NEAR_OPTIMAL", "allocate", "counting_doubts"]

Floats = NDArray[np.float64]

_FACTORS = (0.25, 0.5, 2.0, 4.0)
_EDGE = 1e-3
_MISCOUNT = 0.1
"""Log of C over 6·N·D from which the two ways of counting are told apart."""


def allocate(fit: Fit, scenario: Scenario, *, seed: int = 0) -> Plan:
    """Choose parameters, tokens and repeats within the budgets and limits of a scenario.

    The recommendation minimises the scenario's risk measure of ``loss_run``, the loss of one new
    run, with the same posterior draws and the same noise for every plan. Training a model of N
    parameters on D tokens takes C = 6·N·D.

    Parameters
    ----------
    fit : Fit
        The fit.
    scenario : Scenario
        Budgets, prices, limits, risk measure, family, target loss.
    seed : int
        Seed of run noise, uncertain prices and unseen families.

    Returns
    -------
    Plan

    Raises
    ------
    ScenarioError
        If the family is not said though the fit has several, no configuration meets budgets and
        limits, or the law has no optimum within the limits and they do not bound it.
    """
    given = problem(fit, scenario, seed)
    best = least_risk(given)
    found = _shaped(fit, given, best)
    held, plan = (given, best) if found is None else (found.problem, found.plan)
    if found is not None and scenario.minimise == "cost":
        held, plan, found = _cheapest_shape(fit, found, scenario.affords)
    ideal = wait_and_see(given)
    draws = _draws(fit, given, ideal, _regret(held, plan))
    exponent = fit.law.closed_forms.params_exponent
    content = {
        "schema": SCHEMA,
        **provenance(fit, given.draws.family, seed),
        "scenario": scenario.to_dict(),
        **_objective(scenario, held),
        **_outcome(fit, held, plan, ideal, seed),
        "shape": found and found.content,
        "optimum": {n: describe(value.values) for n, value in draws.items() if n != "regret"}
        | {"params_exponent": describe(exponent(given.draws.values)) if exponent else None},
    }
    return Plan(content, draws)


def _shaped(fit: Fit, given: Problem, best: Choice) -> Shaped | None:
    """Depth and width, under a law that reads them."""
    limits = given.scenario.shape
    if not SHAPE & set(fit.law.inputs):
        if limits is not None:
            raise ScenarioError(
                f"the scenario has [shape], but law {fit.law.name!r} reads no shape; fit "
                f"'depth-width', 'gemstones' or '{fit.law.name}+shape', or leave [shape] out"
            )
        return None
    return shaped(given, best, limits, aspects_of(fit, given.draws.family))


def _cheapest_shape(fit: Fit, found: Shaped, most: float | None) -> tuple[Problem, Choice, Shaped]:
    """The least budget for whole shapes: another shape may be best at the budget of the first."""
    held, plan = at_size(found.problem, found.plan, most)
    again = _shaped(fit, replace(held, log_aspect=None), plan)
    if again is None or again.plan.shape == plan.shape:
        return held, plan, found
    other, cheaper = at_size(again.problem, again.plan, most)
    if _amount(other) < _amount(held):
        return other, cheaper, again
    return held, plan, found


def _amount(given: Problem) -> float:
    return given.scenario.affords or 0.0


def _objective(scenario: Scenario, given: Problem) -> dict[str, Any]:
    """What was minimised, and the least cost where it was cost."""
    if scenario.minimise == "loss":
        return {"minimise": "loss", "least_cost": None}
    least = {
        "amount": given.scenario.affords,
        "unit": scenario.unit_of_cost,
        "probability": scenario.target_probability,
    }
    return {"minimise": "cost", "least_cost": least}


def _outcome(fit: Fit, given: Problem, best: Choice, ideal: Optimum, seed: int) -> dict[str, Any]:
    """What the plan is, what it takes, and what comes of it and of others."""
    scenario, risk = given.scenario, given.scenario.risk
    point, target = _with_budget(given, best), scenario.target_loss
    losses = given.loss_of(best)
    reached = None if target is None else float(np.mean(losses <= target))
    curve, near = near_optimal(given, best)
    sizes, method = ideal.log_params, given.optimum[2]
    forecast, others = _forecast(fit, given, point, seed), contest(given, best)
    return {
        "budget_flops": point["flops"],
        "budgets": budgets_of(given, best),
        "quantity": "loss_run",
        "risk": {
            "measure": risk.measure,
            "level": risk.level if risk.measure in ("quantile", "cvar") else None,
            "meaning": str(risk),
            "value": float(given.risk_of(losses)),
        },
        "recommended": point,
        "loss": describe(losses),
        "target_loss": target,
        "probability_of_target": reached,
        "extrapolation": float(forecast.points["extrapolation"].iloc[0]),
        "near_optimal": near,
        "regret": describe(_regret(given, best)),
        "drivers": _drivers(given, sizes),
        "costs": costs_of(given, best),
        "alternatives": others,
        "other_budgets": _other_budgets(given, sizes),
        "method": method,
        "warnings": [
            *dict.fromkeys(_touched(given, best)),
            *_ties(given, reached),
            *price_doubts(given),
            *texts(forecast.caveats),
            *alternative_doubts(fit, given.draws.family, others),
            *counting_doubts(fit, given.draws.family),
            *target_doubts(given, target, reached),
        ],
        "curve": curve,
    }


def _regret(given: Problem, best: Choice) -> Floats:
    """Loss of one run of a plan over that of the best plan, draw by draw."""
    # Least risk and best of a draw are searched apart, so the difference may miss zero by rounding.
    regret: Floats = np.maximum(given.loss_of(best) - given.best_losses, 0.0)
    return regret


def _forecast(fit: Fit, given: Problem, point: dict[str, float], seed: int) -> Forecast:
    """The plan as any other configuration is forecast, for how far it lies and what is said."""
    stated = {
        "aspect_ratio": None if "n_layer" not in point else point["d_model"] / point["n_layer"],
        "n_layer": point.get("n_layer"),
        "d_model": point.get("d_model"),
        "unique_tokens": point["unique_tokens"] if given.repeats else None,
    }
    sizes = {"params": point["params"], "tokens": point["tokens"], "family": given.draws.family}
    more = {n: value for n, value in stated.items() if n in fit.law.inputs and value is not None}
    return predict_own(fit, pd.DataFrame(sizes | more, index=[0]), seed)


def _with_budget(given: Problem, best: Choice) -> dict[str, float]:
    """The plan, with the budget of compute to the last digit where it is all that is spent."""
    point, flops = best.point, given.scenario.compute_budget
    if flops is not None and given.line.plain and math.isclose(point["flops"], flops, rel_tol=1e-9):
        return point | {"flops": flops}
    return point


def _touched(given: Problem, best: Choice) -> list[str]:
    low, high, *limited = given.bounds(best.epochs)
    touched = [
        f"The recommended split stands at a limit ({math.exp(bound):.4g} parameters): "
        "beyond it the plan would be better."
        for bound, by_limit in zip((low, high), limited, strict=True)
        if by_limit and abs(best.log_params - bound) < _EDGE
    ]
    limits, point = given.scenario.limits, best.point
    for name, taken in (("max_tokens", "tokens"), ("max_unique_tokens", "unique_tokens")):
        most = getattr(limits, name)
        if point[taken] > most * (1 - _EDGE):
            touched.append(f"The plan takes all of {name}, {most:.4g}: more would make it better.")
    # Of several uncertain budgets none need be spent to the end for all to hold at once.
    left = float(given.line.affordable(np.array([best.log_params]), best.epochs)[0])
    if best.log_tokens < left + math.log1p(-ROUNDING):
        most = max(row["spent"] for row in budgets_of(given, best))
        touched.append(f"Limits leave part of the budget unspent: the plan uses {most:.0%} of it.")
    return touched


def _ties(given: Problem, reached: float | None) -> list[str]:
    if given.scenario.risk.measure != "miss" or reached not in (0.0, 1.0):
        return []
    does = "reaches" if reached else "misses"
    said = (
        f"The plan {does} the target in every draw, as others do: the least expected loss decided."
    )
    return [said]


def _other_budgets(given: Problem, sizes: Floats) -> list[dict[str, Any]]:
    """What a part or a multiple of the budgets would buy, by the same measure of risk."""
    if given.scenario.risk.measure == "regret":
        # Regret compares plans of one budget; between budgets the mean does.
        changed = msgspec.structs.replace(given.scenario, risk=Risk())
        given = replace(given, line=replace(given.line, scenario=changed))
    rows = []
    for factor in _FACTORS:
        try:
            rows.append({"factor": factor} | budget_row(given.with_budget(factor), sizes)[0])
        except ScenarioError:
            # Lower limits may cost more than a part of the budget.
            continue
    return rows


def _drivers(given: Problem, sizes: Floats) -> list[dict[str, Any]]:
    """Which parameters the best size hangs on: squared rank correlation, strongest first."""
    if np.ptp(sizes) < _EDGE:
        return []
    ranks = rankdata(sizes)
    rows = []
    for name, values in given.draws.values.items():
        if np.ptp(values) == 0:
            continue
        correlation = float(np.corrcoef(rankdata(values), ranks)[0, 1])
        rows.append({"parameter": name, "correlation": correlation, "share": correlation**2})
    return sorted(rows, key=lambda row: -row["share"])


def _draws(fit: Fit, given: Problem, best: Optimum, regret: Floats) -> xr.Dataset:
    posterior = fit.posterior
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    params, tokens = np.exp(best.log_params), np.exp(best.log_tokens)
    columns = {
        "params": params,
        "tokens": tokens,
        "tokens_per_param": tokens / params,
        "loss": np.exp(best.log_loss),
        "regret": regret,
    }
    if given.repeats:
        columns["epochs"] = best.epochs
    return xr.Dataset(
        {name: (("chain", "draw"), value.reshape(shape)) for name, value in columns.items()},
        coords={"chain": posterior["chain"], "draw": posterior["draw"]},
    )


def counting_doubts(fit: Fit, family: str) -> list[str]:
    """Whether a FLOP of the budget is a FLOP of the fitted runs."""
    rows = runs_of(fit, family)
    ratio = float((rows["flops"] / (6.0 * rows["params"] * rows["tokens"])).median())
    if abs(math.log(ratio)) < _MISCOUNT:
        return []
    return [
        (
            f"The fitted runs took {ratio:.2f} times 6·N·D FLOP, and the plan spends its budget "
            f"as 6·N·D: count the budget so, or expect the plan to cost {ratio:.2f} times as much."
        )
    ]
