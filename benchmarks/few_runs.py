"""Whether intervals hold with few runs a family, and whether pooling families helps.

uv run python benchmarks/few_runs.py [--runs 4 8 15] [--samples 5] [-o few_runs.csv]

From the runs of every family at 1/8 of its largest compute or less, some are drawn at random, and
the families of a root fitted together, pooled in part or not at all, under the population learned
from the other roots (from calibration.py's --errors file). Scored on every run above, log loss.
Rows are appended, so that an interrupted run goes on where it stopped.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from calibration import TWICE, bayes, foreign_populations, score, split
from families import load
from population import read_errors

RATIO = 8.0
COLUMNS = [
    *("family", "error", "crps", "interval", "width", "in_50", "in_80", "in_90", "in_95", "pit"),
    *("root", "runs", "sample", "pooling", "r_hat", "ess", "divergences", "seconds", "noise"),
]


def sample(small: pd.DataFrame, runs: int, seed: int) -> pd.DataFrame:
    """Some runs of every family; the smallest and the largest compute are among them."""
    parts = []
    for _, rows in small.groupby("family"):
        rng = np.random.default_rng([seed, len(rows)])
        ends = [int(rows["flops"].to_numpy().argmin()), int(rows["flops"].to_numpy().argmax())]
        others = np.setdiff1d(np.arange(len(rows)), ends)
        more = rng.choice(others, min(runs - 2, len(others)), replace=False)
        parts.append(rows.iloc[sorted([*ends, *more])])
    return pd.concat(parts).reset_index(drop=True)


def run(runs: list[int], samples: int, out: Path, errors: Path, roots: list[str] | None) -> None:
    """Score both kinds of pooling on every sample, appending to a file."""
    tables = load()
    populations = foreign_populations(tables, out, read_errors(errors))
    done = set()
    if out.exists():
        had = pd.read_csv(out)
        done = set(zip(had["root"], had["runs"], had["sample"], had["pooling"], strict=True))
    for root, known in populations.items():
        if roots and root not in roots:
            continue
        own = [t for n, t in tables.items() if t["root"].iloc[0] == root and n not in TWICE]
        small, large = split(pd.concat(own).drop(columns="root"), RATIO, 6)
        # With one family there is nothing to pool over.
        kinds = ("partial", "none") if len(set(small["family"])) > 1 else ("none",)
        for k in runs:
            for number in range(samples):
                for pooling in kinds:
                    if (root, k, number, pooling) in done:
                        continue
                    method = bayes("chinchilla-gamma", known["chinchilla-gamma"], pooling, 500)
                    logs, quality = method(sample(small, k, number), large)
                    part = score(logs, large).assign(
                        root=root, runs=k, sample=number, pooling=pooling, **quality
                    )[COLUMNS]
                    part.to_csv(out, mode="a", header=not out.exists(), index=False)
                    sys.stderr.write(
                        f"{root} {k} {number} {pooling}: {part['in_90'].mean():.2f}, "
                        f"width {part['width'].mean():.3f}\n"
                    )


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Macro averages over families, by root, number of runs and pooling."""
    columns = ["in_50", "in_90", "error", "crps", "interval", "width"]
    families = table.groupby(["root", "runs", "pooling", "family"])[columns].mean()
    groups = ["root", "runs", "pooling"]
    quality = table.groupby(groups).agg(r_hat=("r_hat", "max"), divergences=("divergences", "max"))
    return families.groupby(groups).mean().join(quality)


def main() -> None:
    """Parse, run, print the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[4, 8, 15])
    parser.add_argument("--samples", type=int, default=5)
    parser.add_argument("--roots", nargs="+")
    parser.add_argument("--errors", type=Path, required=True, help="Results of calibration.py.")
    parser.add_argument("-o", "--out", type=Path, default=Path("few_runs.csv"))
    given = parser.parse_args()
    run(given.runs, given.samples, given.out, given.errors, given.roots)
    scored = pd.read_csv(given.out)
    sys.stdout.write(summarise(scored).to_string(float_format="{:.4f}".format) + "\n")


if __name__ == "__main__":
    main()
