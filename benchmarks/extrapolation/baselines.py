"""Point fits as they are used in the field, with the scatter of their residuals."""

import numpy as np
import pandas as pd

from benchmarks.extrapolation import huber
from benchmarks.extrapolation.method import Context, Floats

DRAWS = 4000
BOOTSTRAPS = 200
VARIES = 1.5
"""Least ratio between the largest and smallest value of an input that varies."""


def logs_of(rows: pd.DataFrame, inputs: tuple[str, ...]) -> Floats:
    """Return logs of columns, dims (input, run)."""
    return np.log(rows[list(inputs)].to_numpy(np.float64).T)


def with_residuals(curve: Floats, residuals: Floats, seed: int) -> Floats:
    """Add draws from residuals to each run's log loss."""
    rng = np.random.default_rng(seed)
    return curve[:, None] + rng.choice(residuals, (len(curve), DRAWS))


def _point(small: pd.DataFrame, large: pd.DataFrame, inputs: tuple[str, ...], seed: int) -> Floats:
    x, y = logs_of(small, inputs), np.log(small["loss"].to_numpy())
    law = huber.fit(x, y)
    return with_residuals(law.log_loss(logs_of(large, inputs))[0], y - law.log_loss(x)[0], seed)


def additive(small: pd.DataFrame, large: pd.DataFrame, context: Context) -> Floats:
    """L = E + A/N^alpha + B/D^beta by the Huber loss (Hoffmann et al. 2022, Approach 3)."""
    return _point(small, large, ("params", "tokens"), context.seed)


def one_input(small: pd.DataFrame, large: pd.DataFrame, context: Context) -> Floats:
    """L = E + A/C^alpha by the Huber loss; of N or D where it alone varies."""
    span = {name: small[name].max() / small[name].min() for name in ("params", "tokens")}
    varying = [name for name, ratio in span.items() if ratio >= VARIES]
    return _point(small, large, (varying[0] if len(varying) == 1 else "flops",), context.seed)


def bootstrap(small: pd.DataFrame, large: pd.DataFrame, context: Context) -> Floats:
    """The additive law by the Huber loss, from 200 resamples of the runs, each with its scatter."""
    return _bootstrap(small, large, context.seed, 1.0)


def bootstrap_of_curve(small: pd.DataFrame, large: pd.DataFrame, context: Context) -> Floats:
    """The same without the scatter: what is often quoted, an interval of the curve."""
    return _bootstrap(small, large, context.seed, 0.0)


def _bootstrap(small: pd.DataFrame, large: pd.DataFrame, seed: int, noise: float) -> Floats:
    inputs = ("params", "tokens")
    x, y = logs_of(small, inputs), np.log(small["loss"].to_numpy())
    rng = np.random.default_rng(seed)
    drawn = rng.integers(len(y), size=(BOOTSTRAPS, len(y)))
    counts = np.array([np.bincount(row, minlength=len(y)) for row in drawn], np.float64)
    laws = huber.resampled(huber.fit(x, y), x, y, counts)
    left = np.take_along_axis(y - laws.log_loss(x), drawn, axis=1)
    ahead = laws.log_loss(logs_of(large, inputs))
    each = (len(large), DRAWS // BOOTSTRAPS)
    parts = [
        curve[:, None] + noise * rng.choice(scatter, each)
        for curve, scatter in zip(ahead, left, strict=True)
    ]
    return np.concatenate(parts, axis=1)
