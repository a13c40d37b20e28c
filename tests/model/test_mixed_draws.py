"""Draws of the components of a mixture in one sequence."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from bayes_scaling.errors import LawError
from bayes_scaling.laws.log_quadratic import curvature_names
from bayes_scaling.model import Curvature, Discrepancy, Population, hierarchy, population, specify
from bayes_scaling.model.mixed_draws import interleave, order_of
from bayes_scaling.model.spec_json import read_spec, write_spec
from tests.conftest import TRUTH, grid, simulate

KNOWN = Discrepancy(level=0.004, noise_power=0.5, power=0.8, shared=0.6, spread=0.5)
OWN = Population("chinchilla", {}, KNOWN, ("a",), Curvature(share=0.25, sd=0.01))
TABLE = simulate("chinchilla", grid(), TRUTH)
SPEC, FRAME = specify(TABLE, "chinchilla", prior=OWN)


@given(st.floats(0.01, 0.99), st.integers(1, 500))
def test_shares_are_kept_all_along(share: float, draws: int) -> None:
    order = order_of([1 - share, share], draws)
    assert len(order) == draws
    so_far = np.cumsum(order) - share * np.arange(1, draws + 1)
    assert np.abs(so_far).max() <= 3.0
    assert abs(so_far[-1]) <= 0.5 + 1e-9


@pytest.mark.parametrize("share", [0.2, 0.25, 1 / 3, 0.5, 0.61])
def test_no_component_vanishes_where_draws_are_thinned(share: float) -> None:
    order = np.tile(order_of([1 - share, share], 1000), 4)
    for step in range(2, 13):
        assert abs(order[::step].mean() - share) < 0.05


def test_draws_keep_their_order_and_what_is_missing_is_zero() -> None:
    order = order_of([0.5, 0.5], 6)
    labels = [p.name for p in SPEC.parameters]
    shape = (1, 3, 2, len(labels) - 3)
    plain = xr.Dataset(
        {"theta": (("chain", "draw", "family", "parameter"), np.full(shape, -1.0))},
        coords={"parameter": [n for n in labels if n not in curvature_names(SPEC.law)]},
    )
    curved = xr.Dataset(
        {"theta": (("chain", "draw", "family", "parameter"), np.ones((1, 3, 2, len(labels))))},
        coords={"parameter": labels},
    )
    curved["theta"] = curved["theta"] * xr.DataArray([1.0, 2.0, 3.0], dims="draw")
    found = interleave(SPEC, [plain, curved], order)["theta"]
    assert found["parameter"].values.tolist() == labels
    of_law, quadratic = found.sel(parameter="floor"), found.sel(parameter="curvature_ND")
    assert_array_equal(quadratic.values[0, order == 0], 0.0)
    assert_array_equal(of_law.values[0, order == 0], -1.0)
    assert_array_equal(quadratic.values[0, order == 1, 0], [1.0, 2.0, 3.0])


def test_components_differ_in_the_quadratic_alone() -> None:
    (plain, rest), (curved, share) = SPEC.components
    assert (rest, share) == (0.75, 0.25)
    assert curvature_names(plain.law) == ()
    assert curved.law == SPEC.law
    assert plain.law == specify(TABLE, "chinchilla", prior=replace(OWN, curvature=None))[0].law
    assert set(SPEC.pooling) - set(plain.pooling) == set(curvature_names(SPEC.law))
    assert {SPEC.pooling[name] for name in curvature_names(SPEC.law)} == {"none"}
    assert read_spec(write_spec(SPEC, FRAME)) == (SPEC, FRAME)


def test_the_prior_is_a_mixture_in_the_same_shares() -> None:
    prior = hierarchy.prior_draws(SPEC, FRAME, 400, np.random.default_rng(0))
    flat = prior["curvature_N"].to_numpy() == 1.0
    assert flat.mean() == 0.75
    others = np.log(prior["curvature_N"].to_numpy()[~flat])
    # 200 draws of sd 0.01: two standard errors are 10%.
    assert_allclose(others.std(), np.hypot(0.01, 0.001), rtol=0.15)


def test_densities_are_those_of_the_component() -> None:
    (plain, _), (curved, _) = SPEC.components
    rng, order = np.random.default_rng(0), order_of([0.75, 0.25], 8)
    parts = [
        hierarchy._free_draws(part, FRAME, int((order == i).sum()), rng)
        for i, part in enumerate((plain, curved))
    ]
    found = hierarchy.log_prior(SPEC, FRAME, interleave(SPEC, parts, order), order)
    for i, part in enumerate((plain, curved)):
        own = hierarchy.log_prior(part, FRAME, parts[i])
        for name in own:
            total = found[name].isel(draw=order == i).sum(found[name].dims[2:])
            assert_allclose(total, own[name].sum(own[name].dims[2:]), rtol=1e-12)


def test_a_draw_without_quadratic_has_none_in_an_unseen_family() -> None:
    rng = np.random.default_rng(0)
    one, frame = specify(TABLE[TABLE["family"] == "web"], "chinchilla", prior=OWN)
    for spec, at in ((SPEC, FRAME), (one, frame)):
        draws = hierarchy.prior_draws(spec, at, 200, rng)
        new = hierarchy.new_family(spec, at, draws, rng)
        flat = draws["curvature_D"].isel(family=0).to_numpy() == 1.0
        assert_array_equal(new["curvature_D"].to_numpy() == 1.0, flat)


@pytest.mark.parametrize(
    ("share", "sd"),
    [(2.0, 0.01), (0.0, 0.01), (np.nan, 0.01), (0.3, -0.1), (0.3, np.nan), ("a", 1)],
)
def test_a_curvature_is_a_share_and_a_width(share: float, sd: float) -> None:
    with pytest.raises(LawError):
        Curvature(share, sd)
    with pytest.raises(LawError):
        replace(OWN, curvature=(share, sd))


def test_a_population_without_a_root() -> None:
    whole = population("chinchilla-gamma")
    without = population("chinchilla-gamma", without="olmo")
    assert whole is not None
    assert without is not None
    assert set(whole.families) - set(without.families) == {"olmo_ladder"}
    assert without.priors != whole.priors
    with pytest.raises(LawError, match="'nowhere'"):
        population("chinchilla-gamma", without="nowhere")
    with pytest.raises(LawError):
        population("chinchilla-gamma", without=["olmo"])  # type: ignore[arg-type]
