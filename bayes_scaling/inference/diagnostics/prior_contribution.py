"""Contribution of a learned prior: prior, runs and posterior side by side."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.draw_summary import CENTRAL, Z90, quantiles_of
from bayes_scaling.core.random_streams import Stream, generator

if TYPE_CHECKING:
    from bayes_scaling.inference.fit_result import Fit
    from bayes_scaling.inference.point import PointFit

__all__ = ["contribution", "weak_fits", "weak_forecasts"]

Floats = NDArray[np.float64]

_DRAWS = 4000


def weak_fits(fit: "Fit") -> dict[str, "PointFit"]:
    """Fit each family by itself under the weak priors of the law.

    Modes with a normal distribution about them (Laplace), which cost nothing, and not draws: good
    enough to see whether the learned prior or the runs decide.
    """
    from bayes_scaling.inference.point import fit_point

    return {
        str(name): fit_point(fit.default_law, rows) for name, rows in fit.runs.groupby("family")
    }


def contribution(fit: "Fit", fits: Mapping[str, "PointFit"], seed: int = 0) -> pd.DataFrame:
    """Prior, estimate under weak priors, and posterior of every parameter of the law.

    Parameters
    ----------
    fit : Fit
        A fit under learned priors.
    fits : mapping of str to PointFit
        Of its families, as :func:`weak_fits` makes them.
    seed : int
        Seed of the draws from the normal approximation.

    Returns
    -------
    pandas.DataFrame
        One row a family and parameter, at the fit's reference point: family, name, unit;
        ``prior_q05``, ``prior_q50``, ``prior_q95``, and the same of ``runs`` and ``posterior``;
        ``moved``, by how many of its sd under weak priors the learned prior moved the log of the
        parameter.
    """
    rng = generator(Stream.CONTRIBUTION, seed)
    posterior, prior = fit.posterior, fit.dt["prior"].to_dataset()
    rows = []
    for family, point in fits.items():
        runs = _at_reference(fit, point, rng)
        for parameter in fit.default_law.parameters:
            name = parameter.name
            parts = {
                "prior": prior[name].sel(family=family).to_numpy().ravel(),
                "runs": runs[name],
                "posterior": posterior[name].sel(family=family).to_numpy().ravel(),
            }
            shift = np.log(np.median(parts["posterior"])) - np.log(np.median(runs[name]))
            unit = fit.loss_unit(family) if parameter.of_loss else parameter.unit
            row: dict[str, float | str] = {"family": family, "name": name, "unit": unit}
            for part, values in parts.items():
                found = quantiles_of(values, CENTRAL)
                row |= {f"{part}_{name}": float(value) for name, value in found.items()}
            rows.append(row | {"moved": float(shift / np.log(runs[name]).std())})
    return pd.DataFrame(rows)


def _at_reference(fit: "Fit", point: "PointFit", rng: np.random.Generator) -> dict[str, Floats]:
    """Draws of the law's parameters about a mode, at the fit's reference point."""
    law = fit.default_law
    theta = rng.multivariate_normal(point.theta, point.covariance, _DRAWS, method="eigh")
    values = dict(zip(law.names, np.exp(theta).T, strict=True))
    if law.fixed_reference:
        return values
    shift = {n: fit.frame.reference[n] - point.frame.reference[n] for n in law.inputs}
    return dict(law.move(values, shift))


def weak_forecasts(fits: Mapping[str, "PointFit"], points: pd.DataFrame) -> pd.DataFrame:
    """Forecast the loss of one run at points, under the weak priors of the law.

    Parameters
    ----------
    fits : mapping of str to PointFit
        Of the families of a fit under learned priors, as :func:`weak_fits` makes them.
    points : pandas.DataFrame
        family (fitted), params, tokens, flops and what else the law reads.

    Returns
    -------
    pandas.DataFrame
        Columns q05, q50, q95, rows as in ``points``. Noise is in, the error of the law itself,
        which weak priors know nothing of, is not.
    """
    parts = []
    for family, rows in points.groupby("family"):
        point = fits[str(family)]
        mean, covariance = point.predict(rows.assign(loss=1.0, family=family))
        sd = np.sqrt(np.diag(covariance) + point.noise**2)
        logs = {"q05": mean - Z90 * sd, "q50": mean, "q95": mean + Z90 * sd}
        parts.append(pd.DataFrame({n: np.exp(v) for n, v in logs.items()}, index=rows.index))
    return pd.concat(parts).loc[points.index]
