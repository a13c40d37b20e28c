"""Starting points near the mode, family by family, by least squares."""

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.inference.point import mode
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
    y, names = design.log_loss[rows], spec.law.names
    theta, _ = mode(spec, design, rows, _TOLERANCE)
    x = {name: value[rows] for name, value in design.inputs.items()}
    left = y - spec.law.log_curve(x, dict(zip(names, np.exp(theta), strict=True)))
    noise = spec.noise_parameter.prior
    scatter = float(np.clip(np.median(np.abs(left)) * 1.48, noise.median / 10, noise.median * 10))
    informed = len(y) > len(names)
    result = dict(zip(names, map(float, theta), strict=True))
    result[spec.noise_parameter.name] = float(np.log(scatter if informed else noise.median))
    return result
