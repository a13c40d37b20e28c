"""Records of one type as the rows of a table."""

from collections.abc import Iterable
from typing import Any, get_args

import msgspec
import numpy as np
import pandas as pd

from bayes_scaling.core.json_files import records
from bayes_scaling.core.records import Record

__all__ = ["to_rows", "to_table"]


def to_rows[R: Record](table: pd.DataFrame, kind: type[R]) -> tuple[R, ...]:
    """Return the rows of a table as records; what is missing or not finite is None.

    Parameters
    ----------
    table : pandas.DataFrame
        One column a field, by its name in files; other columns are an error.
    kind : type
        Type of the records.

    Raises
    ------
    msgspec.ValidationError
        If the table is not one of such records.

    Examples
    --------
    >>> class Size(Record, frozen=True, kw_only=True):
    ...     params: float
    ...     layers: int | None
    >>> to_rows(pd.DataFrame({"params": [1e9, 2e9], "layers": [8.0, np.nan]}), Size)
    (Size(params=1000000000.0, layers=8), Size(params=2000000000.0, layers=None))
    """
    found = records(table)
    for field in msgspec.structs.fields(kind):
        if _has(field.type, int) and not _has(field.type, float):
            # A column of integers is one of floats where some are missing.
            for row in found:
                if isinstance(row.get(field.encode_name), float):
                    row[field.encode_name] = int(row[field.encode_name])
    return tuple(msgspec.convert(row, kind) for row in found)


def to_table[R: Record](rows: Iterable[R], kind: type[R]) -> pd.DataFrame:
    """Return records as a table, one column a field; what is missing is NaN.

    Examples
    --------
    >>> class Size(Record, frozen=True, kw_only=True):
    ...     params: float | None
    >>> to_table([Size(params=1e9), Size(params=None)], Size)["params"].tolist()
    [1000000000.0, nan]
    """
    known, fields = list(rows), msgspec.structs.fields(kind)
    table = pd.DataFrame({f.encode_name: [getattr(row, f.name) for row in known] for f in fields})
    # A column of nothing but None has no numbers that determine its type.
    return table.astype({f.encode_name: np.float64 for f in fields if _has(f.type, float)})


def _has(annotation: Any, kind: type) -> bool:
    """Whether a type, a member of a union or what stands in Annotated, is this one."""
    return annotation is kind or any(_has(part, kind) for part in get_args(annotation))
