"""What every registered law must do, and what each must equal."""

import numpy as np
import pytensor
import pytensor.tensor as pt
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayes_scaling import laws
from bayes_scaling.errors import LawError
from bayes_scaling.laws import Law, Prior
from bayes_scaling.runs import COLUMNS

LAWS = [*laws.available().values(), *laws.curve_laws().values()]
every_law = pytest.mark.parametrize("law", LAWS, ids=lambda law: law.name)


def medians(law: Law) -> dict[str, float]:
    return {p.name: p.prior.median for p in law.parameters}


def draw(law: Law, rng: np.random.Generator, size: tuple[int, ...]) -> dict[str, np.ndarray]:
    return {
        p.name: np.exp(rng.normal(np.log(p.prior.median), p.prior.sd, size)) for p in law.parameters
    }


@every_law
def test_backends_agree(law: Law) -> None:
    rng = np.random.default_rng(1)
    values = draw(law, rng, (50,))
    x = {name: rng.normal(0, 3, 50) for name in law.inputs}
    numbers = law.log_curve(x, values)

    graph_x = {name: pt.dvector(name) for name in law.inputs}
    graph_p = {name: pt.dvector(f"p_{name}") for name in law.names}
    function = pytensor.function(
        [*graph_x.values(), *graph_p.values()],
        law.log_curve(graph_x, graph_p),
        mode="FAST_COMPILE",
    )
    assert_allclose(function(*x.values(), *values.values()), numbers, rtol=1e-12, atol=1e-12)

    labelled = law.log_curve(
        {name: xr.DataArray(value, dims="point") for name, value in x.items()},
        {name: xr.DataArray(value, dims="point") for name, value in values.items()},
    )
    assert isinstance(labelled, xr.DataArray)
    assert_allclose(labelled.values, numbers, rtol=1e-12, atol=1e-12)


