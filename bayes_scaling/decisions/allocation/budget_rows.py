"""Plans of least risk for multiples of the budgets of a problem."""

import math

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.draw_summary import describe
from bayes_scaling.decisions.allocation.candidate import Candidate
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.risk_search import best_size
from bayes_scaling.decisions.allocation.wait_and_see import wait_and_see
from bayes_scaling.decisions.decision_result import BudgetRow

__all__ = ["budget_row"]

Floats = NDArray[np.float64]

_GRID, _TOLERANCE = 9, 1e-3
"""Points of the grid over log N, and where the search after it stops."""


def budget_row(
    problem: Problem, factor: float, before: Floats | None, *, near: bool = False
) -> tuple[BudgetRow, Floats]:
    """Find the plan of least risk for a multiple of the budgets.

    Parameters
    ----------
    problem : Problem
        The problem.
    factor : float
        Times its budgets.
    before : (sample,) array or None
        Best sizes for a budget near it, to start from.
    near : bool
        Whether they are extrapolated from two such budgets.

    Returns
    -------
    row : BudgetRow
        The plan.
    sizes : (sample,) array
        Natural logs of the best size of every draw.
    """
    here = problem.with_budget(factor)
    sizes = wait_and_see(here, before, ahead=near).log_params
    best = _least(here, sizes)
    losses = here.draws.loss_run(
        best.log_params, best.log_tokens, best.log_tokens - math.log(best.epochs)
    )
    point, target = best.point, here.scenario.target_loss
    q05, q95 = np.exp(np.quantile(sizes, [0.05, 0.95]))
    money = here.line.costs.money(
        np.array([point.params]), np.array([point.tokens]), np.array([point.unique_tokens])
    )
    row = BudgetRow(
        factor=factor,
        params=point.params,
        tokens=point.tokens,
        flops=point.flops,
        epochs=point.epochs,
        money=float(np.median(money)) if here.scenario.priced else None,
        **describe(losses),
        risk=float(here.risk_of(losses)),
        probability_of_target=None if target is None else float(np.mean(losses <= target)),
        optimum_q05=float(q05),
        optimum_q95=float(q95),
    )
    return row, sizes


def _least(here: Problem, sizes: Floats) -> Candidate:
    """The size of least risk over a part of the draws."""
    few = Problem(here.draws.few, here.line)
    found = [
        (best_size(few, e, sizes, _GRID, tolerance=_TOLERANCE), e) for e in map(float, here.epochs)
    ]
    (_, size), epochs = min(found, key=lambda pair: pair[0][0])
    return Candidate(size, float(here.log_tokens(np.array([size]), epochs)[0]), epochs)
