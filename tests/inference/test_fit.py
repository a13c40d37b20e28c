"""One small sampled fit, and what must hold of every fit."""

from dataclasses import replace
from pathlib import Path

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from bayes_scaling.errors import DataError, FitError, LawError
from bayes_scaling.inference import Fit, fit, load_fit
from bayes_scaling.inference.compiled import compile_model
from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.inference.start import starting_point
from bayes_scaling.inference.tree import SCHEMA
from bayes_scaling.model import arrays, hierarchy, simulate, specify
from tests.conftest import TRUTH, grid

CODE = TRUTH | {"floor": 1.2, "alpha_N": 0.4}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    runs = simulate("chinchilla", grid(), {"web": TRUTH, "code": CODE}, noise=0.003, seed=2)
    big = grid(("web",), seed=9).iloc[:2].assign(params=1e10, tokens=1e12, run=["t0", "t1"])
    targets = simulate("chinchilla", big, TRUTH, noise=0.0)
    return pd.concat([runs.assign(role="fit"), targets.assign(role="target")], ignore_index=True)


@pytest.fixture(scope="module")
def sampled(table: pd.DataFrame) -> Fit:
    said: list[str] = []
    result = fit(table, draws=1000, tune=800, seed=5, progress=said.append)
    assert any("compiling" in line for line in said)
    assert any("sampling 4 chains" in line for line in said)
    return result


def test_it_knows_its_seconds(sampled: Fit, tmp_path: Path) -> None:
    seconds = {entry.stage: entry.seconds for entry in sampled.seconds}
    assert {"compiling", "sampling", "convergence", "groups"} <= set(seconds)
    assert seconds["sampling"] == pytest.approx(sampled.dt.attrs["sample_seconds"], abs=0.1)
    assert load_fit(sampled.save(tmp_path / "fit.nc")).seconds == sampled.seconds


def test_it_converges_and_finds_the_truth(sampled: Fit) -> None:
    summary = sampled.summary(ci_prob=0.998)
    assert summary["r_hat"].max() <= 1.01
    assert summary["ess_bulk"].min() >= 400
    assert int(sampled.dt["sample_stats"]["diverging"].sum()) == 0
    for family, truth in {"web": TRUTH, "code": CODE}.items():
        for name in ("floor", "alpha_N", "alpha_D"):
            row = summary.loc[f"{name}[{family}]"]
            assert row.iloc[3] < truth[name] < row.iloc[4], (name, family)


def test_groups_and_attributes(sampled: Fit) -> None:
    groups = {
        "posterior", "prior", "posterior_predictive", "prior_predictive", "log_likelihood",
        "log_prior", "observed_data", "constant_data", "sample_stats", "held_out", "flags",
    }  # fmt: skip
    assert set(sampled.dt.children) == groups
    attributes = sampled.dt.attrs
    assert attributes["schema"] == SCHEMA
    assert {"law", "spec", "versions", "runs_hash", "seed", "sampler"} <= set(attributes)
    assert sampled.posterior["alpha_N"].dims == ("chain", "draw", "family")
    assert sampled.dt["log_likelihood"]["loss"].sizes["run"] == 40


def test_targets_stay_out_of_the_fit(sampled: Fit, table: pd.DataFrame) -> None:
    assert len(sampled.runs) == 40
    assert list(sampled.targets["run"]) == ["t0", "t1"]
    assert [c.data["runs"] for c in sampled.caveats if c.code == "held-out-targets"] == [2]
    observed = table.loc[table["role"] == "fit", "loss"]
    assert_allclose(sampled.runs["loss"], observed, rtol=1e-12)


def test_derived_exponents_follow_draw_by_draw(sampled: Fit) -> None:
    draws = sampled.posterior
    a, b, gamma = draws["alpha_N"], draws["alpha_D"], draws["gamma"]
    assert_allclose(draws["alpha_C"], gamma * a * b / (a + b), rtol=1e-12)
    assert_allclose(draws["params_exponent"], b / (a + b), rtol=1e-12)


def test_log_likelihood_is_on_the_loss_itself(sampled: Fit) -> None:
    draws, spec = sampled.posterior, sampled.spec
    rows = sampled.runs
    on_log = hierarchy.log_likelihood(spec, arrays(spec, sampled.frame, rows), draws)
    expected = on_log.values - np.log(rows["loss"].to_numpy())
    assert_allclose(sampled.dt["log_likelihood"]["loss"], expected, rtol=1e-10)


def test_a_saved_fit_predicts_the_same(sampled: Fit, tmp_path: Path) -> None:
    path = sampled.save(tmp_path / "fit.nc")
    loaded = load_fit(path)
    assert loaded.spec == sampled.spec
    assert loaded.caveats == sampled.caveats
    where = {"params": [1e10, 1e8], "tokens": [1e12, 1e10], "family": ["web", "unseen"]}
    for name, value in sampled.predict(**where).draws.items():
        assert_allclose(loaded.predict(**where).draws[name], value, rtol=0, atol=0)
    assert isinstance(xr.open_datatree(path, engine="h5netcdf"), xr.DataTree)
    # Any ArviZ user can read the file.
    assert "alpha_N[web]" in az.summary(az.from_netcdf(path)).index


