"""The best plan of every draw at its own prices: the posterior of the optimum.

A plan is made before prices are known, so it stands on one budget line, and regret is measured
against the best plan on it. The posterior of the optimum answers another question, which plan would
be best if law and prices were known: the wait-and-see solution of stochastic programming (Madansky
1960, Management Science 6:2). Every posterior draw of the law is paired with a draw of the prices,
which spends the budgets to the end. Where all prices are known both are the same.
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.decisions.allocation.budget_line import BudgetLine
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.laws.compute_optimum import numeric, track

__all__ = ["Optimum", "wait_and_see"]

Floats = NDArray[np.float64]

_NOT_AFFORDABLE = 1e3
"""Log loss of what a draw's prices leave no tokens for, from which searches turn back."""


@dataclass(frozen=True)
class Optimum:
    """The best plan of every draw, dims (sample,).

    Attributes
    ----------
    log_params, log_tokens : (sample,) array
        Natural logs of N and D.
    epochs : (sample,) array
        How often each token is seen.
    log_loss : (sample,) array
        Log of the expected loss.
    """

    log_params: Floats
    log_tokens: Floats
    epochs: Floats
    log_loss: Floats


def wait_and_see(problem: Problem, near: Floats | None = None, *, ahead: bool = False) -> Optimum:
    """Find the best plan of every draw at the prices of the draw.

    Parameters
    ----------
    problem : Problem
        Budgets, prices and posterior.
    near : (sample,) array, optional
        Natural logs of the best sizes for a similar budget, to start from.
    ahead : bool
        Whether they are extrapolated from two such budgets.
    """
    start = None if problem.repeats or problem.in_closed_form else near
    if not problem.line.costs.uncertain:
        if start is None:
            return _on_the_line(problem, *problem.optimum[:2])
        low, high, *_ = problem.bounds()
        sizes = track(problem.log_curve, start, (low, high), near=ahead)
        return _on_the_line(problem, sizes, np.ones_like(sizes))
    own = _OwnPrices(problem)
    if start is not None:
        found = own.at(track(own.log_loss, start, own.bounds(1.0), near=ahead), 1.0)
    else:
        found = _least([own.best(float(epochs)) for epochs in problem.epochs])
    possible = found.log_loss < _NOT_AFFORDABLE
    if possible.all():
        return found
    # Prices so high that limits leave this draw no plan: that of the budget line stands in.
    return _chosen(possible, found, _on_the_line(problem, *problem.optimum[:2]))


@dataclass(frozen=True)
class _OwnPrices:
    """Every draw of the law with one draw of the prices."""

    problem: Problem

    @cached_property
    def line(self) -> BudgetLine:
        """The budget line of every draw."""
        line = self.problem.line
        return replace(line, costs=line.costs.paired(self.problem.draws.size))

    @cached_property
    def least(self) -> float:
        """Log of the fewest tokens of a plan."""
        return math.log(max(self.problem.scenario.limits.min_tokens, 1.0))

    def log_loss(self, log_params: Floats, epochs: float = 1.0) -> Floats:
        """Log of the expected loss at sizes, dims (..., sample)."""
        log_tokens = self.line.log_tokens(log_params, epochs)
        possible = log_tokens >= self.least
        data = np.where(possible, log_tokens, self.least)
        log_curve = self.problem.draws.curve(
            self.problem.draws.at(log_params, data, data - math.log(epochs))
        )
        # Growing, so that a search among them goes down in size.
        return np.where(possible, log_curve, _NOT_AFFORDABLE + log_params)

    def bounds(self, epochs: float) -> tuple[float, float]:
        """Logs of the smallest and largest size of any draw."""
        low, high, _, limited = self.problem.bounds(epochs)
        most = self.problem.scenario.limits.max_params
        largest = self.line.largest(epochs, self.least)
        end = min(largest, math.log(most) if math.isfinite(most) else math.inf)
        return low, max(high, end if limited else min(end, self.problem.farthest))

    def best(self, epochs: float) -> Optimum:
        """The best plan of every draw at so many epochs."""
        samples = self.problem.draws.size
        ends = self.bounds(epochs)
        return self.at(numeric(lambda at: self.log_loss(at, epochs), ends, samples), epochs)

    def at(self, log_params: Floats, epochs: float) -> Optimum:
        """What these sizes make of every draw."""
        return Optimum(
            log_params,
            self.line.log_tokens(log_params, epochs),
            np.full_like(log_params, epochs),
            self.log_loss(log_params, epochs),
        )


def _on_the_line(problem: Problem, sizes: Floats, epochs: Floats) -> Optimum:
    """Sizes on the one budget line of all draws."""
    log_tokens, log_loss = np.empty_like(sizes), np.empty_like(sizes)
    for value in np.unique(epochs):
        here = epochs == value
        at = np.where(here, sizes, np.median(sizes[here]))
        log_tokens[here] = problem.log_tokens(at, float(value))[here]
        log_loss[here] = problem.log_curve(at, float(value))[here]
    return Optimum(sizes, log_tokens, epochs, log_loss)


def _least(each: list[Optimum]) -> Optimum:
    """Of several plans of every draw, the one of least loss."""
    best = each[0]
    for other in each[1:]:
        best = _chosen(best.log_loss <= other.log_loss, best, other)
    return best


def _chosen(first: NDArray[np.bool_], one: Optimum, other: Optimum) -> Optimum:
    """One plan where it is chosen, else the other."""
    return Optimum(
        *(
            np.where(first, a, b)
            for a, b in zip(vars(one).values(), vars(other).values(), strict=True)
        )
    )
