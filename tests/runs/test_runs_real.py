"""Published tables load through aliases alone; skipped where they are not at hand."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bayes_scaling.runs import identifiability, load_runs

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
ROWS = {
    "chinchilla.csv": 245,
    "isoflops.csv": 947,
    "marin.csv": 273,
    "datablations.csv": 308,
    "datablations_repeat.csv": 48,
}


def shared(name):
    path = SHARED / name
    if not path.is_file():
        pytest.skip(f"the shared data set {name} is not here")
    return path


@pytest.mark.parametrize("name", sorted(ROWS))
def test_loads_and_fits(name):
    path = shared(name)
    runs = load_runs(path)
    raw = pd.read_csv(path)
    assert len(runs) == len(runs.fit_rows()) == len(raw) == ROWS[name]
    for canonical, source in {"params": "N", "tokens": "D", "loss": "loss"}.items():
        assert runs.table[canonical].tolist() == raw[source].astype(float).tolist()
    derived = raw["C"].isna().to_numpy()
    assert runs.table["flops_derived"].tolist() == derived.tolist()
    expected = np.where(derived, 6.0 * raw["N"].astype(float) * raw["D"].astype(float), raw["C"])
    assert runs.table["flops"].tolist() == expected.tolist()
    assert runs.table["run"].tolist() == raw["run_id"].astype(str).tolist()


def test_chinchilla_outliers_are_flagged():
    runs = load_runs(shared("chinchilla.csv"))
    known = set(np.flatnonzero(runs.table["outlier"].notna()).tolist())
    found = {flag.row for flag in runs.flags if flag.code == "off-law"}
    assert known <= found
    assert len(found) <= 10
    assert identifiability(runs).separable["massivetext_chinchilla"] == {
        "alpha_N": True,
        "alpha_D": True,
        "alpha_C": False,
    }


def test_clean_tables_have_few_runs_off_the_law():
    runs = load_runs(shared("marin.csv"))
    assert len([flag for flag in runs.flags if flag.code == "off-law"]) <= 2


def test_parameter_counts_of_marin():
    path = shared("marin.csv")
    bare = load_runs(path, count="params_nonemb")
    assert (bare.table["params"] < bare.table["params_total"]).all()
    assert not [flag for flag in bare.flags if flag.code == "flops-mismatch"]


def test_units_of_isoflops():
    runs = load_runs(shared("isoflops.csv"))
    assert runs.loss_unit == "mixed"
    kept = runs.exclude("loss-unit")
    assert kept.loss_unit == "nats/token"
    assert kept.excluded == {"loss-unit": 266}


def test_checkpoints_of_the_curves():
    runs = load_runs(shared("datablations_curves.csv"))
    finished = runs.exclude("mid-training")
    assert len(finished) < 150
    assert set(runs.table["run"]) == set(finished.table["run"])


def test_proportional_sizes_of_the_repeats():
    found = identifiability(load_runs(shared("datablations_repeat.csv")))
    assert not any(any(verdicts.values()) for verdicts in found.separable.values())
