"""R-hat and effective numbers of draws of all parameters at once (Vehtari et al. 2021)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

__all__ = [
    "Convergence",
    "convergence",
    "effective_draws",
    "energy_fraction",
    "worst_convergence",
]

Floats = npt.NDArray[np.float64]

_TAIL = (1 - 0.89, 0.89)
"""Quantiles whose effective numbers of draws the tails have: ArviZ's."""
_FEWEST_DRAWS = 4
_BLOCK = 2**20
"""Draws that are worked on at a time, which bounds the memory."""


@dataclass(frozen=True)
class Convergence:
    """Convergence of parameters; NaN where it cannot be judged.

    Attributes
    ----------
    r_hat : numpy.ndarray
        Rank-normalised split R-hat, the larger of bulk and tails; NaN for a single chain and for a
        parameter that does not vary.
    ess_bulk : numpy.ndarray
        Effective number of draws for the bulk.
    ess_tail : numpy.ndarray
        Effective number of draws for the tails.
    """

    r_hat: Floats
    ess_bulk: Floats
    ess_tail: Floats


def convergence(draws: npt.ArrayLike) -> Convergence:
    """Compute R-hat and effective numbers of draws.

    Parameters
    ----------
    draws : array_like
        Shape (chain, draw, ...).

    Returns
    -------
    Convergence
        Arrays of shape (...), equal to those of ``arviz.rhat`` and ``arviz.ess``.
    """
    values = np.asarray(draws, dtype=np.float64)
    chains, length, *shape = values.shape
    by_parameter = np.moveaxis(values.reshape(chains, length, -1), -1, 0)
    size = max(1, _BLOCK // max(1, chains * length))
    blocks = [
        _block(np.ascontiguousarray(by_parameter[start : start + size]))
        for start in range(0, len(by_parameter), size)
    ]
    found = np.concatenate([np.empty((3, 0)), *blocks], axis=1).reshape(3, *shape)
    return Convergence(*found)


def worst_convergence(draws: xr.Dataset) -> tuple[float, float, float]:
    """Compute the largest R-hat, and the smallest effective numbers of draws (bulk, tail).

    Parameters
    ----------
    draws : xarray.Dataset
        Variables with dims chain, draw and any others. Those that do not vary count as converged.

    Returns
    -------
    tuple of float
        NaN where one parameter's is NaN.
    """
    sizes = draws.sizes["chain"], draws.sizes["draw"]
    columns = [
        value.transpose("chain", "draw", ...).to_numpy().reshape(*sizes, -1)
        for value in draws.data_vars.values()
    ]
    values = np.concatenate(columns, axis=-1)
    found = convergence(values)
    r_hat = np.where((values == values[0, 0]).all(axis=(0, 1)), 1.0, found.r_hat)
    return float(r_hat.max()), float(found.ess_bulk.min()), float(found.ess_tail.min())


def effective_draws(draws: Floats, probability: float | None = None) -> Floats:
    """Compute effective numbers of draws for the mean, or for a quantile.

    Parameters
    ----------
    draws : numpy.ndarray
        Shape (parameter, chain, draw).
    probability : float, optional
        Of the quantile.

    Returns
    -------
    numpy.ndarray
        Shape (parameter,); NaN where chains are too short.
    """
    if draws.shape[-1] < _FEWEST_DRAWS:
        return np.full(len(draws), np.nan)
    if probability is None:
        return _effective(_split(draws))
    limits = np.quantile(draws, probability, axis=(1, 2), keepdims=True)
    return _effective(_split(draws <= limits) * 1.0)


def energy_fraction(energy: npt.ArrayLike) -> Floats:
    """Compute the estimated Bayesian fraction of missing information (Betancourt 2016).

    Parameters
    ----------
    energy : array_like
        Shape (chain, draw).

    Returns
    -------
    numpy.ndarray
        Shape (chain,).
    """
    values = np.asarray(energy, dtype=np.float64)
    moves: Floats = np.square(np.diff(values, axis=1)).mean(axis=1)
    return moves / values.var(axis=1, ddof=1)


def _block(draws: Floats) -> Floats:
    """R-hat and effective draws, of bulk and tails, of draws (parameter, chain, draw)."""
    parameters, chains, length = draws.shape
    if length < _FEWEST_DRAWS:
        return np.full((3, parameters), np.nan)
    halves = _split(draws)
    bulk, medians = _normal_scores(halves)
    r_hat = np.full(parameters, np.nan)
    if chains > 1:
        # Infinite draws about an infinite median have no distance from it.
        with np.errstate(invalid="ignore"):
            folded = np.abs(halves - medians[:, None, None])
        of_bulk, of_tails = _r_hat(bulk), _r_hat(_normal_scores(folded)[0])
        # Chains that do not vary may all lie as far from the median: R-hat is then of the bulk.
        r_hat = np.where(of_tails > of_bulk, of_tails, of_bulk)
    with np.errstate(invalid="ignore"):
        limits = np.quantile(draws, _TAIL, axis=(1, 2))
    tails = [_effective(_split(draws <= limit[:, None, None]) * 1.0) for limit in limits]
    found = np.stack([r_hat, _effective(bulk), np.minimum(*tails)])
    found[2, np.isnan(limits).any(axis=0)] = np.nan
    found[:, np.isnan(draws).any(axis=(1, 2))] = np.nan
    return found


def _split(draws: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Halves of every chain; the middle draw of an odd number is left out."""
    half = draws.shape[-1] // 2
    return np.concatenate([draws[..., :half], draws[..., -half:]], axis=-2)


def _normal_scores(draws: Floats) -> tuple[Floats, Floats]:
    """Rank-normalised draws (parameter, chain, draw), and the medians of the parameters."""
    from scipy.special import ndtri

    flat = draws.reshape(len(draws), -1)
    size = flat.shape[1]
    order = flat.argsort(axis=1)
    ordered = np.take_along_axis(flat, order, axis=1)
    # First and last place of the equal values that each place belongs to: their ranks are one.
    place = np.arange(size)
    starts = np.ones(flat.shape, dtype=bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
    ends = np.ones(flat.shape, dtype=bool)
    ends[:, :-1] = starts[:, 1:]
    last = np.minimum.accumulate(np.where(ends, place, size)[:, ::-1], axis=1)[:, ::-1]
    # A mean rank is a multiple of a half, so that scores are looked up and not computed.
    ranks = 1 + np.arange(2 * size - 1) / 2
    scores = ndtri((ranks - 3 / 8) / (size + 1 / 4))
    result = np.empty(flat.shape)
    np.put_along_axis(result, order, scores[first + last], axis=1)
    middle = ordered[:, [(size - 1) // 2, size // 2]].mean(axis=1)
    result[np.isnan(ordered[:, -1])] = np.nan
    return result.reshape(draws.shape), middle


def _r_hat(draws: Floats) -> Floats:
    """R-hat of chains (parameter, chain, draw)."""
    length = draws.shape[-1]
    between = length * draws.mean(axis=-1).var(axis=-1, ddof=1)
    within = draws.var(axis=-1, ddof=1).mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.sqrt((between / within + length - 1) / length)
    return found


def _effective(draws: Floats) -> Floats:
    """Effective numbers of draws of chains (parameter, chain, draw), by Geyer's sequences."""
    parameters, chains, length = draws.shape
    total = chains * length
    covariance = _autocovariance(draws)
    within = covariance[:, 0] * length / (length - 1)
    variance = covariance[:, 0] + draws.mean(axis=-1).var(axis=-1, ddof=1)
    # Of a parameter that does not vary every draw counts.
    constant = np.ptp(draws, axis=(1, 2)) < np.finfo(np.float64).resolution
    variance[constant] = np.nan
    correlation = 1 - (within[:, None] - covariance) / variance[:, None]
    correlation[:, 0] = 1
    last_pair = max(0, (length - 3) // 2)
    even = correlation[:, 0 : 2 * last_pair + 1 : 2]
    pairs = even + correlation[:, 1 : 2 * last_pair + 2 : 2]
    # Initial positive sequence: up to the first pair that is not, whose even lag may still count.
    ended = ~(pairs > 0)
    ended[:, -1] = True
    stop = ended.argmax(axis=1)
    row = np.arange(parameters)
    rest = even[row, stop]
    rest = np.where((rest > 0) | (pairs[row, stop] >= 0), rest, 0)
    # Initial monotone sequence.
    falling = np.minimum.accumulate(pairs, axis=1)
    kept = np.where(np.arange(pairs.shape[1]) < stop[:, None], falling, 0).sum(axis=1)
    effective: Floats = total / np.maximum(2 * kept + rest - 1, 1 / np.log10(total))
    effective[constant] = total
    return effective


def _autocovariance(draws: Floats) -> Floats:
    """Autocovariance at every lag (parameter, lag), mean over chains (parameter, chain, draw)."""
    length = draws.shape[-1]
    padded = 1 << (2 * length - 1).bit_length()
    spectrum = np.fft.rfft(draws - draws.mean(axis=-1, keepdims=True), n=padded)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=1)
    result: Floats = np.fft.irfft(power, n=padded)[:, :length] / length
    return result
