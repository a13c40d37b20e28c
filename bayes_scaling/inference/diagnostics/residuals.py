"""Posterior predictive checks: coverage, structure and trend of the residuals."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.ranks import average_ranks
from bayes_scaling.inference.diagnostics.checks import Check

if TYPE_CHECKING:
    from bayes_scaling.inference.fit_result import Fit

__all__ = [
    "predictive_checks",
    "predictive_table",
    "replicates",
    "residual_structure",
    "residual_trend",
]

Floats = NDArray[np.float64]

LEVEL = 0.05
"""Of every test of residuals, over all families together."""
LARGEST = 0.25
"""Fraction of a family's runs, those of largest compute, that are tested for a trend."""
FEWEST_LARGEST = 4
"""Runs among which a trend is looked for at the least."""
FEWEST_RUNS = 8
"""Runs of a family below which its largest ones are no group of their own."""
_FREE = 4
"""Residual degrees of freedom below which an F test says nothing."""


def replicates(fit: "Fit") -> Floats:
    """Return replicated losses of the fitted runs, dims (run, draw)."""
    replicated = fit.dt["posterior_predictive"]["loss"].stack(sample=("chain", "draw"))
    values: Floats = replicated.transpose("run", "sample").to_numpy()
    return values


def predictive_table(fit: "Fit") -> pd.DataFrame:
    """Compute coverage of the runs by their predictive distribution, and tests of residuals.

    Returns
    -------
    pandas.DataFrame
        One row a family, then, where there are several, one row with family "" for the tests
        pooled over families: runs, inside_50, inside_90, residual_sd (log loss), ``structure``
        and ``structure_p`` (:func:`residual_structure`), ``trend`` and ``trend_p``
        (:func:`residual_trend`). NaN where there are too few runs for a test.
    """
    values, observed = replicates(fit), fit.dt["observed_data"]["loss"].to_numpy()
    pit = (values < observed[:, None]).mean(axis=1)
    residual = np.log(observed) - np.log(np.median(values, axis=1))
    families = [
        (str(family), rows, residual[rows.index.to_numpy()])
        for family, rows in fit.runs.groupby("family", sort=False)
    ]
    groups = [(name, [(rows, own)]) for name, rows, own in families]
    if len(families) > 1:
        groups.append(("", [(rows, own) for _, rows, own in families]))
    table = []
    for name, members in groups:
        at = np.concatenate([rows.index.to_numpy() for rows, _ in members])
        structure, structure_p = residual_structure(members)
        trend, trend_p = residual_trend(members)
        table.append(
            {
                "family": name,
                "runs": len(at),
                "inside_50": float(np.mean(np.abs(pit[at] - 0.5) <= 0.25)),
                "inside_90": float(np.mean(np.abs(pit[at] - 0.5) <= 0.45)),
                "residual_sd": float(np.std(residual[at])),
                "structure": structure,
                "structure_p": structure_p,
                "trend": trend,
                "trend_p": trend_p,
            }
        )
    return pd.DataFrame(table)


def residual_structure(
    members: Sequence[tuple[pd.DataFrame, Floats]],
) -> tuple[float, float]:
    """Test residuals for structure in compute and tokens per parameter.

    An F test of a quadratic in log C and log D/N against a constant for each family: a law that
    bends away from the data leaves such a pattern long before single runs look wrong. With several
    families they share the coefficients, each in units of its own standard deviations. Where
    there are too few runs for the quadratic, it is a line.

    Parameters
    ----------
    members : sequence of (pandas.DataFrame, (run,) array)
        By family, runs in canonical columns and their residuals, log loss.

    Returns
    -------
    fraction, p : float
        NaN where fewer than 4 degrees of freedom would be left.
    """
    from scipy.special import fdtrc

    # Ranks, so that one wild run neither makes a pattern nor hides one.
    y = np.concatenate([_centred_scores(own) for _, own in members])
    for powers in ((1, 2), (1,)):
        design = np.concatenate([_regressors(rows, powers) for rows, _ in members])
        rank = int(np.linalg.matrix_rank(design))
        free = len(y) - len(members) - rank
        if rank and free >= _FREE:
            left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
            total, unexplained = float(np.sum(y**2)), float(np.sum(left**2))
            if total == 0:
                break
            f = ((total - unexplained) / rank) / (unexplained / free)
            return 1 - unexplained / total, float(fdtrc(rank, free, f))
    return np.nan, np.nan


def _centred_scores(residual: Floats) -> Floats:
    from scipy.special import ndtri

    scores = ndtri((average_ranks(residual) - 0.5) / len(residual))
    centred: Floats = scores - scores.mean()
    return centred


def _regressors(rows: pd.DataFrame, powers: tuple[int, ...]) -> Floats:
    """Powers of standardised log C and log D/N, without their mean over the family."""
    ratio = np.log(rows["tokens"].to_numpy() / rows["params"].to_numpy())
    columns = []
    for term in (np.log(rows["flops"].to_numpy()), ratio):
        # Rounded sizes make a constant ratio vary in its last digits.
        varies = float(term.std()) > 1e-3
        z = (term - term.mean()) / (term.std() if varies else 1.0)
        columns += [z**power if varies else np.zeros_like(z) for power in powers]
    design = np.stack(columns, axis=1)
    centred: Floats = design - design.mean(axis=0)
    return centred


