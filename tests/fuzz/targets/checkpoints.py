"""Checkpoints of backtests."""

import json
import tempfile
from pathlib import Path
from random import Random

import numpy as np
import pandas as pd

from bayes_scaling.core.json_files import plain
from bayes_scaling.forecast.evaluation.backtest_result import FitQuality
from bayes_scaling.forecast.evaluation.checkpoint import Checkpoint
from bayes_scaling.forecast.evaluation.scoring import score_draws, summarise
from tests.fuzz.engine import Made, Target, finite
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


def _result() -> tuple[pd.DataFrame, FitQuality]:
    losses = np.array([2.5, 2.25])
    scored = score_draws(losses[:, None] * np.linspace(0.97, 1.03, 40), losses)
    points = pd.DataFrame(
        {
            "law": "chinchilla",
            "ratio": 8.0,
            "family": ["web", "code"],
            "run": ["r1", "r2"],
            "flops": 1e20,
            "loss": losses,
            "extrapolation": 0.5,
        }
    ).join(scored.assign(log_score=np.nan, fitted=[12, 11]))
    return points, FitQuality(law="chinchilla", ratio=8.0, r_hat=1.001, ess=900.0, divergences=0)


def _altered(rng: Random, lines: list[str]) -> bytes:
    if rng.random() < 0.3:
        return mutated_bytes(rng, ("\n".join(lines) + "\n").encode())
    found = []
    for line in lines:
        entry = json.loads(line)
        if rng.random() < 0.6:
            entry = mutated_json(rng, entry)
        found.append(written_json(rng, entry))
    return b"\n".join(found) + b"\n"


def _read(path: Path) -> None:
    data = path.read_bytes()
    kept = Checkpoint(path)
    # A last line that was cut off is taken away from the file, which is what it is for.
    path.write_bytes(data)
    points = [part for part, _ in kept.results.values()]
    quality = pd.DataFrame([row.to_dict() for _, row in kept.results.values()])
    if points:
        scores = summarise(pd.concat(points, ignore_index=True), ["law", "ratio", "family"])
        finite(plain(scores.merge(quality, on=["law", "ratio"]).to_dict("records")))
