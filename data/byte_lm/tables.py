"""The published tables, rebuilt from the runs' records, and a summary of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
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
CURVE_COLUMNS = ["run", "family", "step", "tokens", "lr", "train_loss", "val_loss", "val_tokens"]
SEARCH_COLUMNS = ["family", "n_layer", "d_model", "steps", "tokens", "lr", "loss", "train_loss"]


def read_records(folder: Path) -> list[dict]:
    """Read every finished run's record, in order of compute."""
    records = [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]
    return sorted(records, key=lambda record: (record["family"], record["flops"], record["run"]))


def write_tables(folder: Path) -> pd.DataFrame:
    """Rebuild ``runs.csv`` and ``curves.parquet`` from ``records/``; return the runs."""
    records = read_records(folder / "records")
    runs = pd.DataFrame(records)[COLUMNS]
    runs.to_csv(folder / "runs.csv", index=False)
    rows = [
        {"run": record["run"], "family": record["family"], **point}
        for record in records
        for point in record["curve"]
    ]
    pd.DataFrame(rows)[CURVE_COLUMNS].to_parquet(folder / "curves.parquet", index=False)
    return runs


def write_search(records: Path, target: Path) -> pd.DataFrame:
    """Write the learning-rate search's results."""
    search = pd.DataFrame(read_records(records))[SEARCH_COLUMNS]
    search = search.sort_values(["steps", "d_model", "n_layer", "lr"])
    search.to_csv(target, index=False)
    return search


def misses(runs: pd.DataFrame, axis: str, fixed: str) -> pd.DataFrame:
    """Say how far runs lie from a straight log-log line between their neighbours.

    Parameters
    ----------
    runs
        One run per cell of the grid.
    axis
        Size along which neighbours are taken.
    fixed
        Size they share.

    Returns
    -------
    pandas.DataFrame
        Per family, the mean, lowest and highest relative miss; below zero is below the line.
    """
    found = []
    for (family, _), group in runs.groupby(["family", fixed]):
        ordered = group.sort_values(axis)
        x, y = np.log(ordered[axis].to_numpy(float)), np.log(ordered["loss"].to_numpy())
        for i in range(1, len(x) - 1):
            between = np.interp(x[i], [x[i - 1], x[i + 1]], [y[i - 1], y[i + 1]])
            found.append((family, y[i] - between))
    table = pd.DataFrame(found, columns=["family", "miss"])
    return table.groupby("family")["miss"].agg(["mean", "min", "max"])


def summarise(runs: pd.DataFrame) -> None:
    """Print the figures quoted in the README."""
    print(f"{len(runs)} runs, {runs['wall_s'].sum() / 60:.1f} core-minutes, ", end="")
    print(f"{runs['flops'].sum():.3g} FLOP of training")
    first = runs[runs["seed"] == 0]
    for family, group in first.groupby("family"):
        print(f"\n{family}: loss (nats/byte) by parameters and tokens")
        table = group.pivot_table(index="params", columns="tokens", values="loss")
        print(table.round(4).to_string())
        spread = runs[runs["family"] == family].groupby(["params", "tokens"])["loss"]
        seeds = spread.agg(["count", "mean", "std"]).query("count > 1")
        for (params, tokens), row in seeds.iterrows():
            print(
                f"{row['count']:.0f} seeds at {params} parameters, {tokens} tokens: mean "
                f"{row['mean']:.4f}, standard deviation {row['std']:.4f}"
            )
        rank = group[["flops", "loss"]].corr("spearman").iloc[0, 1]
        best = group.loc[group["loss"].idxmin()]
        print(f"rank correlation of loss with compute {rank:.3f}")
        print(f"lowest loss {best['loss']:.4f} +- {best['loss_se']:.4f} in {best['run']}")
    for axis, fixed in (("params", "tokens"), ("tokens", "params")):
        print(f"\nrelative miss of a log-log line between neighbours along {axis}")
        print(misses(first, axis, fixed).round(4).to_string())
