"""Minimum of a function of one number between bounds, by parabolas and golden sections.

The method of Brent 1973 (Algorithms for Minimization without Derivatives, chapter 5), with the
steps of ``scipy.optimize.minimize_scalar``: importing that takes longer than the whole decision.
"""

import math
from collections.abc import Callable

__all__ = ["minimize_bounded"]

_GOLDEN = 0.5 * (3.0 - math.sqrt(5.0))
_ROUNDING = math.sqrt(2.2e-16)
_MOST_STEPS = 500

Point = tuple[float, float]
"""Where, and the value there."""


def minimize_bounded(
    function: Callable[[float], float], low: float, high: float, tolerance: float
) -> float:
    """Find where a function is least between two bounds.

    Parameters
    ----------
    function : callable
        Takes and returns a number; where it has several minima, one of them is found.
    low, high : float
        The bounds, which are not tried themselves.
    tolerance : float
        Of the result.

    Examples
    --------
    >>> round(minimize_bounded(lambda x: (x - 2) ** 2, 0.0, 5.0, 1e-8), 6)
    2.0
    """
    start = low + _GOLDEN * (high - low)
    best = second = third = (start, function(start))
    step = last = 0.0
    for _ in range(_MOST_STEPS):
        at, middle = best[0], 0.5 * (low + high)
        least = _ROUNDING * abs(at) + tolerance / 3.0
        if abs(at - middle) <= 2.0 * least - 0.5 * (high - low):
            break
        parabolic = (
            _to_vertex(best, second, third, (low, high), last) if abs(last) > least else None
        )
        if parabolic is None:
            last = (low if at >= middle else high) - at
            step = _GOLDEN * last
        else:
            last, step = step, parabolic
            if at + step - low < 2.0 * least or high - (at + step) < 2.0 * least:
                step = least if middle >= at else -least
        x = at + (max(step, least) if step >= 0.0 else min(step, -least))
        tried = x, function(x)
        better = tried[1] <= best[1]
        # The new bound is the worse of the two points, on the side of the better that it lies on.
        worse = best if better else tried
        low, high = (worse[0], high) if (x >= at) == better else (low, worse[0])
        best, second, third = _ranked(tried, best, second, third)
    return best[0]


def _to_vertex(
    best: Point, second: Point, third: Point, bounds: Point, last: float
) -> float | None:
    """Step from the best point to the vertex of the parabola through three; None to distrust it.

    It is trusted within the bounds, where it is less than half of the step before the last one.
    """
    (at, value), (low, high) = best, bounds
    to_second, to_third = at - second[0], at - third[0]
    r = to_second * (value - third[1])
    q = to_third * (value - second[1])
    p = to_third * q - to_second * r
    q = 2.0 * (q - r)
    if q > 0.0:
        p = -p
    q = abs(q)
    trusted = abs(p) < abs(0.5 * q * last) and q * (low - at) < p < q * (high - at)
    return p / q if trusted else None


def _ranked(tried: Point, best: Point, second: Point, third: Point) -> tuple[Point, Point, Point]:
    """The three best points once one more was tried."""
    if tried[1] <= best[1]:
        return tried, best, second
    if tried[1] <= second[1] or second[0] == best[0]:
        return best, tried, second
    if tried[1] <= third[1] or third[0] in (best[0], second[0]):
        return best, second, tried
    return best, second, third
