"""Many robust least-squares problems at once, held against SciPy's, one by one."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import least_squares

from bayes_scaling import laws
from bayes_scaling.inference.least_squares import modes
from bayes_scaling.inference.run_sets import Sets
from bayes_scaling.laws import Law

SIZES = np.array([3, 12, 40, 9])
NOISE = np.array([0.01, 0.003, 0.02, 0.01])


def problem(law: Law, sizes: np.ndarray = SIZES, seed: int = 0) -> tuple[Sets, np.ndarray]:
    """Sets of runs about curves near the prior medians, a fifth of them wild."""
    rng = np.random.default_rng(seed)
    rows = int(sizes.sum())
    x = {name: rng.uniform(-2.0, 2.0, rows) for name in law.inputs}
    centre = np.array([[np.log(p.prior.median) for p in law.parameters]] * len(sizes))
    sets = Sets(x, np.zeros(rows), np.where(rng.random(rows) < 0.3, 0.005, 0.0), sizes)
    truth = centre + 0.3 * rng.normal(size=centre.shape)
    scale = np.where(rng.random(rows) < 0.2, 0.1, 0.005)
    losses = sets.log_curve(law, truth) + scale * rng.normal(size=rows)
    return Sets(x, losses, sets.relative_se, sizes), centre


def one(sets: Sets, index: int) -> Sets:
    kept = np.zeros(len(sets.sizes), dtype=np.bool_)
    kept[index] = True
    return sets.take(kept)


def by_scipy(law: Law, sets: Sets, centre: np.ndarray, noise: float) -> tuple[np.ndarray, ...]:
    sd = np.array([np.hypot(p.prior.sd, p.prior.spread) for p in law.parameters])
    weight = np.sqrt(noise**2 + sets.relative_se**2)

    def curve(theta: np.ndarray) -> np.ndarray:
        values = dict(zip(law.names, np.exp(theta), strict=True))
        return np.asarray(law.log_curve(sets.x, values))

    def residuals(theta: np.ndarray) -> np.ndarray:
        off = (sets.log_loss - curve(theta)) / weight
        soft = np.sign(off) * np.sqrt(2 * (np.sqrt(1 + off**2) - 1))
        return np.concatenate([soft, (theta - centre) / sd])

    found = least_squares(
        residuals, centre, jac="3-point", x_scale=sd, ftol=1e-15, xtol=1e-15, gtol=1e-15
    )
    return found.x, found.jac.T @ found.jac


@pytest.mark.parametrize(
    "name", ["chinchilla", "chinchilla-gamma", "product-floor", "kaplan", "data-constrained"]
)
def test_modes_and_precisions_are_those_of_scipy_run_to_the_end(name: str) -> None:
    law = laws.get(name)
    sets, centre = problem(law)
    theta, precision = modes(law, sets, centre, NOISE)
    for index in range(len(SIZES)):
        mode, expected = by_scipy(law, one(sets, index), centre[index], NOISE[index])
        # In units of the posterior standard deviation.
        root = np.linalg.cholesky(precision[index])
        assert_allclose(root.T @ (theta[index] - mode), 0.0, atol=1e-5)
        inner = np.linalg.solve(root, np.linalg.solve(root, expected).T)
        assert_allclose(inner, np.eye(len(mode)), atol=2e-4)


def test_sets_do_not_know_of_each_other() -> None:
    law = laws.get("chinchilla")
    sets, centre = problem(law)
    together, _ = modes(law, sets, centre, NOISE)
    for index in range(len(SIZES)):
        alone, _ = modes(law, one(sets, index), centre[[index]], NOISE[[index]])
        assert_allclose(alone[0], together[index], rtol=0, atol=1e-6)


def test_a_large_set_that_starts_thinned_ends_where_it_would() -> None:
    law = laws.get("chinchilla")
    sets, centre = problem(law, np.array([9000, 20]))
    theta, _ = modes(law, sets, centre, 0.01)
    whole, _ = modes(law, sets, centre, 0.01, start=centre)
    assert_allclose(theta, whole, rtol=0, atol=1e-6)


def test_thinned_sets_have_evenly_spaced_rows() -> None:
    sizes = np.array([10, 3, 4])
    rows = np.arange(17.0)
    thin = Sets({"params": rows}, rows, rows, sizes).thinned(4)
    assert thin.sizes.tolist() == [4, 3, 4]
    assert thin.log_loss.tolist() == [0, 3, 6, 9, 10, 11, 12, 13, 14, 15, 16]


def test_medians_and_sums_are_those_of_each_set() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=int(SIZES.sum()))
    sets = Sets({}, values, values, SIZES)
    parts = np.split(values, np.cumsum(SIZES)[:-1])
    assert sets.medians(values).tolist() == [np.median(part) for part in parts]
    assert_allclose(sets.sums(values), [part.sum() for part in parts], rtol=1e-12)
