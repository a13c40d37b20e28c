"""Broken, hostile and large files: little time, one sentence, and nothing is touched."""

import json
import os
import time

import numpy as np
import pandas as pd
import pytest

from bayes_scaling.curves.importers import load_curves
from bayes_scaling.errors import BayesScalingError, DataError, FileError

from .test_importers import refused, write

__all__ = ["write"]

NOISE = np.random.default_rng(0).bytes(5000)


@pytest.mark.parametrize(
    ("content", "name", "kind", "offender"),
    [
        (b"", "a.csv", DataError, "a.csv"),
        (b" \n\n", "a.csv", DataError, "a.csv"),
        (b"step,loss\n", "a.csv", DataError, "a.csv"),
        (b"step,loss\n1,2\n3\n", "a.csv", DataError, "line 3"),
        (b'step,loss\n1,2\n3,"4\n', "a.csv", DataError, "line 3"),
        (b"step;loss\n1;2\n", "a.csv", DataError, "a.csv"),
        (b"step,loss\n1,2\n", "a.tsv", DataError, "a.tsv"),
        (b"step,loss\n1,\x002\n", "a.csv", FileError, "position 12"),
        (b"step,loss\n1,\xff\n", "a.csv", FileError, "0xff"),
        (b"step,loss,loss\n1,2,3\n", "a.csv", DataError, "'loss'"),
        (b"step,loss\n" + b"9" * 5000 + b",2\n", "a.csv", DataError, "inf"),
        (b"step,loss\n0x10,2\n", "a.csv", DataError, "'0x10'"),
        (b"step,loss\n1_000,2\n", "a.csv", DataError, "'1_000'"),
        (b"step,loss\nTrue,2\n", "a.csv", DataError, "'True'"),
        (b"", "a.jsonl", DataError, "a.jsonl"),
        (b"[" * 10_000, "a.json", DataError, "line 1"),
        (b'{"step": 1, "loss": 2', "a.json", DataError, "line 1"),
        (b"[1, 2]", "a.json", DataError, "a.json"),
        (b'{"step": ' + b"9" * 5000 + b', "loss": 2}', "a.jsonl", DataError, "line 1"),
        (b'{"step": NaN, "loss": 2}', "a.jsonl", DataError, "nan"),
        (b'{"step": 1, "loss": "x"}', "a.jsonl", DataError, "'x'"),
        (b"PAR1", "a.parquet", FileError, "a.parquet"),
        (b"", "a.parquet", DataError, "a.parquet"),
        (b"step,loss\n1,2\n", "a.xlsx", FileError, "'.xlsx'"),
        (b"step,loss\n1,2\n", "a", FileError, "''"),
    ],
)
def test_broken_files(write, content, name, kind, offender):
    path = write(content, name)
    assert offender in refused(path, kind=kind)
    assert path.read_bytes() == content


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json", "jsonl", "parquet", "tfevents"])
def test_noise(write, suffix):
    for content in (NOISE, bytes(byte % 128 for byte in NOISE), b"\x93NUMPY" + NOISE):
        refused(write(content, f"a.{suffix}"), kind=BayesScalingError)


def test_a_pickle_is_not_opened(write):
    text = refused(write(b"\x80\x04cos\nsystem\n(S'true'\ntR.", "a.pkl"), kind=FileError)
    assert "'.pkl'" in text


@pytest.mark.slow
def test_a_header_of_a_million_columns_is_refused_shortly(write):
    names = ",".join(f"column number {i}" for i in range(1_000_000))
    text = refused(write(f"{names}\n{names}\n"))
    assert "999988" in text
    assert len(text) < 1000


def test_long_names_are_shortened(write):
    text = refused(write("x" * 100_000 + ",y\n1,2\n"))
    assert len(text) < 300


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    os.mkfifo(tmp_path / "events.out.tfevents.1.x")
    assert "a.csv" in refused(tmp_path / "a.csv", kind=FileError)
    assert tmp_path.name in refused(tmp_path, kind=FileError)


def test_a_million_rows_are_read_in_seconds(tmp_path):
    path = tmp_path / "long.csv"
    steps = np.arange(1, 1_000_001)
    pd.DataFrame({"step": steps, "loss": 2 + 1 / steps}).to_csv(path, index=False)
    assert len(load_curves(path).curves[0]) == 1_000_000


@pytest.mark.parametrize("text", ["1" * 200_000 + "x", "-" + "1" * 200_000 + "e", "1." * 100_000])
def test_a_long_text_as_a_learning_rate_takes_no_time(write, text):
    rows = [{"step": 1, "loss": 3.0, "learning_rate": "0.1"}]
    rows.append({"step": 2, "loss": 2.0, "learning_rate": text})
    path = write(json.dumps({"log_history": rows}), "trainer_state.json")
    start = time.process_time()
    assert "'learning_rate'" in refused(path)
    assert time.process_time() - start < 2
