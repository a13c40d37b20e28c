"""The byte-level sweep: its tables agree with its records, and hold what its design promises."""

from __future__ import annotations

import hashlib
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
    """Import a file of the folder, which is no package, by the name its neighbours use."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look their module up
        spec.loader.exec_module(module)
    return sys.modules[name]


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


@pytest.fixture(scope="module")
def summary(design: ModuleType) -> ModuleType:
    return load("summary")


def test_table_is_complete(runs: pd.DataFrame, design: ModuleType) -> None:
    assert list(runs.columns) == COLUMNS
    assert runs["run"].is_unique
    assert set(runs["run"]) == {run.name for run in design.sweep()}
    assert set(runs["role"]) == set(design.STUDIES)
    assert runs["family"].nunique() == 3
    assert not runs.isna().any(axis=None)


def test_checksums() -> None:
    published = dict(
        line.split()[::-1] for line in (FOLDER / "SHA256SUMS").read_text().splitlines()
    )
    assert set(published) == {"curves.parquet", "lr_search.csv", "runs.csv"}
    for name, checksum in published.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == checksum


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
    # The quotient tends to one as the width outgrows the context.
    assert (runs["flops"] / runs["flops_6nd"]).between(1, 2.6).all()


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
    # The final loss is measured on the whole validation text, a million bytes at least.
    assert (last["val_tokens"] > 1_000_000).all()
    points = curves.groupby("run").size().loc[runs["run"]].to_numpy()
    assert (points >= 7).all()
    assert (points[runs["steps"] >= 800] >= 18).all()


def test_every_level_brackets_its_optimum(runs: pd.DataFrame, summary: ModuleType) -> None:
    levels = summary.by_level(runs)
    for _, group in levels.groupby("family"):
        assert len(group) >= 5
        assert group["flops_max"].max() / group["flops_min"].min() >= 99
    assert (levels["runs"] >= 6).all()
    assert levels["bracketed"].all()
    assert (levels["flops_max"] / levels["flops_min"] < 1.02).all()
    grid = runs[runs["role"] == "grid"]
    assert grid["params_nonemb"].max() / grid["params_nonemb"].min() >= 100
    assert (levels.groupby("family")["loss_best"].diff().dropna() < 0).all()


def test_loss_is_smooth_in_size(runs: pd.DataFrame, summary: ModuleType) -> None:
    # Sizes change depth as well as width, so some roughness beyond the seeds' is real.
    assert (summary.by_level(runs)["rough"] < 0.03).all()


def test_families_differ(runs: pd.DataFrame, summary: ModuleType) -> None:
    best = summary.by_level(runs).pivot_table(index="level", columns="family", values="loss_best")
    noise = summary.seeds(runs)["std"].median()
    first, last = best.iloc[0], best.iloc[-1]
    assert np.diff(np.sort(first)).min() > 3 * noise
    # The gain over two decades of compute is not the same factor either.
    assert np.ptp(first / last) > 0.05


def test_targets_are_dearer_than_the_grid(runs: pd.DataFrame) -> None:
    for _, group in runs.groupby("family"):
        target = group[group["role"] == "target"]
        assert len(target) >= 3
        assert target["flops"].min() >= 10 * group.loc[group["role"] == "grid", "flops"].max()
        assert (target["unique_tokens"] == target["tokens"]).all()


def test_repeated_text(runs: pd.DataFrame) -> None:
    repeated = runs[runs["role"] == "repeat"]
    epochs = repeated["tokens"] / repeated["unique_tokens"]
    assert len(repeated) >= 20
    assert (epochs.min(), epochs.max()) == (2, 32)
    others = runs[runs["role"] != "repeat"]
    assert (others["unique_tokens"] == others["tokens"]).all()
    logs = np.log(runs[["params", "unique_tokens", "flops"]].astype(float))
    # Were two of them tied by a third, the smallest eigenvalue would be nothing.
    assert np.linalg.eigvalsh(logs.corr()).min() > 0.05


def test_shapes_share_size_and_tokens(runs: pd.DataFrame, design: ModuleType) -> None:
    shaped = runs[runs["role"] == "shape"]
    matrices = 12 * shaped["n_layer"] * shaped["d_model"] ** 2
    for _, group in shaped.groupby(["family", (matrices / 2e4).round()]):
        assert len(group) == len(design.ASPECTS) == 5
        assert matrices[group.index].max() / matrices[group.index].min() < 1.005
        assert (group["tokens"] == group["tokens"].iloc[0]).all()
        aspect = group["d_model"] / group["n_layer"]
        assert aspect.max() / aspect.min() == pytest.approx(64, rel=0.01)


def test_replicates(runs: pd.DataFrame, summary: ModuleType) -> None:
    table = summary.seeds(runs)
    for _, group in table.groupby("family"):
        assert (group["count"] == 5).sum() >= 4
    assert table["relative"].between(1e-4, 0.03).all()


def test_learning_rates_follow_the_search(design: ModuleType, summary: ModuleType) -> None:
    search = pd.read_csv(FOLDER / "lr_search.csv")
    optima, scale, power = summary.rate_rule(search)
    assert optima["bracketed"].all()
    assert (scale, power) == (pytest.approx(0.72, rel=0.05), pytest.approx(0.4, abs=0.05))
    searched = set(zip(optima["n_layer"], optima["d_model"], strict=True))
    assert len(searched & {(s.n_layer, s.d_model) for s in design.LADDER}) >= 10
    for row in optima.itertuples():
        rate = design.peak_rate(design.Shape(row.n_layer, row.d_model))
        assert 1 / 2 <= rate / row.optimum <= 2  # the search's rates are a factor of two apart


def test_schedule(design: ModuleType) -> None:
    rates = [design.learning_rate(step, 288, 1.0) for step in range(288)]
    assert max(rates) == 1.0
    assert rates[0] < 0.05
    assert rates[-1] < 1e-3
    assert design.learning_rate(288, 288, 1.0) == 0.0
    for run in design.sweep():
        *inner, last = design.evaluation_steps(run.steps)
        assert last == run.steps
        assert all(step % design.CHUNK_STEPS == 0 for step in inner)
        assert inner == sorted(set(inner))
        assert inner[-1] < last


def test_head_widths(design: ModuleType) -> None:
    for width in range(8, 260, 2):
        heads = design.Shape(1, width).heads
        assert width % heads == 0
        assert width // heads % 2 == 0
        assert heads == 1 or width // heads >= design.HEAD_DIM


def test_docstrings(corpora: ModuleType) -> None:
    source = (
        b'"""Top."""\nclass A:\n    """Middle.\n\n    More."""\n    def f(self):\n        "Low."\n'
    )
    assert corpora.docstrings(source) == ["Top.", "Middle.\n\nMore.", "Low."]
    assert corpora.docstrings(b"def broken(:\n") == []


def test_corpora_from_a_small_tree(
    tmp_path: Path, corpora: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = '"""Shared."""\ndef f():\n    """Own.\n\n    >>> 1\n    1\n\n    End."""\n'
    files = {
        "lib/a.py": '"""Shared."""\r\nx = 1\r\n',
        "lib/b.py": two,
        "lib/copy_of_b.py": two,
        "lib/test/t.py": '"""A test."""\n',
        "lib/encodings/e.py": '"""A table."""\n',
        "lib/site-packages/p.py": '"""Not ours."""\n',
        "lib/pydoc_data/topics.py": "topics = {'with': 'The with statement.'}\n",
        "numpy/n.py": '"""Arrays."""\n',
        "numpy/version.py": '"""Of this build."""\n',
        "eigen/Dense": "// matrices\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(text.encode())
    monkeypatch.setattr(corpora, "installed", lambda _package, folder: tmp_path / folder)
    monkeypatch.setattr(corpora, "DOCUMENTED", ("numpy",))
    monkeypatch.setattr(corpora, "HEADERS", {"eigen": "eigen"})

    sources = corpora.unique(corpora.python_sources(tmp_path / "lib"))
    assert [name for name, _ in sources] == ["a.py", "b.py", "test/t.py"]
    assert b"\r" not in sources[0][1]

    assert dict(corpora.cpp_headers(tmp_path / "lib")) == {"eigen/Dense": b"// matrices\n"}

    texts = dict(corpora.unique(corpora.prose(tmp_path / "lib")))
    assert texts == {
        "a.py": b"Shared.\n\n",
        "b.py": b"Own.\n\n\nEnd.\n\n",
        "test/t.py": b"A test.\n\n",
        "encodings/e.py": b"A table.\n\n",
        "numpy/n.py": b"Arrays.\n\n",
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
