"""Checkpoints of backtests."""

import json
import tempfile
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd

from bayes_scaling.forecast.checkpoint import Checkpoint
from tests.fuzz.engine import Made, Target, UnsoundError
from tests.fuzz.mutate import mutated_bytes, mutated_json, written_json

__all__ = ["target"]


def target() -> Target:
    """A checkpoint of two results."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "backtest.json.part"
        kept = Checkpoint(path)
        for key in ("a" * 64, "b" * 64):
            kept.add(key, *_result())
        lines = path.read_text("utf-8").splitlines()

    def make(rng: Random) -> Made:
        return Made("backtest.json.part", _altered(rng, lines))

    return Target("checkpoints", make, _read)


def _result() -> tuple[pd.DataFrame, dict[str, float]]:
    points = pd.DataFrame(
        {
            "law": "chinchilla",
            "ratio": 8.0,
            "family": ["web", "code"],
            "run": ["r1", "r2"],
            "loss": [2.5, 2.25],
            "inside_90": [True, False],
            "fitted": [12, 11],
        }
    )
    return points, {"law": "chinchilla", "ratio": 8.0, "r_hat": 1.001, "ess": 900.0}


def _altered(rng: Random, lines: list[str]) -> bytes:
    if rng.random() < 0.3:
        return mutated_bytes(rng, ("\n".join(lines) + "\n").encode())
    found = []
    for line in lines:
        entry = json.loads(line)
        if rng.random() < 0.6:
            entry["points"] = _inner(rng, entry["points"])
        elif rng.random() < 0.5:
            entry = mutated_json(rng, entry)
        found.append(written_json(rng, entry))
    return b"\n".join(found) + b"\n"


def _inner(rng: Random, text: str) -> str:
    """The table of pandas within a line, altered in its turn."""
    return written_json(rng, mutated_json(rng, json.loads(text))).decode("utf-8", "replace")


def _read(path: Path) -> None:
    data = path.read_bytes()
    kept = Checkpoint(path)
    # A last line that was cut off is taken away from the file, which is what it is for.
    path.write_bytes(data)
    for points, quality in kept.results.values():
        if not isinstance(points, pd.DataFrame) or not isinstance(quality, dict):
            raise UnsoundError(f"a result is {type(points).__name__} and {type(quality).__name__}")
        whole = points.select_dtypes("number").to_numpy(dtype=float)
        if np.isinf(whole).any():
            raise UnsoundError("a number of the points is infinite")
