"""What is forecast from what: runs of a root below a threshold of compute, and those above."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_scaling.model import Extent
from benchmarks.extrapolation.method import Floats

RATIOS = (4.0, 8.0, 30.0)
FEWEST = 6
SPREAD = 1.5
"""Least ratio of compute that the fitted runs of a family must span."""
FEW_RUNS, FEW_SAMPLES, FEW_RATIO = 8, 4, 8.0
SLACK = 1.0 + 1e-6
ALL = -1


@dataclass(frozen=True)
class Case:
    """Families of one root, fitted as one table and forecast.

    Parameters
    ----------
    root : str
        Their root.
    ratio : float
        The largest compute of each family over that of the runs that are fitted.
    small, large : pandas.DataFrame
        Runs to fit and to forecast.
    sample : int
        Number of the random sample of 8 runs of one family, or ``ALL``.
    """

    root: str
    ratio: float
    small: pd.DataFrame
    large: pd.DataFrame
    sample: int = ALL

    @property
    def families(self) -> tuple[str, ...]:
        """Families, in alphabetical order."""
        return tuple(sorted(set(self.large["family"])))

    def part(self, family: str) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return one family's runs to fit and to forecast."""
        small, large = (t[t["family"] == family] for t in (self.small, self.large))
        return small.reset_index(drop=True), large.reset_index(drop=True)

    def distances(self) -> Floats:
        """Return how far runs lie beyond the fitted ones of their family, natural logs."""
        found = np.empty(len(self.large))
        for family, rows in self.large.groupby("family"):
            logs = [np.log(rows[size].to_numpy()) for size in ("params", "tokens", "flops")]
            extent = Extent.of(self.small[self.small["family"] == family])
            found[self.large.index.get_indexer(rows.index)] = extent.distance(*logs)
        return found


def split(rows: pd.DataFrame, ratio: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split one family at its largest compute over ``ratio``; no runs if too few lie below."""
    below = rows["flops"] <= rows["flops"].max() / ratio * SLACK
    small, large = rows[below], rows[~below]
    flops = small["flops"]
    if len(small) < FEWEST or flops.max() < SPREAD * flops.min():
        return rows.iloc[:0], rows.iloc[:0]
    return small, large


def cases(tables: Mapping[str, pd.DataFrame], ratios: Sequence[float] = RATIOS) -> list[Case]:
    """Return each root at each ratio, of the families that can be split there."""
    found = []
    for root, own in _by_root(tables).items():
        for ratio in ratios:
            parts = [split(rows, ratio) for rows in own.values()]
            small, large = (pd.concat(side, ignore_index=True) for side in zip(*parts, strict=True))
            if len(large):
                found.append(Case(root, float(ratio), small, large))
    return found


def few_cases(tables: Mapping[str, pd.DataFrame]) -> list[Case]:
    """Return random samples of 8 runs of each family at 1/8 of its compute."""
    found = []
    for root, own in _by_root(tables).items():
        for name, rows in own.items():
            small, large = split(rows, FEW_RATIO)
            if len(small) <= FEW_RUNS or not len(large):
                continue
            large = large.reset_index(drop=True)
            for sample in range(FEW_SAMPLES):
                rng = np.random.default_rng([sample, *name.encode()])
                drawn = small.iloc[np.sort(rng.choice(len(small), FEW_RUNS, replace=False))]
                if drawn["flops"].max() >= SPREAD * drawn["flops"].min():
                    kept = drawn.reset_index(drop=True)
                    found.append(Case(root, FEW_RATIO, kept, large, sample))
    return found


def _by_root(tables: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, pd.DataFrame]]:
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for name in sorted(tables, key=lambda name: (tables[name]["root"].iloc[0], name)):
        root = str(tables[name]["root"].iloc[0])
        found.setdefault(root, {})[name] = tables[name].drop(columns="root")
    return found