def test_diagnosis_of_a_good_fit(sampled: Fit) -> None:
    diagnosis = sampled.diagnose()
    failed = [check for check in diagnosis.checks if check.status == "fail"]
    assert not failed
    assert diagnosis.loo.runs == 40
    assert diagnosis.loo.p is not None
    assert diagnosis.loo.p > 0
    assert set(diagnosis.parameters["source"]) <= {"data", "mostly prior", "prior and data"}
    assert diagnosis.parameters.loc["sigma[web]", "source"] != "mostly prior"


def test_a_table_of_another_unit_gives_the_same_exponents(
    sampled: Fit, table: pd.DataFrame
) -> None:
    rows = table[table["role"] == "fit"]
    # Larger models, another unit of loss: priors are relative to the typical loss of the table.
    other = rows.assign(
        loss=rows["loss"] * 2, params=rows["params"] * 100, flops=rows["flops"] * 100
    ).iloc[5:]
    mixture, there = specify(other, sampled.default_law, prior="population")
    (moved, _), *_ = mixture.components
    compiled = compile_model(moved, there, arrays(moved, there, other))
    settings = SamplerSettings(draws=300, tune=400, chains=2, seed=1)
    refit = hierarchy.named(moved, there, compiled.sample(settings).draws)
    of_law = sampled.posterior.where(sampled.dt["sample_stats"]["component"] == 0)
    change = np.log(refit["floor"].median() / of_law["floor"].median())
    assert_allclose(change, np.log(2), atol=0.05)
    assert_allclose(refit["alpha_N"].median(), of_law["alpha_N"].median(), rtol=0.1)


def test_a_seed_gives_the_same_draws(table: pd.DataFrame) -> None:
    rows = table[table["role"] == "fit"]
    spec, frame = specify(rows)
    compiled = compile_model(spec, frame, arrays(spec, frame, rows))
    settings = SamplerSettings(draws=50, tune=100, chains=4, seed=1)
    first, second, other = (
        compiled.sample(chosen).draws
        for chosen in (settings, replace(settings, cores=1), replace(settings, seed=2))
    )
    xr.testing.assert_identical(first, second)
    assert not np.allclose(first["mu"], other["mu"])


def test_a_start_is_nowhere_flat() -> None:
    # With no more runs than parameters the noise starts at its prior's median, where the density
    # of its population is flat, and the sampler cannot start on a gradient of zero.
    few = simulate("chinchilla", grid(("web", "code")).groupby("family").head(4), TRUTH, seed=3)
    spec, frame = specify(few)
    point = starting_point(spec, frame, arrays(spec, frame, few))
    medians = np.array([frame.log_median(p) for p in spec.pooled("partial")])
    assert (np.abs(point["mu"] - medians) > 0.01).all()
    away = np.log(point["tau"] / [p.prior.spread for p in spec.pooled("partial")])
    assert (np.abs(away) <= spec.spread_sd * 1.000001).all()


def test_starting_points_are_near_the_truth(table: pd.DataFrame) -> None:
    rows = table[table["role"] == "fit"]
    spec, frame = specify(rows)
    point = starting_point(spec, frame, arrays(spec, frame, rows))
    names = [p.name for p in spec.parameters]
    start = dict(zip(names, np.exp(point["theta"][0]), strict=True))
    assert_allclose(start["floor"], TRUTH["floor"], rtol=0.1)
    assert_allclose(start["alpha_N"], TRUTH["alpha_N"], rtol=0.2)
    assert all(np.isfinite(value).all() for value in point.values())


def test_too_few_runs_are_refused(table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"\b1 run\b.*\b3\b"):
        fit(table.iloc[:1])


def test_a_bad_loss_is_refused_before_anything_is_compiled(table: pd.DataFrame) -> None:
    bad = table.copy()
    bad.loc[3, "loss"] = -1.0
    with pytest.raises(DataError, match=r"row 3.*-1"):
        fit(bad)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 0}, "draws is 0"),
        ({"chains": 1}, "chains is 1, a whole number from 2"),
        ({"tune": 1.5}, "tune is 1.5"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**64}, "seed is 18446744073709551616"),
        ({"target_accept": 1.0}, r"target_accept is 1\.0"),
        ({"max_seconds": 0}, "max_seconds is 0"),
        ({"max_seconds": "60"}, "max_seconds is '60'"),
        ({"max_seconds": np.inf}, "max_seconds is inf"),
    ],
)
def test_bad_sampler_settings_are_refused(
    table: pd.DataFrame, options: dict[str, object], message: str
) -> None:
    with pytest.raises(FitError, match=message):
        fit(table, **options)  # type: ignore[arg-type]


def test_an_unknown_law_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(LawError, match="'kepler'"):
        fit(table, "kepler")
