"""Starting points near the mode, family by family, by least squares."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.inference.point import mode
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.nodes import PRIOR_MEDIAN, nodes, prior_medians
from bayes_scaling.model.spec import Spec

__all__ = ["starting_point", "unconstrained"]

Floats = NDArray[np.float64]

_TOLERANCE = 0.01
"""Residual scale of the start: 1% of the loss, the prior median of the noise."""
_NUDGE = 0.1


def starting_point(spec: Spec, frame: ReferenceFrame, design: Design) -> dict[str, Floats]:
    """Compute values of the model's free variables near the posterior mode.

    Each family is fitted alone, with soft-L1 residuals and its marginal prior; population
    parameters then follow from the families. Samplers started elsewhere leave whole chains stuck
    in families of few runs.

    Parameters
    ----------
    spec : Spec
        Law, priors and pooling.
    frame : ReferenceFrame
        Reference frame of the priors.
    design : Design
        Log inputs and log losses at the common reference point.

    Returns
    -------
    dict of str to array
        By name of the free variable, as in :func:`bayes_scaling.model.build.build`.
    """
    observed, standard = frame.standardise(design), frame.standard
    fits = [_fit_family(spec, standard, observed, index) for index in range(len(spec.families))]
    logs = {name: np.array([fit[name] for fit in fits]) for name in fits[0]}
    spreads = {p.name: p.prior.spread for p in spec.parameters}
    point: dict[str, Floats] = {}
    for node in nodes(spec):
        columns = [logs[name] for name in node.labels]
        if not node.dims:
            point[node.name] = np.asarray(node.location[0])
        elif node.by_family:
            point[node.name] = np.stack(columns, axis=-1)
        elif node.log_normal:
            median, near = np.array([spreads[name] for name in node.labels]), np.exp(spec.spread_sd)
            point[node.name] = np.clip(np.std(columns, axis=-1), median / near, median * near)
        else:
            # Off the prior's median by a little: where families do not inform a parameter the
            # density would be flat there, and nutpie cannot start on a gradient of exactly zero.
            _, sd = node.moments({PRIOR_MEDIAN: prior_medians(spec, frame)})
            point[node.name] = np.mean(columns, axis=-1) + _NUDGE * sd
    return point


def unconstrained(
    spec: Spec,
    frame: ReferenceFrame,
    coordinates: FamilyCoordinates | None,
    point: Mapping[str, Floats],
) -> Floats:
    """A starting point as the sampler sees it.

    Parameters
    ----------
    spec, frame : Spec, ReferenceFrame
        The model, and where its priors hold.
    coordinates : FamilyCoordinates or None
        Where the sampler moves.
    point : mapping of str to array
        As :func:`starting_point` gives it.

    Returns
    -------
    (coordinate,) array
        In the order of the model's free variables.
    """
    values = {PRIOR_MEDIAN: prior_medians(spec, frame), **point}
    parts = []
    for node in nodes(spec):
        value = np.log(point[node.name]) if node.log_normal else point[node.name]
        if node.by_family and coordinates:
            value = coordinates.forward(value, *node.moments(values))
        parts.append(np.ravel(value))
    return np.concatenate(parts)


def _fit_family(spec: Spec, frame: ReferenceFrame, design: Design, index: int) -> dict[str, float]:
    """Log parameters of one family alone at the reference point, and the noise it leaves."""
    rows = design.family == index
    y, names = design.log_loss[rows], spec.law.names
    theta, _ = mode(spec.law, frame, design, rows, _TOLERANCE)
    x = {name: value[rows] for name, value in design.inputs.items()}
    left = y - spec.law.log_curve(x, dict(zip(names, np.exp(theta), strict=True)))
    noise = spec.noise_parameter.prior
    scatter = float(np.clip(np.median(np.abs(left)) * 1.48, noise.median / 10, noise.median * 10))
    informed = len(y) > len(names)
    result = dict(zip(names, map(float, theta), strict=True))
    result[spec.noise_parameter.name] = float(np.log(scatter if informed else noise.median))
    return result
