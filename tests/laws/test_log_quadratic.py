"""A law times a quadratic in log sizes: the law where it is flat, and the formula where not."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from bayes_scaling import laws
from bayes_scaling.laws.check_law import check_law
from bayes_scaling.laws.closed_forms import ClosedForms
from bayes_scaling.laws.log_quadratic import curvature_names, log_quadratic, without_quadratic

LAW = laws.get("chinchilla-gamma")
CURVED = log_quadratic(LAW, sd=0.01)
P = {"floor": 1.7, "A": 0.5, "B": 0.6, "alpha_N": 0.5, "alpha_D": 0.6, "gamma": 0.6}
FLAT = dict.fromkeys(curvature_names(CURVED), 1.0)
N, D = np.meshgrid(np.linspace(-3.0, 9.0, 7), np.linspace(-2.0, 12.0, 5))
X = {"params": N, "tokens": D}


def bounded(s: Any) -> Any:
    return s / np.sqrt(1 + (s / 6) ** 2)


def test_flat_it_is_the_law() -> None:
    assert_array_equal(CURVED.log_curve(X, P | FLAT), LAW.log_curve(X, P))


def test_the_quadratic() -> None:
    curvature = {"curvature_N": 1.01, "curvature_ND": 0.98, "curvature_D": 1.03}
    n, d = bounded(N), bounded(D)
    quadratic = np.log(1.01) * n * n + np.log(0.98) * n * d + np.log(1.03) * d * d
    found = CURVED.log_curve(X, P | curvature) - LAW.log_curve(X, P)
    assert_allclose(found, quadratic, atol=1e-12)


def test_its_middle_is_that_of_the_family() -> None:
    curvature = {"curvature_N": 1.01, "curvature_ND": 1.0, "curvature_D": 1.0}
    centre = {"centre_params": np.exp(2.0), "centre_tokens": np.exp(-1.0)}
    found = CURVED.log_curve(X, P | curvature | centre) - LAW.log_curve(X, P)
    assert_allclose(found, np.log(1.01) * bounded(N - 2.0) ** 2, atol=1e-12)


@given(st.floats(-20, 20), st.floats(-20, 20))
def test_moving_the_reference_point_moves_no_loss(n: float, d: float) -> None:
    values = P | {"curvature_N": 1.02, "curvature_ND": 0.99, "curvature_D": 0.98}
    shift = {"params": 1.5, "tokens": -0.7}
    moved = CURVED.move(values, shift)
    there = {"params": n - 1.5, "tokens": d + 0.7}
    at = {"params": n, "tokens": d}
    assert_allclose(CURVED.log_curve(there, moved), CURVED.log_curve(at, values), atol=1e-9)
    again = CURVED.move(moved, {name: -value for name, value in shift.items()})
    assert_allclose([again[f"centre_{name}"] for name in shift], 1.0)


def test_far_away_it_is_bounded() -> None:
    far = {"params": np.array([1e3, 1e6]), "tokens": np.array([1e3, 1e6])}
    curvature = {"curvature_N": 1.01, "curvature_ND": 1.01, "curvature_D": 1.01}
    log_floor = np.log(P["floor"])
    assert_allclose(
        CURVED.log_curve(far, P | curvature) - log_floor, 3 * 36 * np.log(1.01), rtol=1e-4
    )


@pytest.mark.parametrize("name", ["chinchilla-gamma", "power-c-floor", "data-constrained"])
def test_it_meets_the_requirements_of_laws(name: str) -> None:
    law = laws.get(name)
    curved = log_quadratic(law, sd=0.01)
    # Exponents of the frontier are those of the law inside, as the documentation says.
    check_law(replace(curved, closed_forms=ClosedForms()))
    assert curved.name == law.name
    assert without_quadratic(curved) == law
    assert without_quadratic(law) is law
    assert curvature_names(law) == ()
    assert curved.closed_forms.optimum is None
    assert curved.closed_forms.frontier == law.closed_forms.frontier


def test_names_follow_the_sizes_that_a_law_reads() -> None:
    assert curvature_names(log_quadratic(laws.get("power-c-floor"), 0.01)) == ("curvature_C",)
    assert curvature_names(CURVED) == ("curvature_N", "curvature_ND", "curvature_D")
    assert log_quadratic(LAW, 0.01) == CURVED
    assert log_quadratic(LAW, 0.02) != CURVED
