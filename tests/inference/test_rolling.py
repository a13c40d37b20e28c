"""Point fits and rolling origins: closed forms, known truths, and what they teach."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import multivariate_normal

from bayes_scaling import laws
from bayes_scaling.inference.point import fit_point
from bayes_scaling.inference.rolling import (
    SPAN,
    Step,
    log_evidence,
    rolling_steps,
    scale_draws,
)
from bayes_scaling.model import Discrepancy, simulate
from tests.conftest import TRUTH

KNOWN = Discrepancy(level=0.01, noise_power=0.0, power=0.7, shared=0.5, spread=0.8)


def sweep(seed: int = 0, noise: float = 0.002) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    flops = np.repeat(10.0 ** np.arange(17, 22), 8)
    params = np.sqrt(flops / 120) * np.tile(np.geomspace(0.2, 5, 8), 5)
    table = pd.DataFrame({"params": params, "tokens": flops / 6 / params, "flops": flops})
    return simulate("chinchilla", table, TRUTH, noise=noise, seed=int(rng.integers(1e6)))


def test_a_point_fit_finds_the_truth_within_its_covariance() -> None:
    law, rows = laws.get("chinchilla"), sweep()
    fitted = fit_point(law, rows)
    truth = law.move(TRUTH, fitted.frame.reference)
    away = fitted.theta - np.log([truth[name] for name in law.names])
    # Chi-square of five degrees of freedom; the prior pulls little on 40 runs.
    assert away @ np.linalg.solve(fitted.covariance, away) < 20
    assert 0.001 <= fitted.noise < 0.004
    mean, covariance = fitted.predict(rows)
    assert_allclose(mean, np.log(rows["loss_curve"]), atol=0.005)
    assert covariance.shape == (40, 40)
    assert (np.diag(covariance) > 0).all()


def test_thresholds_use_each_set_of_runs_once() -> None:
    law, ratios = laws.get("chinchilla"), (2.0, 4.0, 9.9, 10.0, 100.0, 1e4, 1e5)
    steps = rolling_steps(law, sweep(), ratios)["all"]
    # 2, 4 and 9.9 all leave out the last level; 1e5 leaves nothing to fit.
    assert [step.ratio for step in steps] == [2.0, 100.0, 1e4]
    assert [len(step.error) for step in steps] == [8, 16, 32]
    assert (steps[0].distance >= np.log(10) - 1e-9).all()
    assert rolling_steps(law, sweep().iloc[:8]) == {"all": []}


def test_families_are_forecast_as_each_would_be_alone() -> None:
    law, tables = laws.get("chinchilla"), [sweep(), sweep(1).assign(family="other").iloc[::2]]
    mixed = pd.concat([*tables, sweep(2).assign(family="few").iloc[:5]], ignore_index=True)
    together = rolling_steps(law, mixed.sample(frac=1, random_state=0))
    assert together["few"] == []
    for table in tables:
        (name, alone), *_ = rolling_steps(law, table).items()
        found = together[name]
        assert len(found) == len(alone) > 1
        for one, other in zip(found, alone, strict=True):
            assert (one.ratio, len(one.error)) == (other.ratio, len(other.error))
            assert_allclose(np.sort(one.error), np.sort(other.error), atol=1e-7)
            assert_allclose(one.noise, other.noise, rtol=1e-5)


def test_steps_are_point_fits_below_and_what_they_forecast_above() -> None:
    law, table = laws.get("chinchilla"), sweep()
    for one in rolling_steps(law, table, (2.0, 100.0))["all"]:
        below = table["flops"] <= table["flops"].max() / one.ratio
        fitted = fit_point(law, table[below])
        mean, covariance = fitted.predict(table[~below])
        assert_allclose(one.error, np.log(table["loss"][~below]) - mean, atol=1e-9)
        assert_allclose(one.covariance, covariance, rtol=1e-6, atol=1e-12)
        assert_allclose(one.noise, fitted.noise, rtol=1e-9)
        assert_allclose(one.variance, (1.2 * one.noise) ** 2)


def step(error: float) -> Step:
    distance = np.log([2.0, 4.0, 8.0])
    return made(4.0, distance, np.full(3, error), 1e-3, 0.003)


def made(ratio: float, distance: np.ndarray, error: np.ndarray, sd: float, noise: float) -> Step:
    """A step of a curve that is known to ``sd`` at every run."""
    size = len(error)
    return Step(ratio, distance, error, sd * np.eye(size), np.full(size, (1.2 * noise) ** 2), noise)


def test_evidence_is_that_of_a_normal_distribution() -> None:
    rng = np.random.default_rng(0)
    one = replace(step(0.02), root=0.01 * rng.normal(size=(3, 2)))
    found = log_evidence(KNOWN, [one])
    for place in (0, 40, 70):
        scale = np.exp(2 * (KNOWN.log_scale(np.log(0.003)) + KNOWN.spread * SPAN[place]))
        alike = scale * KNOWN.covariance(one.distance)
        cov = one.covariance + np.eye(3) * (1.2 * 0.003) ** 2 + alike
        direct = multivariate_normal(np.zeros(3), cov).logpdf(one.error)
        base = multivariate_normal(np.zeros(3), cov - alike)
        constant = base.logpdf(np.zeros(3))
        assert_allclose(found[place], direct - constant, rtol=1e-9)
    # Steps are averaged, not added.
    assert_allclose(log_evidence(KNOWN, [one, one]), found, rtol=1e-12)


LEVELS = np.linspace(0.01, 0.99, 99)


@pytest.mark.parametrize("error", [0.0, 0.0005, 0.005, 0.02, 0.05, 0.15, 1.0])
def test_a_familys_own_errors_only_ever_widen_its_discrepancy(error: float) -> None:
    prior = scale_draws(KNOWN, [], (4, 2000), np.random.default_rng(1))
    assert_allclose([prior.mean(), prior.std()], [0, 1], atol=0.05)
    own = scale_draws(KNOWN, [step(error)], (4, 2000), np.random.default_rng(1))
    assert own.shape == (4, 2000)
    assert (np.quantile(own, LEVELS) >= np.quantile(prior, LEVELS)).all()


def test_small_errors_leave_the_population_and_large_ones_say_how_much_wider() -> None:
    prior = scale_draws(KNOWN, [], (4, 5000), np.random.default_rng(1))
    small = scale_draws(KNOWN, [step(0.0)], (4, 5000), np.random.default_rng(1))
    assert_allclose(np.quantile(small, LEVELS), np.quantile(prior, LEVELS), atol=0.05)
    large = scale_draws(KNOWN, [step(0.15)], (4, 5000), np.random.default_rng(1))
    weight = np.exp(log_evidence(KNOWN, [step(0.15)]) - 0.5 * SPAN**2)
    exact = np.interp(LEVELS, (np.cumsum(weight) - weight / 2) / weight.sum(), SPAN)
    assert exact[0] > 0.5
    assert_allclose(np.quantile(large, LEVELS), exact, atol=0.05)


def test_the_level_comes_back_from_errors_drawn_with_it() -> None:
    rng = np.random.default_rng(3)
    distance = np.log([2.0, 4.0, 8.0, 16.0])
    quiet = replace(KNOWN, spread=0.3)
    found = []
    for _ in range(200):
        z = rng.normal()
        scale = np.exp(quiet.log_scale(np.log(0.001)) + quiet.spread * z)
        root = np.linalg.cholesky(scale**2 * quiet.covariance(distance) + 1e-12 * np.eye(4))
        own = made(16.0, distance, root @ rng.normal(size=4), 1e-9**0.5, 0.001)
        weight = np.exp(log_evidence(quiet, [own]) - 0.5 * SPAN**2)
        found.append(z > np.interp(0.5, np.cumsum(weight) / weight.sum(), SPAN))
    assert 0.4 < np.mean(found) < 0.6
