"""The search between bounds takes the steps of SciPy's."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from bayes_scaling.decisions.allocation.bounded_search import minimize_bounded

FUNCTIONS = {
    "parabola": lambda x: (x - 0.3) ** 2,
    "kink": lambda x: abs(x - 0.3),
    "flat": lambda x: 0.0 * x,
    "rising": math.exp,
    "falling": lambda x: -x,
    "wave": lambda x: math.sin(9 * x) + 0.1 * x,
    "steep": lambda x: math.exp(-30 * x) + x**4,
    "steps": lambda x: math.floor(20 * (x - 0.4) ** 2),
}


def steps_of(search, function):
    """Points at which a search asks, and what it returns."""
    asked = []

    def noting(x):
        asked.append(float(x))
        return function(x)

    return search(noting), asked


@pytest.mark.parametrize("name", FUNCTIONS)
@given(st.floats(-3, 3), st.floats(1e-3, 4), st.sampled_from([1e-3, 1e-6, 1e-10]))
def test_it_asks_where_scipy_asks(name, low, width, tolerance):
    high = low + width

    def scipy(function):
        options = {"xatol": tolerance}
        found = minimize_scalar(function, bounds=(low, high), method="bounded", options=options)
        return float(found.x)

    ours = steps_of(lambda f: minimize_bounded(f, low, high, tolerance), FUNCTIONS[name])
    theirs = steps_of(scipy, FUNCTIONS[name])
    assert ours == theirs


def test_the_tolerance_is_kept():
    found = minimize_bounded(lambda x: math.cosh(x - 1.234), 0.0, 9.0, 1e-7)
    assert abs(found - 1.234) < 2e-7
