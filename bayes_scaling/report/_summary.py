"""Summaries of draws."""

import numpy as np
import xarray as xr

__all__ = ["LEVELS", "summary"]

LEVELS = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


def summary(draws: xr.DataArray) -> dict[str, float]:
    """Mean, sd and quantiles over all draws of one quantity, in its own unit."""
    values = draws.to_numpy().ravel()
    quantiles = np.quantile(values, list(LEVELS.values()))
    return {
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)),
        **{name: float(q) for name, q in zip(LEVELS, quantiles, strict=True)},
    }
