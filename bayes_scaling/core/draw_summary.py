"""Draws as a few numbers, the same few with the same names everywhere."""

from collections.abc import Sequence
from typing import Annotated, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.core.records import Record, about

__all__ = [
    "CENTRAL",
    "NAMES",
    "QUANTILES",
    "Z90",
    "PosteriorSummary",
    "describe",
    "quantile_name",
    "quantiles_of",
    "summarise",
]

Floats = NDArray[np.float64]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
CENTRAL = (0.05, 0.5, 0.95)
Z90 = 1.6448536269514722
"""Half width of a central 90% interval of a normal, in standard deviations."""


def quantile_name(level: float) -> str:
    """Column of a quantile: ``q`` and the level in percent with two integer digits.

    Examples
    --------
    >>> quantile_name(0.05), quantile_name(0.025), quantile_name(0.975)
    ('q05', 'q02.5', 'q97.5')
    """
    whole, _, rest = f"{level * 100:.10f}".partition(".")
    rest = rest.rstrip("0")
    return f"q{int(whole):02d}" + (f".{rest}" if rest else "")


NAMES = tuple(quantile_name(level) for level in QUANTILES)


def quantiles_of(
    draws: ArrayLike, levels: Sequence[float] = QUANTILES, *, axis: int = -1
) -> dict[str, Floats]:
    """Quantiles of draws along an axis, by name."""
    found = np.quantile(np.asarray(draws, dtype=np.float64), levels, axis=axis)
    return dict(zip(map(quantile_name, levels), found, strict=True))


def summarise(draws: ArrayLike, levels: Sequence[float] = QUANTILES) -> dict[str, Floats]:
    """Mean, sd (0 of a single draw) and quantiles of draws, dims (..., sample) to (...)."""
    # One layout in memory, so that the same draws have the same mean to the last digit.
    rows = np.ascontiguousarray(draws, dtype=np.float64)
    sd = rows.std(axis=-1, ddof=1) if rows.shape[-1] > 1 else np.zeros(rows.shape[:-1])
    return {"mean": rows.mean(axis=-1), "sd": sd, **quantiles_of(rows, levels)}


def describe(draws: ArrayLike) -> dict[str, float]:
    """Mean, sd and quantiles of all draws of one quantity, as plain numbers."""
    return {name: float(value) for name, value in summarise(np.ravel(draws)).items()}


class PosteriorSummary(Record, frozen=True, kw_only=True):
    """A quantity that is uncertain, by its posterior draws.

    Examples
    --------
    >>> PosteriorSummary.of([1.0, 2.0, 3.0]).q50
    2.0
    """

    mean: Annotated[float, about("Mean over the posterior draws.")]
    sd: Annotated[float, about("Standard deviation over the posterior draws.", ge=0)]
    q05: Annotated[float, about("5% quantile over the posterior draws.")]
    q25: Annotated[float, about("25% quantile over the posterior draws.")]
    q50: Annotated[float, about("Median over the posterior draws.")]
    q75: Annotated[float, about("75% quantile over the posterior draws.")]
    q95: Annotated[float, about("95% quantile over the posterior draws.")]

    @classmethod
    def of(cls, draws: ArrayLike) -> Self:
        """Summarise all draws of one quantity."""
        return cls(**describe(draws))
