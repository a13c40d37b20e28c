"""The columns that a law reads, from a table of runs or of configurations."""

import numpy as np
import pandas as pd

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.errors import DataError
from bayes_scaling.laws import Law
from bayes_scaling.laws.law_inputs import declared
from bayes_scaling.runs.input_columns import INPUTS, SIZES, Input

__all__ = ["input_table", "input_values", "stated_inputs", "unstated"]


def input_table(law: Law, table: pd.DataFrame, *, best: bool = False) -> pd.DataFrame:
    """Return the values of a law's inputs, one column an input.

    Parameters
    ----------
    law : Law
        The law that reads them.
    table : pandas.DataFrame
        Rows in canonical columns. Blank cells are derived from other columns, as the inputs
        declare.
    best : bool
        Whether inputs that have an optimal value may be blank, and are then NaN.

    Returns
    -------
    pandas.DataFrame
        float64, one column an input, index as given.

    Raises
    ------
    DataError
        If the table has no column of an input, or a row leaves it blank.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> from bayes_scaling.model import input_table
    >>> input_table(laws.get("chinchilla"), pd.DataFrame({"params": [1e9], "tokens": [2e10]}))
             params        tokens
    0  1.000000e+09  2.000000e+10
    """
    columns = {name: input_values(entry, table) for name, entry in declared(law).items()}
    for name, values in columns.items():
        if not (best and name in law.best):
            _check(law, name, values, table)
    return pd.DataFrame(columns, index=table.index)


def _check(law: Law, name: str, values: "pd.Series[float]", table: pd.DataFrame) -> None:
    """Refuse an input that rows do not state, or that has no log."""
    entry = declared(law)[name]
    if values.isna().all():
        others = [*entry.aliases] if name not in INPUTS else []
        others += [" and ".join(entry.needs)] if entry.needs else []
        other = f" (or {', '.join(others)})" if others else ""
        raise DataError(f"law {law.name!r} reads {name!r}, a column the table does not have{other}")
    unusable = (values <= 0.0) | np.isinf(values)
    for bad, what in (
        (values.isna(), "do not state"),
        (unusable, "have at no finite number above 0"),
    ):
        if bad.any():
            row = int(np.flatnonzero(bad.to_numpy())[0])
            run = str(table["run"].iloc[row]) if "run" in table else ""
            label = f" ({run})" if run else ""
            raise DataError(
                f"law {law.name!r} reads {name!r}, which {int(bad.sum())} of {len(table)} rows "
                f"{what}; the first is row {row + 1}{label}"
            )


def input_values(entry: Input, table: pd.DataFrame) -> "pd.Series[float]":
    """Return an input as stated, else as derived from other columns, else NaN.

    Parameters
    ----------
    entry : Input
        The declared input.
    table : pandas.DataFrame
        Rows in canonical columns.

    Examples
    --------
    >>> from bayes_scaling.model import input_values
    >>> from bayes_scaling.runs import INPUTS
    >>> table = pd.DataFrame({"d_model": [1024], "n_layer": [8]})
    >>> input_values(INPUTS["aspect_ratio"], table).item()
    128.0
    """
    blank = pd.Series(np.nan, index=table.index)
    values = table[entry.name].astype(np.float64) if entry.name in table else blank
    known = [name for name in (*entry.needs, entry.unstated) if name in table]
    others = {name: table[name].astype(np.float64) for name in known}
    for follows in (entry.follow(others), others.get(entry.unstated, np.nan)):
        values = values.fillna(follows)
    return values


def stated_inputs(law: Law) -> tuple[str, ...]:
    """Return the columns, other than the sizes, that a law reads or derives its inputs from.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> from bayes_scaling.model import stated_inputs
    >>> stated_inputs(laws.get("data-constrained"))
    ('unique_tokens',)
    """
    names = [name for entry in declared(law).values() for name in (entry.name, *entry.needs)]
    return tuple(dict.fromkeys(name for name in names if name not in SIZES))


def unstated(law: Law, table: pd.DataFrame) -> list[Caveat]:
    """Return caveats on the values assumed for inputs that rows leave blank.

    Parameters
    ----------
    law : Law
        The law.
    table : pandas.DataFrame
        Rows in canonical columns.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> from bayes_scaling.model import unstated
    >>> table = pd.DataFrame({"params": [1e9], "tokens": [2e10]})
    >>> [caveat.subject for caveat in unstated(laws.get("data-constrained"), table)]
    ['unique_tokens']
    """
    found = []
    for name, entry in declared(law).items():
        equal = entry.unstated in (*INPUTS, *law.inputs)
        if not equal and name not in law.best:
            continue
        stated = table[name] if name in table else pd.Series(np.nan, index=table.index)
        blank = stated if equal else input_values(entry, table)
        count = int(blank.isna().sum())
        if count:
            meaning = "the best one is assumed, draw by draw"
            if equal:
                fresh = name == "unique_tokens"
                meaning = (
                    "their tokens are all taken as fresh"
                    if fresh
                    else f"it is taken to be {entry.unstated}"
                )
            found.append(
                Caveat(
                    code="unstated-input",
                    severity="warning",
                    subject=name,
                    text=f"{name} is not stated in {count} of {len(table)} rows: {meaning}.",
                    data={"rows": count, "of": len(table)},
                )
            )
    return found
