"""Leave-one-out and power scaling: the numbers of ArviZ, which takes seconds to import."""

from collections.abc import Callable

import arviz_stats as azs
import numpy as np
import pytest
import xarray as xr
from arviz_stats.base import array_stats
from numpy.testing import assert_allclose

from bayes_scaling.inference import Fit
from bayes_scaling.inference.convergence import effective_draws
from bayes_scaling.inference.diagnostics.pareto_smoothing import (
    leave_one_out,
    smoothed_weights,
    tail_size,
)
from bayes_scaling.inference.diagnostics.power_scaling import power_sensitivity

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:arviz_stats")


@pytest.fixture(scope="module", params=[0.005, 0.05])
def fit(request: pytest.FixtureRequest, make_fit: Callable[..., Fit]) -> Fit:
    return make_fit(width=request.param, seed=3)


def test_leave_one_out_is_that_of_arviz(fit: Fit) -> None:
    expected = azs.loo(fit.dt, pointwise=True)
    found = leave_one_out(fit.dt)
    assert_allclose(found.elpd, expected.elpd_i, rtol=1e-10)
    assert_allclose(found.pareto_k, expected.pareto_k, rtol=1e-10)
    assert_allclose(found.se, expected.se, rtol=1e-10)
    assert_allclose((found.lppd - found.elpd).sum(), expected.p, rtol=1e-8)


def test_sensitivity_is_that_of_arviz(fit: Fit) -> None:
    expected = azs.psense_summary(fit.dt, round_to=14)
    found = power_sensitivity(fit.dt)
    assert set(found.index) == set(expected.index)
    for name in ("prior", "likelihood"):
        assert_allclose(found[name], expected[name].reindex(found.index), rtol=1e-9, atol=1e-11)


def test_one_chain_leaves_out_as_well(fit: Fit) -> None:
    tree = xr.map_over_datasets(
        lambda part: part.isel(chain=[0]) if "chain" in part.dims else part, fit.dt
    )
    expected = azs.loo(tree, pointwise=True)
    assert_allclose(leave_one_out(tree).pareto_k, expected.pareto_k, rtol=1e-10)


@pytest.mark.parametrize("spread", [0.1, 2.0, 8.0])
def test_weights_are_those_of_arviz(spread: float) -> None:
    ratios = spread * np.random.default_rng(1).standard_t(4, size=(3, 500))
    weights, k = smoothed_weights(ratios, tail_size(500, 1.0))
    expected, shapes = array_stats.psislw(-ratios, axis=-1, r_eff=1.0)
    assert_allclose(weights, expected, rtol=1e-10, atol=1e-10)
    assert_allclose(k, shapes, rtol=1e-10)
    assert_allclose(np.exp(weights).sum(axis=1), 1.0)


def test_tails_that_cannot_be_smoothed_are_left() -> None:
    # Constant, and too few draws: weights stay what they are, and nothing vouches for them.
    weights, k = smoothed_weights(np.zeros((1, 400)), 60)
    assert_allclose(np.exp(weights), 1 / 400)
    assert np.isinf(k[0])
    ratios = np.random.default_rng(2).normal(size=(1, 15))
    weights, k = smoothed_weights(ratios, 3)
    assert_allclose(np.diff(weights), np.diff(ratios))
    assert np.isinf(k[0])


def test_effective_draws_of_means_and_quantiles_are_those_of_arviz() -> None:
    noise = np.random.default_rng(0).normal(size=(3, 4, 101))
    draws = np.cumsum(noise, axis=-1) * [[[0.1]], [[0.0]], [[1.0]]] + noise
    assert_allclose(effective_draws(draws), array_stats.ess(draws, method="mean"), rtol=1e-10)
    expected = array_stats.ess(draws, method="quantile", prob=0.05)
    assert_allclose(effective_draws(draws, 0.05), expected, rtol=1e-10)
    assert np.isnan(effective_draws(draws[..., :3])).all()
