"""The plan of least risk, and the range of plans that are as good."""

import math

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.decisions.allocation.candidate import Candidate
from bayes_scaling.decisions.allocation.plan_parts import CurvePoint, NearOptimal
from bayes_scaling.decisions.allocation.problem import Problem

__all__ = ["GRID", "NEAR_OPTIMAL", "best_size", "least_risk", "near_optimal"]

Floats = NDArray[np.float64]

NEAR_OPTIMAL = 0.01
"""Plans whose risk is within this fraction of the best are reported as equally good."""
GRID = 97
_DECADES = 3.0


def _candidate(problem: Problem, log_params: float, epochs: float) -> Candidate:
    log_tokens = float(problem.log_tokens(np.array([log_params]), epochs)[0])
    return Candidate(log_params, log_tokens, epochs)


def least_risk(problem: Problem) -> Candidate:
    """Find the plan of least risk: a grid over the draws' optima, then a bounded search."""
    sizes, _, _ = problem.optimum
    found = [(best_size(problem, e, sizes, GRID), e) for e in map(float, problem.epochs)]
    (_, log_params), epochs = min(found, key=lambda pair: pair[0][0])
    return _candidate(problem, log_params, epochs)


def best_size(
    problem: Problem, epochs: float, sizes: Floats, points: int, *, tolerance: float = 1e-6
) -> tuple[float, float]:
    """Find the least risk at so many epochs, and the log of its size.

    Parameters
    ----------
    problem : Problem
        What is minimised.
    epochs : float
        How often a token is seen.
    sizes : (sample,) array
        Logs of the best sizes of draws: the search goes a little beyond them.
    points : int
        Points of the grid.
    tolerance : float
        Tolerance of the search after it, in log N.
    """
    low, high, *_ = problem.bounds(epochs)
    around = np.quantile(sizes, [0.005, 0.995]) + np.array([-1.0, 1.0])
    start, stop = np.clip(around, low, high)
    grid = np.linspace(float(start), float(stop), points)
    risks = problem.risk(grid, epochs)
    best = int(np.argmin(risks))
    left, right = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, points - 1)])
    if right <= left:
        return float(risks[best]), left
    from scipy.optimize import minimize_scalar

    # Relative to the best of the grid, or the tolerance drowns in a flat optimum.
    scale = float(risks[best]) or 1.0
    refined = minimize_scalar(
        lambda at: float(problem.risk(at, epochs)) / scale - 1.0,
        bounds=(left, right),
        method="bounded",
        options={"xatol": tolerance},
    )
    at = float(refined.x)
    risk = float(problem.risk(at, epochs))
    return (risk, at) if risk <= risks[best] else (float(risks[best]), float(grid[best]))


def near_optimal(problem: Problem, best: Candidate) -> tuple[list[CurvePoint], NearOptimal]:
    """Compute the risk along the budget line about the best plan, and the range that is as good.

    Parameters
    ----------
    problem : Problem
        What is minimised.
    best : Candidate
        The plan of least risk; its epochs are kept.

    Returns
    -------
    rows : list of CurvePoint
        Risk and loss along the line.
    near : NearOptimal
        Ranges of params and tokens.
    """
    low, high, *_ = problem.bounds(best.epochs)
    span = np.linspace(-_DECADES, _DECADES, GRID) * math.log(10)
    grid = np.unique(np.clip(best.log_params + span, low, high))
    losses = problem.loss_run(grid, best.epochs)
    q05, q95 = np.quantile(losses, [0.05, 0.95], axis=-1)
    columns = {
        "params": np.exp(grid),
        "tokens": np.exp(problem.log_tokens(grid, best.epochs)),
        "risk": problem.risk_of(losses),
        "mean": losses.mean(axis=-1),
        "q05": q05,
        "q95": q95,
    }
    rows = [
        CurvePoint(**dict(zip(columns, map(float, row), strict=True)))
        for row in zip(*columns.values(), strict=True)
    ]
    risks = problem.objective(losses)
    limit = float(problem.risk(best.log_params, best.epochs)) * (1 + NEAR_OPTIMAL)
    down, up = grid <= best.log_params, grid >= best.log_params
    left = _crossing(grid[down][::-1], risks[down][::-1], limit, best.log_params)
    right = _crossing(grid[up], risks[up], limit, best.log_params)
    ends = problem.log_tokens(np.array([right, left]), best.epochs)
    near = NearOptimal(
        within=NEAR_OPTIMAL,
        params=(math.exp(left), math.exp(right)),
        tokens=(math.exp(float(ends[0])), math.exp(float(ends[1]))),
        **_of_other_sizes(problem, best, grid, columns["risk"]),
    )
    return rows, near


def _of_other_sizes(
    problem: Problem, best: Candidate, grid: Floats, risks: Floats
) -> dict[str, float | None]:
    """Relative rise of the risk at half and twice the size."""
    sizes = best.log_params + np.log([0.5, 2.0])
    value = float(problem.risk_of(problem.loss_of(best)))
    if sizes[0] < grid[0] or sizes[1] > grid[-1] or not value:
        return {}
    # Between grid points a line lies above a convex curve, never below its minimum.
    half, twice = np.maximum(np.interp(sizes, grid, risks) / value - 1, 0.0)
    return {"half_size": float(half), "double_size": float(twice)}


def _crossing(grid: Floats, risks: Floats, limit: float, best: float) -> float:
    """Where the risk first exceeds the limit, walking away from the best point."""
    above = np.flatnonzero(risks > limit)
    if not len(above):
        return float(grid[-1]) if len(grid) else best
    first = int(above[0])
    if first == 0:
        return best
    fraction = (limit - risks[first - 1]) / (risks[first] - risks[first - 1])
    return float(grid[first - 1] + fraction * (grid[first] - grid[first - 1]))
