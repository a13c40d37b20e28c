"""Diagnoses of fits made by hand, good and bad."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from bayes_scaling.errors import FileError
from bayes_scaling.inference import Fit, load_fit


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
    assert "Do not use this fit" in diagnosis.verdict
    assert status(bad, "R-hat") == "fail"
    assert diagnosis.parameters.loc["floor[web]", "status"] == "chains disagree"
    assert "Sample longer" in diagnosis.parameters.loc["floor[web]", "advice"]


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
    assert any("20 of 400 draws diverged" in check.message for check in bad.diagnose().checks)
    assert status(two_families, "divergences") == "ok"


def test_a_stuck_chain_is_named(two_families: Fit) -> None:
    def stuck(x: xr.DataArray) -> np.ndarray:
        values = x.values.copy()
        values[2] -= 1000.0
        return values

    bad = changed(two_families, "log_likelihood", "loss", stuck)
    checks = {check.name: check for check in bad.diagnose().checks}
    assert checks["stuck chains"].status == "fail"
    assert checks["stuck chains"].message.startswith("Chain 2 stayed")


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
    checks = {check.name: check for check in bad.diagnose().checks}
    assert checks["residual structure"].status == "warn"
    assert "'web', 'code'" in checks["residual structure"].message
    assert status(two_families, "residual structure") == "ok"


def test_it_is_plain_json_and_readable_text(two_families: Fit) -> None:
    diagnosis = two_families.diagnose()
    content = json.loads(json.dumps(diagnosis.to_dict(), allow_nan=False))
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
    with pytest.raises(FileError, match="is not a fit: its schema is None"):
        load_fit(path)


def test_a_failed_save_leaves_the_old_file(two_families: Fit, tmp_path: Path) -> None:
    path = two_families.save(tmp_path / "fit.nc")
    before = path.read_bytes()
    broken = Fit(two_families.dt.copy())
    broken.dt.attrs["bad"] = object()
    with pytest.raises(TypeError):
        broken.save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["fit.nc"]
