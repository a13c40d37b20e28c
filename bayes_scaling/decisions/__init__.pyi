from bayes_scaling.decisions.allocation.allocate_budget import allocate
from bayes_scaling.decisions.allocation.plan import Plan, load_plan
from bayes_scaling.decisions.budgets.frontier import BudgetFrontier, budget_frontier
from bayes_scaling.decisions.budgets.marginal_gains import Marginal, marginal
from bayes_scaling.decisions.pilot_runs.next_runs_ranked import NextRuns, next_runs
from bayes_scaling.decisions.shapes.depth_against_width import ShapeChoice, best_shape
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
