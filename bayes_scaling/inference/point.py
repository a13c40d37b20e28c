"""Point fits of single families: robust least squares and the Laplace approximation."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.inference.least_squares import modes
from bayes_scaling.inference.run_sets import Sets
from bayes_scaling.laws import Law
from bayes_scaling.model.design import arrays, specify
from bayes_scaling.model.frame import ReferenceFrame
from bayes_scaling.model.spec import Spec

__all__ = ["PointFit", "PointFits", "fit_point", "fit_sets"]

Floats = NDArray[np.float64]

_TOLERANCE = 0.01
"""Residual scale of the start: 1% of the loss, the prior median of the noise."""
_ROUNDS = 4
_LEAST = 0.001
"""Noise below which no table of runs goes, log loss."""
_ROUNDING = 1e-15
"""Directions in which a precision is this much smaller than in others are not known."""


@dataclass(frozen=True)
class PointFits:
    """The modes of sets of runs, each fitted by itself.

    Attributes
    ----------
    theta : (set, parameter) array
        Logs of the law's parameters.
    root : (set, parameter, direction) array
        Covariance of theta as ``root @ root.T``.
    noise : (set,) array
        Robust scale of the residuals, log loss, degrees of freedom taken into account.
    """

    theta: Floats
    root: Floats
    noise: Floats


@dataclass(frozen=True)
class PointFit:
    """The mode of one family's posterior, and the normal distribution about it.

    Attributes
    ----------
    spec : Spec
        Law and priors of the fit.
    frame : ReferenceFrame
        Reference frame of theta.
    theta : (parameter,) array
        Logs of the law's parameters.
    covariance : (parameter, parameter) array
        Covariance of theta.
    noise : float
        Robust scale of the residuals, log loss, degrees of freedom taken into account.
    """

    spec: Spec
    frame: ReferenceFrame
    theta: Floats
    covariance: Floats
    noise: float

    def predict(self, rows: pd.DataFrame) -> tuple[Floats, Floats]:
        """Mean and covariance of the log of the curve at runs in canonical columns."""
        design = arrays(self.spec, self.frame, rows)
        sets = Sets.by_group(design, np.zeros(len(rows), dtype=np.int64))
        mean, slopes = sets.with_slopes(self.spec.law, self.theta[None])
        return mean, slopes.T @ self.covariance @ slopes


def fit_sets(law: Law, sets: Sets, centre: Floats) -> PointFits:
    """Fit a law to every set of runs, and the noise with it.

    Parameters
    ----------
    law : Law
        The law, with its priors.
    sets : Sets
        The runs.
    centre : (set, parameter) array
        Logs of the prior medians.
    """
    theta, precision = modes(law, sets, centre, _TOLERANCE)
    noise = np.full(len(sets.sizes), _TOLERANCE)
    free = np.maximum(sets.sizes - np.minimum(len(law.names), sets.sizes // 2), 1)
    for _ in range(_ROUNDS):
        left = np.abs(sets.log_loss - sets.log_curve(law, theta))
        noise = np.maximum(1.4826 * sets.medians(left) * np.sqrt(sets.sizes / free), _LEAST)
        theta, precision = modes(law, sets, centre, noise, start=theta)
    values, axes = np.linalg.eigh(precision)
    known = values > _ROUNDING * values[:, -1:]
    spread = np.where(known, 1.0 / np.sqrt(np.where(known, values, 1.0)), 0.0)
    return PointFits(theta, axes * spread[:, None, :], noise)


def fit_point(law: Law, rows: pd.DataFrame) -> PointFit:
    """Fit a law to the runs of one family.

    Parameters
    ----------
    law : Law
        The law, with its priors.
    rows : pandas.DataFrame
        Runs of one family in canonical columns.
    """
    spec, frame = specify(rows, law)
    design = arrays(spec, frame, rows)
    sets = Sets.by_group(design, np.zeros(len(rows), dtype=np.int64))
    centre = np.array([[frame.log_median(p) for p in law.parameters]])
    found = fit_sets(law, sets, centre)
    root = found.root[0]
    return PointFit(spec, frame, found.theta[0], root @ root.T, float(found.noise[0]))
