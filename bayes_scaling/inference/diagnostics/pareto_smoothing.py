"""Importance weights with smoothed tails (Vehtari et al. 2024), and leaving one run out by them."""

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.inference.convergence import effective_draws
from bayes_scaling.inference.diagnostics.information import components_of

__all__ = ["LeftOut", "leave_one_out", "smoothed_weights", "tail_size"]

Floats = NDArray[np.float64]

_FEWEST = 5
"""Draws in a tail below which it is not smoothed."""
_ENOUGH = 225.0
"""Effective draws above which the tail is three times their square root, else a fifth."""
_PRIOR_SCALE, _PRIOR_DRAWS, _PRIOR_K = 3.0, 10.0, 0.5
"""Prior of the shape of a tail: as so many draws of that shape."""
_BLOCK = 2**21
"""Numbers that are worked on at a time, which bounds the memory."""


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Leave-one-out of the fitted runs.

    Attributes
    ----------
    elpd : (run,) array
        Log predictive density of each run given all others.
    lppd : (run,) array
        The same given all runs.
    pareto_k : (run,) array
        Shape of the tail of each run's importance weights.
    """

    elpd: Floats
    lppd: Floats
    pareto_k: Floats

    @property
    def se(self) -> float:
        """Standard error of the sum of elpd."""
        return math.sqrt(len(self.elpd)) * float(self.elpd.std(ddof=1))


def leave_one_out(dt: xr.DataTree) -> LeftOut:
    """Leave each run of a fit out by importance sampling.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree. In a mixture runs are left out of each component.
    """
    values = dt["log_likelihood"].to_dataset()["loss"].transpose("run", "chain", "draw")
    log_density = values.to_numpy().reshape(values.sizes["run"], -1)
    efficiency = _efficiency(dt["posterior"].to_dataset())
    components = components_of(dt, log_density.shape[1])
    parts = []
    for number in np.unique(components):
        own = components == number
        share = math.log(own.mean())
        elpd, lppd, k = _left_out(log_density[:, own], efficiency)
        parts.append(np.stack([elpd + share, lppd + share, k]))
    # Shares are fixed, so the density of a mixture is that of its components in the same shares.
    elpd, lppd = (np.logaddexp.reduce([part[i] for part in parts]) for i in (0, 1))
    return LeftOut(elpd, lppd, np.max([part[2] for part in parts], axis=0))


def _left_out(log_density: Floats, efficiency: float) -> Floats:
    """Log densities of left-out runs, of all runs, and Pareto k, (3, run), from (run, draw)."""
    runs, size = log_density.shape
    parts = []
    for start in range(0, runs, max(_BLOCK // size, 1)):
        block = log_density[start : start + max(_BLOCK // size, 1)]
        weights, k = smoothed_weights(-block, tail_size(size, efficiency))
        lppd = _log_sum(block) - math.log(size)
        parts.append(np.stack([_log_sum(weights + block), lppd, k]))
    return np.concatenate(parts, axis=1)


def _efficiency(posterior: xr.Dataset) -> float:
    """Effective draws for a draw, on average over all parameters."""
    chains, length = posterior.sizes["chain"], posterior.sizes["draw"]
    if chains == 1:
        return 1.0
    columns = [
        value.transpose(..., "chain", "draw").to_numpy().reshape(-1, chains, length)
        for value in posterior.data_vars.values()
    ]
    found = np.concatenate([effective_draws(column) for column in columns])
    return float(found.mean()) / (chains * length)


def tail_size(size: int, efficiency: float) -> int:
    """How many of the largest weights are smoothed."""
    enough = size * efficiency > _ENOUGH
    return math.floor(3.0 * math.sqrt(size / efficiency) if enough else size / 5)


def smoothed_weights(log_ratios: Floats, tail: int) -> tuple[Floats, Floats]:
    """Smooth the largest importance ratios by a generalised Pareto distribution.

    Parameters
    ----------
    log_ratios : (item, draw) array
        Logs of the ratios.
    tail : int
        How many are smoothed.

    Returns
    -------
    log_weights : (item, draw) array
        Logs of weights that add up to 1.
    pareto_k : (item,) array
        Shape of the tail; infinite where there is none to smooth.
    """
    weights: Floats = log_ratios - log_ratios.max(axis=1, keepdims=True)
    size = weights.shape[1]
    shapes = np.full(len(weights), np.inf)
    if _FEWEST <= tail < size:
        places = np.argpartition(weights, size - tail - 1, axis=1)
        cuts = np.take_along_axis(weights, places[:, size - tail - 1 : size - tail], axis=1)
        places = places[:, size - tail :]
        largest = np.take_along_axis(weights, places, axis=1)
        order = largest.argsort(axis=1)
        places = np.take_along_axis(places, order, axis=1)
        largest = np.take_along_axis(largest, order, axis=1)
        for item, (logs, cut) in enumerate(zip(largest, np.exp(cuts), strict=True)):
            if logs[-1] - logs[0] < np.finfo(np.float64).tiny:
                continue
            smooth, shapes[item] = _smoothed(logs, float(cut[0]))
            weights[item, places[item]] = smooth
    return weights - _log_sum(weights)[:, None], shapes


def _smoothed(logs: Floats, cut: float) -> tuple[Floats, float]:
    """Expected order statistics of the tail, in logs, and its shape."""
    k, scale = _pareto(np.exp(logs) - cut)
    if not math.isfinite(k):
        return logs, k
    past = np.log1p(-np.arange(0.5, len(logs)) / len(logs))
    quantiles = cut + scale * (-past if k == 0 else np.expm1(-k * past) / k)
    return np.minimum(np.log(quantiles), logs[-1]), k


def _pareto(excess: Floats) -> tuple[float, float]:
    """Shape and scale of a generalised Pareto distribution (Zhang and Stephens 2009)."""
    size = len(excess)
    points = 30 + int(math.sqrt(size))
    quartile = excess[int(size / 4 + 0.5) - 1]
    if quartile <= excess[0]:
        return math.nan, math.nan
    rates = 1.0 - np.sqrt(points / (np.arange(1, points + 1) - 0.5))
    rates = rates / (_PRIOR_SCALE * quartile) + 1.0 / excess[-1]
    shapes = np.log1p(-rates[:, None] * excess).mean(axis=1)
    profile = size * (np.log(-rates / shapes) - shapes - 1.0)
    weights = np.exp(profile - profile.max())
    weights /= weights.sum()
    weights = np.where(weights >= 10 * np.finfo(np.float64).eps, weights, 0.0)
    rate = float(rates @ weights / weights.sum())
    shape = float(np.log1p(-rate * excess).mean())
    scale = -shape / rate
    shape = (size * shape + _PRIOR_DRAWS * _PRIOR_K) / (size + _PRIOR_DRAWS)
    return (math.inf, math.nan) if math.isnan(shape) else (shape, scale)


def _log_sum(logs: Floats) -> Floats:
    """Logs of sums over draws."""
    largest = logs.max(axis=1, keepdims=True)
    found: Floats = largest[:, 0] + np.log(np.exp(logs - largest).sum(axis=1))
    return found
