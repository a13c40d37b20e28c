"""The PyMC model and its twin on numbers."""

import numpy as np
import pandas as pd
import pymc as pm
import pytest
import xarray as xr
from numpy.testing import assert_allclose
from scipy import stats

from bayes_scaling.errors import DataError, LawError
from bayes_scaling.laws import Prior
from bayes_scaling.model import (
    Design,
    ReferenceFrame,
    Spec,
    arrays,
    hierarchy,
    simulate,
    specify,
)
from bayes_scaling.model.build import build
from bayes_scaling.model.run_noise import bounded, log_density, standard_draws
from bayes_scaling.model.spec_json import read_spec, write_spec
from tests.conftest import TRUTH, grid

RAW = {
    "chinchilla": TRUTH,
    "chinchilla-gamma": TRUTH | {"gamma": 0.8},
    "broken-d": {
        "floor": 1.5,
        "B": 3e3,
        "alpha_D": 0.4,
        "break_1": 1e10,
        "alpha_D_1": 0.2,
        "width_1": 0.5,
    },
    "product": {"L0": 40.0, "alpha_N": 0.05, "alpha_D": 0.06, "alpha_C": 0.01},
}


def model_of(
    law: str, pooling: object, noise: str = "student-t"
) -> tuple[Spec, ReferenceFrame, Design]:
    table = simulate(law, grid(), RAW[law], seed=1).assign(loss_se=0.01)
    spec, frame = specify(table, law, pooling=pooling, noise=noise)  # type: ignore[arg-type]
    return spec, frame, arrays(spec, frame, table)


def free_draws(
    spec: Spec, standard: ReferenceFrame, rng: np.random.Generator, draws: int = 4
) -> xr.Dataset:
    """Free variables of the model about the prior, as its sampler would return them."""
    coords = {"chain": [0], "draw": range(draws)}
    result = xr.Dataset(coords=coords)
    pooled, partial = spec.pooled("partial", "shared"), spec.pooled("partial")
    own = spec.pooled("partial", "none")
    shape = (1, draws)
    if pooled:
        result = result.assign_coords(pooled=[p.name for p in pooled])
        centre = np.array([standard.log_median(p) for p in pooled])
        result["mu"] = ("chain", "draw", "pooled"), centre + rng.normal(size=(*shape, len(pooled)))
    if partial:
        result = result.assign_coords(partial=[p.name for p in partial])
        result["tau"] = (
            ("chain", "draw", "partial"),
            np.exp(rng.normal(size=(*shape, len(partial)))),
        )
    if own:
        result = result.assign_coords(family=list(spec.families), parameter=[p.name for p in own])
        size = (*shape, len(spec.families), len(own))
        centre = np.array([standard.log_median(p) for p in own])
        dims = ("chain", "draw", "family", "parameter")
        result["theta"] = dims, centre + 0.3 * rng.normal(size=size)
    if spec.noise == "student-t":
        result["log_excess_nu"] = ("chain", "draw"), rng.normal(size=shape)
    return result


@pytest.mark.parametrize(
    ("law", "pooling", "noise"),
    [
        ("chinchilla", "partial", "student-t"),
        ("chinchilla-gamma", "none", "student-t"),
        ("product", "partial", "normal"),
        ("chinchilla", "shared", "student-t"),
        ("chinchilla", {"alpha_N": "shared", "floor": "none"}, "normal"),
    ],
)
def test_densities_equal_those_of_pymc(law: str, pooling: object, noise: str) -> None:
    assert_equal_to_pymc(*model_of(law, pooling, noise))


def assert_equal_to_pymc(spec: Spec, frame: ReferenceFrame, design: Design) -> None:
    """Prior and likelihood on numbers are those of the graph, at free variables at hand."""
    draws = free_draws(spec, frame.standard, np.random.default_rng(0))
    tree = xr.DataTree.from_dict({"posterior": draws})
    options = {"progressbar": False, "compile_kwargs": {"mode": "FAST_COMPILE"}}
    with build(spec, frame, design):
        prior = pm.stats.compute_log_prior(tree, extend_inferencedata=False, **options)
        likelihood = pm.stats.compute_log_likelihood(tree, extend_inferencedata=False, **options)
    ours = hierarchy.log_prior(spec, frame, draws)
    assert set(ours.data_vars) == set(prior.data_vars)
    for name in ours:
        assert_allclose(ours[name], prior[name].transpose(*ours[name].dims), atol=1e-7)
    values = hierarchy.named(spec, frame, draws)
    expected = likelihood["log_loss"].transpose("chain", "draw", "run")
    assert_allclose(hierarchy.log_likelihood(spec, design, values), expected, rtol=1e-9)


