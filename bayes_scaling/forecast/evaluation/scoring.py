"""Proper scores of probabilistic forecasts, from draws or from quantiles, and their averages."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.core.draw_summary import quantile_name
from bayes_scaling.errors import DataError

__all__ = [
    "COVERAGES",
    "crps",
    "crps_of_quantiles",
    "interval_score",
    "pit",
    "pit_of_quantiles",
    "score_draws",
    "score_quantiles",
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


def crps_of_quantiles(levels: Floats, quantiles: Floats, observed: Floats) -> Floats:
    """Compute the continuous ranked probability score of a forecast known by some quantiles.

    Twice the integral of the quantile loss over the level (Laio and Tamea 2007, Eq. 11), by the
    trapezoid rule between the levels, and with the outermost losses scaled to 0 at level 0 and 1.

    Parameters
    ----------
    levels : (level,) array
        Increasing, strictly between 0 and 1.
    quantiles : (point, level) array
        Quantiles at these levels.
    observed : (point,) array
        Observations.

    Returns
    -------
    (point,) array
        In the unit of the quantiles; exact as the levels grow dense.

    Examples
    --------
    >>> levels = np.array([0.25, 0.5, 0.75])
    >>> crps_of_quantiles(levels, np.array([[1.0, 2.0, 3.0]]), np.array([2.0])).tolist()
    [0.25]
    """
    away = observed[:, None] - quantiles
    loss = np.where(away >= 0, levels, levels - 1.0) * away
    edge = np.zeros((len(observed), 1))
    at = np.concatenate([[0.0], levels, [1.0]])
    result: Floats = 2.0 * np.trapezoid(np.concatenate([edge, loss, edge], axis=1), at, axis=1)
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


def pit_of_quantiles(levels: Floats, quantiles: Floats, observed: Floats) -> Floats:
    """Compute the probability integral transform of a forecast known by some quantiles.

    Linear between them; beyond the outermost it is half their level, as no more is known.

    Parameters
    ----------
    levels : (level,) array
        Increasing, strictly between 0 and 1.
    quantiles : (point, level) array
        Quantiles at these levels.
    observed : (point,) array
        Observations.
    """
    low, high = 0.5 * levels[0], 0.5 * (1.0 + levels[-1])
    found = [
        np.interp(y, row, levels, left=low, right=high)
        for y, row in zip(observed, quantiles, strict=True)
    ]
    return np.array(found)


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
    losses, came = _checked(draws, observed, "draws")
    logs, log_came = np.log(losses), np.log(came)
    at = np.quantile(logs, _LEVELS, axis=1).T
    table = _from_quantiles(np.array(_LEVELS), at, log_came)
    return table.assign(crps=crps(logs, log_came), pit=pit(logs, log_came))


def score_quantiles(quantiles: Mapping[float, ArrayLike], observed: ArrayLike) -> pd.DataFrame:
    """Score forecasts of losses that are known by quantiles, point by point.

    Parameters
    ----------
    quantiles : mapping of float to (point,) array
        Quantiles of the loss by level: 0.5, and the ends of the intervals that are to be scored.
    observed : (point,) array
        Observed losses, in the same unit.

    Returns
    -------
    pandas.DataFrame
        As :func:`score_draws`; what needs another level is missing.
    """
    levels = np.array(sorted(quantiles))
    if not len(levels) or levels[0] <= 0 or levels[-1] >= 1 or 0.5 not in levels:
        raise DataError(
            f"quantiles are at levels {', '.join(f'{v:g}' for v in levels) or 'none'}; "
            "levels strictly between 0 and 1 are needed, 0.5 among them"
        )
    values, came = _checked(
        np.stack([np.asarray(quantiles[v]) for v in levels], axis=-1), observed, "quantiles"
    )
    if (np.diff(values, axis=1) < 0).any():
        row = int(np.argmax((np.diff(values, axis=1) < 0).any(axis=1)))
        raise DataError(f"the quantiles of point {row} decrease with their level")
    logs, log_came = np.log(values), np.log(came)
    table = _from_quantiles(levels, logs, log_came)
    return table.assign(
        crps=crps_of_quantiles(levels, logs, log_came),
        pit=pit_of_quantiles(levels, logs, log_came),
    )


def _checked(forecast: ArrayLike, observed: ArrayLike, what: str) -> tuple[Floats, Floats]:
    values, came = np.asarray(forecast, np.float64), np.asarray(observed, np.float64)
    if values.ndim != 2 or came.ndim != 1 or len(values) != len(came):
        raise DataError(
            f"{what} have shape {values.shape} and losses {came.shape}; (point, …) and (point,) "
            "are needed"
        )
    for name, array in ((what, values), ("losses", came)):
        bad = ~(np.isfinite(array) & (array > 0))
        if bad.any():
            value = float(array[bad][0])
            raise DataError(f"{name} hold {value!r}; positive finite losses are needed")
    return values, came


def _from_quantiles(levels: Floats, logs: Floats, observed: Floats) -> pd.DataFrame:
    """Scores by quantiles of the log loss; columns of losses are in their own unit."""
    at = {round(float(level), 6): logs[:, i] for i, level in enumerate(levels)}
    error = at[0.5] - observed
    table: dict[str, NDArray[Any]] = {quantile_name(level): np.exp(v) for level, v in at.items()}
    table |= {"log_error": error, "are": np.abs(np.expm1(error))}
    for percent in COVERAGES:
        low, high = (at.get(round(v, 6)) for v in _ends(percent))
        if low is None or high is None:
            continue
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
        Rows of :func:`score_draws` or :func:`score_quantiles` with the columns of ``by``, and
        ``log_score`` where it is known.
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
