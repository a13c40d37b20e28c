"""Decisions under uncertainty: how to split budgets, at which risk and cost."""

from bayes_scaling.decisions.allocation import allocate
from bayes_scaling.decisions.alternatives import Alternative
from bayes_scaling.decisions.amounts import Fixed, LogNormal, Pert
from bayes_scaling.decisions.costs import Compute, Data, Inference
from bayes_scaling.decisions.frontier import BudgetFrontier, budget_frontier
from bayes_scaling.decisions.limits import Limits, ShapeLimits
from bayes_scaling.decisions.marginal import Marginal, marginal
from bayes_scaling.decisions.plan import Plan, load_plan
from bayes_scaling.decisions.risk import Risk
from bayes_scaling.decisions.scenario import Scenario
from bayes_scaling.decisions.scenario_file import EXAMPLE, load_scenario
from bayes_scaling.decisions.shapes import ShapeChoice, best_shape
from bayes_scaling.decisions.value import NextRuns, next_runs

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