def residual_trend(members: Sequence[tuple[pd.DataFrame, Floats]]) -> tuple[float, float]:
    """Test residuals for a trend with compute among the largest runs.

    The runs nearest to a forecast are few, and a test over all runs hardly sees them. Spearman's
    correlation in the quarter of each family's runs with most compute (four at the least), families
    weighted by their number of such runs less one; two-sided, normal approximation with the
    variance 1 / (n - 1) of the correlation under exchangeability.

    Parameters
    ----------
    members : sequence of (pandas.DataFrame, (run,) array)
        As for :func:`residual_structure`.

    Returns
    -------
    correlation, p : float
        NaN where no family has 8 runs, of at least two levels of compute among its largest.
    """
    from scipy.special import ndtr

    weighted, weights = 0.0, 0.0
    for rows, residual in members:
        if len(rows) < FEWEST_RUNS:
            continue
        levels = _levels(rows["flops"].to_numpy(np.float64))
        limit = np.sort(levels)[-max(FEWEST_LARGEST, round(LARGEST * len(levels)))]
        if limit == levels.max() > levels.min():
            # Runs of one level of compute alone have no trend: the next level joins them.
            limit = levels[levels < limit].max()
        largest = levels >= limit
        if np.ptp(levels[largest]) == 0 or np.ptp(residual[largest]) == 0:
            continue
        weight = float(largest.sum() - 1)
        weighted += weight * _rank_correlation(levels[largest], residual[largest])
        weights += weight
    if not weights:
        return np.nan, np.nan
    return weighted / weights, float(2 * ndtr(-abs(weighted) / np.sqrt(weights)))


def _rank_correlation(first: Floats, second: Floats) -> float:
    return float(np.corrcoef(average_ranks(first), average_ranks(second))[0, 1])


def _levels(flops: Floats) -> Floats:
    """Rank of each run's level of compute; runs within 2% of the next smaller are of one level."""
    order = np.argsort(flops)
    steps = np.diff(flops[order], prepend=flops[order][0]) > 0.02 * flops[order]
    levels = np.empty(len(flops))
    levels[order] = np.cumsum(steps)
    return levels


def predictive_checks(table: pd.DataFrame) -> list[Check]:
    """Check coverage of the fitted runs, structure in their residuals, and trend at the largest.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`predictive_table` makes it.
    """
    families = table[table["family"] != ""] if len(table) > 1 else table
    return [_coverage(families), _structure(table), _trend(table)]


def _coverage(table: pd.DataFrame) -> Check:
    from scipy.special import bdtr

    runs = int(table["runs"].sum())
    inside = round(float((table["inside_90"] * table["runs"]).sum()))
    # A fit covers its own data a little too well, so only too low a coverage is doubtful.
    low = float(bdtr(inside, runs, 0.9)) < 0.01
    text = f"{inside} of {runs} runs lie inside their 90% predictive interval"
    text += ", fewer than chance allows: the noise or the law is wrong." if low else "."
    return Check.of("predictive coverage", "warn" if low else "ok", inside / runs, 0.9, text)


def _significant(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Rows whose p-value is small, with all tests of the table allowed for."""
    return table[table[column] * table[column].notna().sum() < LEVEL]


def _names(rows: pd.DataFrame) -> str:
    """Families by name; all of them where only the test over all is significant."""
    named = [repr(name) for name in rows["family"] if name]
    return f"family {', '.join(named)}" if named else "all families together"


def _structure(table: pd.DataFrame) -> Check:
    if table["structure_p"].isna().all():
        text = (
            f"Structure in the residuals was not tested: {int(table['runs'].max())} runs are too "
            "few."
        )
        return Check.of("residual structure", "untested", np.nan, 0, text)
    bent = _significant(table, "structure_p")
    if not len(bent):
        text = "Residuals show no pattern in compute or tokens per parameter."
        return Check.of("residual structure", "ok", 0, 0, text)
    text = (
        f"Residuals of {_names(bent)} follow compute or tokens per parameter: the law bends away "
        "from the data, so forecasts beyond them are biased; compare other laws."
    )
    return Check.of("residual structure", "warn", len(bent), 0, text)


def _trend(table: pd.DataFrame) -> Check:
    name = "trend at the largest"
    if table["trend_p"].isna().all():
        text = (
            "A trend of the residuals among the largest runs was not tested: no family has "
            f"{FEWEST_RUNS} runs of several levels of compute."
        )
        return Check.of(name, "untested", np.nan, LEVEL, text)
    least = float(table["trend_p"].min())
    trending = _significant(table, "trend_p")
    if not len(trending):
        text = "Residuals show no trend with compute among the largest runs."
        return Check.of(name, "ok", least, LEVEL, text)
    rising = float(trending["trend"].mean()) > 0
    text = (
        f"Among the largest runs of {_names(trending)} residuals {'rise' if rising else 'fall'} "
        f"with compute: forecasts beyond them may come out too {'low' if rising else 'high'}; "
        "backtest, and compare other laws."
    )
    return Check.of(name, "warn", least, LEVEL, text)
