"""Sensitivity of a posterior to powers of prior and likelihood (Kallioinen et al. 2024)."""

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.inference.convergence import effective_draws
from bayes_scaling.inference.diagnostics.information import components_of, labels
from bayes_scaling.inference.diagnostics.pareto_smoothing import smoothed_weights, tail_size

__all__ = ["power_sensitivity"]

Floats = NDArray[np.float64]

_POWERS = (0.99, 1.01)
_TAIL = 0.05
_FEWEST = 5


def power_sensitivity(dt: xr.DataTree) -> pd.DataFrame:
    """Compute how much the posterior of each parameter moves with powers of prior and likelihood.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree.

    Returns
    -------
    pandas.DataFrame
        Columns prior, likelihood; index ``name[family]`` or ``name``.
    """
    posterior = dt["posterior"].to_dataset()
    names = [name for value in posterior.data_vars.values() for name in labels(value)]
    draws = np.concatenate(
        [
            value.transpose(..., "chain", "draw").to_numpy().reshape(-1, _draws(posterior))
            for value in posterior.data_vars.values()
        ]
    )
    order = draws.argsort(axis=1)
    steps = np.diff(np.take_along_axis(draws, order, axis=1), axis=1)
    components = components_of(dt, draws.shape[1])
    found = {}
    for name in ("prior", "likelihood"):
        total = _total(dt[f"log_{name}"].to_dataset())
        moved = []
        for power in _POWERS:
            ratios = _within((power - 1.0) * total, components)
            weights = np.exp(smoothed_weights(ratios[None], _tail(total))[0][0])
            distance = _distance(steps, (weights / weights.sum())[order])
            moved.append(distance / abs(np.log2(power)))
        found[name] = sum(moved) / len(_POWERS)
    return pd.DataFrame(found, index=names)


def _within(log_ratios: Floats, components: NDArray[np.int64]) -> Floats:
    """Ratios that leave the shares of the components of a mixture as they are: those are fixed."""
    result = log_ratios.copy()
    for number in np.unique(components):
        own = components == number
        result[own] -= np.logaddexp.reduce(log_ratios[own]) - np.log(own.sum())
    return result


def _draws(posterior: xr.Dataset) -> int:
    return int(posterior.sizes["chain"] * posterior.sizes["draw"])


def _total(logs: xr.Dataset) -> Floats:
    """Sum of log densities in each draw, chain after chain."""
    parts = [
        value.transpose(..., "chain", "draw").to_numpy().reshape(-1, _draws(logs)).sum(axis=0)
        for value in logs.data_vars.values()
    ]
    total: Floats = np.sum(parts, axis=0)
    return total


def _tail(total: Floats) -> int:
    """How many weights are smoothed: the chains count as one."""
    chain = total[None, None]
    effective = min(float(effective_draws(chain, p)[0]) for p in (_TAIL, 1.0 - _TAIL))
    size = tail_size(total.size, effective / total.size)
    return max(min(size, total.size // 2), _FEWEST)


def _distance(steps: Floats, weights: Floats) -> Floats:
    """Cumulative Jensen-Shannon distance of weighted draws from the same unweighted.

    Parameters
    ----------
    steps : (parameter, draw - 1) array
        Distances between ordered draws.
    weights : (parameter, draw) array
        Weights in the same order.
    """
    upwards = _one_sided(steps, np.cumsum(weights, axis=1)[:, :-1])
    downwards = _one_sided(steps[:, ::-1], np.cumsum(weights[:, ::-1], axis=1)[:, :-1])
    return np.maximum(upwards, downwards)


def _one_sided(steps: Floats, q: Floats) -> Floats:
    size = steps.shape[1] + 1
    p = np.linspace(1.0 / size, 1.0 - 1.0 / size, size - 1)
    of_p, of_q = steps @ p, (steps * q).sum(axis=1)
    middle = np.log2(0.5 * (p + q))
    with np.errstate(divide="ignore", invalid="ignore"):
        log_q = np.where(q > 0, np.log2(q), 0.0)
    linear = 0.5 / np.log(2.0) * (of_q - of_p)
    from_p = (steps * (p * (np.log2(p) - middle))).sum(axis=1) + linear
    from_q = (steps * (q * (log_q - middle))).sum(axis=1) - linear
    distance: Floats = np.sqrt((np.maximum(from_p, 0) + np.maximum(from_q, 0)) / (of_p + of_q))
    return distance
