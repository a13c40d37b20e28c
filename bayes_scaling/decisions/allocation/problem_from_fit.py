"""From a fit and a scenario to the problem to be solved."""

from bayes_scaling.core.arguments import check_seed
from bayes_scaling.decisions.allocation.budget_line import BudgetLine
from bayes_scaling.decisions.allocation.cost_draws import Costs
from bayes_scaling.decisions.allocation.least_cost import at_least_cost
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.decision_family import family_of
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.posterior import family_posterior, runs_of
from bayes_scaling.scenarios.scenario import Scenario, checked_scenario

__all__ = ["problem_at", "problem_from_fit"]

_PRICES = 1000
"""Draws of uncertain prices, which know nothing of the law and need not be as many."""


def problem_from_fit(fit: Fit, scenario: Scenario, seed: int) -> Problem:
    """Make the problem of a fit and a scenario."""
    made = problem_at(fit, scenario, seed)
    if made.scenario.minimise == "cost":
        largest = runs_of(fit, made.draws.family).nlargest(1, "flops").iloc[0]
        made = at_least_cost(made, float(largest["params"]), float(largest["tokens"]))
    made.bounds(float(made.epochs[-1]))
    return made


def problem_at(fit: Fit, scenario: Scenario, seed: int) -> Problem:
    """Return the problem of a scenario as it stands: no least cost is searched."""
    check_fit(fit)
    check_seed(seed)
    checked_scenario(scenario).check_budget()
    family = family_of(fit, scenario.family)
    scenario = scenario.in_loss_unit(fit.loss_unit(family))
    if scenario.limits.max_epochs > 1 and "unique_tokens" not in fit.law.inputs:
        raise ScenarioError(
            f"max_epochs is {scenario.limits.max_epochs:g}, but law {fit.law.name!r} takes every "
            "token as fresh; fit law 'data-constrained', or leave max_epochs out"
        )
    draws = family_posterior(fit, family, seed)
    costs = Costs.of(scenario.compute, scenario.data, scenario.inference, _PRICES, seed)
    return Problem(draws, BudgetLine(scenario, costs))
