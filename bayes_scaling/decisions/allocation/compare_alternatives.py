"""Comparison of the plans that a user names with the recommended one."""

import math
from collections.abc import Callable

import numpy as np
from msgspec.structs import asdict
from numpy.typing import NDArray

from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.decisions.allocation.candidate import ROUNDING, Candidate
from bayes_scaling.decisions.allocation.plan_costs import budgets_of, costs_of
from bayes_scaling.decisions.allocation.plan_parts import AlternativeOutcome
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.alternatives import Alternative

__all__ = ["candidate_of", "compare_alternatives"]

Floats = NDArray[np.float64]


def candidate_of(problem: Problem, other: Alternative) -> Candidate:
    """Return the plan of an alternative; what it leaves open is what the budgets leave."""
    if other.epochs > 1 and "unique_tokens" not in problem.draws.spec.law.inputs:
        raise ScenarioError(
            f"alternative {other.name!r} sees tokens {other.epochs:g} times, but law "
            f"{problem.draws.spec.law.name!r} takes every token as fresh"
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
        params = _on_the_line(problem, other, _away(tokens, ratio))
    if tokens is None:
        tokens = float(problem.line.affordable(np.array([params]), other.epochs)[0])
    if not math.isfinite(tokens):
        raise ScenarioError(
            f"alternative {other.name!r}: {problem.line.words()} leave no tokens for "
            f"{math.exp(params):.4g} parameters"
        )
    return Candidate(params, tokens, other.epochs)


def _away(tokens: float | None, ratio: float | None) -> Callable[[float, float], float]:
    """Return a function, decreasing in the size, whose root has the tokens that are stated."""
    if tokens is not None:
        return lambda _, left: left - tokens
    if ratio is not None:
        return lambda size, left: left - size - ratio
    raise ValueError("an alternative states at least one of its sizes")


def _on_the_line(
    problem: Problem, other: Alternative, away: Callable[[float, float], float]
) -> float:
    """Log of the size at which the budgets leave the tokens that are stated."""
    from scipy.optimize import brentq

    def gap(size: float) -> float:
        left = float(problem.line.affordable(np.array([size]), other.epochs)[0])
        return max(away(size, left), -1e3)

    low, high = 0.0, problem.line.largest(other.epochs)
    if not gap(low) >= 0 >= gap(high):
        raise ScenarioError(
            f"alternative {other.name!r}: {problem.line.words()} leave no plan with what it states"
        )
    return float(brentq(gap, low, high, xtol=1e-12))


def compare_alternatives(problem: Problem, best: Candidate) -> list[AlternativeOutcome]:
    """Compute the outcome of each alternative, and its difference from the recommended plan.

    Returns
    -------
    list of AlternativeOutcome
        One per alternative.
    """
    chosen = problem.loss_of(best)
    target = problem.scenario.target_loss
    rows = []
    for other in problem.scenario.alternatives:
        plan = candidate_of(problem, other)
        losses = problem.loss_of(plan)
        extra = losses - chosen
        reached = None if target is None else float(np.mean(losses <= target))
        rows.append(
            AlternativeOutcome(
                **asdict(plan.point),
                name=other.name,
                risk=float(problem.risk_of(losses)),
                loss=PosteriorSummary.of(losses),
                probability_of_target=reached,
                regret=PosteriorSummary.of(losses - problem.best_losses),
                extra_loss=PosteriorSummary.of(extra),
                probability_better=float(np.mean(extra < 0)),
                costs=costs_of(problem, plan),
                budgets=budgets_of(problem, plan),
                beyond=_beyond(problem, plan),
            )
        )
    return rows


def _beyond(problem: Problem, plan: Candidate) -> list[str]:
    """Names of the budgets and limits that a plan breaks, by more than its sizes are rounded."""
    limits = problem.scenario.limits
    small, large = plan.rounded(-1), plan.rounded(1)
    broken: list[str] = [row.budget for row in budgets_of(problem, small) if row.spent > 1]
    if problem.scenario.minimise == "cost":
        broken = [f"the least cost in {name}" for name in broken]
    for name in ("params", "tokens", "unique_tokens"):
        if getattr(large.point, name) < getattr(limits, f"min_{name}", 0.0):
            broken.append(f"min_{name}")
        if getattr(small.point, name) > getattr(limits, f"max_{name}"):
            broken.append(f"max_{name}")
    if plan.epochs > limits.max_epochs * (1 + ROUNDING):
        broken.append("max_epochs")
    return broken
