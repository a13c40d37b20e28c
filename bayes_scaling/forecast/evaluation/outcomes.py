"""Scores of the forecasts of a fit, given the losses that were observed."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.errors import DataError
from bayes_scaling.forecast.evaluation.scoring import score_draws
from bayes_scaling.forecast.forecast_caveats import check_spelling
from bayes_scaling.forecast.prediction import forecast_columns, predict_own
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.model import arrays, input_table
from bayes_scaling.posterior import family_posterior, log_inputs
from bayes_scaling.runs import Runs, load_runs
from bayes_scaling.runs.loss_units import conversion

__all__ = ["log_score", "score", "score_rows"]


def score(fit: Fit, runs: Any, *, seed: int = 0) -> pd.DataFrame:
    """Score the forecasts of a fit for runs that it was not fitted to.

    Parameters
    ----------
    fit : Fit
        The fit.
    runs : Runs, pandas.DataFrame or path
        Runs with their observed losses; rows of any role are scored.
    seed : int
        Random seed of the forecasts, and of the law's error in the log score.

    Returns
    -------
    pandas.DataFrame
        One row a run: family, run, flops (FLOP), loss, ``extrapolation`` (decades of compute
        beyond the fitted runs), the columns of
        :func:`bayes_scaling.forecast.evaluation.scoring.score_draws` and, for families that were
        fitted, ``log_score`` (log predictive density of the loss).

    Raises
    ------
    DataError
        If the table is unusable, lacks what the law reads, or its losses are in a unit that cannot
        be turned into that of the fit.

    Examples
    --------
    >>> scored = bs.score(bs.load_fit("fit.nc"), "runs.csv")
    >>> scored[["run", "loss", "q05", "q95", "inside_90"]].shape
    (40, 5)
    >>> bool((scored["crps"] > 0).all())
    True
    """
    check_fit(fit)
    outcomes = load_runs(runs).with_inputs(fit.law.own_inputs).plausible()
    check_spelling(fit, outcomes.families)
    return score_rows(fit, _in_unit_of(fit, outcomes), seed)


def _in_unit_of(fit: Fit, runs: Runs) -> pd.DataFrame:
    """Runs with their losses in the unit of the fit's."""
    table = runs.table
    pairs = [
        (unit, fit.loss_unit(name))
        for unit, name in zip(table["loss_unit"], table["family"], strict=True)
    ]
    factors = {pair: conversion(*pair) for pair in dict.fromkeys(pairs)}
    for (unit, wanted), factor in factors.items():
        if factor is None:
            raise DataError(
                f"{runs.source} has losses in {unit}, which cannot be turned into {wanted}, the "
                f"unit of the fit; score runs with losses in {wanted}"
            )
    scale = np.array([factors[pair] for pair in pairs], dtype=np.float64)
    names = [name for name in ("loss", "loss_se") if name in table]
    return table.assign(**{name: table[name] * scale for name in names})


def score_rows(fit: Fit, rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Score rows in canonical columns, see :func:`score`."""
    rows = rows.reset_index(drop=True)
    forecast = predict_own(fit, forecast_columns(fit.law, rows), seed)
    draws = forecast.loss_run.transpose("point", "chain", "draw").to_numpy()
    scored = score_draws(draws.reshape(len(rows), -1), rows["loss"].to_numpy())
    seen = rows["family"].isin(fit.families)
    density = np.full(len(rows), np.nan)
    if seen.any():
        density[seen.to_numpy()] = log_score(fit, rows[seen], seed=seed)
    return pd.DataFrame(
        {
            "family": rows["family"].to_numpy(),
            "run": rows["run"].astype(str).to_numpy(),
            "flops": rows["flops"].to_numpy(),
            "loss": rows["loss"].to_numpy(),
            "extrapolation": forecast.points["extrapolation"].to_numpy(),
        }
    ).join(scored.assign(log_score=density))


def log_score(fitted: Fit, rows: pd.DataFrame, *, seed: int = 0) -> NDArray[np.float64]:
    """Compute the log posterior predictive density of the loss of each run.

    Parameters
    ----------
    fitted : Fit
        A fit that knows the families of the runs.
    rows : pandas.DataFrame
        Runs in canonical columns, with their losses.
    seed : int
        Seed of the draws of the law's error, over which the density is averaged; without one, the
        density has no random part but the posterior.
        These draws are numbered by the place of a run among those of its family in ``rows``, so
        with other runs beside it a run has another score, within Monte Carlo error.

    Returns
    -------
    (run,) array
        In the loss, not its log, so that laws and likelihoods compare; higher is better.
    """
    from scipy.special import logsumexp

    rows = rows.reset_index(drop=True)
    design = arrays(fitted.spec, fitted.frame, rows)
    table = rows.assign(**input_table(fitted.law, rows))
    result = np.empty(len(rows))
    for label, places in rows.groupby("family").indices.items():
        family = family_posterior(fitted, str(label), seed)
        log_loss, se = (v[places, None] for v in (design.log_loss, design.relative_se))
        x = log_inputs(fitted.law, table.iloc[places])
        density = family.log_density(x, log_loss, se, range(len(places)))
        result[places] = logsumexp(density, axis=1) - np.log(family.size)
    # d log L / dL: the density above is that of the log of the loss.
    return result - design.log_loss
