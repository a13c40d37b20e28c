"""Decisions under uncertainty: how to split a budget, at which risk."""

from bayes_scaling.decisions.allocation import allocate
from bayes_scaling.decisions.plan import Plan, load_plan
from bayes_scaling.decisions.risk import Risk
from bayes_scaling.decisions.scenario import EXAMPLE, Limits, Scenario, load_scenario

__all__ = [
    "EXAMPLE",
    "Limits",
    "Plan",
    "Risk",
    "Scenario",
    "allocate",
    "load_plan",
    "load_scenario",
]
