"""Selection of runs by rows and columns."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bayes_scaling.errors import DataError

__all__ = ["chosen_rows", "group_columns"]


def chosen_rows(mask: ArrayLike, rows: int, source: str) -> list[int]:
    """Places where a mask is true."""
    values = np.asarray(mask)
    if values.dtype == object and all(isinstance(value, bool | np.bool_) for value in values):
        values = values.astype(np.bool_)
    if values.dtype != np.bool_ or values.shape != (rows,):
        raise DataError(
            f"a mask of dtype {values.dtype} and shape {values.shape} does not select from "
            f"{rows} runs; it needs one boolean per run"
        )
    keep = [int(row) for row in np.flatnonzero(values)]
    if not keep:
        raise DataError(f"the mask keeps none of the {rows} runs of {source}")
    return keep


def group_columns(by: Iterable[str], table: pd.DataFrame, source: str) -> tuple[str, ...]:
    """Names of columns, all of which a table has."""
    names = (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        if name not in table:
            legal = ", ".join(map(str, table))
            raise DataError(f"{source} has no column {name!r} to keep the best by: {legal}")
    return names