def test_specification_survives_json() -> None:
    spec, frame, _ = model_of("chinchilla-gamma", {"gamma": "shared", "floor": "none"})
    assert read_spec(write_spec(spec, frame)) == (spec, frame)


def test_specification_of_another_law_is_refused() -> None:
    spec, frame, _ = model_of("chinchilla", "partial")
    with pytest.raises(LawError, match="'gone'"):
        read_spec(write_spec(spec, frame).replace('"law": "chinchilla"', '"law": "gone"'))


def test_reference_is_the_middle_of_the_family_centres() -> None:
    table = simulate("chinchilla", grid(), TRUTH)
    spec, frame = specify(table)
    for name in spec.law.inputs:
        centres = [np.log(rows[name]).mean() for _, rows in table.groupby("family", sort=False)]
        assert_allclose(frame.centres[name], centres)
        assert_allclose(frame.reference[name], np.mean(centres))
    assert_allclose(frame.loss_scale, np.exp(np.log(table["loss"]).mean()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "some"}, "pooling of 'floor' is 'some'"),
        ({"pooling": {"beta": "none"}}, "pooling names 'beta'"),
        ({"noise": "cauchy"}, "noise is 'cauchy'"),
        ({"priors": {"beta": Prior(1, 1, 1)}}, "no parameter 'beta'"),
        ({"law": "none"}, "there is no law 'none'"),
    ],
)
def test_unknown_choices_are_refused(options: dict[str, object], message: str) -> None:
    table = simulate("chinchilla", grid(), TRUTH)
    with pytest.raises(LawError, match=message):
        specify(table, **options)  # type: ignore[arg-type]


def test_given_priors_are_used_in_their_own_unit() -> None:
    table = simulate("chinchilla", grid(), TRUTH)
    spec, frame = specify(
        table, priors={"floor": Prior(1.7, 0.1, 0.05), "sigma": Prior(0.02, 1, 1)}
    )
    by_name = {p.name: p for p in spec.parameters}
    assert_allclose(frame.log_median(by_name["floor"]), np.log(1.7))
    assert_allclose(frame.log_median(by_name["sigma"]), np.log(0.02))
    assert_allclose(frame.log_median(by_name["A"]), np.log(0.2 * frame.loss_scale))


def test_prior_draws_have_the_stated_distribution() -> None:
    spec, frame, _ = model_of("chinchilla", {"B": "none", "alpha_D": "shared"})
    draws = hierarchy.prior_draws(spec, frame, 20_000, np.random.default_rng(0))
    by_name = {p.name: p for p in spec.parameters}
    alpha, prior = np.log(draws["alpha_N_population"]), by_name["alpha_N"].prior
    assert_allclose(alpha.median(), np.log(prior.median), atol=0.02)
    assert_allclose(alpha.std(), prior.sd, rtol=0.03)
    assert_allclose(draws["alpha_N_spread"].median(), prior.spread, rtol=0.03)
    b = by_name["B"].prior
    assert_allclose(np.log(draws["B"]).std(), np.hypot(b.sd, b.spread), rtol=0.03)
    shared = draws["alpha_D"]
    assert_allclose(shared.isel(family=0), shared.isel(family=1))
    assert float((draws["nu"] > 2).mean()) == 1.0


def test_prior_predictive_covers_the_losses_people_see() -> None:
    # A check of the default priors: most prior losses lie within a factor of 4 of the typical one.
    spec, frame, design = model_of("chinchilla", "partial")
    draws = hierarchy.prior_draws(spec, frame, 2000, np.random.default_rng(0))
    losses = np.exp(hierarchy.log_mean(spec, design, draws)) / frame.loss_scale
    share = float(((losses > 0.25) & (losses < 4)).mean())
    assert 0.8 < share < 0.995


@pytest.mark.parametrize("noise", ["student-t", "normal"])
def test_noise_has_the_scale_and_tails_of_the_model(noise: str) -> None:
    spec, _, _ = model_of("chinchilla", "partial", noise)
    values = standard_draws(spec.noise, 4.0, (40_000,), np.random.default_rng(0))
    reference = stats.t(4.0) if noise == "student-t" else stats.norm()
    assert stats.kstest(values, reference.cdf).pvalue > 1e-3
    assert np.abs(bounded(10.0 * values)).max() == 1
    near = np.abs(values) < 1
    assert (bounded(values)[near] == values[near]).all()


