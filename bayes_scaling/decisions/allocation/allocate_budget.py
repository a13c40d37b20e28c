"""Split budgets between parameters, tokens and their repeats, on the whole posterior."""

import math
from dataclasses import replace

import msgspec
import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.core.caveat import Caveat, unique
from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.core.ranks import average_ranks
from bayes_scaling.decisions.allocation.budget_rows import budget_row
from bayes_scaling.decisions.allocation.candidate import ROUNDING, Candidate
from bayes_scaling.decisions.allocation.compare_alternatives import compare_alternatives
from bayes_scaling.decisions.allocation.decision_caveats import (
    alternative_caveats,
    counting_caveats,
    price_caveats,
    target_caveats,
)
from bayes_scaling.decisions.allocation.least_cost import at_size
from bayes_scaling.decisions.allocation.plan import Plan
from bayes_scaling.decisions.allocation.plan_costs import budgets_of, costs_of
from bayes_scaling.decisions.allocation.plan_parts import (
    Driver,
    LeastCost,
    OptimumPosterior,
    PlanShape,
    RiskValue,
)
from bayes_scaling.decisions.allocation.plan_shape import ShapedPlan, choose_shape
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.problem_from_fit import problem_from_fit
from bayes_scaling.decisions.allocation.risk_search import NEAR_OPTIMAL, least_risk, near_optimal
from bayes_scaling.decisions.allocation.wait_and_see import Optimum, wait_and_see
from bayes_scaling.decisions.decision_family import SHAPE, aspects_of, provenance
from bayes_scaling.decisions.decision_result import BudgetRow, Point
from bayes_scaling.errors import ScenarioError
from bayes_scaling.forecast.forecast_result import Forecast
from bayes_scaling.forecast.prediction import predict_own
from bayes_scaling.inference import Fit
from bayes_scaling.scenarios.risk import Risk
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["NEAR_OPTIMAL", "allocate"]

Floats = NDArray[np.float64]

