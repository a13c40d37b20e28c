"""Draws as a few plain numbers."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["describe"]

Floats = NDArray[np.float64]

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def describe(draws: Floats) -> dict[str, float]:
    """Mean, sd and quantiles of draws, as plain numbers; the sd of a single one is 0."""
    flat = np.asarray(draws, dtype=np.float64).ravel()
    levels = np.quantile(flat, _QUANTILES)
    sd = float(flat.std(ddof=1)) if flat.size > 1 else 0.0
    described = {"mean": float(flat.mean()), "sd": sd}
    return described | {
        f"q{100 * level:02.0f}": float(value)
        for level, value in zip(_QUANTILES, levels, strict=True)
    }
