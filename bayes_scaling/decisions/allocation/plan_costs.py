"""What a plan takes: of each budget, and in compute, money and time."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.decisions.allocation.candidate import Candidate
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.decision_result import BudgetUse, PlanCosts

__all__ = ["budgets_of", "costs_of"]

Floats = NDArray[np.float64]


def budgets_of(problem: Problem, plan: Candidate) -> list[BudgetUse]:
    """Compute what a plan takes of each budget, and the probability that it is enough."""
    one, costs = problem.scenario, problem.line.costs
    params, tokens, unique = _sizes(plan)
    rows: list[tuple[Literal["compute", "money", "time"], str, float | None, Floats]] = [
        ("compute", "FLOP", one.compute_budget, costs.flops(params, tokens)),
        ("money", one.currency, one.money_budget, costs.money(params, tokens, unique)),
        ("time", "s", one.time_budget, costs.seconds(params, tokens)),
    ]
    return [
        BudgetUse(
            budget=name,
            unit=unit,
            amount=amount,
            spent=float(np.quantile(taken, one.confidence)) / amount,
            probability_within=float(np.mean(taken <= amount * (1 + 1e-9))),
        )
        for name, unit, amount, taken in rows
        if amount is not None
    ]


def costs_of(problem: Problem, plan: Candidate) -> PlanCosts:
    """Compute what a plan costs, as far as prices are known."""
    costs, compute = problem.line.costs, problem.scenario.compute
    params, tokens, unique = _sizes(plan)
    priced, timed = problem.scenario.priced, compute and compute.devices
    return PlanCosts(
        flops=PosteriorSummary.of(costs.flops(params, tokens)),
        money=PosteriorSummary.of(costs.money(params, tokens, unique)) if priced else None,
        currency=problem.scenario.currency if priced else None,
        seconds=PosteriorSummary.of(costs.seconds(params, tokens)) if timed else None,
    )


def _sizes(plan: Candidate) -> tuple[Floats, Floats, Floats]:
    """Params, tokens and unique tokens, dims (1,)."""
    point = plan.point
    return np.array([point.params]), np.array([point.tokens]), np.array([point.unique_tokens])
