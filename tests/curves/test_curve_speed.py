"""What makes verdicts quick leaves their numbers: sums of logs, coordinates, updates, imports."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from bayes_scaling.curves import Curve, Watch, fit_curve
from bayes_scaling.curves.cleaning.recovery import recovery
from bayes_scaling.curves.fitting.particles import Gaussian, Space, Target, sample
from bayes_scaling.laws import curve_laws, get, ops

_HEAVY = {"arviz", "pymc", "numba", "xarray", "matplotlib", "scipy.stats", "scipy.optimize"}


def falling(points: int = 60, end: float = 1e4) -> Curve:
    t = np.geomspace(10, end, points)
    noise = np.exp(0.004 * np.random.default_rng(0).normal(size=points))
    return Curve.of("r", t, (1.5 + 6.0 * t**-0.4) * noise)


def test_sums_of_logs_are_those_of_numpy() -> None:
    values = np.array([-np.inf, -800.0, -1.0, 0.0, 1e-9, 1.0, 37.0, 800.0, np.inf])
    first, second = np.meshgrid(values, values)
    assert_allclose(ops.logaddexp(first, second), np.logaddexp(first, second), rtol=1e-15)
    assert_allclose(ops.softplus(values), np.logaddexp(0.0, values), rtol=1e-15)
    assert np.isnan(ops.logaddexp(np.array([np.nan]), 0.0)).all()


def test_the_probability_of_a_return_is_that_of_scipys_densities() -> None:
    found = recovery(100.0, 140.0, spacing=10.0, height=0.3, left=0.9, parallel=0.5)
    high = stats.gamma.pdf(0.3, 2.0, scale=0.4)
    level = 0.1 * 2.0 * stats.norm.pdf(0.3, scale=0.12) * 0.5
    stays = 9.0 * 0.9**8
    weights = np.array(
        [0.85 * high / (1.0 + (50.0 / 8.0) ** 1.5), level * stays, 0.05 * high * stays]
    )
    expected = weights / weights.sum()
    assert_allclose([found.returns, found.level, found.diverged], expected, rtol=1e-12)


class Bent(Space):
    """Coordinates whose map has a determinant that is not 1."""

    def forward(self, points: np.ndarray) -> np.ndarray:
        return np.arcsinh(points)

    def backward(self, coordinates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.sinh(coordinates), np.log(np.cosh(coordinates)).sum(axis=1)


def test_coordinates_leave_the_posterior() -> None:
    prior = Gaussian.independent(np.zeros(2), np.array([2.0, 1.0]))
    target = Target(prior, lambda p: stats.norm.logpdf(p, 1.0, 0.5).sum(axis=1), Bent())
    found = sample(target, 4000, np.random.default_rng(0))
    variance = 1.0 / (1.0 / np.array([4.0, 1.0]) + 4.0)
    error = np.sqrt(variance / 400)
    assert np.all(np.abs(found.points.mean(axis=0) - 4.0 * variance) < 4 * error)
    assert_allclose(found.points.var(axis=0), variance, rtol=0.2)
    evidence = stats.norm.logpdf(1.0, 0.0, np.sqrt([4.25, 1.25])).sum()
    assert_allclose(found.log_evidence, evidence, atol=0.25)


@pytest.mark.parametrize("law", curve_laws())
def test_particles_move_in_coordinates_of_each_law(law: str) -> None:
    form = get(law)
    assert form.coordinates is not None
    rng = np.random.default_rng(0)
    logs = {name: rng.normal(size=50) for name in form.names}
    there = form.coordinates.forward(logs)
    back = form.coordinates.backward(there)
    assert_allclose(
        [back[name] for name in form.names], [logs[name] for name in form.names], atol=1e-10
    )
    assert any(np.abs(there[name] - logs[name]).max() > 0.1 for name in form.names)


@pytest.mark.parametrize("size", [100, 130, 2000])
def test_as_many_particles_come_as_were_asked_for(size: int) -> None:
    prior = Gaussian.independent(np.zeros(1), np.ones(1))
    target = Target(prior, lambda p: -0.5 * (p[:, 0] - 1.0) ** 2 / 0.01)
    found = sample(target, size, np.random.default_rng(0))
    assert found.points.shape == (size, 1)
    assert_allclose(found.log_likelihood, target.likelihood(found.points))


def test_updates_end_where_a_fit_from_the_prior_does() -> None:
    curve = falling()
    known = fit_curve(curve.until(6500), laws="curve-power", seed=0)
    for t in (7500, 8700, 10_001):
        known = known.updated(curve.until(t))
    assert known.began < 6600
    anew = fit_curve(curve, laws="curve-power", seed=1)
    one, other = (np.log(fit.forecast([3e4], "curve")[:, 0]) for fit in (known, anew))
    spread = other.std()
    assert abs(np.median(one) - np.median(other)) < 0.4 * spread
    assert 0.6 < one.std() / spread < 1.6


def test_the_same_points_give_the_same_verdicts() -> None:
    curve = falling(30)
    losses = []
    for _ in range(2):
        watching = Watch(1e5, seed=3, fitting={"laws": "curve-power", "particles": 200})
        verdicts = [watching.judge(curve.until(t)) for t in (5000, 7000, 10_001)]
        losses.append([v.final_loss.q50 for v in verdicts if v.final_loss is not None])
    assert len(losses[0]) == 3
    assert_array_equal(losses[0], losses[1])


def test_a_verdict_imports_nothing_heavy() -> None:
    code = (
        "import sys, numpy as np; from bayes_scaling.curves import Curve, monitor;"
        "t = np.geomspace(10, 1e4, 20); curve = Curve.of('r', t, 1.5 + 6 * t**-0.4);"
        "monitor(curve, 2e4, laws='curve-power', particles=100);"
        f"print(*({_HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
