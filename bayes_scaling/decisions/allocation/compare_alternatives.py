"""The plans that a user names, held against the recommended one."""

import math
from collections.abc import Callable

import numpy as np
from msgspec.structs import asdict
from numpy.typing import NDArray
from scipy.optimize import brentq

from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.decisions.allocation.candidate import ROUNDING, Choice
from bayes_scaling.decisions.allocation.plan_costs import budgets_of, costs_of
from bayes_scaling.decisions.allocation.plan_parts import AlternativeOutcome
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.alternatives import Alternative

__all__ = ["contest", "resolved"]

Floats = NDArray[np.float64]


def resolved(given: Problem, other: Alternative) -> Choice:
    """The plan that an alternative means; what it leaves open is what the budgets leave.

    Parameters
    ----------
    given : Problem
        Budgets and prices.
    other : Alternative
        The plan.

    Raises
    ------
    ScenarioError
        If tokens are seen more than once under a law of fresh ones, or the budgets leave no plan
        with what it states.
    """
    if other.epochs > 1 and "unique_tokens" not in given.draws.spec.law.inputs:
        raise ScenarioError(
            f"alternative {other.name!r} sees tokens {other.epochs:g} times, but law "
            f"{given.draws.spec.law.name!r} takes every token as fresh"
        )
    params, tokens, ratio = (
        None if value is None else math.log(value)
        for value in (other.params, other.tokens, other.tokens_per_param)
    )
    if params is None and tokens is not None and ratio is not None:
        params = tokens - ratio
    if params is not None and tokens is None and ratio is not None:
        tokens = params + ratio
    if params is None:
        params = _on_the_line(given, other, _away(tokens, ratio))
    if tokens is None:
        tokens = float(given.line.affordable(np.array([params]), other.epochs)[0])
    if not math.isfinite(tokens):
        raise ScenarioError(
            f"alternative {other.name!r}: {given.line.words()} leave no tokens for "
            f"{math.exp(params):.4g} parameters"
        )
    return Choice(params, tokens, other.epochs)


def _away(tokens: float | None, ratio: float | None) -> Callable[[float, float], float]:
    """What is 0 at the size whose tokens are those stated, falling in the size."""
    if tokens is not None:
        return lambda _, left: left - tokens
    if ratio is not None:
        return lambda size, left: left - size - ratio
    raise ValueError("an alternative states at least one of its sizes")


def _on_the_line(
    given: Problem, other: Alternative, away: Callable[[float, float], float]
) -> float:
    """Log of the size at which the budgets leave the tokens that are stated."""

    def gap(size: float) -> float:
        left = float(given.line.affordable(np.array([size]), other.epochs)[0])
        return max(away(size, left), -1e3)

    low, high = 0.0, given.line.largest(other.epochs)
    if not gap(low) >= 0 >= gap(high):
        raise ScenarioError(
            f"alternative {other.name!r}: {given.line.words()} leave no plan with what it states"
        )
    return float(brentq(gap, low, high, xtol=1e-12))


def contest(given: Problem, best: Choice) -> list[AlternativeOutcome]:
    """What comes of each alternative, and how it differs from the recommended plan.

    Parameters
    ----------
    given : Problem
        The problem, whose scenario names the alternatives.
    best : Choice
        The recommended plan.

    Returns
    -------
    list of AlternativeOutcome
        One an alternative.
    """
    chosen = given.loss_of(best)
    target = given.scenario.target_loss
    rows = []
    for other in given.scenario.alternatives:
        plan = resolved(given, other)
        losses = given.loss_of(plan)
        extra = losses - chosen
        reached = None if target is None else float(np.mean(losses <= target))
        rows.append(
            AlternativeOutcome(
                **asdict(plan.point),
                name=other.name,
                risk=float(given.risk_of(losses)),
                loss=PosteriorSummary.of(losses),
                probability_of_target=reached,
                regret=PosteriorSummary.of(losses - given.best_losses),
                extra_loss=PosteriorSummary.of(extra),
                probability_better=float(np.mean(extra < 0)),
                costs=costs_of(given, plan),
                budgets=budgets_of(given, plan),
                beyond=_beyond(given, plan),
            )
        )
    return rows


def _beyond(given: Problem, plan: Choice) -> list[str]:
    """Names of the budgets and limits that a plan breaks, by more than its sizes are rounded."""
    limits = given.scenario.limits
    small, large = plan.rounded(-1), plan.rounded(1)
    broken: list[str] = [row.budget for row in budgets_of(given, small) if row.spent > 1]
    if given.scenario.minimise == "cost":
        broken = [f"the least cost in {name}" for name in broken]
    for name in ("params", "tokens", "unique_tokens"):
        if getattr(large.point, name) < getattr(limits, f"min_{name}", 0.0):
            broken.append(f"min_{name}")
        if getattr(small.point, name) > getattr(limits, f"max_{name}"):
            broken.append(f"max_{name}")
    if plan.epochs > limits.max_epochs * (1 + ROUNDING):
        broken.append("max_epochs")
    return broken
