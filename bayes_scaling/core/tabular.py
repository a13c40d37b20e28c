"""Tables as files, by suffix."""

from os import PathLike
from pathlib import Path

import pandas as pd

from bayes_scaling.core.files import write_bytes, write_via
from bayes_scaling.core.spreadsheet_text import quoted_table

__all__ = ["write_csv", "write_parquet"]


def write_csv(path: str | PathLike[str], table: pd.DataFrame, *, raw: bool = False) -> Path:
    """Write a table as CSV, numbers in full, whole or not at all.

    Parameters
    ----------
    path : path-like
        Where it goes.
    table : pandas.DataFrame
        The table.
    raw : bool
        Whether text that a spreadsheet would run as a formula is left as it is; without, an
        apostrophe stands before it, which reading takes away again
        (`bayes_scaling.core.spreadsheet_text`).
    """
    shown = table if raw else quoted_table(table)
    return write_bytes(path, shown.to_csv(index=False, lineterminator="\n"))


def write_parquet(path: str | PathLike[str], table: pd.DataFrame) -> Path:
    """Write a table as Parquet, whole or not at all."""
    return write_via(path, lambda part: _to_parquet(table, part))


def _to_parquet(table: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa

    try:
        table.to_parquet(path, index=False)
    except (pa.ArrowException, OverflowError):
        # A column of mixed types, or of integers beyond 64 bits, has no Parquet type of its own.
        mixed = {name: str for name in table if table[name].dtype == object}
        table.astype(mixed).to_parquet(path, index=False)
