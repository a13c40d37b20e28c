"""The columns that a law reads, from a table of runs or of configurations."""

import numpy as np
import pandas as pd

from bayes_scaling.errors import DataError
from bayes_scaling.laws import Law

__all__ = ["input_table", "unstated"]

_DEFAULTS = {"unique_tokens": "tokens"}
"""Inputs that a table may leave blank, and what they are then: tokens are taken to be fresh."""


def input_table(law: Law, table: pd.DataFrame) -> pd.DataFrame:
    """Values of a law's inputs, dims (row, input).

    Parameters
    ----------
    law : Law
        Whose inputs.
    table : pandas.DataFrame
        Canonical columns. Unique tokens that are not stated are the tokens seen.

    Returns
    -------
    pandas.DataFrame
        float64, one column an input, index as given.

    Raises
    ------
    DataError
        If the table has no column of an input.
    """
    columns = {}
    for name in law.inputs:
        default = _DEFAULTS.get(name)
        if name in table:
            values = table[name].astype(np.float64)
            columns[name] = values.fillna(table[default].astype(np.float64)) if default else values
        elif default:
            columns[name] = table[default].astype(np.float64)
        else:
            raise DataError(f"law {law.name!r} reads {name!r}, a column the table does not have")
    return pd.DataFrame(columns, index=table.index)


def unstated(law: Law, table: pd.DataFrame) -> dict[str, int]:
    """How many rows leave an input of a law to its default, by input; none are left out."""
    counts = {
        name: int(table[name].isna().sum()) if name in table else len(table)
        for name in law.inputs
        if name in _DEFAULTS
    }
    return {name: count for name, count in counts.items() if count}
