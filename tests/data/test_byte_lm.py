"""The byte-level pilot: its table agrees with its records, and its corpora rebuild as stated."""

from __future__ import annotations

import importlib.util
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from types import ModuleType

FOLDER = Path(__file__).parents[2] / "data" / "byte_lm"
COLUMNS = [
    "run",
    "family",
    "role",
    "params",
    "params_nonemb",
    "tokens",
    "unique_tokens",
    "flops",
    "flops_6nd",
    "loss",
    "loss_se",
    "loss_unit",
    "n_layer",
    "d_model",
    "seed",
    "lr",
    "lr_schedule",
    "cooldown",
    "steps",
    "batch_tokens",
    "wall_s",
    "train_loss",
]


def load(name: str) -> ModuleType:
    """Import a file of the folder, which is no package, under a name of its own."""
    spec = importlib.util.spec_from_file_location(f"byte_lm_{name}", FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def runs() -> pd.DataFrame:
    return pd.read_csv(FOLDER / "runs.csv")


@pytest.fixture(scope="module")
def curves() -> pd.DataFrame:
    return pd.read_parquet(FOLDER / "curves.parquet")


@pytest.fixture(scope="module")
def corpora() -> ModuleType:
    return load("corpora")


@pytest.fixture(scope="module")
def design() -> ModuleType:
    return load("design")


def test_table_is_complete(runs: pd.DataFrame, design: ModuleType) -> None:
    assert list(runs.columns) == COLUMNS
    assert len(runs) >= 24
    assert runs["family"].nunique() >= 2
    assert runs["run"].is_unique
    assert set(runs["run"]) == {run.name for run in design.sweep()}
    assert not runs.isna().any(axis=None)


def test_losses_are_plausible(runs: pd.DataFrame) -> None:
    assert np.isfinite(runs[["loss", "loss_se", "train_loss"]]).all(axis=None)
    assert runs["loss"].between(0, math.log(256), inclusive="neither").all()
    assert runs["loss_se"].between(0, 0.1, inclusive="neither").all()
    assert runs["cooldown"].all()
    assert set(runs["lr_schedule"]) == {"cosine"}
    assert set(runs["loss_unit"]) == {"nats/byte"}


def test_sizes_and_operations(runs: pd.DataFrame) -> None:
    layers, width = runs["n_layer"], runs["d_model"]
    nonemb = 12 * layers * width**2 + (2 * layers + 1) * width
    assert (runs["params_nonemb"] == nonemb).all()
    assert (runs["params"] == nonemb + 256 * width).all()
    assert (runs["tokens"] == runs["steps"] * runs["batch_tokens"]).all()
    assert (runs["unique_tokens"] <= runs["tokens"]).all()
    assert (runs["flops_6nd"] == 6 * runs["params"] * runs["tokens"]).all()
    forward = layers * (24 * width**2 + 4 * 128 * width) + 2 * 256 * width
    assert (runs["flops"] == 3 * forward * runs["tokens"]).all()
    assert (runs["flops"] / runs["flops_6nd"]).between(1, 1.6).all()


def test_table_agrees_with_records(runs: pd.DataFrame, corpora: ModuleType) -> None:
    records = [json.loads(path.read_text()) for path in (FOLDER / "records").glob("*.json")]
    assert len(records) == len(runs)
    by_name = runs.set_index("run")
    for record in records:
        row = by_name.loc[record["run"]]
        for column in by_name.columns:
            assert row[column] == record[column], column  # floats survive the CSV digit for digit
        assert record["corpus_sha256"] == corpora.FAMILIES[record["family"]].sha256


def test_curves_end_at_the_table(runs: pd.DataFrame, curves: pd.DataFrame) -> None:
    assert set(curves["run"]) == set(runs["run"])
    assert curves.groupby("run")["step"].apply(lambda step: step.is_monotonic_increasing).all()
    last = curves.groupby("run").tail(1).set_index("run").loc[runs["run"]].reset_index()
    assert (last["step"] == runs["steps"]).all()
    assert (last["tokens"] == runs["tokens"]).all()
    np.testing.assert_allclose(last["val_loss"], runs["loss"], rtol=1e-12)
    assert (last["lr"] < 0.01 * runs["lr"]).all()  # cooled down to about nothing


def test_compute_lowers_the_loss(runs: pd.DataFrame) -> None:
    for _, group in runs.groupby("family"):
        assert group[["flops", "loss"]].corr("spearman").iloc[0, 1] < -0.85
        # On the compute-optimal frontier every step up in compute must pay.
        best = group.sort_values("flops")["loss"].cummin().drop_duplicates()
        assert len(best) >= 6
        assert best.iloc[-1] < 0.8 * best.iloc[0]


def test_targets_are_dearer_than_the_grid(runs: pd.DataFrame) -> None:
    assert set(runs["role"]) == {"grid", "target"}
    for _, group in runs.groupby("family"):
        cost = group.groupby("role")["flops"]
        assert (group["role"] == "target").sum() >= 2
        assert cost.min()["target"] > cost.max()["grid"]


def test_learning_rates_lie_near_the_best_of_the_search(design: ModuleType) -> None:
    search = pd.read_csv(FOLDER / "lr_search.csv")
    for (layers, width, _), group in search.groupby(["n_layer", "d_model", "steps"]):
        assert len(group) >= 3
        best = group.loc[group["loss"].idxmin(), "lr"]
        rate = design.peak_rate(design.Shape(layers, width))
        assert 1 / 2 <= rate / best <= 2  # the search's rates are a factor of two apart


def test_schedule(design: ModuleType) -> None:
    rates = [design.learning_rate(step, 288, 1.0) for step in range(288)]
    assert max(rates) == 1.0
    assert rates[0] < 0.05
    assert rates[-1] < 1e-3
    for steps in design.BUDGETS:
        points = design.evaluation_steps(steps)
        assert points[-1] == steps
        assert all(step % design.CHUNK_STEPS == 0 for step in points)


def test_docstrings(corpora: ModuleType) -> None:
    source = (
        b'"""Top."""\nclass A:\n    """Middle.\n\n    More."""\n    def f(self):\n        "Low."\n'
    )
    assert corpora.docstrings(source) == ["Top.", "Middle.\n\nMore.", "Low."]
    assert corpora.docstrings(b"def broken(:\n") == []


def test_corpora_from_a_small_tree(tmp_path: Path, corpora: ModuleType) -> None:
    files = {
        "a.py": '"""Shared."""\r\nx = 1\r\n',
        "b.py": '"""Shared."""\ndef f():\n    """Own."""\n',
        "copy_of_b.py": '"""Shared."""\ndef f():\n    """Own."""\n',
        "test/t.py": '"""A test."""\n',
        "site-packages/p.py": '"""Not ours."""\n',
        "pydoc_data/topics.py": "topics = {'with': 'The with statement.'}\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode())

    sources = corpora.unique(corpora.python_sources(tmp_path))
    assert [name for name, _ in sources] == ["a.py", "b.py"]
    assert b"\r" not in sources[0][1]

    texts = dict(corpora.unique(corpora.prose(tmp_path)))
    assert texts == {
        "a.py": b"Shared.\n\n",
        "b.py": b"Own.\n\n",
        "test/t.py": b"A test.\n\n",
        "topic:with": b"The with statement.",
    }


def test_split_shares_no_document_and_ignores_the_input_order(corpora: ModuleType) -> None:
    documents = [(f"d{i}", f"text {i}\n".encode() * (i + 1)) for i in range(40)]
    first = corpora.assemble("x", documents, 2000)
    again = corpora.assemble("x", documents[::-1], 2000)
    assert first == again
    assert first.sha256 == again.sha256
    assert len(first.val) >= 2000
    assert first.n_train_docs + first.n_val_docs == 40
    train, val = (set(text.split(corpora.SEPARATOR)[:-1]) for text in (first.train, first.val))
    assert not train & val
    assert len(train | val) == 40
