"""One run of the byte-level sweep, trained again from scratch."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).parents[2] / "data" / "byte_lm"
RUN = "python-l1-d16-t867-s0"


def retrain(record: Path, *options: str) -> dict:
    """Train the run again, and return its record."""
    uv = shutil.which("uv")
    if uv is None or platform.python_version() != "3.13.0":
        pytest.skip("training needs uv, and CPython 3.13.0 whose files are the training text")
    # uv's environment of the project is not the trainer's, which has JAX.
    environment = {key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"}
    done = subprocess.run(
        [uv, "run", "--script", FOLDER / "train.py", "retrain", RUN, record, *options],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    if "corpus has checksum" in done.stderr:
        pytest.skip("this CPython was not built from unpatched source with its tests")
    assert done.returncode == 0, done.stderr
    return json.loads(record.read_text())


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return retrain(tmp_path_factory.mktemp("again") / "record.json")


def test_a_run_trains_to_its_published_loss(again: dict) -> None:
    runs = pd.read_csv(FOLDER / "runs.csv")
    published = runs.set_index("run").loc[RUN]
    same = (runs["params"] == published["params"]) & (runs["tokens"] == published["tokens"])
    replicates = runs[same & (runs["family"] == published["family"])]
    assert len(replicates) == 5
    assert again["wall_s"] < 60
    assert abs(again["loss"] - published["loss"]) < 2 * replicates["loss"].std()
    record = json.loads((FOLDER / "records" / f"{RUN}.json").read_text())
    for name in ("params", "tokens", "unique_tokens", "flops", "lr", "corpus_sha256"):
        assert again[name] == record[name]


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not_been(again: dict, tmp_path: Path) -> None:
    # Between two evaluations, so that steps since the checkpoint are taken twice.
    resumed = retrain(tmp_path / "record.json", "--interrupt", "304")
    measured = ("wall_s",)
    for name in set(again) - set(measured):
        assert resumed[name] == again[name], name
