"""Sweeps of settings of training: many runs at one size, most of them not well tuned."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.runs.finding import Finding

__all__ = ["best_rows", "sweeps"]

_SETTINGS = frozenset(
    {"batch", "beta", "beta1", "beta2", "bs", "clip", "clipping", "decay", "dropout", "eps"}
    | {"epsilon", "hparams", "hyperparameters", "init", "learning", "lr", "momentum", "optimiser"}
    | {"optimizer", "schedule", "warmup", "wd"}
)
# What a sweep is searched over to find the best; three warm-ups or schedules at a size are a study.
_TUNED = frozenset({"batch", "bs", "learning", "lr"})
_NOT_TUNED = frozenset({"decay", "schedule", "scheduler", "warmup"})
_BETWEEN = re.compile(r"[^a-z0-9]+")
_RUN = ("params", "tokens", "unique_tokens", "n_layer", "d_model", "aspect_ratio")
# Sizes that differ by less are one size, rounded to whole steps.
_SAME = 0.01
_FEWEST_SETTINGS = 3
# More repeats than this at one configuration are no seeds, unless a column names them.
_MOST_SEEDS = 8
_MANY = 0.2
_FEWEST_ROWS = 6


def _same_sizes(table: pd.DataFrame, by: Sequence[str]) -> "pd.Series[int]":
    """Number the groups of rows that are equal in family, role and the columns ``by``.

    Parameters
    ----------
    table : pandas.DataFrame
        A canonical table.
    by : sequence of str
        Its columns; numbers within 1% are equal.
    """
    keys = {"family": table["family"]}
    if "role" in table:
        keys["role"] = table["role"].str.casefold() == "target"
    for name in by:
        values = table[name]
        if pd.api.types.is_numeric_dtype(values.dtype):
            with np.errstate(all="ignore"):
                logs = np.log(np.abs(values.to_numpy(dtype=np.float64, na_value=np.nan)))
            values = pd.Series(np.round(logs / _SAME), index=table.index)
        keys[f"by {name}"] = values
    groups = pd.DataFrame(keys).groupby(list(keys), dropna=False, sort=False)
    return groups.ngroup()


def best_rows(table: pd.DataFrame, by: Sequence[str]) -> NDArray[np.bool_]:
    """Mark rows with the lowest loss among those equal in ``by``, and rows without an equal."""
    losses, groups = table["loss"], _same_sizes(table, by)
    lowest = losses.groupby(groups).transform("min")
    best = losses.eq(lowest)
    first = best & ~groups.where(best).duplicated()
    return (first | lowest.isna()).to_numpy(dtype=np.bool_)


def sweeps(table: pd.DataFrame, inputs: Sequence[str] = ()) -> Iterator[Finding]:
    """Find sizes at which many runs differ in settings of the training.

    Parameters
    ----------
    table : pandas.DataFrame
        A canonical table.
    inputs : sequence of str
        Further columns that a law reads: no settings, as runs that differ in one are to differ.
    """
    groups = _same_sizes(table, [name for name in (*_RUN, *inputs) if name in table])
    words = {str(n): set(_BETWEEN.split(str(n).casefold())) for n in table if n not in inputs}
    names = [name for name, parts in words.items() if parts & _SETTINGS]
    settings = _combined(table, names)
    tuned = _combined(table, [n for n in names if words[n] & _TUNED and not words[n] & _NOT_TUNED])
    swept, searched = (np.zeros(len(table), dtype=np.bool_) for _ in range(2))
    count = 0
    for rows in pd.Series(np.arange(len(table))).groupby(groups).agg(list):
        if len(rows) >= _FEWEST_SETTINGS and _is_sweep(table, settings, rows):
            swept[rows] = True
            count += 1
            several = tuned is not None and tuned.iloc[rows].nunique() >= _FEWEST_SETTINGS
            searched[rows] = several
    if not count:
        return
    varied = [name for name in names if len(table[name][swept].unique()) > 1]
    what = f", with up to {_values(table[swept], varied)}" if varied else ""
    many = searched.sum() >= max(_MANY * len(table), _FEWEST_ROWS)
    text = (
        f"{swept.sum()} of {len(table)} rows stand at {count} combination{'s' * (count > 1)} of "
        f"params and tokens of their family{what}: most runs of such a sweep are not well tuned; "
        "keep the best of each with --best-of params,tokens, in Python runs.best()"
    )
    yield Finding(-1, "sweep", "error" if many else "warning", "params", text)


def _combined(table: pd.DataFrame, names: Sequence[str]) -> "pd.Series[str] | None":
    """The cells of some columns as one text a row; None for no columns."""
    if not names:
        return None
    cells = zip(*(table[name].tolist() for name in names), strict=True)
    return pd.Series([str(row) for row in cells], index=table.index)


def _is_sweep(table: pd.DataFrame, settings: "pd.Series[str] | None", rows: list[int]) -> bool:
    if settings is not None and settings.iloc[rows].nunique() >= _FEWEST_SETTINGS:
        return True
    losses = table["loss"].iloc[rows]
    if len(rows) <= _MOST_SEEDS or losses.nunique() <= _MOST_SEEDS:
        return False
    return "seed" not in table or bool(table["seed"].iloc[rows].nunique() < len(rows))


def _values(rows: pd.DataFrame, names: Sequence[str]) -> str:
    return " and ".join(f"{rows[name].nunique()} values of {name}" for name in names)