_FACTORS = (0.25, 0.5, 2.0, 4.0)
_EDGE = 1e-3


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
        If no family is named though the fit has several, no configuration meets budgets and
        limits, or the law has no optimum within the limits and they do not bound it.

    Examples
    --------
    >>> fit, scenario = bs.load_fit("fit.nc"), bs.load_scenario("scenario.toml")
    >>> plan = bs.allocate(fit, scenario)
    >>> print(f"N = {plan.recommended.params:.2g}, D = {plan.recommended.tokens:.2g}")
    N = 2.7e+09, D = 6.2e+10
    """
    problem = problem_from_fit(fit, scenario, seed)
    best = least_risk(problem)
    found = _choose_shape(fit, problem, best)
    held, plan = (problem, best) if found is None else (found.problem, found.plan)
    if found is not None and scenario.minimise == "cost":
        held, plan, found = _cheapest_shape(fit, found, scenario.affords)
    chosen = held, plan, None if found is None else found.shape
    return _plan(fit, scenario, problem, chosen, seed)


def _choose_shape(fit: Fit, problem: Problem, best: Candidate) -> ShapedPlan | None:
    """Depth and width, under a law that reads them."""
    limits = problem.scenario.shape
    if not SHAPE & set(fit.law.inputs):
        if limits is not None:
            raise ScenarioError(
                f"the scenario has [shape], but law {fit.law.name!r} reads no shape; fit "
                f"'depth-width', 'gemstones' or '{fit.law.name}+shape', or leave [shape] out"
            )
        return None
    return choose_shape(problem, best, limits, aspects_of(fit, problem.draws.family))


def _cheapest_shape(
    fit: Fit, found: ShapedPlan, most: float | None
) -> tuple[Problem, Candidate, ShapedPlan]:
    """The least budget for whole shapes: another shape may be best at the budget of the first."""
    held, plan = at_size(found.problem, found.plan, most)
    again = _choose_shape(fit, replace(held, log_aspect=None), plan)
    if again is None or again.plan.shape == plan.shape:
        return held, plan, found
    other, cheaper = at_size(again.problem, again.plan, most)
    if _amount(other) < _amount(held):
        return other, cheaper, again
    return held, plan, found


def _amount(problem: Problem) -> float:
    return problem.scenario.affords or 0.0


def _plan(
    fit: Fit,
    scenario: Scenario,
    problem: Problem,
    chosen: tuple[Problem, Candidate, PlanShape | None],
    seed: int,
) -> Plan:
    """What the plan is, what it takes, and what comes of it and of others."""
    held, best, shape = chosen
    family = held.draws.family
    ideal, risk = wait_and_see(problem), held.scenario.risk
    point, target = _with_budget(held, best), held.scenario.target_loss
    losses, regret = held.loss_of(best), _regret(held, best)
    reached = None if target is None else float(np.mean(losses <= target))
    curve, near = near_optimal(held, best)
    forecast, others = _forecast(fit, held, point, seed), compare_alternatives(held, best)
    plan = Plan(
        **provenance(fit, family, seed),
        scenario=scenario,
        minimise=scenario.minimise,
        least_cost=_least_cost(scenario, held),
        budget_flops=point.flops,
        budgets=budgets_of(held, best),
        quantity="loss_run",
        risk=RiskValue(
            measure=risk.measure,
            level=risk.level if risk.measure in ("quantile", "cvar") else None,
            meaning=str(risk),
            value=float(held.risk_of(losses)),
        ),
        recommended=point,
        loss=PosteriorSummary.of(losses),
        target_loss=target,
        probability_of_target=reached,
        extrapolation=float(forecast.points["extrapolation"].iloc[0]),
        near_optimal=near,
        regret=PosteriorSummary.of(regret),
        drivers=_drivers(held, ideal.log_params),
        costs=costs_of(held, best),
        alternative_outcomes=others,
        other_budgets=_other_budgets(held, ideal.log_params),
        method=held.optimum[2],
        curve_points=curve,
        shape=shape,
        optimum=_optimum(fit, problem, ideal),
        caveats=[
            *unique(_limit_caveats(held, best)),
            *_equal_risk(held, reached),
            *price_caveats(held),
            *forecast.caveats,
            *alternative_caveats(fit, family, others),
            *counting_caveats(fit, family),
            *target_caveats(held, target, reached),
        ],
    )
    msgspec.structs.force_setattr(plan, "draws", _draws(fit, problem, ideal, regret))
    return plan


def _least_cost(scenario: Scenario, problem: Problem) -> LeastCost | None:
    if scenario.minimise == "loss":
        return None
    return LeastCost(
        amount=_amount(problem),
        unit=scenario.unit_of_cost,
        probability=scenario.target_probability,
    )


def _optimum(fit: Fit, problem: Problem, ideal: Optimum) -> OptimumPosterior:
    exponent = fit.law.closed_forms.params_exponent
    params, tokens = np.exp(ideal.log_params), np.exp(ideal.log_tokens)
    return OptimumPosterior(
        params=PosteriorSummary.of(params),
        tokens=PosteriorSummary.of(tokens),
        tokens_per_param=PosteriorSummary.of(tokens / params),
        loss=PosteriorSummary.of(np.exp(ideal.log_loss)),
        epochs=PosteriorSummary.of(ideal.epochs) if problem.repeats else None,
        params_exponent=PosteriorSummary.of(exponent(problem.draws.values)) if exponent else None,
    )


def _regret(problem: Problem, best: Candidate) -> Floats:
    """Loss of one run of a plan over that of the best plan, draw by draw."""
    # Least risk and best of a draw are searched apart, so the difference may miss zero by rounding.
    regret: Floats = np.maximum(problem.loss_of(best) - problem.best_losses, 0.0)
    return regret


def _forecast(fit: Fit, problem: Problem, point: Point, seed: int) -> Forecast:
    """Forecast the plan as any other configuration, for its distance from the runs and caveats."""
    stated = {
        "aspect_ratio": point.d_model and point.n_layer and point.d_model / point.n_layer,
        "n_layer": point.n_layer,
        "d_model": point.d_model,
        "unique_tokens": point.unique_tokens if problem.repeats else None,
    }
    sizes = {"params": point.params, "tokens": point.tokens, "family": problem.draws.family}
    more = {n: value for n, value in stated.items() if n in fit.law.inputs and value is not None}
    return predict_own(fit, pd.DataFrame(sizes | more, index=[0]), seed)


def _with_budget(problem: Problem, best: Candidate) -> Point:
    """The plan, with the budget of compute to the last digit where it is all that is spent."""
    point, flops = best.point, problem.scenario.compute_budget
    if flops is not None and problem.line.plain and math.isclose(point.flops, flops, rel_tol=1e-9):
        return msgspec.structs.replace(point, flops=flops)
    return point


def _limit_caveats(problem: Problem, best: Candidate) -> list[Caveat]:
    """List the limits that bind."""
    low, high, *limited = problem.bounds(best.epochs)
    found = [
        _at_limit(
            "params",
            math.exp(bound),
            f"The recommended split stands at a limit ({math.exp(bound):.4g} parameters): "
            "beyond it the plan would be better.",
        )
        for bound, by_limit in zip((low, high), limited, strict=True)
        if by_limit and abs(best.log_params - bound) < _EDGE
    ]
    limits, point = problem.scenario.limits, best.point
    for name, taken in (("max_tokens", point.tokens), ("max_unique_tokens", point.unique_tokens)):
        most = getattr(limits, name)
        if taken > most * (1 - _EDGE):
            text = f"The plan takes all of {name}, {most:.4g}: more would make it better."
            found.append(_at_limit(name, most, text))
    # Of several uncertain budgets none need be spent to the end for all to hold at once.
    left = float(problem.line.affordable(np.array([best.log_params]), best.epochs)[0])
    if best.log_tokens < left + math.log1p(-ROUNDING):
        most = max(row.spent for row in budgets_of(problem, best))
        text = f"Limits leave part of the budget unspent: the plan uses {most:.0%} of it."
        found.append(
            Caveat(code="unspent-budget", severity="note", text=text, data={"spent": most})
        )
    return found


def _at_limit(name: str, value: float, text: str) -> Caveat:
    return Caveat(
        code="at-limit", severity="warning", subject=name, text=text, data={"limit": value}
    )


def _equal_risk(problem: Problem, reached: float | None) -> list[Caveat]:
    if problem.scenario.risk.measure != "miss" or reached not in (0.0, 1.0):
        return []
    does = "reaches" if reached else "misses"
    text = (
        f"The plan {does} the target in every draw, as others do: the least expected loss decided."
    )
    data = {"probability_of_target": reached}
    return [Caveat(code="tied-risk", severity="note", text=text, data=data)]


def _other_budgets(problem: Problem, sizes: Floats) -> list[BudgetRow]:
    """What a part or a multiple of the budgets would buy, by the same measure of risk."""
    if problem.scenario.risk.measure == "regret":
        # Regret compares plans of one budget; between budgets the mean does.
        changed = msgspec.structs.replace(problem.scenario, risk=Risk())
        problem = replace(problem, line=replace(problem.line, scenario=changed))
    rows = []
    for factor in _FACTORS:
        try:
            rows.append(budget_row(problem, factor, sizes)[0])
        except ScenarioError:
            # Lower limits may cost more than a part of the budget.
            continue
    return rows


def _drivers(problem: Problem, sizes: Floats) -> list[Driver]:
    """Rank the parameters on which the best size depends, by squared rank correlation."""
    if np.ptp(sizes) < _EDGE:
        return []
    ranks = average_ranks(sizes)
    rows = []
    for name, values in problem.draws.values.items():
        if np.ptp(values) == 0:
            continue
        correlation = float(np.corrcoef(average_ranks(values), ranks)[0, 1])
        rows.append(Driver(parameter=name, correlation=correlation, share=correlation**2))
    return sorted(rows, key=lambda row: -row.share)


def _draws(fit: Fit, problem: Problem, best: Optimum, regret: Floats) -> xr.Dataset:
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
    if problem.repeats:
        columns["epochs"] = best.epochs
    return xr.Dataset(
        {name: (("chain", "draw"), value.reshape(shape)) for name, value in columns.items()},
        coords={"chain": posterior["chain"], "draw": posterior["draw"]},
    )
