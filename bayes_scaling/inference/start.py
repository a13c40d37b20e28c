"""Starting points near the mode, family by family, by least squares."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from bayes_scaling.model.design import Design
from bayes_scaling.model.spec import Spec

__all__ = ["starting_point"]

Floats = NDArray[np.float64]

_TOLERANCE = 0.01
"""Residual scale of the start: 1% of the loss, the prior median of the noise."""


def starting_point(spec: Spec, design: Design) -> dict[str, Floats]:
    """Values of the model's free variables near the posterior mode.

    Each family is fitted alone, with soft-L1 residuals and its marginal prior; population
    parameters then follow from the families. Samplers started elsewhere leave whole chains stuck
    in families of few runs.

    Parameters
    ----------
    spec : Spec
        Law, priors and pooling.
    design : Design
        Log inputs and log losses.

    Returns
    -------
    dict of str to array
        By name of the free variable, as in :func:`bayes_scaling.model.build.build`.
    """
    fits = [_fit_family(spec, design, index) for index in range(len(spec.families))]
    logs = {name: np.array([fit[name] for fit in fits]) for name in fits[0]}
    point: dict[str, Floats] = {}
    pooled, partial = spec.pooled("partial", "shared"), spec.pooled("partial")
    own = spec.pooled("partial", "none")
    if pooled:
        point["mu"] = np.array([np.mean(logs[p.name]) for p in pooled])
    if partial:
        spreads = [np.std(logs[p.name]) for p in partial]
        point["tau"] = np.maximum(spreads, [p.prior.spread / 2 for p in partial])
    if own:
        point["theta"] = np.stack([logs[p.name] for p in own], axis=-1)
    if spec.noise == "student-t":
        point["log_excess_nu"] = np.log(np.asarray(spec.nu_parameter.prior.median))
    return point


def _fit_family(spec: Spec, design: Design, index: int) -> dict[str, float]:
    """Log parameters of one family alone at the reference point, and the noise it leaves."""
    rows = design.family == index
    x = {name: value[rows] for name, value in design.inputs.items()}
    y = design.log_loss[rows]
    names, parameters = spec.law.names, spec.law.parameters
    centre = np.array([spec.log_median(p) for p in parameters])
    sd = np.array([np.hypot(p.prior.sd, p.prior.spread) for p in parameters])
    weight = np.sqrt(_TOLERANCE**2 + design.relative_se[rows] ** 2)

    def residuals(theta: Floats) -> Any:
        values = dict(zip(names, np.exp(theta), strict=True))
        off = (y - spec.law.log_curve(x, values)) / weight
        # Soft L1 on the data only: a wild run must not pull the start, the prior must hold it.
        soft = np.sign(off) * np.sqrt(2 * (np.sqrt(1 + off**2) - 1))
        return np.concatenate([soft, (theta - centre) / sd])

    bounds = (centre - 5 * sd, centre + 5 * sd)
    theta = least_squares(residuals, centre, bounds=bounds, x_scale=sd).x
    left = y - spec.law.log_curve(x, dict(zip(names, np.exp(theta), strict=True)))
    noise = spec.noise_parameter.prior
    scatter = float(np.clip(np.median(np.abs(left)) * 1.48, noise.median / 10, noise.median * 10))
    informed = len(y) > len(names)
    result = dict(zip(names, map(float, theta), strict=True))
    result[spec.noise_parameter.name] = float(np.log(scatter if informed else noise.median))
    return result
