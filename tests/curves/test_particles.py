"""Particles against posteriors that are known in closed form."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from bayes_scaling.curves.fitting.ar1_noise import NoiseParameters, kalman_filter
from bayes_scaling.curves.fitting.particles import Gaussian, Target, sample, updated


def regression(points: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = np.column_stack([np.ones(points), np.linspace(-1, 1, points)])
    return x, x @ np.array([0.7, -1.3]) + 0.1 * rng.normal(size=points)


def target(x: np.ndarray, y: np.ndarray, prior: Gaussian) -> Target:
    def likelihood(points: np.ndarray) -> np.ndarray:
        return stats.norm.logpdf(y, points @ x.T, 0.1).sum(axis=1)  # type: ignore[no-any-return]

    return Target(prior, likelihood)


def exact(x: np.ndarray, y: np.ndarray, prior: Gaussian) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean, covariance and log evidence of a linear model with known noise."""
    before = prior.chol @ prior.chol.T
    precision = np.linalg.inv(before) + x.T @ x / 0.01
    covariance = np.linalg.inv(precision)
    mean = covariance @ (np.linalg.inv(before) @ prior.mean + x.T @ y / 0.01)
    whole = x @ before @ x.T + 0.01 * np.eye(len(y))
    return mean, covariance, float(stats.multivariate_normal.logpdf(y, x @ prior.mean, whole))


PRIORS = [
    Gaussian.independent(np.zeros(2), np.array([1.0, 2.0])),
    Gaussian(np.array([0.5, -0.5]), np.linalg.cholesky(np.array([[1.0, 0.8], [0.8, 1.5]]))),
]


@pytest.mark.parametrize("prior", PRIORS, ids=["independent", "correlated"])
def test_a_linear_model_is_sampled_with_its_evidence(prior: Gaussian) -> None:
    x, y = regression(20)
    found = sample(target(x, y, prior), 4000, np.random.default_rng(1))
    mean, covariance, evidence = exact(x, y, prior)
    error = np.sqrt(np.diag(covariance) / 1000)
    assert np.all(np.abs(found.points.mean(axis=0) - mean) < 4 * error)
    assert_allclose(np.cov(found.points.T), covariance, rtol=0.2, atol=0.1 * covariance[0, 0])
    assert_allclose(found.log_evidence, evidence, atol=0.25)


def test_an_update_is_the_posterior_of_all_data() -> None:
    prior = PRIORS[0]
    x, y = regression(24)
    rng = np.random.default_rng(2)
    half = sample(target(x[:16], y[:16], prior), 4000, rng)
    whole = updated(half, target(x, y, prior), rng)
    mean, covariance, evidence = exact(x, y, prior)
    error = np.sqrt(np.diag(covariance) / 1000)
    assert np.all(np.abs(whole.points.mean(axis=0) - mean) < 4 * error)
    assert_allclose(whole.log_evidence, evidence, atol=0.3)
    assert 0.05 < whole.effective < 1


def test_new_data_that_disagree_leave_few_particles() -> None:
    prior = PRIORS[0]
    x, y = regression(24)
    rng = np.random.default_rng(3)
    half = sample(target(x[:16], y[:16], prior), 1000, rng)
    moved = y.copy()
    moved[16:] += 3.0
    assert updated(half, target(x, moved, prior), rng).effective < 0.02


def test_both_modes_of_a_posterior_are_found() -> None:
    prior = Gaussian.independent(np.zeros(1), np.array([3.0]))
    two = Target(prior, lambda p: stats.norm.logpdf(np.abs(p[:, 0]), 2.0, 0.05))
    found = sample(two, 2000, np.random.default_rng(4)).points[:, 0]
    assert 0.4 < (found > 0).mean() < 0.6
    assert_allclose(np.abs(found).mean(), 2.0, atol=0.02)


def test_likelihoods_that_cannot_be_computed_have_zero_likelihood() -> None:
    prior = Gaussian.independent(np.zeros(1), np.ones(1))
    half = Target(prior, lambda p: np.where(p[:, 0] > 0, 0.0, np.nan))
    found = sample(half, 1000, np.random.default_rng(5))
    assert (found.points > 0).all()
    assert_allclose(found.log_evidence, np.log(0.5), atol=0.1)


def test_the_constant_makes_a_density() -> None:
    prior = PRIORS[1]
    points = np.array([[0.0, 0.0], [1.0, -2.0]])
    exact_ = stats.multivariate_normal.logpdf(points, prior.mean, prior.chol @ prior.chol.T)
    assert_allclose(prior.log_density(points) + prior.constant, exact_)


def test_the_filter_is_the_normal_density_of_the_whole_curve() -> None:
    rng = np.random.default_rng(6)
    log_t = np.sort(rng.uniform(0, 5, 12))
    counts = rng.integers(1, 9, 12).astype(float)
    residuals = rng.normal(0, 0.05, (3, 12))
    noise = NoiseParameters(
        np.array([0.01, 0.05, 1e-4]), np.array([0.03, 1e-4, 0.02]), np.array([0.2, 1.0, 3.0])
    )
    found, after = kalman_filter(residuals, log_t, counts, noise)
    for i in range(3):
        lag = np.abs(log_t[:, None] - log_t)
        ar1 = noise.ar1_sd[i] ** 2 * np.exp(-lag / noise.length_scale[i])
        whole = ar1 + np.diag(noise.white_sd[i] ** 2 / counts)
        exact_ = stats.multivariate_normal.logpdf(residuals[i], np.zeros(12), whole)
        assert_allclose(found[i], exact_, rtol=1e-9)
        # The AR(1) process at the last point given all residuals: a normal conditional on them.
        gain = np.linalg.solve(whole, ar1[:, -1])
        assert_allclose(after.mean[i], gain @ residuals[i], rtol=1e-7)
        assert_allclose(
            after.variance[i], noise.ar1_sd[i] ** 2 - gain @ ar1[:, -1], rtol=1e-6, atol=1e-14
        )
