"""Point fits of one family: robust least squares with priors, and the Laplace approximation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import least_squares

from bayes_scaling.laws import Law
from bayes_scaling.model.design import arrays, specify
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.spec import Spec

__all__ = ["PointFit", "fit_point", "mode"]

Floats = NDArray[np.float64]

_TOLERANCE = 0.01
"""Residual scale of the start: 1% of the loss, the prior median of the noise."""
_ROUNDS = 4
_LEAST = 0.001
"""Noise below which no table of runs goes, log loss."""
_STEP = 1e-4


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
        x = arrays(self.spec, self.frame, rows).inputs
        steps = _STEP * np.eye(len(self.theta))
        slopes = [_curve(self.spec.law, self.theta + step, x) for step in steps]
        slopes_back = [_curve(self.spec.law, self.theta - step, x) for step in steps]
        jacobian = (np.stack(slopes, axis=1) - np.stack(slopes_back, axis=1)) / (2 * _STEP)
        return _curve(self.spec.law, self.theta, x), jacobian @ self.covariance @ jacobian.T


def _curve(law: Law, theta: Floats, x: Any) -> Floats:
    values = dict(zip(law.names, np.exp(theta), strict=True))
    log_curve: Floats = np.asarray(law.log_curve(x, values))
    return log_curve


def mode(
    law: Law,
    frame: ReferenceFrame,
    design: Design,
    rows: NDArray[np.bool_],
    scale: float,
    *,
    start: Floats | None = None,
) -> tuple[Floats, Floats]:
    """Compute the mode of the log parameters of some runs, as one family, at a known noise.

    Soft-L1 on the data: a wild run must not pull the fit; the prior, in squares, must hold it.

    Parameters
    ----------
    law : Law
        With its priors, each parameter's that of a family by itself.
    frame : ReferenceFrame
        Reference frame of priors and runs.
    design : Design
        The runs.
    rows : (run,) array of bool
        Runs to fit.
    scale : float
        Noise on log loss.
    start : (parameter,) array, optional
        Starting point; by default the prior medians.

    Returns
    -------
    theta : (parameter,) array
    jacobian : (residual, parameter) array
        Jacobian of the residuals at the mode, those of the prior included.
    """
    x = {name: value[rows] for name, value in design.inputs.items()}
    y, parameters = design.log_loss[rows], law.parameters
    centre = np.array([frame.log_median(p) for p in parameters])
    sd = np.array([np.hypot(p.prior.sd, p.prior.spread) for p in parameters])
    weight = np.sqrt(scale**2 + design.relative_se[rows] ** 2)

    def residuals(theta: Floats) -> Any:
        off = (y - _curve(law, theta, x)) / weight
        soft = np.sign(off) * np.sqrt(2 * (np.sqrt(1 + off**2) - 1))
        return np.concatenate([soft, (theta - centre) / sd])

    bounds = (centre - 5 * sd, centre + 5 * sd)
    found = least_squares(residuals, centre if start is None else start, bounds=bounds, x_scale=sd)
    return found.x, np.asarray(found.jac)


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
    every = np.ones(len(rows), dtype=np.bool_)
    theta, jacobian = mode(law, frame, design, every, _TOLERANCE)
    noise = _TOLERANCE
    free = max(len(rows) - min(len(law.names), len(rows) // 2), 1)
    for _ in range(_ROUNDS):
        left = np.abs(design.log_loss - _curve(law, theta, design.inputs))
        noise = max(1.4826 * float(np.median(left)) * np.sqrt(len(rows) / free), _LEAST)
        theta, jacobian = mode(law, frame, design, every, noise, start=theta)
    return PointFit(spec, frame, theta, np.linalg.pinv(jacobian.T @ jacobian), noise)
