"""Decisions under uncertainty: how to split budgets, at which risk and cost.

Each decision is imported when first used: a command loads what it needs.
"""

import lazy_loader

from bayes_scaling.scenarios.alternatives import Alternative
from bayes_scaling.scenarios.amounts import Fixed, LogNormal, Pert
from bayes_scaling.scenarios.limits import Limits, ShapeLimits
from bayes_scaling.scenarios.prices import Compute, Data, Inference
from bayes_scaling.scenarios.risk import Risk
from bayes_scaling.scenarios.scenario import Scenario
from bayes_scaling.scenarios.scenario_file import EXAMPLE, load_scenario

__all__ = [
    "EXAMPLE",
    "Alternative",
    "BudgetFrontier",
    "Compute",
    "Data",
    "Fixed",
    "Inference",
    "Limits",
    "LogNormal",
    "Marginal",
    "NextRuns",
    "Pert",
    "Plan",
    "Risk",
    "Scenario",
    "ShapeChoice",
    "ShapeLimits",
    "allocate",
    "best_shape",
    "budget_frontier",
    "load_plan",
    "load_scenario",
    "marginal",
    "next_runs",
]

__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "allocation.allocate_budget": ["allocate"],
        "allocation.plan": ["Plan", "load_plan"],
        "budgets.frontier": ["BudgetFrontier", "budget_frontier"],
        "budgets.marginal_gains": ["Marginal", "marginal"],
        "pilot_runs.next_runs_ranked": ["NextRuns", "next_runs"],
        "shapes.depth_against_width": ["ShapeChoice", "best_shape"],
    },
)


def __dir__() -> list[str]:
    return list(__all__)
