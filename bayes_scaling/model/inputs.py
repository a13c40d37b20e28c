"""The columns that a law reads, from a table of runs or of configurations."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from bayes_scaling.errors import DataError
from bayes_scaling.laws import Law

__all__ = ["input_table", "stated_inputs", "unstated"]

_FRESH = {"unique_tokens": "tokens"}
"""Inputs that a table may leave blank, and what they are then: tokens are taken to be fresh."""

_DERIVED: Mapping[str, tuple[tuple[str, ...], Callable[[pd.DataFrame], "pd.Series[float]"]]] = {
    "aspect_ratio": (("d_model", "n_layer"), lambda t: t["d_model"] / t["n_layer"]),
    "step": (("tokens", "batch_tokens"), lambda t: t["tokens"] / t["batch_tokens"]),
    "batch_tokens": (("tokens", "step"), lambda t: t["tokens"] / t["step"]),
}
"""Inputs that follow from other columns where they are blank."""


def input_table(law: Law, table: pd.DataFrame, *, best: bool = False) -> pd.DataFrame:
    """Values of a law's inputs, dims (row, input).

    Parameters
    ----------
    law : Law
        Whose inputs.
    table : pandas.DataFrame
        Canonical columns. Unique tokens that are not stated are the tokens seen; an aspect ratio
        follows from d_model and n_layer, steps and tokens a batch from each other.
    best : bool
        Whether inputs that have a best value may be blank, which is then NaN.

    Returns
    -------
    pandas.DataFrame
        float64, one column an input, index as given.

    Raises
    ------
    DataError
        If the table has no column of an input, or a row leaves it blank.
    """
    columns = {name: _values(name, table) for name in law.inputs}
    for name, values in columns.items():
        if best and name in law.best:
            continue
        if values.isna().all():
            sources = " and ".join(_DERIVED[name][0]) if name in _DERIVED else ""
            other = f" (or {sources})" if sources else ""
            raise DataError(
                f"law {law.name!r} reads {name!r}, a column the table does not have{other}"
            )
        if values.isna().any():
            row = int(np.flatnonzero(values.isna().to_numpy())[0])
            label = f" ({table['run'].iloc[row]})" if "run" in table else ""
            raise DataError(
                f"law {law.name!r} reads {name!r}, which {int(values.isna().sum())} of "
                f"{len(table)} rows do not state; the first is row {row + 1}{label}"
            )
    return pd.DataFrame(columns, index=table.index)


def _values(name: str, table: pd.DataFrame) -> "pd.Series[float]":
    """An input as stated, else as it follows from other columns, else NaN."""
    blank = pd.Series(np.nan, index=table.index)
    values = table[name].astype(np.float64) if name in table else blank
    if name in _FRESH:
        return values.fillna(table[_FRESH[name]].astype(np.float64))
    needs, formula = _DERIVED.get(name, ((), None))
    if formula and set(needs) <= set(table.columns):
        values = values.fillna(formula(table[list(needs)].astype(np.float64)))
    return values


def stated_inputs(law: Law) -> tuple[str, ...]:
    """Columns beside params, tokens and flops that a law reads or derives its inputs from."""
    names: list[str] = []
    for name in law.inputs:
        names += [name, *_DERIVED.get(name, ((), None))[0]]
    sizes = ("params", "tokens", "flops")
    return tuple(dict.fromkeys(name for name in names if name not in sizes))


def unstated(law: Law, table: pd.DataFrame) -> dict[str, str]:
    """What is assumed of inputs that rows leave blank, in words by input; none are left out."""
    said = {}
    for name in law.inputs:
        if name not in _FRESH and name not in law.best:
            continue
        stated = table[name] if name in table else pd.Series(np.nan, index=table.index)
        blank = stated if name in _FRESH else _values(name, table)
        count = int(blank.isna().sum())
        if count:
            meaning = (
                "their tokens are all taken as fresh"
                if name in _FRESH
                else ("the best one is assumed, draw by draw")
            )
            said[name] = f"{name} is not stated in {count} of {len(table)} rows: {meaning}."
    return said
