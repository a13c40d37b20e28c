"""The rows of each family."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["rows_by_family"]


def rows_by_family(table: pd.DataFrame) -> dict[str, NDArray[np.int64]]:
    """Places of the rows of each family, families in order of first appearance."""
    codes, names = pd.factorize(table["family"].to_numpy(dtype=object), use_na_sentinel=False)
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(codes))[:-1])
    return {str(name): part for name, part in zip(names, parts, strict=bool(len(names)))}
