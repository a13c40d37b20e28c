"""Proper scores of probabilistic forecasts, from draws, and their averages."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.core.draw_summary import quantile_name
from bayes_scaling.errors import DataError

__all__ = [
    "COVERAGES",
    "crps",
    "interval_score",
    "pit",
    "score_draws",
    "summarise",
]

Floats = NDArray[np.float64]

COVERAGES = (50, 80, 90, 95)
"""Central intervals whose coverage is counted, percent."""
_LEVELS = (0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975)
_SCORED = 90
"""The interval that the interval score is of, percent."""
_MEANS = ("bias", "are", "crps", "interval_score", "width", "log_score")


def crps(draws: Floats, observed: Floats) -> Floats:
    """Compute the continuous ranked probability score of draws.

    Gneiting and Raftery 2007, Eq. 21: E|X - y| - E|X - X'| / 2, the second term from order
    statistics.

    Parameters
    ----------
    draws : (point, sample) array
        Forecast draws.
    observed : (point,) array
        Observations.

    Returns
    -------
    (point,) array
        In the unit of the draws; 0 is perfect.

    Examples
    --------
    >>> crps(np.array([[1.0, 2.0, 3.0]]), np.array([2.0])).round(3).tolist()
    [0.222]
    """
    n = draws.shape[1]
    ordered = np.sort(draws, axis=1)
    weights = 2.0 * np.arange(1, n + 1) - n - 1
    spread = (ordered * weights).sum(axis=1) / n**2
    result: Floats = np.abs(draws - observed[:, None]).mean(axis=1) - spread
    return result


def interval_score(lower: Floats, upper: Floats, observed: Floats, probability: float) -> Floats:
    """Compute the interval score of a central interval: its width, and a penalty for each miss.

    Gneiting and Raftery 2007, Eq. 43.

    Parameters
    ----------
    lower, upper : (point,) array
        Ends of the interval.
    observed : (point,) array
        Observations.
    probability : float
        Nominal probability of the interval.

    Examples
    --------
    >>> lower, upper, observed = (np.array([value]) for value in (1.0, 2.0, 2.5))
    >>> interval_score(lower, upper, observed, 0.9).round(6).tolist()
    [11.0]
    """
    penalty = 2.0 / (1.0 - probability)
    below = np.maximum(lower - observed, 0.0)
    above = np.maximum(observed - upper, 0.0)
    result: Floats = (upper - lower) + penalty * (below + above)
    return result


def pit(draws: Floats, observed: Floats) -> Floats:
    """Compute the probability integral transform: the fraction of draws below the observation.

    Ties count half.

    Uniform over many points if the forecasts are calibrated (Gneiting et al. 2007, Section 3.1).

    Parameters
    ----------
    draws : (point, sample) array
        Forecast draws.
    observed : (point,) array
        Observations.

    Examples
    --------
    >>> pit(np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([2.0])).tolist()
    [0.375]
    """
    below, same = draws < observed[:, None], draws == observed[:, None]
    result: Floats = below.mean(axis=1) + 0.5 * same.mean(axis=1)
    return result


def score_draws(draws: ArrayLike, observed: ArrayLike) -> pd.DataFrame:
    """Score forecasts of losses, point by point.

    Parameters
    ----------
    draws : (point, sample) array
        Draws of the loss.
    observed : (point,) array
        Observed losses, in the same unit.

    Returns
    -------
    pandas.DataFrame
        One row a point. Quantiles of the loss (``q05`` …); ``log_error``, log of the median over
        the observed loss (positive is too pessimistic); ``are``, absolute relative error of the
        median; ``crps``, ``interval_score`` and ``width`` of the 90% interval, all in log loss, so
        that they are relative to the loss; ``pit``; ``inside_50`` … ``inside_95``.
    """
    losses, came = _checked(draws, observed)
    logs, log_came = np.log(losses), np.log(came)
    table = _by_quantiles(
        dict(zip(_LEVELS, np.quantile(logs, _LEVELS, axis=1), strict=True)), log_came
    )
    return table.assign(crps=crps(logs, log_came), pit=pit(logs, log_came))


def _checked(draws: ArrayLike, observed: ArrayLike) -> tuple[Floats, Floats]:
    values, came = np.asarray(draws, np.float64), np.asarray(observed, np.float64)
    if values.ndim != 2 or came.ndim != 1 or len(values) != len(came):
        raise DataError(
            f"draws have shape {values.shape} and losses {came.shape}; (point, …) and (point,) "
            "are needed"
        )
    for name, array in (("draws", values), ("losses", came)):
        bad = ~(np.isfinite(array) & (array > 0))
        if bad.any():
            value = float(array[bad][0])
            raise DataError(f"{name} hold {value!r}; positive finite losses are needed")
    return values, came


def _by_quantiles(at: dict[float, Floats], observed: Floats) -> pd.DataFrame:
    """Scores by quantiles of the log loss; columns of losses are in their own unit."""
    error = at[0.5] - observed
    table: dict[str, NDArray[Any]] = {quantile_name(level): np.exp(v) for level, v in at.items()}
    table |= {"log_error": error, "are": np.abs(np.expm1(error))}
    for percent in COVERAGES:
        low, high = (at[round(level, 6)] for level in _ends(percent))
        table[f"inside_{percent}"] = (low <= observed) & (observed <= high)
        if percent == _SCORED:
            table["interval_score"] = interval_score(low, high, observed, percent / 100)
            table["width"] = high - low
    return pd.DataFrame(table)


def _ends(percent: int) -> tuple[float, float]:
    tail = (1 - percent / 100) / 2
    return tail, 1 - tail


def summarise(points: pd.DataFrame, by: Sequence[str] = ("family",)) -> pd.DataFrame:
    """Average scores by family, and over families of equal weight.

    Parameters
    ----------
    points : pandas.DataFrame
        Rows of :func:`score_draws` with the columns of ``by``, and ``log_score`` where known.
    by : sequence of str
        Columns to group by; the last names the family.

    Returns
    -------
    pandas.DataFrame
        The columns of ``by``, ``runs``, ``coverage_50`` …, ``bias`` (mean of ``log_error``),
        ``are``, ``crps``, ``interval_score``, ``width``, ``log_score``, ``pit_mean``; after the
        families of each group one row "all" where they are two or more: the mean of the families.
    """
    known = points.rename(columns={"log_error": "bias", "pit": "pit_mean"}).rename(
        columns={f"inside_{percent}": f"coverage_{percent}" for percent in COVERAGES}
    )
    names = [*(f"coverage_{percent}" for percent in COVERAGES), *_MEANS, "pit_mean"]
    have = [name for name in names if name in known]
    grouped = known.groupby(list(by), sort=False)
    scores = grouped[have].mean().astype(np.float64)
    scores.insert(0, "runs", grouped.size())
    scores = scores.reset_index()
    *outer, family = by
    parts = []
    for key, group in scores.groupby(outer, sort=False) if outer else [((), scores)]:
        parts.append(group)
        if len(group) > 1:
            whole = group[have].mean()
            names_of = dict(zip(outer, key, strict=True)) if isinstance(key, tuple) else {}
            row = names_of | {family: "all", "runs": group["runs"].sum(), **whole}
            parts.append(pd.DataFrame([row])[list(scores)])
    return pd.concat(parts, ignore_index=True)
