"""The forecast of the targets that was written down before they were trained."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

FOLDER = Path(__file__).parents[2] / "data" / "byte_lm"

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def preregister() -> ModuleType:
    sys.path.insert(0, str(FOLDER))
    import preregister

    sys.path.remove(str(FOLDER))
    return preregister


@pytest.fixture(scope="module")
def content() -> dict:
    return json.loads((FOLDER / "forecast.json").read_text())


@pytest.fixture(scope="module")
def forecast() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "forecast.csv")


def test_it_saw_the_grid_and_its_replicates_alone(
    preregister: ModuleType, content: dict, tmp_path: Path
) -> None:
    # Steps and batch, the same in every run, were no columns of a fit when the forecast was made.
    then = pd.read_csv(FOLDER / "runs.csv", dtype=str).drop(columns=["steps", "batch_tokens"])
    then.to_csv(tmp_path / "runs.csv", index=False)
    runs = preregister.fitted_runs(tmp_path / "runs.csv")
    assert set(runs.table["role"]) == {"grid", "seed"}
    # A hash of every number a fit can see: had the runs changed since, it would differ.
    assert content["runs_hash"] == runs.hash
    assert content["fitted_runs"] == len(runs)
    assert content["largest_fitted_flops"] == runs.table["flops"].max()


def test_it_covers_every_target_under_every_law(
    preregister: ModuleType, forecast: pd.DataFrame
) -> None:
    targets = pd.read_csv(FOLDER / "runs.csv").query("role == 'target'")
    for law in preregister.LAWS:
        mine = forecast[forecast["law"] == law].set_index("run")
        assert set(mine.index) == set(targets["run"])
        for name in ("params", "tokens", "flops"):
            planned = mine.loc[targets["run"], name].to_numpy()
            assert (planned == targets[name].to_numpy()).all()
    quantiles = forecast[["q02.5", "q05", "q25", "q50", "q75", "q95", "q97.5"]]
    assert (quantiles.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
    assert (forecast["extrapolation"] > 1).all()
    assert forecast["family_seen"].all()


def test_the_fits_behind_it_had_converged(preregister: ModuleType, content: dict) -> None:
    assert [fit["law"] for fit in content["fits"]] == list(preregister.LAWS)
    for fit in content["fits"]:
        assert fit["r_hat"] <= 1.01
        assert fit["divergences"] == 0


def test_it_is_not_written_over(
    preregister: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setattr(sys, "argv", ["preregister.py"])
    before = (FOLDER / "forecast.csv").read_bytes()
    with pytest.raises(SystemExit):
        preregister.main()
    assert "is trained already" in capsys.readouterr().err
    assert (FOLDER / "forecast.csv").read_bytes() == before
