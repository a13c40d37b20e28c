"""A robust smooth surface through the runs of one family, to find runs far off it."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["robust_distances", "surface_axes"]

# Losses are quoted to three digits and seeds differ by some tenths of a percent: residuals
# below this scale are noise even where the surface happens to fit more closely.
_SMALLEST_SCALE = 0.003
_RUNS_PER_TERM = 3
# Directions of the design this much weaker than the strongest are rounding, not variation.
_RANK_TOLERANCE = 1e-8
# Logarithms that differ by less are the same size, rounded.
_CONSTANT = 1e-6
_ROUNDS = 4
_STEPS = 10
# Turns a median absolute deviation into the standard deviation of a normal distribution.
_MAD_TO_SD = 1.4826


def surface_axes(table: pd.DataFrame) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Log loss of every row, and log N, log D and, where it is stated, log epochs."""
    with np.errstate(all="ignore"):
        tokens = np.log(table["tokens"].to_numpy(dtype=np.float64))
        axes = [np.log(table["params"].to_numpy(dtype=np.float64)), tokens]
        if "unique_tokens" in table:
            unique = np.log(table["unique_tokens"].to_numpy(dtype=np.float64))
            axes.append(np.fmax(tokens - np.where(np.isnan(unique), tokens, unique), 0.0))
        return np.log(table["loss"].to_numpy(dtype=np.float64)), axes


def robust_distances(
    target: NDArray[np.float64], axes: Sequence[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], float]:
    """Residuals of log loss from a robust polynomial in log N, log D and log epochs.

    Linear, and quadratic when there are three runs for each of its terms; fitted under a Cauchy
    loss so that runs far off do not bend it.

    Parameters
    ----------
    target, axes : array, sequence of array
        As of :func:`surface_axes`, for the runs of one family.

    Returns
    -------
    residuals : numpy.ndarray
        In log loss, one per row.
    scale : float
        Robust standard deviation of the residuals, at least 0.003.
    """
    design = _orthogonal(_terms(axes))
    spare = max(len(target) - design.shape[1], 1)
    widen = _MAD_TO_SD * float(np.sqrt(len(target) / spare))

    weights = np.linalg.lstsq(design, target, rcond=None)[0]
    residuals = target - design @ weights
    scale = _spread(residuals, widen)
    for _ in range(_ROUNDS):
        # Convex first, so that the redescending fit starts from a sound place.
        for power in (0.5, 1.0):
            residuals = _reweighted(design, target, residuals, scale, power)
            scale = _spread(residuals, widen)
    return residuals, scale


def _reweighted(
    design: NDArray[np.float64],
    target: NDArray[np.float64],
    residuals: NDArray[np.float64],
    scale: float,
    power: float,
) -> NDArray[np.float64]:
    """Iteratively reweighted least squares; power 0.5 is the soft L1 loss, 1 the Cauchy loss."""
    for _ in range(_STEPS):
        root = (1.0 + (residuals / scale) ** 2) ** (-power / 2)
        weights = np.linalg.lstsq(design * root[:, None], target * root, rcond=None)[0]
        residuals = np.asarray(target - design @ weights, dtype=np.float64)
    return residuals


def _spread(residuals: NDArray[np.float64], widen: float) -> float:
    return max(float(np.median(np.abs(residuals))) * widen, _SMALLEST_SCALE)


def _terms(axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    runs = len(axes[0])
    axes = [_standard(axis) for axis in axes if np.ptp(axis) > _CONSTANT]
    columns = [np.ones(runs), *axes]
    squares = [first * second for i, first in enumerate(axes) for second in axes[i:]]
    if runs >= _RUNS_PER_TERM * (len(columns) + len(squares)):
        columns += squares
    return np.column_stack(columns)


def _standard(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((axis - axis.mean()) / axis.std(), dtype=np.float64)


def _orthogonal(design: NDArray[np.float64]) -> NDArray[np.float64]:
    """Span of the design without directions that do not vary (D proportional to N)."""
    basis, sizes, _ = np.linalg.svd(design, full_matrices=False)
    kept: NDArray[np.float64] = basis[:, sizes > _RANK_TOLERANCE * sizes[0]]
    return kept * math.sqrt(len(design))