@every_law
@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_loss_falls_in_each_input(law: Law, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = draw(law, rng, ())
    x = {name: rng.normal(0, 2) for name in law.inputs}
    for name in law.inputs:
        more = x | {name: x[name] + 0.5}
        # Far out one term may drown the other beyond what a double can tell.
        if name not in (*law.best, *law.nonmonotone):
            assert law.log_curve(more, values) <= law.log_curve(x, values)
        middle = {other: -1.0 if other in law.shared_reference else 0.0 for other in law.inputs}
        further = law.log_curve(middle | {name: middle[name] + 0.5}, medians(law))
        assert (further < law.log_curve(middle, medians(law))) == (name not in law.best)


@every_law
def test_loss_tends_to_the_floor(law: Law) -> None:
    if law.nonmonotone:
        pytest.skip(f"{law.name} has other limits, with tests of their own")
    values = medians(law)
    x = {name: 0.0 if name in law.best else 1e4 for name in law.inputs}
    floor = values.get("floor", 0.0)
    assert_allclose(np.exp(law.log_curve(x, values)), floor, atol=1e-12)


@every_law
def test_gradient_is_finite_at_the_prior_median_and_far_away(law: Law) -> None:
    logs = {name: pt.dscalar(name) for name in law.names}
    x = {name: pt.dscalar(f"x_{name}") for name in law.inputs}
    loss = law.log_curve(x, {name: pt.exp(value) for name, value in logs.items()})
    function = pytensor.function(
        [*logs.values(), *x.values()], pytensor.grad(loss, list(logs.values())), mode="FAST_COMPILE"
    )
    start = [np.log(value) for value in medians(law).values()]
    for far in (0.0, 40.0, -40.0):
        assert np.isfinite(function(*start, *([far] * len(x)))).all()


@every_law
def test_parameters_move_between_reference_points(law: Law) -> None:
    rng = np.random.default_rng(2)
    values = draw(law, rng, (20,))
    if law.fixed_reference:
        with pytest.raises(LawError, match=repr(law.name)):
            law.move(values, dict.fromkeys(law.inputs, 1.0))
        return
    shift = {name: rng.normal(0, 3) for name in law.inputs}
    shift |= {name: shift[other] for name, other in law.shared_reference.items()}
    x = {name: rng.normal(0, 3, 20) for name in law.inputs}
    moved = law.move(values, shift)
    there = {name: x[name] - shift[name] for name in law.inputs}
    assert_allclose(law.log_curve(there, moved), law.log_curve(x, values), rtol=1e-10)


@pytest.mark.parametrize("law", [w for w in LAWS if w.coordinates], ids=lambda law: law.name)
def test_coordinates_go_there_and_back_with_the_stated_determinant(law: Law) -> None:
    rng = np.random.default_rng(3)
    coordinates = law.coordinates
    assert coordinates is not None
    for _ in range(20):
        logs = {name: np.log(value) for name, value in draw(law, rng, ()).items()}
        at = coordinates.forward(logs)
        back = coordinates.backward(at)
        assert_allclose([back[n] for n in law.names], [logs[n] for n in law.names], atol=1e-9)
        matrix = np.empty((len(law.names), len(law.names)))
        step = 1e-6
        for j, name in enumerate(law.names):
            up = coordinates.backward(at | {name: at[name] + step})
            down = coordinates.backward(at | {name: at[name] - step})
            matrix[:, j] = [(up[n] - down[n]) / (2 * step) for n in law.names]
        numeric = np.linalg.slogdet(matrix)[1]
        assert_allclose(numeric, coordinates.log_jacobian(at), atol=1e-5)


@every_law
def test_every_parameter_says_why_its_prior_is_what_it_is(law: Law) -> None:
    assert law.reference
    assert set(law.inputs) <= {column.name for column in COLUMNS} | {"t", "lr_sum", "lr_drop"}
    assert set(law.best) | set(law.nonmonotone) <= set(law.inputs)
    assert set(law.shared_reference) | set(law.shared_reference.values()) <= set(law.inputs)
    for parameter in law.parameters:
        assert parameter.meaning
        assert parameter.unit
        assert len(parameter.reason) > 10


def test_gamma_of_one_is_the_additive_law() -> None:
    rng = np.random.default_rng(4)
    additive, outer = laws.get("chinchilla"), laws.get("chinchilla-gamma")
    values = draw(additive, rng, (30,))
    x = {name: rng.normal(0, 3, 30) for name in additive.inputs}
    expected = additive.log_curve(x, values)
    assert_allclose(outer.log_curve(x, values | {"gamma": 1.0}), expected, rtol=1e-12)


def test_a_vanishing_floor_is_the_pure_product() -> None:
    values = {"L0": 3.0, "alpha_N": 0.05, "alpha_D": 0.06, "alpha_C": 0.03}
    x = {"params": 1.0, "tokens": -2.0, "flops": 0.5}
    pure = laws.get("product").log_curve(x, values)
    floored = laws.get("product-floor").log_curve(x, values | {"floor": 1e-300})
    assert_allclose(floored, pure, rtol=1e-14)


def test_textbook_worked_example() -> None:
    # The textbook's combined law: L0 = 0.7, N x10, D x5, C x5; its 0.51 rounds the factors.
    law = laws.get("product")
    values = {"L0": 0.7, "alpha_N": 0.05, "alpha_D": 0.08, "alpha_C": 0.03}
    loss = law.loss({"params": 10.0, "tokens": 5.0, "flops": 5.0}, values)
    assert_allclose(loss, 0.52265, atol=5e-6)


HOFFMANN = {
    "floor": np.exp(0.5267228),
    "A": np.exp(6.0073179),
    "B": np.exp(6.0179186),
    "alpha_N": 0.33917084,
    "alpha_D": 0.2849083,
}
EPOCH = {"floor": 1.8172, "A": 482.01, "B": 2085.43, "alpha_N": 0.3478, "alpha_D": 0.3658}


@pytest.mark.parametrize(
    ("values", "params", "ratio"), [(HOFFMANN, 4.036e10, 58.9), (EPOCH, 7.225e10, 18.4)]
)
def test_compute_optimal_size_of_published_constants(
    values: dict[str, float], params: float, ratio: float
) -> None:
    # Hoffmann et al. 2022 (constants of the TeX source) and Besiroglu et al. 2024, at 5.76e23 FLOP.
    law = laws.get("chinchilla")
    assert law.closed_forms.optimum is not None
    best = np.exp(law.closed_forms.optimum(np.log(5.76e23 / 6), values))
    assert_allclose(best, params, rtol=2e-3)
    assert_allclose(5.76e23 / 6 / best**2, ratio, rtol=5e-3)


def test_frontier_exponent_is_the_slope_of_the_optimal_loss() -> None:
    for name in ("chinchilla", "chinchilla-gamma", "data-constrained", "kaplan"):
        law = laws.get(name)
        assert law.closed_forms.optimum is not None
        assert law.closed_forms.frontier is not None
        values = medians(law) | {"floor": 1e-12}
        logs = []
        for log_c in (30.0, 30.5):
            log_n = law.closed_forms.optimum(log_c, values)
            fresh = dict.fromkeys(("tokens", "unique_tokens"), log_c - log_n)
            logs.append(law.log_curve({"params": log_n, **fresh}, values))
        slope = (logs[0] - logs[1]) / 0.5
        assert_allclose(slope, law.closed_forms.frontier(values), rtol=1e-6)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(LawError, match=r"'kepler'.*chinchilla"):
        laws.get("kepler")
    with pytest.raises(LawError, match="'beta'"):
        laws.get("chinchilla").with_priors({"beta": Prior(1, 1, 1)})
    with pytest.raises(LawError, match="tokens, A"):
        laws.get("chinchilla").loss({"params": 1.0}, {k: 1.0 for k in EPOCH if k != "A"})


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf, "a"])
def test_priors_must_be_positive_numbers(bad: object) -> None:
    with pytest.raises(LawError, match="sd"):
        Prior(1.0, bad, 1.0)  # type: ignore[arg-type]


def test_integers_of_any_size_do_not_overflow() -> None:
    law = laws.get("product")
    values = {"L0": 10.0, "alpha_N": 0.05, "alpha_D": 0.08, "alpha_C": 0.03}
    huge = law.loss({"params": 10**19, "tokens": 10**19, "flops": 6 * 10**38}, values)
    floats = law.loss({"params": 1e19, "tokens": 1e19, "flops": 6e38}, values)
    assert huge == floats
