"""Do chains agree: ranks of their draws, and a test that these are uniform in every chain."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["ChainRanks", "chain_ranks", "smoothed"]

Floats = NDArray[np.float64]

_TINY = 1e-18
_GRID = 512


@dataclass(frozen=True)
class ChainRanks:
    """Ranks of the draws of a parameter, chain by chain.

    Attributes
    ----------
    at : (draw,) array
        Fractions from 0 to 1.
    excess : (chain, draw) array
        Share of a chain's draws whose fractional rank is at most that, less the fraction itself.
    p_value : float
        Of the hypothesis that all chains have one distribution.
    suspicious : (chain, draw) array of bool
        Where the p-value is below the level of the test, the parts that make it so.
    """

    at: Floats
    excess: Floats
    p_value: float
    suspicious: NDArray[np.bool_]


def chain_ranks(draws: Floats, level: float) -> ChainRanks:
    """Rank draws over all chains, and test that no chain differs (Tesso and Vehtari 2026).

    Parameters
    ----------
    draws : (chain, draw) array
        Draws of one parameter.
    level : float
        Level of the test.
    """
    chains, size = draws.shape
    _, inverse, counts = np.unique(draws.ravel(), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0)[inverse].reshape(draws.shape)
    ordered = np.sort(ranks / draws.size, axis=1)
    at = np.linspace(0.0, 1.0, size)
    below = np.stack([np.searchsorted(chain, at, side="right") for chain in ordered])
    if chains == 1:
        return ChainRanks(at, below / size - at, np.nan, np.zeros(draws.shape, dtype=np.bool_))
    cut = np.arange(1, size + 1) / (size + 1)
    found = np.stack([np.searchsorted(chain, cut, side="right") for chain in ordered])
    drawn = np.floor(cut * draws.size)
    p_values = _two_sided(found.astype(np.float64), drawn, size, draws.size)
    # Cauchy combination over chains, then over places; Shapley values say which of them count.
    each = np.tan((0.5 - p_values) * np.pi)
    whole = each.mean(axis=0)
    p_value = float(0.5 - np.arctan(whole.mean()) / np.pi)
    counts_most = (_shapley(each) > 0) & (_shapley(whole) > 0)
    return ChainRanks(at, below / size - at, p_value, counts_most & (p_value < level))


def _two_sided(found: Floats, drawn: Floats, size: int, total: int) -> Floats:
    """Mid-p-values of a chain's number of draws among so many of all, hypergeometric."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, total + 1)))])

    def choose(n: int, k: Floats) -> Floats:
        legal = (k >= 0) & (k <= n)
        kept = np.where(legal, k, 0).astype(np.int64)
        return np.where(legal, logs[n] - logs[kept] - logs[n - kept], -np.inf)

    ways = choose(size, found) + choose(total - size, drawn - found)
    here: Floats = np.exp(ways - choose(total, drawn))
    # The shorter tail, term by term from its nearest, until nothing is added.
    lower = found <= drawn * (size / total)
    x, term, tail = found.copy(), here.copy(), np.zeros_like(here)
    rest = total - size - drawn
    while (term > _TINY).any():
        over = np.where(lower, x * (rest + x), (size - x) * (drawn - x))
        under = np.where(lower, (size - x + 1) * (drawn - x + 1), (x + 1) * (rest + x + 1))
        # A term of nothing has nothing after it.
        term = np.where(term > 0, term * over / np.where(under == 0, 1.0, under), 0.0)
        tail += term
        x += np.where(lower, -1.0, 1.0)
    middle = tail + 0.5 * here
    return 2.0 * np.minimum(middle, 1.0 - middle)


def _shapley(values: Floats) -> Floats:
    """Shapley values of a mean, over the first axis."""
    n = len(values)
    harmonic = float(np.sum(1.0 / np.arange(1, n + 1)))
    others = (values.sum(axis=0) - values) / (n - 1)
    shares: Floats = values / n + (harmonic - 1) / n * (values - others)
    return shares


def smoothed(values: Floats) -> tuple[Floats, Floats]:
    """Estimate a density by a normal kernel of Silverman's width, reflected at the ends.

    Parameters
    ----------
    values : (draw,) array
        Draws.

    Returns
    -------
    at, density : (point,) array
    """
    low, high = float(values.min()), float(values.max())
    q25, q75 = np.quantile(values, [0.25, 0.75])
    width = 0.9 * min(float(values.std()), (q75 - q25) / 1.34) * len(values) ** -0.2
    if not width > 0:
        return np.array([low, high]), np.array([0.0, 0.0])
    counts, edges = np.histogram(values, _GRID, (low, high))
    step = edges[1] - edges[0]
    reach = min(int(np.ceil(4.0 * width / step)), _GRID)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * step / width) ** 2)
    mirrored = np.concatenate([counts[:reach][::-1], counts, counts[-reach:][::-1]])
    density = np.convolve(mirrored, kernel / kernel.sum(), mode="valid")
    middles: Floats = 0.5 * (edges[1:] + edges[:-1])
    return middles, density / (density.sum() * step)
