"""Priors that hold at each family's own middle and in units of its own typical loss."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.inference import Fit
from bayes_scaling.inference.start import starting_point
from bayes_scaling.laws import available
from bayes_scaling.model import ReferenceFrame, Spec, arrays, hierarchy, simulate, specify
from bayes_scaling.model.spec_json import read_spec, write_spec
from tests.conftest import TRUTH, grid
from tests.model.test_model import assert_equal_to_pymc

GAMMA = TRUTH | {"gamma": 0.7}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Two families of other sizes, tokenizers and losses."""
    made = simulate("chinchilla-gamma", grid(), GAMMA, seed=1)
    other = made["family"] == "code"
    return made.assign(
        params=made["params"].where(~other, made["params"] * 500),
        flops=made["flops"].where(~other, made["flops"] * 500),
        loss=made["loss"].where(~other, made["loss"] / 4),
    )


def _spec(table: pd.DataFrame, pooling: str = "partial") -> tuple[Spec, ReferenceFrame]:
    return specify(
        table,
        "chinchilla-gamma",
        pooling=pooling,  # type: ignore[arg-type]
        prior="population",
    )


@pytest.mark.parametrize("pooling", ["partial", "none"])
def test_densities_equal_those_of_pymc(table: pd.DataFrame, pooling: str) -> None:
    spec, frame = _spec(table, pooling)
    assert frame.own
    # The likelihood is evaluated at the common reference point and in nats, after all moves.
    assert_equal_to_pymc(spec, frame, arrays(spec, frame, table))


def test_a_family_starts_as_it_would_alone(table: pd.DataFrame) -> None:
    spec, frame = _spec(table, "none")
    together = starting_point(spec, frame, arrays(spec, frame, table))["theta"]
    for index, family in enumerate(spec.families):
        rows = table[table["family"] == family]
        alone = _spec(rows)
        own = starting_point(*alone, arrays(*alone, rows))["theta"][0]
        assert_allclose(together[index], own, rtol=1e-5, atol=1e-5)


def test_units_and_sizes_do_not_matter_to_the_prior(table: pd.DataFrame) -> None:
    spec, frame = _spec(table)
    draws = hierarchy.prior_draws(spec, frame, 4000, np.random.default_rng(2))
    curve = np.exp(hierarchy.log_mean(spec, arrays(spec, frame, table), draws)).median(
        ("chain", "draw")
    )
    over = curve.to_numpy() / table["loss"].to_numpy()
    for family in spec.families:
        assert_allclose(np.median(over[table["family"] == family]), 1.0, atol=0.15)


def test_medians_of_families_are_those_at_the_reference_point(table: pd.DataFrame) -> None:
    spec, frame = _spec(table)
    draws = hierarchy.prior_draws(spec, frame, 2000, np.random.default_rng(3))
    floor = next(p for p in spec.law.parameters if p.name == "floor")
    expected = floor.prior.median * frame.loss_scale
    assert_allclose(draws["floor_population"].median(), expected, rtol=0.05)
    assert_allclose(np.exp(frame.log_median(floor)), expected)


@pytest.mark.parametrize("prior", ["weak", "population"])
def test_only_learned_priors_hold_by_family(table: pd.DataFrame, prior: str) -> None:
    spec, frame = specify(table, "chinchilla-gamma", prior=prior)  # type: ignore[arg-type]
    assert frame.own == (prior == "population")
    assert read_spec(write_spec(spec, frame)) == (spec, frame)
    if prior == "weak":
        design = arrays(spec, frame, table)
        draws = hierarchy.prior_draws(spec, frame, 2, np.random.default_rng(0))
        assert frame.standard is frame
        assert frame.standardise(design) is design
        assert frame.unstandardise(spec.law, draws) is draws


@pytest.mark.parametrize("name", [n for n, law in available().items() if not law.fixed_reference])
def test_a_curve_scales_with_its_parameters_of_loss(name: str) -> None:
    # What makes a loss relative to the typical one a change of unit and nothing else.
    law = available()[name]
    rng = np.random.default_rng(4)
    values = {
        p.name: p.prior.median * np.exp(0.2 * rng.normal()) * (2.0 if p.of_loss else 1.0)
        for p in law.parameters
    }
    scaled = {p.name: values[p.name] * (3.0 if p.of_loss else 1.0) for p in law.parameters}
    x = {column: rng.normal(size=20) for column in law.inputs}
    away = law.log_curve(x, scaled) - law.log_curve(x, values) - np.log(3.0)
    assert (np.abs(away).max() < 1e-9) == (not law.unit_dependent)


def test_a_fit_of_families_apart_forecasts_each_where_it_is(
    make_fit: Callable[..., Fit],
) -> None:
    fit = make_fit("chinchilla-gamma", GAMMA, prior="population", width=1e-6)
    forecast = fit.predict(fit.runs[["family", "params", "tokens"]])
    curve = forecast.loss_curve.median(("chain", "draw")).to_numpy()
    law, p = fit.default_law, GAMMA
    exact = law.loss({"params": fit.runs["params"], "tokens": fit.runs["tokens"]}, p)
    assert_allclose(curve, exact, rtol=1e-4)
