"""The bundled data sets: what each holds, and that damage is noticed."""

import shutil
from pathlib import Path

import pytest

from bayes_scaling.errors import DataError, FileError
from bayes_scaling.runs import Runs, datasets, load_runs

RUNS = ("byte_lm", "byte_lm_repeats", "byte_lm_shapes")
TABLES = ("byte_lm_curves", "byte_lm_lr_search")


def test_names_and_kinds():
    table = datasets.list().set_index("name")
    assert tuple(table.index) == datasets.names()
    assert set(RUNS) | set(TABLES) <= set(table.index)
    assert set(table.loc[list(RUNS), "kind"]) == {"runs"}
    assert set(table.loc[list(TABLES), "kind"]) == {"table"}
    for name in TABLES:
        with pytest.raises(DataError, match=repr(name)):
            datasets.load(name)
    for loader in (datasets.load, datasets.load_table):
        with pytest.raises(DataError, match=r"'wordle'.*byte_lm"):
            loader("wordle")
        with pytest.raises(DataError):
            loader(["olmo_ladder"])
    with pytest.raises(FileError, match=r"datasets\.load\('olmo_ladder'\)"):
        load_runs("dataset:olmo_ladder")


@pytest.mark.parametrize("name", RUNS)
def test_runs(name):
    runs = datasets.load(name)
    assert isinstance(runs, Runs)
    assert runs.loss_unit == "nats/byte"
    assert len(runs.families) == 3
    assert len(runs.fit_rows()) + len(runs.targets()) == len(runs)
    assert not [flag for flag in runs.flags if flag.severity == "error"]
    roles = set(runs.table["role"])
    assert (
        roles - {"grid", "seed", "target"}
        == {
            "byte_lm": set(),
            "byte_lm_repeats": {"repeat"},
            "byte_lm_shapes": {"shape"},
        }[name]
    )
    # Text seen twice would bend every law that does not know of it.
    repeated = "repeated-data" in {flag.code for flag in runs.flags}
    assert repeated == (name == "byte_lm_repeats")


def test_tables_belong_together():
    whole = datasets.load_table("byte_lm")
    curves = datasets.load_table("byte_lm_curves")
    assert set(curves["run"]) == set(whole["run"])
    assert len(datasets.load_table("byte_lm_lr_search")) >= 40
    parts = [set(datasets.load(name).table["run"]) for name in RUNS]
    assert set.union(*parts) == set(whole["run"])


def test_a_damaged_file_is_refused(tmp_path, monkeypatch):
    # Files as a wheel carries them, one digit changed in one of them.
    source = Path(__file__).parents[2] / "data" / "byte_lm"
    folder = tmp_path / "bundled" / "byte_lm"
    folder.mkdir(parents=True)
    for name in ("SHA256SUMS", "runs.csv", "lr_search.csv"):
        shutil.copy(source / name, folder / name)
    datasets.names()  # read once, before files are replaced
    monkeypatch.setattr(datasets.resources, "files", lambda _package: tmp_path)
    assert len(datasets.load("byte_lm"))
    table = (folder / "runs.csv").read_bytes()
    (folder / "runs.csv").write_bytes(table.replace(b"7", b"8", 1))
    with pytest.raises(FileError, match=r"byte_lm/runs\.csv .*[0-9a-f]{64}"):
        datasets.load("byte_lm")
    assert len(datasets.load_table("byte_lm_lr_search"))


def test_a_missing_file_is_named(tmp_path, monkeypatch):
    datasets.names()
    monkeypatch.setattr(datasets.resources, "files", lambda _package: tmp_path)
    monkeypatch.setattr(datasets, "__file__", str(tmp_path / "a" / "b" / "c.py"))
    with pytest.raises(FileError, match=r"byte_lm/curves\.parquet"):
        datasets.load_table("byte_lm_curves")
