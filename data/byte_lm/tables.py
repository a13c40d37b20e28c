"""The published tables, rebuilt from the runs' records."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

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
CURVE_COLUMNS = [
    "run",
    "family",
    "step",
    "tokens",
    "lr",
    "train_loss",
    "train_steps",
    "val_loss",
    "val_tokens",
]
SEARCH_COLUMNS = ["family", "n_layer", "d_model", "steps", "tokens", "lr", "loss", "train_loss"]
PUBLISHED = ("curves.parquet", "lr_search.csv", "runs.csv")
SUMS = "SHA256SUMS"


def read_records(folder: Path) -> list[dict]:
    """Read every finished run's record, in order of compute."""
    records = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return sorted(records, key=lambda record: (record["family"], record["flops"], record["run"]))


def write_tables(folder: Path) -> pd.DataFrame:
    """Rebuild ``runs.csv`` and ``curves.parquet`` from ``records/``; return the runs."""
    records = read_records(folder / "records")
    runs = pd.DataFrame(records)[COLUMNS]
    runs.to_csv(folder / "runs.csv", index=False, lineterminator="\n")
    rows = [
        {"run": record["run"], "family": record["family"], **point}
        for record in records
        for point in record["curve"]
    ]
    pd.DataFrame(rows)[CURVE_COLUMNS].to_parquet(folder / "curves.parquet", index=False)
    write_sums(folder)
    return runs


def write_search(folder: Path, records: Path) -> pd.DataFrame:
    """Write the learning-rate search's results."""
    search = pd.DataFrame(read_records(records))[SEARCH_COLUMNS]
    search = search.sort_values(["n_layer", "d_model", "steps", "lr"])
    search.to_csv(folder / "lr_search.csv", index=False, lineterminator="\n")
    write_sums(folder)
    return search


def write_sums(folder: Path) -> None:
    """Write the checksums of the tables, in the form that ``sha256sum --check`` reads."""
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n"
        for name in PUBLISHED
        if (folder / name).exists()
    ]
    (folder / SUMS).write_text("".join(lines))
