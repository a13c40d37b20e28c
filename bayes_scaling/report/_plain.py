"""Plain values for JSON, and summaries of draws."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

__all__ = ["plain", "summary"]

LEVELS = {"q05": 0.05, "q25": 0.25, "q50": 0.5, "q75": 0.75, "q95": 0.95}


def plain(value: Any) -> Any:
    """Nested containers of plain Python values; what is not finite becomes None.

    Parameters
    ----------
    value : object
        Mappings, sequences, NumPy scalars and arrays, and plain values, nested.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def summary(draws: xr.DataArray) -> dict[str, float]:
    """Mean, sd and quantiles over all draws of one quantity, in its own unit."""
    values = draws.to_numpy().ravel()
    quantiles = np.quantile(values, list(LEVELS.values()))
    return {
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)),
        **{name: float(q) for name, q in zip(LEVELS, quantiles, strict=True)},
    }
