"""Thresholds of compute, size, data or time below which a backtest fits and above scores."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

import numpy as np
import pandas as pd

from bayes_scaling.core.records import Record, about
from bayes_scaling.errors import DataError
from bayes_scaling.model import input_values
from bayes_scaling.runs import INPUTS

__all__ = ["Division", "Skipped", "Split", "check_ratio", "check_split", "divide"]

Split = Literal["compute", "params", "tokens", "epochs", "time"]

FEWEST_RUNS = 4
"""Runs a family must have below the threshold to be forecast from."""
_SLACK = 1e-6
"""A level of compute that the threshold hits belongs to the fitted side, rounding or not."""
_WORDS = {
    "compute": "compute",
    "params": "number of parameters",
    "tokens": "number of tokens",
    "epochs": "number of epochs",
}


class Skipped(Record, frozen=True, kw_only=True):
    """A family that could not be tested at a ratio, and why."""

    family: Annotated[str, about("Name of the family.")]
    ratio: Annotated[float, about("Ratio at which it could not be tested.", "ratio", gt=1)]
    reason: Annotated[str, about("Why, in words.")]

    def __str__(self) -> str:
        return f"{self.family!r} at 1/{self.ratio:g}: {self.reason}"


@dataclass(frozen=True)
class Division:
    """Rows to fit, rows to forecast, and families that give none."""

    small: pd.DataFrame
    large: pd.DataFrame
    skipped: tuple[Skipped, ...]


def check_ratio(ratio: Any) -> float:
    """Return a ratio, or refuse it."""
    if not (isinstance(ratio, int | float) and math.isfinite(ratio) and ratio > 1):
        raise DataError(f"ratio is {ratio!r}, a finite number above 1 is needed")
    return float(ratio)


def check_split(split: Any) -> None:
    """Refuse a criterion that runs cannot be split by."""
    if split not in get_args(Split):
        raise DataError(f"split is {split!r}; it can be {', '.join(get_args(Split))}")


def divide(rows: pd.DataFrame, ratio: float, split: Split, source: str) -> Division:
    """Split runs at 1/ratio of the largest of each family.

    Parameters
    ----------
    rows : pandas.DataFrame
        Runs in canonical columns.
    ratio : float
        Above 1.
    split : {"compute", "params", "tokens", "epochs", "time"}
        What is compared: FLOP, parameters, tokens, tokens over unique tokens, or the order in
        which runs were made: there the first 1/ratio of a family's runs are fitted.
    source : str
        What to call the table in messages.
    """
    if split == "time":
        ranks = _times(rows, source).groupby(rows["family"]).rank(method="max", pct=True)
        below = ranks <= (1 + _SLACK) / ratio
    else:
        value = _sizes(rows, split, source)
        limit = value.groupby(rows["family"]).transform("max") / ratio
        below = value <= limit * (1 + _SLACK)
    skipped = []
    for family, index in rows.groupby("family", sort=False).groups.items():
        fewer = int(below.loc[index].sum())
        if fewer < FEWEST_RUNS:
            reason = f"{_how_many(fewer, ratio, split)}, {FEWEST_RUNS} are needed"
            skipped.append(Skipped(family=str(family), ratio=ratio, reason=reason))
    tested = ~rows["family"].isin([entry.family for entry in skipped])
    return Division(rows[below & tested], rows[~below & tested], tuple(skipped))


def _how_many(fewer: int, ratio: float, split: Split) -> str:
    runs = f"{fewer} run{'s' * (fewer != 1)}"
    if split == "time":
        return f"{runs} in the first 1/{ratio:g} of them"
    return f"{runs} at 1/{ratio:g} of its largest {_WORDS[split]} or less"


def _sizes(rows: pd.DataFrame, split: Split, source: str) -> "pd.Series[float]":
    if split != "epochs":
        return rows["flops" if split == "compute" else split].astype(np.float64)
    if "unique_tokens" not in rows:
        raise DataError(f"{source} has no column unique_tokens, which a split by epochs needs")
    return rows["tokens"] / input_values(INPUTS["unique_tokens"], rows)


def _times(rows: pd.DataFrame, source: str) -> "pd.Series[Any]":
    if "time" not in rows:
        raise DataError(
            f"{source} has no column time, which a split by time needs: when each run was made, as "
            "a date or a number"
        )
    times = rows["time"]
    numbers = pd.to_numeric(times, errors="coerce")
    if numbers.notna().all():
        return numbers.astype(np.float64)
    dates = pd.to_datetime(times, errors="coerce", utc=True, format="mixed")
    if dates.isna().any():
        row = dates.index[dates.isna()][0]
        raise DataError(
            f"{source}: time of run {rows.loc[row, 'run']!r} is {times.loc[row]!r}; a date or a "
            "number is needed in every row"
        )
    return dates
