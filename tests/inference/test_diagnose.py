"""Diagnoses of fits made by hand, good and bad."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from bayes_scaling.core.ranks import average_ranks
from bayes_scaling.errors import FileError
from bayes_scaling.inference import Fit, load_fit
from bayes_scaling.inference.diagnostics.checks import _stuck_chains, divergence_places
from bayes_scaling.inference.diagnostics.diagnosis import Diagnosis, overall
from bayes_scaling.inference.diagnostics.residuals import (
    predictive_checks,
    residual_structure,
    residual_trend,
)


def status(fit: Fit, name: str) -> str:
    return next(check.status for check in fit.diagnose().checks if check.name == name)


def changed(fit: Fit, group: str, name: str, change: Callable[[xr.DataArray], object]) -> Fit:
    tree = fit.dt.copy()
    data = tree[group].to_dataset().copy(deep=True)
    data[name] = data[name].copy(data=change(data[name]))
    tree[group] = xr.DataTree(data)
    return Fit(tree)


def test_chains_that_disagree_fail(two_families: Fit) -> None:
    offset = np.arange(4)[:, None, None] * 0.5
    bad = changed(two_families, "posterior", "floor", lambda x: x.values + offset)
    diagnosis = bad.diagnose()
    assert diagnosis.status == "fail"
    assert not diagnosis
    assert status(bad, "R-hat") == "fail"
    assert diagnosis.parameters.loc["floor[web]", "status"] == "chains disagree"
    assert diagnosis.parameters.loc["floor[web]", "advice"]


def test_a_parameter_that_is_not_a_number_fails(two_families: Fit) -> None:
    bad = changed(two_families, "posterior", "floor", lambda x: np.full(x.shape, np.nan))
    assert status(bad, "R-hat") == "fail"
    assert status(bad, "effective draws") == "fail"


def test_divergences_are_counted(two_families: Fit) -> None:
    def some(x: xr.DataArray) -> np.ndarray:
        values = x.values.copy()
        values[0, :20] = True
        return values

    bad = changed(two_families, "sample_stats", "diverging", some)
    assert status(bad, "divergences") == "fail"
    assert [c.value for c in bad.diagnose().checks if c.name == "divergences"] == [20]
    assert status(two_families, "divergences") == "ok"


def test_divergences_are_said_where_they_lie(two_families: Fit) -> None:
    floor = two_families.posterior["floor"].sel(family="web")
    low = (floor < floor.quantile(0.05)).values
    bad = changed(two_families, "sample_stats", "diverging", lambda _: low)
    (name, far), *_ = divergence_places(bad.dt)
    assert name == "floor[web]"
    assert far < -1.5
    scattered = np.zeros_like(low)
    scattered[:, ::10] = True
    everywhere = changed(two_families, "sample_stats", "diverging", lambda _: scattered)
    assert divergence_places(everywhere.dt) == []


def test_a_stuck_chain_is_named(two_families: Fit) -> None:
    def stuck(x: xr.DataArray) -> np.ndarray:
        values = x.values.copy()
        values[2] -= 1000.0
        return values

    bad = changed(two_families, "log_likelihood", "loss", stuck)
    checks = {check.name: check for check in bad.diagnose().checks}
    assert checks["stuck chains"].status == "fail"
    assert checks["stuck chains"].value == 1
    assert _stuck_chains(bad.dt) == [2]


def test_noise_too_small_shows_in_coverage(two_families: Fit) -> None:
    def narrow(x: xr.DataArray) -> np.ndarray:
        middle = x.median(("chain", "draw")).values
        return middle + (x.values - middle) * 0.05

    bad = changed(two_families, "posterior_predictive", "loss", narrow)
    assert status(bad, "predictive coverage") == "warn"


@pytest.mark.parametrize("shape", ["tilt", "bend"])
def test_a_pattern_in_residuals_is_named(two_families: Fit, shape: str) -> None:
    z = np.log(two_families.runs["flops"].to_numpy())
    z = (z - z.mean()) / z.std()
    pattern = np.exp(0.02 * (z if shape == "tilt" else z**2))
    bad = changed(two_families, "observed_data", "loss", lambda x: x.values * pattern)
    found = bad.diagnose()
    checks = {check.name: check for check in found.checks}
    assert checks["residual structure"].status == "warn"
    least = found.predictive.set_index("family")["structure_p"]
    assert (least[["web", "code"]] < 0.05 / len(least)).all()
    assert status(two_families, "residual structure") == "ok"


def members(
    counts: tuple[int, ...], follow: float, seed: int
) -> list[tuple[pd.DataFrame, np.ndarray]]:
    """Runs of families of these sizes with residuals that follow log C as far as ``follow``."""
    rng = np.random.default_rng(seed)
    found = []
    for count in counts:
        flops = 10 ** rng.uniform(17, 20, count)
        params = np.sqrt(flops / 6 / 20) * 10 ** rng.uniform(-0.5, 0.5, count)
        rows = pd.DataFrame({"params": params, "tokens": flops / 6 / params, "flops": flops})
        z = (np.log(flops) - np.log(flops).mean()) / np.log(flops).std()
        noise = np.sqrt(1 - follow**2) * rng.normal(size=count)
        found.append((rows, 0.003 * (follow * z + noise)))
    return found


def test_small_families_are_tested_together_or_said_not_to_be() -> None:
    # Residuals that follow compute, in families each too small for a quadratic.
    six = members((6, 6, 6), 0.98, 0)
    assert np.isnan(residual_structure(six[:1])[1])
    share, p = residual_structure(six)
    assert share > 0.8
    assert p < 0.001
    # One family of eight is held against a line.
    assert residual_structure(members((8,), 0.98, 1))[1] < 0.01
    assert np.isnan(residual_structure(members((4,), 0.98, 1))[1])
    assert np.isnan(residual_trend(members((7, 7), 0.98, 1))[1])


def test_a_trend_among_the_largest_runs_is_seen_though_they_are_few() -> None:
    rng = np.random.default_rng(5)
    rows, residual = members((80,), 0.0, 5)[0]
    order = np.argsort(rows["flops"].to_numpy())
    top = order[-20:]
    residual[top] += np.linspace(-0.008, 0.008, 20)
    correlation, p = residual_trend([(rows, residual)])
    assert correlation > 0.5
    assert p < 0.01
    falling = residual_trend([(rows, -residual)])
    assert_allclose(falling, (-correlation, p))
    assert residual_trend([(rows, 0.003 * rng.normal(size=80))])[1] > 0.01


@pytest.mark.parametrize("test", [residual_structure, residual_trend])
@pytest.mark.parametrize("counts", [(40,), (9, 12, 30), (8, 8, 8, 8)])
def test_residual_tests_have_their_level(test: Callable, counts: tuple[int, ...]) -> None:
    p = np.array([test(members(counts, 0.0, seed))[1] for seed in range(400)])
    # 400 tests at 5%: 20 expected, 33 with probability 0.3%.
    assert 8 <= np.sum(p < 0.05) <= 33


def test_what_was_not_tested_is_not_ok(two_families: Fit) -> None:
    few = pd.DataFrame(
        [
            {
                "family": "web",
                "runs": 6,
                "inside_50": 0.5,
                "inside_90": 1.0,
                **dict.fromkeys(("structure", "structure_p", "trend", "trend_p"), np.nan),
            }
        ]
    )
    untested = predictive_checks(few)
    assert [check.status for check in untested] == ["ok", "untested", "untested"]
    diagnosis = two_families.diagnose()
    passed = [check for check in diagnosis.checks if check.status == "ok"]
    assert overall(passed) == "ok"
    assert overall([*passed, *untested]) == "warn"
    assert set(diagnosis.predictive["family"]) == {"web", "code", ""}


def test_it_is_plain_json_and_readable_text(two_families: Fit) -> None:
    diagnosis = two_families.diagnose()
    content = json.loads(json.dumps(diagnosis.to_dict(), allow_nan=False))
    assert Diagnosis.from_dict(content) == diagnosis
    assert content["status"] == diagnosis.status
    assert {row["parameter"] for row in content["parameters"]} == set(diagnosis.parameters.index)
    assert str(diagnosis).startswith(diagnosis.status.upper())
    assert "<table" in diagnosis._repr_html_()


def test_rich_display_escapes_names(make_fit: Callable[..., Fit]) -> None:
    page = make_fit(families=("<script>x</script>", "b"))._repr_html_()
    assert "<script>" not in page


@pytest.mark.parametrize("keep", [0, 10, 1000, 0.5, 0.99])
def test_truncated_files_are_refused(two_families: Fit, tmp_path: Path, keep: float) -> None:
    path = two_families.save(tmp_path / "fit.nc")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(FileError, match=r"fit\.nc"):
        load_fit(path)


def test_other_netcdf_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.nc"
    xr.Dataset({"x": ("t", [1.0])}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(FileError, match="schema is None"):
        load_fit(path)


def test_a_failed_save_leaves_the_old_file(two_families: Fit, tmp_path: Path) -> None:
    path = two_families.save(tmp_path / "fit.nc")
    before = path.read_bytes()
    broken = Fit(two_families.dt.copy())
    broken.dt.attrs["bad"] = object()
    with pytest.raises(FileError, match="not JSON serializable"):
        broken.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["fit.nc"]


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40))
def test_ranks_are_those_of_scipy(values: list[int]) -> None:
    np.testing.assert_array_equal(average_ranks(values), stats.rankdata(values))


def test_a_trend_is_the_rank_correlation_of_the_largest_runs() -> None:
    residual = np.round(np.random.default_rng(11).normal(size=60), 1)
    flops = np.geomspace(1e17, 1e20, 60)
    rows = pd.DataFrame({"params": flops**0.5, "tokens": flops**0.5 / 6, "flops": flops})
    correlation, p = residual_trend([(rows, residual)])
    expected = stats.spearmanr(flops[-15:], residual[-15:])[0]
    assert_allclose(correlation, expected, rtol=1e-12)
    assert_allclose(p, 2 * stats.norm.sf(abs(expected) * np.sqrt(14)), rtol=1e-10)
