"""Scales and correlations of each family's coordinates, taken out before sampling."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["family_scales"]

Floats = NDArray[np.float64]

_STEP = 1e-4
_LARGEST = 2.0
"""Largest scale: what the curvature does not hold at a point, priors hold further out."""


def family_scales(
    gradient: Callable[[Floats], Floats], position: Floats, shape: tuple[int, int], first: int
) -> Floats:
    """Square roots of the inverse curvature of a log density, by family.

    Families have no part of the curvature in common, so one coordinate of all of them is moved at
    a time: the cost is that of two gradients for each coordinate of one family.

    Parameters
    ----------
    gradient : callable
        Gradient of the log density.
    position : (coordinate,) array
        Where, near the mode.
    shape : tuple of int
        How many families, and coordinates of each.
    first : int
        Place of the first coordinate of the first family.

    Returns
    -------
    (family, coordinate, coordinate) array
        Matrices whose products with their transposes are the inverse of minus the Hessian; where
        that is not positive, or small, of the curvature of a scale of 2.
    """
    families, own = shape
    block = slice(first, first + families * own)
    columns = []
    for i in range(own):
        step = np.zeros((families, own))
        step[:, i] = _STEP
        moved = np.zeros_like(position)
        moved[block] = step.ravel()
        change = gradient(position - moved)[block] - gradient(position + moved)[block]
        columns.append(change.reshape(families, own) / (2.0 * _STEP))
    curvature = np.stack(columns, axis=-1)
    values, vectors = np.linalg.eigh((curvature + curvature.transpose(0, 2, 1)) / 2.0)
    scales: Floats = vectors / np.sqrt(np.maximum(values, _LARGEST**-2))[:, None, :]
    return scales
