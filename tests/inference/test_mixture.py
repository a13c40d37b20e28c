"""A posterior that is a mixture of two, with fixed shares of the draws."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

import bayes_scaling as bs
from bayes_scaling.inference import Fit
from bayes_scaling.inference.diagnostics.checks import energies
from bayes_scaling.inference.diagnostics.pareto_smoothing import leave_one_out
from bayes_scaling.inference.diagnostics.power_scaling import power_sensitivity
from bayes_scaling.inference.storage import structure
from bayes_scaling.laws.log_quadratic import curvature_names
from bayes_scaling.model import Curvature, Discrepancy, Population
from bayes_scaling.posterior import family_posterior
from bayes_scaling.report.sections.inputs_section import law_section
from bayes_scaling.report.study import Study
from tests.conftest import TRUTH, grid, simulate

SHARE, DRAWS, CHAINS = 0.2, 100, 2
KNOWN = Discrepancy(level=0.004, noise_power=0.5, power=0.8, shared=0.6, spread=0.5)
OWN = Population("chinchilla", {}, KNOWN, ("a",), Curvature(SHARE, sd=0.02))


@pytest.fixture(scope="module")
def mixed() -> Fit:
    # Middles of the two families are a factor of ten apart.
    table = simulate("chinchilla", grid(), TRUTH)
    table.loc[table["family"] == "code", ["params", "tokens"]] *= 10.0
    table["flops"] = 6 * table["params"] * table["tokens"]
    return bs.fit(
        table, "chinchilla", prior=OWN, draws=DRAWS, tune=150, chains=CHAINS, progress=False
    )


def component(fit: Fit) -> np.ndarray:
    return fit.dt["sample_stats"]["component"].to_numpy()


def test_the_share_of_draws_has_a_quadratic(mixed: Fit) -> None:
    found = component(mixed)
    assert found.shape == (CHAINS, DRAWS)
    assert found.mean() == SHARE
    for name in curvature_names(mixed.law):
        values = mixed.posterior[name].transpose("chain", "draw", "family").to_numpy()
        assert (values[found == 0] == 1.0).all()
        assert (values[found == 1] != 1.0).all()


def test_a_posterior_is_read_back(mixed: Fit, tmp_path: Path) -> None:
    # Reading computes the likelihood of the runs again, from the spec and the posterior.
    again = bs.load_fit(mixed.save(tmp_path / "fit.nc"))
    assert again.spec == mixed.spec
    assert again.posterior.identical(mixed.posterior)


@pytest.mark.parametrize(
    "change",
    [
        lambda stats: stats.drop_vars("component"),
        lambda stats: stats.assign(component=1.0 * stats["component"]),
        lambda stats: stats.assign(component=stats["component"].roll(draw=1)),
        lambda stats: stats.assign(component=2 * stats["component"]),
        lambda stats: stats.assign(component=stats["component"].where(stats["chain"] > 0, 0)),
        lambda stats: stats.assign(component=stats["component"] * 0),
    ],
)
def test_components_that_are_not_those_of_the_draws(
    mixed: Fit, change: Callable[[xr.Dataset], xr.Dataset]
) -> None:
    assert structure.problem(mixed.dt, mixed.spec, mixed.frame) is None
    tree = mixed.dt.copy()
    tree["sample_stats"] = xr.DataTree(change(tree["sample_stats"].to_dataset()))
    said = structure.problem(tree, mixed.spec, mixed.frame)
    assert said is not None
    assert "sample_stats/component" in said


def test_a_share_that_is_not_that_of_the_draws(mixed: Fit) -> None:
    other = replace(mixed.spec, curvature_share=0.5)
    said = structure.problem(mixed.dt, other, mixed.frame)
    assert said is not None
    assert "sample_stats/component" in said
    (of_law, _), _ = mixed.spec.components
    assert structure.problem(mixed.dt, replace(of_law), mixed.frame) is not None


def test_energies_are_those_of_a_component(mixed: Fit) -> None:
    parts = energies(mixed.dt)
    assert [part.shape for part in parts] == [(CHAINS, 80), (CHAINS, 20)]
    for number, part in enumerate(parts):
        whole = mixed.dt["sample_stats"]["energy"].to_numpy()
        assert_array_equal(part, whole[:, component(mixed)[0] == number])


def test_curvatures_are_no_parameters_of_the_law_to_a_reader(mixed: Fit) -> None:
    pairs = mixed.correlations()
    assert set(pairs["first"]) | set(pairs["second"]) == set(TRUTH)
    study = Study(mixed, mixed.diagnose(), (), 0)
    assert set(study.led_by_prior("code")) <= set(TRUTH)
    assert "20%" in law_section(study).notes[0]


def test_few_draws_are_those_that_were_asked_for() -> None:
    table = simulate("chinchilla", grid(), TRUTH)
    fit = bs.fit(table, "chinchilla", prior=OWN, draws=50, tune=100, chains=2, progress=False)
    assert component(fit).mean(axis=1).tolist() == [SHARE] * 2
    assert fit.posterior.sizes["draw"] == 50


def test_draws_of_a_component_fit_as_well(mixed: Fit) -> None:
    # Were the middle of a family taken for that of another, its runs would be missed by far.
    logs = mixed.dt["log_likelihood"]["loss"].transpose("chain", "draw", "run").to_numpy()
    means = [logs[component(mixed) == i].mean() for i in (0, 1)]
    assert abs(means[0] - means[1]) < 0.5


def test_forecasts_are_those_of_the_law_and_its_quadratic(mixed: Fit) -> None:
    draws = family_posterior(mixed, "code", 0)
    at = draws.at(np.log([[1e11]]), np.log([[1e13]]))
    curve = draws.curve(at)[0]
    n, d = (at[s][0, 0] - np.log(mixed.runs_of("code")[s]).mean() for s in ("params", "tokens"))
    n, d = (s / np.sqrt(1 + (s / 6) ** 2) for s in (n, d))
    values = {name: np.log(draws.values[name]) for name in curvature_names(mixed.law)}
    quadratic = values["curvature_N"] * n * n + values["curvature_D"] * d * d
    quadratic += values["curvature_ND"] * n * d
    amplitudes = {
        name: mixed.posterior[name].sel(family="code").to_numpy().ravel() for name in TRUTH
    }
    x = {s: at[s][0] - mixed.frame.reference[s] for s in ("params", "tokens")}
    expected = mixed.default_law.log_curve(x, amplitudes) + quadratic
    assert_allclose(curve, expected, rtol=1e-12)


def test_runs_are_left_out_of_each_component(mixed: Fit) -> None:
    whole = leave_one_out(mixed.dt)
    logs = mixed.dt["log_likelihood"]["loss"].transpose("run", "chain", "draw").to_numpy()
    of = component(mixed)
    lppd = np.log(np.exp(logs).mean(axis=(1, 2)))
    assert_allclose(whole.lppd, lppd, rtol=1e-9)
    # Importance weights without smoothing, by component, in the fixed shares; of 40 draws of one of
    # them a few runs have wild weights.
    parts = [1 / np.exp(-logs[:, of == i]).mean(axis=1) for i in (0, 1)]
    plain = np.log((1 - SHARE) * parts[0] + SHARE * parts[1])
    assert_allclose(np.median(whole.elpd - plain), 0.0, atol=0.02)
    reversed_shares = np.log(SHARE * parts[0] + (1 - SHARE) * parts[1])
    far = np.abs(whole.elpd - reversed_shares).sum()
    assert np.abs(whole.elpd - plain).sum() < 0.5 * far
    assert (whole.elpd < whole.lppd).all()


def test_powers_of_the_likelihood_do_not_move_the_shares(mixed: Fit) -> None:
    tree = mixed.dt.copy()
    posterior = tree["posterior"].to_dataset()
    posterior["which"] = ("chain", "draw"), component(mixed).astype(float)
    tree["posterior"] = type(tree)(posterior)
    # A component that fits better would gain draws, were weights not kept within it.
    logs = tree["log_likelihood"].to_dataset()
    logs["loss"] = logs["loss"] + 0.5 * posterior["which"]
    tree["log_likelihood"] = type(tree)(logs)
    assert power_sensitivity(tree)["likelihood"]["which"] < 0.05


def test_every_draw_has_a_row_of_statistics(mixed: Fit) -> None:
    stats = mixed.dt["sample_stats"]
    assert stats["diverging"].shape == (CHAINS, DRAWS)
    assert stats["diverging"].dtype == bool
    assert_array_equal(stats["draw"], mixed.posterior["draw"])
