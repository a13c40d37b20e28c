"""The least budget that reaches a target loss with a wanted probability."""

import math
from dataclasses import replace

import msgspec
import numpy as np

from bayes_scaling.decisions.allocation.candidate import Candidate
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.risk_search import best_size
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.risk import Risk
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["FARTHEST", "POINTS", "PRECISION", "STEP", "at_least_cost", "at_size"]

STEP = 4.0
FARTHEST = 1e15
"""Times the cost of the largest run, up or down, beyond which no budget is looked for."""
PRECISION = 1e-4
POINTS = 17
_NEAR = 1.1


def at_least_cost(start: Problem, params: float, tokens: float) -> Problem:
    """Find the least budget whose best plan reaches the target.

    The budget is of money where prices are known, else of compute. That P(loss <= target) is p or
    more is the p quantile of the loss being at most the target, and the best plan of a budget is
    that of the least such quantile, so the least budget is found by bisection: a larger one leaves
    more tokens at every size.

    Parameters
    ----------
    start : Problem
        The scenario, of which a budget of what is minimised is the most that may be spent.
    params, tokens : float
        A configuration to start from, such as that of the largest run.

    Returns
    -------
    Problem
        Problem with the budget found, and the quantile as its measure of risk.
    """
    scenario = start.scenario
    level, target = scenario.target_probability, scenario.target_loss
    if target is None:
        raise ScenarioError("to minimise cost there must be a target_loss, such as 2.0")
    most = scenario.affords
    search = _Search(start, msgspec.structs.replace(scenario, risk=Risk("quantile", level)), target)
    size = np.array([params]), np.array([tokens])
    costs = start.line.costs
    paid = costs.money(*size, size[1]) if scenario.priced else costs.flops(*size)
    begin = float(np.median(paid))
    high = min(begin, most or math.inf)
    while not search.reaches(high):
        if high == most or high > begin * FARTHEST:
            raise ScenarioError(search.never(high))
        high = min(high * STEP, most or math.inf)
    low = high / STEP
    while search.reaches(low):
        high, low = low, low / STEP
        if low < begin / FARTHEST:
            raise ScenarioError(
                f"{scenario.target_in_words} is reached by every budget down to {high:.2g} "
                f"{scenario.unit_of_cost}, so there is no least one; give a lower target_loss"
            )
    return search.at(search.least(low, high))


def at_size(problem: Problem, plan: Candidate, most: float | None) -> tuple[Problem, Candidate]:
    """Find the least budget with which a plan of this size, shape and epochs reaches the target.

    Parameters
    ----------
    problem : Problem
        Result of :func:`at_least_cost`, for plans of the shape.
    plan : Candidate
        A plan; its tokens are what the budget leaves.
    most : float or None
        The most that may be spent.
    """
    scenario = problem.scenario
    search = _Search(problem, scenario, float(scenario.target_loss or math.nan), plan)
    low = high = float(scenario.affords or math.nan)
    # Whole layers take little more or less than the least budget there was without them.
    while not search.reaches(high):
        if high == most or high > low * STEP:
            raise ScenarioError(search.never(high))
        high = min(high * _NEAR, most or math.inf)
    while search.reaches(low):
        low /= _NEAR
    high = search.least(low, high)
    found = search.at(high)
    log_tokens = found.log_tokens(np.array([plan.log_params]), plan.epochs)
    return found, replace(plan, log_tokens=float(log_tokens[0]))


class _Search:
    """Bisection over budgets, and the reason why none reaches the target."""

    def __init__(
        self, start: Problem, scenario: Scenario, target: float, plan: Candidate | None = None
    ) -> None:
        self.start, self.scenario, self.target, self.plan = start, scenario, target, plan
        self.refused: ScenarioError | None = None

    def at(self, amount: float) -> Problem:
        """The problem with a budget."""
        line = replace(self.start.line, scenario=self.scenario.affording(amount))
        return replace(self.start, line=line)

    def quantile(self, amount: float) -> float:
        """The least quantile of the loss that a budget buys; infinite if it buys no plan."""
        here = self.at(amount)
        if self.plan is not None:
            return float(here.risk(self.plan.log_params, self.plan.epochs))
        try:
            sizes, _, _ = replace(here, draws=here.draws.few).optimum
            found = [best_size(here, float(e), sizes, POINTS)[0] for e in here.epochs]
        except ScenarioError as error:
            # Too little for the lower limits, or limits that no budget meets: reported at the end.
            self.refused = error
            return math.inf
        self.refused = None
        return min(found)

    def reaches(self, amount: float) -> bool:
        """Whether a budget is enough."""
        return self.quantile(amount) <= self.target

    def least(self, low: float, high: float) -> float:
        """The least budget that is enough, between one that is not and one that is."""
        while high / low > 1 + PRECISION:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if self.reaches(middle) else (middle, high)
        return high

    def never(self, amount: float) -> str:
        """Why even so large a budget is not enough."""
        if self.refused is not None:
            return str(self.refused)
        level = self.scenario.target_probability
        text = (
            f"{self.scenario.target_in_words} is not reached with probability {100 * level:g}% by "
            f"{self.at(amount).line.words()}: the loss there is below {self.quantile(amount):.4g} "
            "with that probability"
        )
        floor = self.start.draws.values.get("floor")
        below = 0.0 if floor is None else float(np.mean(floor >= self.target))
        if below > 0:
            text += f", and the irreducible loss is above the target in {below:.0%} of the draws"
        return text
