"""Heavier checks: published fits, many families, recovery of known truths, the bundled runs."""

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from scipy import stats
from scipy.special import softmax

from bayes_scaling.decisions import Scenario, allocate
from bayes_scaling.forecast import backtest, compare
from bayes_scaling.inference import Fit, fit
from bayes_scaling.inference.compiled import compile_model
from bayes_scaling.inference.convergence import convergence
from bayes_scaling.inference.diagnostics import sbc as module
from bayes_scaling.inference.diagnostics.sbc import sbc
from bayes_scaling.inference.sampler import DIVERGENCES_MAX
from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.laws import available
from bayes_scaling.model import Design, Spec, arrays, hierarchy, simulate, specify
from bayes_scaling.posterior import family_posterior
from bayes_scaling.runs import ACCEPTABLE, datasets, load_runs
from tests.conftest import TRUTH, grid

pytestmark = pytest.mark.slow

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def real(name: str) -> pd.DataFrame:
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{name} is not on this machine; it is not ours to publish")
    table = pd.read_csv(path)
    return table[table["outlier"].isna()]


def assert_clean(result: Fit) -> None:
    summary = result.summary()
    assert summary["r_hat"].max() <= 1.01
    assert summary["ess_bulk"].min() >= 400
    assert float(result.dt["sample_stats"]["diverging"].mean()) <= DIVERGENCES_MAX


def test_chinchilla_agrees_with_the_refit_of_besiroglu_et_al() -> None:
    # Besiroglu et al. 2024, arXiv:2404.10102, Table 1: estimates and standard errors.
    result = fit(real("chinchilla.csv"), "chinchilla", prior="weak", seed=0, progress=False)
    assert_clean(result)
    mean = result.posterior.mean()
    assert abs(float(mean["alpha_N"]) - 0.348) < 0.015
    assert abs(float(mean["alpha_D"]) - 0.366) < 0.021
    assert abs(float(mean["floor"]) - 1.817) < 0.026
    assert abs(float(mean["params_exponent"]) - 0.51) < 0.02
    plan = allocate(result, Scenario(compute_budget=5.76e23))
    ratio = plan.optimum.tokens_per_param
    assert ratio.q05 < 18.4 < ratio.q95


def test_seven_real_families_together() -> None:
    table = real("isoflops.csv")
    # The raw axis of one study is not a loss per token; its exponential is.
    table = table[table["family"] != "llama_3__raw_loss"]
    assert table["family"].nunique() == 7
    assert_clean(fit(table, seed=0, progress=False))


# The bundled runs have one batch size, so they say nothing about the critical one; and N and D vary
# at one C in them, which no broken curve of one factor describes. Both have tests of their own.
ELSEWHERE = {"kaplan-steps", "broken-n", "broken-d", "broken-c"}
BUNDLED = sorted(set(available()) - ELSEWHERE)


@pytest.mark.parametrize("law", BUNDLED)
def test_every_law_samples_the_bundled_runs(law: str) -> None:
    assert_clean(fit(datasets.load("byte_lm"), law, seed=0, progress=False))


def test_a_break_comes_back() -> None:
    flops = np.tile(np.geomspace(1e16, 1e22, 40), 2)
    design = pd.DataFrame({"family": np.repeat(["a", "b"], 40), "flops": flops})
    design = design.assign(params=np.sqrt(flops / 120), tokens=np.sqrt(flops * 20 / 6))
    # A loss of 3 at the break, falling as C^-0.05 before it and C^-0.2 after.
    truth = {"floor": 1.0, "K": 2.0 * 1e19**0.05, "alpha_C": 0.05, "break_1": 1e19}
    truth |= {"alpha_C_1": 0.2, "width_1": 0.4}
    result = fit(simulate("broken-c", design, truth, seed=3), "broken-c", progress=False)
    assert_clean(result)
    for name in ("alpha_C", "alpha_C_1"):
        low, high = result.posterior[name].quantile((0.025, 0.975), ("chain", "draw")).to_numpy()
        assert (low < truth[name]).all(), name
        assert (high > truth[name]).all(), name


