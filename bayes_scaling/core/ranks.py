"""Ranks of numbers."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["average_ranks"]


def average_ranks(values: ArrayLike) -> NDArray[np.float64]:
    """Compute ranks from 1; equal values have the mean of theirs.

    Parameters
    ----------
    values : (value,) array
        Numbers, none of them NaN.

    Examples
    --------
    >>> average_ranks([3.0, 1.0, 3.0]).tolist()
    [2.5, 1.0, 2.5]
    """
    _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[where]
    return ranks
