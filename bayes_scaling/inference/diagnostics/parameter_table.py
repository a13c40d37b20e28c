"""Table of parameters: estimates, convergence, and contribution of the prior."""

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.core.draw_summary import quantile_name
from bayes_scaling.inference.convergence import convergence
from bayes_scaling.inference.diagnostics.information import MOSTLY_PRIOR, contraction, labels
from bayes_scaling.inference.diagnostics.power_scaling import power_sensitivity
from bayes_scaling.inference.sampler import ESS_MIN, RHAT_MAX
from bayes_scaling.inference.tree import thinned_alike

__all__ = ["parameter_table", "with_sensitivity"]

_SENSITIVE = 0.05
"""Power-scaling sensitivity that counts (Kallioinen et al. 2024)."""


def parameter_table(dt: xr.DataTree, ci_prob: float = 0.9) -> pd.DataFrame:
    """Summarise the posterior of every parameter, with contraction, convergence and status.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree.
    ci_prob : float
        Probability of the equal-tailed interval.

    Returns
    -------
    pandas.DataFrame
        Index: ``name[family]`` or ``name``.
    """
    lower, upper = (1 - ci_prob) / 2, 1 - (1 - ci_prob) / 2
    posterior = dt["posterior"].to_dataset()
    result = pd.concat([_rows(posterior[name], (lower, upper)) for name in posterior.data_vars])
    result["contraction"] = contraction(dt).reindex(result.index)
    result["source"] = np.where(result["contraction"] < MOSTLY_PRIOR, "mostly prior", "data")
    result["status"] = [_parameter_status(row) for _, row in result.iterrows()]
    return result


def _rows(draws: xr.DataArray, probabilities: tuple[float, float]) -> pd.DataFrame:
    """Estimates and convergence of the entries of a variable."""
    values = draws.transpose("chain", "draw", ...).to_numpy()
    sampled = values.reshape(values.shape[0] * values.shape[1], -1)
    low, high = np.quantile(sampled, probabilities, axis=0)
    found = convergence(values)
    return pd.DataFrame(
        {
            "mean": sampled.mean(axis=0),
            "sd": sampled.std(axis=0, ddof=1),
            "median": np.median(sampled, axis=0),
            quantile_name(probabilities[0]): low,
            quantile_name(probabilities[1]): high,
            "ess_bulk": found.ess_bulk.ravel(),
            "ess_tail": found.ess_tail.ravel(),
            "r_hat": found.r_hat.ravel(),
        },
        index=labels(draws),
    )


def _parameter_status(row: "pd.Series[Any]") -> str:
    # Written so that a NaN fails too.
    if not row["r_hat"] <= RHAT_MAX:
        return "chains disagree"
    if not row["ess_bulk"] >= ESS_MIN:
        return "too few effective draws"
    if not row["ess_tail"] >= ESS_MIN:
        return "tails poorly known"
    return "ok"


_ADVICE = {
    "chains disagree": "Sample longer (tune, draws), or give a tighter prior.",
    "too few effective draws": "Draw more, or give a tighter prior.",
    "tails poorly known": "Draw more before reading extreme quantiles.",
    "ok": "",
}


def with_sensitivity(parameters: pd.DataFrame, dt: xr.DataTree) -> pd.DataFrame:
    """Add power-scaling sensitivity (Kallioinen et al. 2024) and advice."""
    psense = power_sensitivity(thinned_alike(dt)).round(6)
    table = parameters.assign(
        prior_sensitivity=psense["prior"].reindex(parameters.index),
        likelihood_sensitivity=psense["likelihood"].reindex(parameters.index),
    )
    weak = table["likelihood_sensitivity"] < _SENSITIVE
    conflict = (table["prior_sensitivity"] >= _SENSITIVE) & ~weak
    untaught = table["source"] == "mostly prior"
    mostly_prior = untaught | ((table["prior_sensitivity"] >= _SENSITIVE) & weak)
    names = ["mostly prior", "prior and data"]
    table["source"] = np.select([mostly_prior, conflict], names, "data")
    advice = [_ADVICE[status] for status in table["status"]]
    hints = {
        "mostly prior": "Mostly the prior: say so, or collect runs that vary it.",
        "prior and data": "The prior matters: refit with another one before relying on it.",
        "data": "",
    }
    table["advice"] = [
        f"{first} {hints[source]}".strip()
        for first, source in zip(advice, table["source"], strict=True)
    ]
    return table