def test_a_critical_batch_size_comes_back() -> None:
    rng = np.random.default_rng(11)
    rows = 60
    design = pd.DataFrame(
        {
            "family": np.repeat(["a", "b"], rows // 2),
            "params": np.exp(rng.uniform(np.log(1e6), np.log(1e9), rows)),
            "step": np.exp(rng.uniform(np.log(3e3), np.log(1e5), rows)),
            "batch_tokens": np.exp(rng.uniform(np.log(1e4), np.log(1e8), rows)),
        }
    )
    design["tokens"] = design["step"] * design["batch_tokens"]
    # Kaplan et al. 2020, Table 3 and Eq. 1.4.
    truth = {"A": 6.5e13**0.077, "S": 2.1e3**0.76, "alpha_N": 0.077, "alpha_S": 0.76}
    truth |= {"B_crit": 2.1e8, "alpha_B": 0.21}
    result = fit(simulate("kaplan-steps", design, truth, seed=2), "kaplan-steps", progress=False)
    assert_clean(result)
    for name in ("alpha_N", "alpha_S", "alpha_B"):
        low, high = result.posterior[name].quantile((0.025, 0.975), ("chain", "draw")).to_numpy()
        assert (low < truth[name]).all(), name
        assert (high > truth[name]).all(), name


def sweep(seed: int) -> pd.DataFrame:
    """IsoFLOP designs of three families, 20 runs each."""
    rng = np.random.default_rng(seed)
    rows = [
        (family, 10**log_c, ratio)
        for family in ("a", "b", "c")
        for log_c in np.linspace(18, 21, 4)
        for ratio in np.linspace(-1.0, 1.0, 5)
    ]
    table = pd.DataFrame(rows, columns=["family", "flops", "ratio"])
    params = np.sqrt(table["flops"] / 6 / 20) * 10 ** table["ratio"]
    params *= np.exp(rng.normal(0, 0.05, len(table)))
    return table.assign(params=params, tokens=table["flops"] / 6 / params)


def test_intervals_of_exponents_cover_known_truths() -> None:
    # Truths are drawn from a population, so that pooling is put to the test as well.
    rng = np.random.default_rng(7)
    sizes = sweep(0)
    names = ("floor", "alpha_N", "alpha_D")
    inside: dict[str, list[bool]] = {name: [] for name in names}
    for table_number in range(20):
        truth = {
            family: {
                "floor": 1.8 * np.exp(0.2 * rng.normal()),
                "A": 400.0 * np.exp(0.2 * rng.normal()),
                "B": 1800.0 * np.exp(0.2 * rng.normal()),
                "alpha_N": 0.34 * np.exp(0.1 * rng.normal()),
                "alpha_D": 0.36 * np.exp(0.1 * rng.normal()),
            }
            for family in ("a", "b", "c")
        }
        table = simulate("chinchilla", sizes, truth, noise=0.005, nu=6, seed=table_number)
        spec, frame = specify(table)
        design = arrays(spec, frame, table)
        settings = SamplerSettings(draws=500, tune=600, seed=table_number)
        sampled = compile_model(spec, frame, design).sample(settings)
        draws = hierarchy.named(spec, frame, sampled.draws)
        for name in names:
            low, high = (draws[name].quantile(q, ("chain", "draw")) for q in (0.05, 0.95))
            for family, values in truth.items():
                at = {"family": family}
                inside[name].append(float(low.sel(at)) < values[name] < float(high.sel(at)))
    for name, hits in inside.items():
        assert len(hits) == 60
        assert 0.75 <= np.mean(hits) <= 1.0, name


def test_the_count_of_parameters_changes_the_exponent() -> None:
    # Three corpora, one ladder: with embeddings alpha_N is more than twice what it is without.
    found = compare(
        load_runs(real("marin.csv")),
        ["chinchilla"],
        counts=("params", "params_nonemb"),
        ratio=None,
        prior="weak",
        progress=False,
    )
    medians = {
        value.count: float(value.posterior["alpha_N_population"].median())
        for value in found.fits.values()
    }
    assert set(found.table.index) == {"chinchilla (params)", "chinchilla (params_nonemb)"}
    assert medians["params"] > 2 * medians["params_nonemb"]


# Laws of one input differ in that input alone, and the one of compute stands for three.
OF_ONE = {
    f"{law}-{x}{floor}"
    for law in ("broken", "m4", "power")
    for x in "nd"
    for floor in ("", "-floor")
}


@pytest.mark.parametrize("name", sorted(set(available()) - OF_ONE))
def test_truths_rank_uniformly_in_posteriors_of_simulated_runs(name: str) -> None:
    # Ten tables and one longer round of sampling at most, or CI would take hours: under weak priors
    # and on two dozen runs some chains do not mix, which the message of a failure counts.
    found = sbc(simulate_sizes(24), name, replications=10, seed=1, longer=(4,), progress=False)
    # A fair model fails one quantity in so many with this probability; a wrong Jacobian, a
    # misplaced prior or a wrong scale of the noise gives less than 1e-6.
    assert found.p > 1e-3, str(found)


def simulate_sizes(rows: int) -> pd.DataFrame:
    """Configurations of two families with everything that any law reads."""
    return grid(("a", "b")).groupby("family").head(rows // 2).assign(loss=3.0)


def test_a_wrong_likelihood_does_not_rank_uniformly(monkeypatch: pytest.MonkeyPatch) -> None:
    # Losses scatter three times as much as the model says.
    honest = module._simulated

    def wild(spec: Spec, design: Design, truth: xr.Dataset, rng: np.random.Generator) -> Design:
        mean = hierarchy.log_mean(spec, design, truth).values.ravel()
        made = honest(spec, design, truth, rng)
        return replace(made, log_loss=mean + 3 * (made.log_loss - mean))

    monkeypatch.setattr(module, "_simulated", wild)
    found = sbc(simulate_sizes(40), "chinchilla", replications=20, progress=False)
    assert found.p < 1e-3
    assert "sigma" in found.verdict or "log_likelihood" in found.verdict


def test_a_fit_is_calibrated_where_it_stands() -> None:
    table = simulate("chinchilla-gamma", grid(("a", "b")), TRUTH | {"gamma": 0.7}, seed=4)
    result = fit(load_runs(table, accept=ACCEPTABLE), draws=500, progress=False)
    found = result.calibrate(replications=20, progress=False)
    assert found.kind == "posterior"
    assert found.p > 1e-3, str(found)


def test_processes_give_the_same_backtest() -> None:
    table = datasets.load("byte_lm").select(lambda t: t["role"] == "grid")
    options = {"ratio": [4, 8], "draws": 200, "tune": 300, "progress": False}
    laws = ["chinchilla-gamma", "power-c-floor"]
    alone = backtest(table, laws, **options)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        beside = backtest(table, laws, executor=executor, **options)
    pd.testing.assert_frame_equal(alone.points, beside.points)
    pd.testing.assert_frame_equal(alone.scores, beside.scores)


def test_families_of_three_runs_can_be_sampled() -> None:
    # Fewer runs than parameters in every family: nothing is known of the noise but its prior.
    sizes = grid(("a", "b", "c")).groupby("family").head(3)
    table = simulate("chinchilla-gamma", sizes, TRUTH | {"gamma": 0.7}, seed=5)
    result = fit(load_runs(table, accept=ACCEPTABLE), progress=False)
    assert result.summary()["r_hat"].max() <= 1.02
    assert [c.data["families"] for c in result.caveats if c.code == "few-runs"] == [["a", "b", "c"]]


def test_a_forecast_from_eight_runs_holds_and_is_called_wide() -> None:
    runs = datasets.load("olmo_ladder")
    targets, table = runs.targets(), runs.fit_rows()
    small = table[table["flops"] <= table["flops"].max() / 8]
    where = targets[["params", "tokens", "flops", "family"]]
    for rows, wide in ((runs, []), (load_runs(small.sample(8, random_state=0)), [2])):
        forecast = fit(rows, seed=0, progress=False).predict(where)
        summary = forecast.to_frame()
        assert targets["loss"].between(summary["q05"], summary["q95"]).all()
        found = [c.data["points"] for c in forecast.caveats if c.code == "wide-interval"]
        assert found == wide


def test_reweighted_draws_agree_with_a_refit() -> None:
    # What a pilot's outcome does to the forecast of a large run, by weights and by fitting again.
    table = simulate("chinchilla", grid(("a",)), TRUTH, noise=0.01, seed=6)
    sampler = {"prior": "weak", "draws": 2000, "progress": False}
    before = fit(table, "chinchilla", **sampler)
    pilot = {"params": 2e9, "tokens": 4e10, "family": "a"}
    loss = float(before.predict(**pilot).loss_curve.median()) * 1.01
    row = pd.DataFrame([pilot | {"run": "pilot", "loss": loss}])
    after = fit(pd.concat([table, row], ignore_index=True), "chinchilla", **sampler)
    target = {"params": 2e10, "tokens": 4e11, "family": "a"}
    old, new = (np.log(f.predict(**target).loss_curve.values.ravel()) for f in (before, after))
    draws = family_posterior(before, "a", 0)
    centre = draws.curve(draws.at(np.log([2e9]), np.log([4e10])))
    weights = softmax(stats.norm.logpdf(np.log(loss), centre, draws.sigma))
    mean = float(weights @ old)
    assert abs(mean - new.mean()) < 0.2 * old.std()
    assert_allclose(np.sqrt(weights @ old**2 - mean**2), new.std(), rtol=0.25)
    # And it did move: half as uncertain, and higher.
    assert new.std() < 0.8 * old.std()
    assert new.mean() > old.mean()


def test_the_samplers_agree() -> None:
    runs = datasets.load("byte_lm")
    ours = fit(runs, "chinchilla", seed=1, progress=False)
    plain = fit(
        runs,
        "chinchilla",
        seed=1,
        sampler="pymc",
        draws=500,
        tune=500,
        chains=2,
        progress=False,
    )
    assert json.loads(plain.dt.attrs["sampler"])["sampler"] == "pymc"
    for name in ("floor", "alpha_N", "alpha_D", "sigma", "nu"):
        one, other = ours.posterior[name], plain.posterior[name]
        error = other.std(("chain", "draw")) / np.sqrt(effective(other))
        apart = (one.mean(("chain", "draw")) - other.mean(("chain", "draw"))) / error
        assert (np.abs(apart) < 5).all(), name
        ratio = one.std(("chain", "draw")) / other.std(("chain", "draw"))
        assert ((ratio > 0.8) & (ratio < 1.25)).all(), name


def effective(draws: xr.DataArray) -> NDArray[np.float64]:
    return convergence(draws.transpose("chain", "draw", ...).to_numpy()).ess_bulk