def test_a_new_family_scatters_about_the_population() -> None:
    spec, frame, _ = model_of("chinchilla", "partial")
    size = (2, 20_000)
    posterior = hierarchy.prior_draws(spec, frame, 10, np.random.default_rng(0))
    fixed = xr.Dataset(coords={"chain": range(2), "draw": range(size[1])})
    for p in spec.parameters:
        fixed[p.name] = ("chain", "draw", "family"), np.ones((*size, 2))
        fixed[f"{p.name}_population"] = ("chain", "draw"), np.full(size, 0.4)
        fixed[f"{p.name}_spread"] = ("chain", "draw"), np.full(size, 0.2)
    assert set(posterior.data_vars) - {"nu"} == set(fixed.data_vars)
    drawn = hierarchy.new_family(spec, frame, fixed, np.random.default_rng(1))
    logs = np.log(drawn["alpha_N"])
    assert_allclose(logs.mean(), np.log(0.4), atol=0.005)
    assert_allclose(logs.std(), 0.2, rtol=0.02)


def test_simulation_without_noise_is_the_law() -> None:
    design = grid()
    table = simulate("chinchilla", design, TRUTH, noise=0.0)
    expected = 1.8 + 400 * design["params"] ** -0.34 + 1800 * design["tokens"] ** -0.36
    assert_allclose(table["loss"], expected, rtol=1e-12)
    assert_allclose(table["flops"], 6 * design["params"] * design["tokens"], rtol=1e-15)


def test_simulation_by_family() -> None:
    other = TRUTH | {"floor": 1.0}
    table = simulate("chinchilla", grid(), {"web": TRUTH, "code": other}, noise=0.0)
    same = simulate("chinchilla", grid(), TRUTH, noise=0.0)
    gap = (same["loss"] - table["loss"]).groupby(table["family"]).mean()
    assert_allclose(gap["web"], 0.0, atol=1e-12)
    assert_allclose(gap["code"], 0.8, rtol=1e-9)


def test_simulation_refuses_what_it_cannot_use() -> None:
    with pytest.raises(DataError, match="'tokens'"):
        simulate("chinchilla", grid().drop(columns="tokens"), TRUTH)
    with pytest.raises(DataError, match="'params'"):
        simulate("chinchilla", grid().assign(params=0), TRUTH)
    with pytest.raises(DataError, match=r"noise .*-1"):
        simulate("chinchilla", grid(), TRUTH, noise=-1)
    with pytest.raises(LawError, match=r"'web'.*'B'"):
        simulate("chinchilla", grid(), {k: v for k, v in TRUTH.items() if k != "B"})


def test_runs_of_one_name_get_labels_of_their_own() -> None:
    table = simulate("chinchilla", grid(), TRUTH).assign(run="again")
    design = arrays(*specify(table), table)
    assert len(set(design.run)) == len(table)
    assert isinstance(design.inputs["params"], np.ndarray)
    assert design.relative_se.max() == 0
    assert isinstance(table, pd.DataFrame)


@pytest.mark.parametrize(
    ("runs", "prior", "kind"),
    [(21, "population", "none"), (20, "population", "partial"), (21, "weak", "partial")],
)
def test_families_of_many_runs_stand_alone_under_a_learned_prior(
    runs: int, prior: str, kind: str
) -> None:
    # The first family has many runs in any case: the smallest one decides.
    many = [grid(("a", "b"), seed=seed) for seed in range(3)]
    whole = pd.concat(many).assign(loss=3.0)
    few = whole[whole["family"] == "b"].head(runs)
    table = pd.concat([whole[whole["family"] == "a"], few])
    spec, _ = specify(table, "chinchilla-gamma", pooling="auto", prior=prior)  # type: ignore[arg-type]
    (of_law, _), *_ = spec.components
    assert set(of_law.pooling.values()) == {kind}


@pytest.mark.parametrize("nu", [0.01, 0.5, 1.0, 4.0, 30.0, 100.0])
def test_the_density_of_errors_is_that_of_scipy(nu: float) -> None:
    error, scale = np.array([0.0, 1e-3, -0.01, 0.3, 50.0]), np.array(0.01)
    expected = stats.t.logpdf(error, nu, scale=scale)
    assert_allclose(log_density("student-t", nu, error, scale), expected, rtol=1e-12, atol=1e-12)


def test_the_density_of_errors_tends_to_the_normal_one() -> None:
    error, scale = np.linspace(-4.0, 4.0, 9), np.array(1.0)
    normal = stats.norm.logpdf(error)
    assert_allclose(log_density("normal", None, error, scale), normal, rtol=1e-14)
    # The first term of the difference is of order 1/nu.
    assert_allclose(log_density("student-t", 1e9, error, scale), normal, rtol=1e-7)
    assert_allclose(log_density("student-t", 1e14, error, scale), normal, rtol=1e-12)
