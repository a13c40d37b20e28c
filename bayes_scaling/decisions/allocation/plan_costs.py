"""What a plan takes: of each budget, and in compute, money and time."""

from typing import Any

import numpy as np

from bayes_scaling.core.draw_summary import describe
from bayes_scaling.decisions.allocation.candidate import Choice
from bayes_scaling.decisions.allocation.problem import Problem

__all__ = ["budgets_of", "costs_of"]


def budgets_of(given: Problem, plan: Choice) -> list[dict[str, Any]]:
    """Each budget, what a plan takes of it, and the probability that it is enough.

    Parameters
    ----------
    given : Problem
        Budgets and prices.
    plan : Choice
        The plan.
    """
    one, costs = given.scenario, given.line.costs
    point = {name: np.array([value]) for name, value in plan.point.items()}
    sizes = point["params"], point["tokens"]
    rows = [
        ("compute", "FLOP", one.compute_budget, costs.flops(*sizes)),
        ("money", one.currency, one.money_budget, costs.money(*sizes, point["unique_tokens"])),
        ("time", "s", one.time_budget, costs.seconds(*sizes)),
    ]
    return [
        {
            "budget": name,
            "unit": unit,
            "amount": amount,
            "spent": float(np.quantile(taken, one.confidence)) / amount,
            "probability_within": float(np.mean(taken <= amount * (1 + 1e-9))),
        }
        for name, unit, amount, taken in rows
        if amount is not None
    ]


def costs_of(given: Problem, plan: Choice) -> dict[str, Any]:
    """What a plan costs, as far as prices are known.

    Parameters
    ----------
    given : Problem
        Prices.
    plan : Choice
        The plan.
    """
    costs, compute = given.line.costs, given.scenario.compute
    point = {name: np.array([value]) for name, value in plan.point.items()}
    sizes = point["params"], point["tokens"]
    found: dict[str, Any] = {"flops": describe(costs.flops(*sizes))}
    if given.scenario.priced:
        found["money"] = describe(costs.money(*sizes, point["unique_tokens"]))
        found["currency"] = given.scenario.currency
    if compute and compute.devices:
        found["seconds"] = describe(costs.seconds(*sizes))
    return found
