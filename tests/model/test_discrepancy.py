"""The law's error beyond the data: closed forms, limits, and what a population says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayes_scaling import laws
from bayes_scaling.errors import LawError
from bayes_scaling.laws import Prior
from bayes_scaling.model import Discrepancy, Extent, Population, population, specify
from bayes_scaling.model.spec_json import read_spec, write_spec
from tests.conftest import TRUTH, grid, simulate

KNOWN = Discrepancy(level=0.004, noise_power=0.5, power=0.8, shared=0.6, spread=0.5)
OWN = Population(
    "chinchilla", {"floor": (0.6, 0.3, 0.2), "alpha_N": (0.5, 0.4, 0.2)}, KNOWN, ("a", "b")
)


def test_scale_and_growth() -> None:
    assert_allclose(np.exp(KNOWN.log_scale(np.log(0.005))), 0.004)
    assert_allclose(np.exp(KNOWN.log_scale(np.log(0.02))), 0.008)
    assert KNOWN.growth(0.0) == 0.0
    assert KNOWN.growth(1.0) == 1.0


ROWS = pd.DataFrame({"params": [1e7, 1e8], "tokens": [1e9, 2e10], "flops": [6e16, 1.2e19]})


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((5e7, 1e10, 3e18), 0.0),
        ((1e8, 2e10, 1.2e20), np.log(10)),
        ((4e8, 2e10, 1.2e19), np.log(4)),
        ((1e8, 6e11, 1.2e19), np.log(30)),
        ((1e6, 1e10, 6e16), np.log(10)),
        ((1e7, 2e8, 1e16), np.log(5)),
    ],
)
def test_distance_is_zero_among_the_runs_and_grows_outside(
    point: tuple[float, float, float], expected: float
) -> None:
    assert_allclose(Extent.of(ROWS).distance(*np.log(point)), expected, atol=1e-12)


@given(st.floats(0, 10), st.floats(0, 10))
def test_more_compute_is_never_nearer(first: float, more: float) -> None:
    extent = Extent.of(ROWS)
    base = np.log([1e8, 2e10, 1.2e19])
    near = extent.distance(base[0], base[1], base[2] + first)
    assert extent.distance(base[0], base[1], base[2] + first + more) >= near


def test_a_population_replaces_medians_and_keeps_what_it_does_not_know() -> None:
    table = simulate("chinchilla", grid(), TRUTH)
    spec, frame = specify(table, "chinchilla", prior=OWN, priors={"alpha_D": Prior(0.9, 0.1, 0.1)})
    priors = {p.name: p for p in spec.law.parameters}
    weak = {p.name: p for p in laws.get("chinchilla").parameters}
    assert priors["floor"].prior == Prior(0.6, 0.3, 0.2)
    assert priors["floor"].of_loss
    assert "2 families" in priors["floor"].reason
    assert priors["A"] == weak["A"]
    assert priors["alpha_D"].prior.median == 0.9
    assert spec.prior == "own"
    assert spec.discrepancy == KNOWN
    assert read_spec(write_spec(spec, frame)) == (spec, frame)


def test_a_discrepancy_is_no_part_of_the_density() -> None:
    spec, _ = specify(simulate("chinchilla", grid(), TRUTH), "chinchilla", prior=OWN)
    without = replace(spec, discrepancy=None)
    assert without != spec
    assert without.same_density(spec)
    assert not without.same_density(replace(spec, noise="normal"))


def test_what_is_shipped() -> None:
    known = population(laws.DEFAULT)
    assert known is not None
    assert set(known.priors) == set(laws.get(laws.DEFAULT).names)
    assert len(known.families) >= 10
    assert population("power-n") is None
    assert Population.from_dict(known.law, known.to_dict()) == known
    table = simulate("chinchilla", grid(), TRUTH)
    spec, _ = specify(table, laws.DEFAULT, prior="population")
    assert spec.prior == "population"
    # A law of which nothing has been learned keeps its own priors and has no discrepancy.
    weak, _ = specify(table, "power-n", prior="population")
    assert weak.prior == "weak"
    assert weak.discrepancy is None


def test_priors_that_do_not_exist_are_refused() -> None:
    table = simulate("chinchilla", grid(), TRUTH)
    with pytest.raises(LawError, match=r"'strong'.*population, weak"):
        specify(table, prior="strong")  # type: ignore[arg-type]
    with pytest.raises(LawError, match=r"'chinchilla'.*'kaplan'"):
        specify(table, "kaplan", prior=OWN)


def test_a_law_with_priors_of_its_own_keeps_them() -> None:
    table = simulate("chinchilla", grid(), TRUTH)
    own = laws.get(laws.DEFAULT).with_priors({"gamma": Prior(0.9, 0.05, 0.05)})
    spec, _ = specify(table, own, prior="population")
    assert spec.law == own
    assert spec.discrepancy is None
    registered, _ = specify(table, laws.get(laws.DEFAULT), prior="population")
    assert registered.prior == "population"
