"""Sum and ratio of two slopes as coordinates: one to one, of determinant 1, straight on a ridge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayes_scaling import laws
from bayes_scaling.laws.two_slopes import TwoSlopes
from bayes_scaling.model import arrays, specify
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from tests.conftest import grid

NAMES = ("alpha_N", "alpha_D", "B", "gamma")
NUMBERS = st.lists(st.floats(-3, 3), min_size=4, max_size=4)
LAW = laws.get("chinchilla-gamma")


def the_map() -> TwoSlopes:
    found = TwoSlopes.of(LAW)
    assert found is not None
    return found


@given(NUMBERS, st.floats(-7, 3), st.floats(-7, 3), st.floats(0, 1))
def test_the_map_has_an_inverse_and_the_determinant_1(
    values: list[float], one: float, other: float, apart: float
) -> None:
    slopes = the_map()
    data = dict(zip(slopes.data, (one, other, apart), strict=True))
    at = dict(zip(NAMES, values, strict=True))
    there = slopes.forward(at, data)
    back = slopes.backward(there, data)
    assert_allclose([back[n] for n in NAMES], values, rtol=1e-9, atol=1e-9)
    step = 1e-5
    columns = []
    for name in NAMES:
        up = slopes.forward(at | {name: at[name] + step}, data)
        down = slopes.forward(at | {name: at[name] - step}, data)
        columns.append([(up[n] - down[n]) / (2 * step) for n in NAMES])
    assert_allclose(abs(np.linalg.det(columns)), 1.0, rtol=1e-6)


def test_what_runs_on_a_line_tell_is_one_coordinate() -> None:
    # D proportional to N: the loss falls by the sum of both slopes, whatever their ratio.
    slopes, data = the_map(), dict(zip(the_map().data, (0.0, 0.0, 0.0), strict=True))
    ratios = np.linspace(-4, 4, 9)
    at = {"alpha_N": np.log(0.1 / (1 + np.exp(-ratios))), "B": 0.0, "gamma": 0.0}
    at["alpha_D"] = np.log(0.1 / (1 + np.exp(ratios)))
    there = slopes.forward(at, data)
    assert_allclose(there["alpha_N"], np.log(0.1), rtol=1e-12)
    assert_allclose(there["alpha_D"], ratios, rtol=1e-9)


def test_laws_of_two_terms_have_it() -> None:
    found = {name for name, law in laws.available().items() if TwoSlopes.of(law)}
    assert {"chinchilla", "chinchilla-gamma", "data-constrained", "kaplan"} <= found | {"kaplan"}
    assert not found & {"power-n", "m4-n", "product", "farseer"}
    assert the_map().inputs == ("params", "tokens")


@pytest.mark.parametrize("ratio", [20.0, None])
def test_runs_tell_slopes_apart_unless_they_lie_on_a_line(ratio: float | None) -> None:
    rows = grid().assign(loss=2.0)
    if ratio:
        rows["tokens"] = ratio * rows["params"]
    spec, frame = specify(rows, LAW)
    coordinates = FamilyCoordinates.of(spec, frame, arrays(spec, frame, rows))
    assert coordinates is not None
    apart = coordinates.data["apart"]
    assert (apart < 0.01).all() if ratio else (apart > 0.99).all()
