"""R-hat and effective draws are those of ArviZ, of all parameters at once."""

import warnings

import arviz as az
import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from bayes_scaling.inference import convergence as module
from bayes_scaling.inference.convergence import convergence, energy_fraction, worst_convergence
from bayes_scaling.inference.diagnostics.parameter_table import parameter_table
from bayes_scaling.inference.fit_result import Fit


def parameters(chains: int, draws: int) -> np.ndarray:
    """Draws (chain, draw, parameter) of many kinds."""
    rng = np.random.default_rng(draws)
    x = rng.normal(size=(chains, draws, 11))
    x[..., 1] = 3.0
    x[0, 0, 2] = np.nan
    x[..., 3] = np.round(x[..., 3])
    x[..., 4] = np.cumsum(x[..., 4], axis=1)
    x[..., 5] += np.arange(chains)[:, None]
    x[..., 6] = np.exp(5 * x[..., 6])
    x[0, :, 7] = 1.0
    x[..., 8] = (-1) ** np.arange(draws) + 0.01 * x[..., 8]
    x[..., 9] = x[..., 9] / rng.normal(size=(chains, draws))
    x[0, draws // 3, 10] = np.inf if draws > 40 else 9.0
    return x


def by_arviz(x: np.ndarray) -> tuple[np.ndarray, ...]:
    data = xr.Dataset({"x": (("chain", "draw", "parameter"), x)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        found = (az.rhat(data), az.ess(data), az.ess(data, method="tail"))
    return tuple(one["x"].to_numpy() for one in found)


@pytest.mark.parametrize("chains", [1, 2, 4])
@pytest.mark.parametrize("draws", [3, 4, 5, 6, 7, 8, 9, 50, 101, 333])
def test_it_equals_arviz(chains: int, draws: int) -> None:
    x = parameters(chains, draws)
    found = convergence(x)
    for ours, theirs in zip(
        (found.r_hat, found.ess_bulk, found.ess_tail), by_arviz(x), strict=True
    ):
        assert_allclose(ours, theirs, rtol=1e-10)


def test_blocks_and_shapes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = parameters(4, 50)[..., :10]
    whole = convergence(x)
    monkeypatch.setattr(module, "_BLOCK", 600)
    parts = convergence(x.reshape(4, 50, 2, 5))
    for name in ("r_hat", "ess_bulk", "ess_tail"):
        assert getattr(parts, name).shape == (2, 5)
        np.testing.assert_array_equal(getattr(parts, name).ravel(), getattr(whole, name))
    assert convergence(x[..., 0]).r_hat == whole.r_hat[0]


def test_chains_that_stay_apart_have_an_infinite_r_hat() -> None:
    apart = np.repeat(np.arange(4.0)[:, None], 100, axis=1)
    assert convergence(apart).r_hat > 1e6
    assert np.isnan(convergence(np.zeros((4, 100))).r_hat)
    assert convergence(np.zeros((4, 100))).ess_bulk == 400
    # Tails beyond infinite quantiles are not known.
    infinite = np.where(np.random.default_rng(0).random((4, 100)) < 0.3, np.inf, 1.0)
    assert np.isnan(convergence(infinite).ess_tail)


def test_the_worst_parameter_counts() -> None:
    rng = np.random.default_rng(1)
    coords = {"chain": range(4), "draw": range(100)}
    x, y = rng.normal(size=(3, 4, 100)), np.cumsum(rng.normal(size=(4, 100)), axis=1)
    draws = xr.Dataset({"x": (("family", "chain", "draw"), x), "y": (("chain", "draw"), y)}, coords)
    found = convergence(y)
    expected = (found.r_hat, found.ess_bulk, found.ess_tail)
    assert worst_convergence(draws) == expected
    fixed = draws.assign(z=(("chain", "draw"), np.ones((4, 100))))
    assert worst_convergence(fixed) == expected
    unknown = draws.assign(z=(("chain", "draw"), np.full((4, 100), np.nan)))
    assert np.isnan(worst_convergence(unknown)).all()


def test_energy_fraction_is_arviz_s() -> None:
    energy = np.random.default_rng(2).gamma(3.0, size=(4, 100))
    stats = xr.Dataset({"energy": (("chain", "draw"), energy)})
    tree = xr.DataTree.from_dict({"sample_stats": stats})
    assert_allclose(energy_fraction(energy), az.bfmi(tree)["energy"].to_numpy(), rtol=1e-12)


@pytest.mark.parametrize("ci_prob", [0.9, 0.5])
def test_the_table_of_parameters_is_arviz_s_summary(two_families: Fit, ci_prob: float) -> None:
    table = parameter_table(two_families.dt, ci_prob)
    options = {"ci_prob": ci_prob, "ci_kind": "eti", "round_to": "none"}
    theirs = az.summary(two_families.dt, **options)
    medians = az.summary(two_families.dt, kind="stats_median", **options)
    assert list(table.index) == list(theirs.index)
    lower, upper = (name for name in theirs if name.startswith("eti"))
    names = {"mean": "mean", "sd": "sd", "ess_bulk": "ess_bulk", "ess_tail": "ess_tail"}
    names |= {"r_hat": "r_hat", table.columns[3]: lower, table.columns[4]: upper}
    for ours, name in names.items():
        assert_allclose(table[ours], theirs[name], rtol=1e-10)
    assert_allclose(table["median"], medians["median"], rtol=1e-12)
