"""Candidate runs for the decision that a plan is about."""

import msgspec

from bayes_scaling.decisions.allocation.plan import Plan
from bayes_scaling.decisions.pilot_runs.next_runs_ranked import NextRuns, next_runs
from bayes_scaling.errors import LawError, ScenarioError
from bayes_scaling.inference import Fit

__all__ = ["next_runs_of_plan"]


def next_runs_of_plan(fit: Fit, plan: Plan) -> NextRuns | None:
    """Rank candidate runs for the scenario of a plan.

    Parameters
    ----------
    fit : Fit
        The fit from which the plan was made.
    plan : Plan
        The plan.

    Returns
    -------
    NextRuns or None
        None where candidates cannot be ranked, such as under a law that reads more than sizes.
    """
    scenario = msgspec.structs.replace(plan.scenario, family=plan.family, alternatives=())
    try:
        return next_runs(fit, scenario, seed=plan.seed)
    except (LawError, ScenarioError):
        return None
