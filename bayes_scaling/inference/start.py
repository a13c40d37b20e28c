"""Starting points near the mode, family by family, by least squares."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.inference.least_squares import modes
from bayes_scaling.inference.run_sets import Sets
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.nodes import PRIOR_MEDIAN, nodes, prior_medians
from bayes_scaling.model.spec import Spec

__all__ = ["constrained", "starting_point", "unconstrained"]

Floats = NDArray[np.float64]

_TOLERANCE = 0.01
"""Residual scale of the start: 1% of the loss, the prior median of the noise."""
_NUDGE = 0.1
_UNMOVED = 1e-6
"""Distance from the prior median, in its sd, at which a parameter is not informed."""


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
    logs = _fit_families(spec, standard, observed)
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


def constrained(
    spec: Spec, frame: ReferenceFrame, coordinates: FamilyCoordinates | None, positions: Floats
) -> xr.Dataset:
    """Free variables of the model at positions of the sampler.

    The inverse of :func:`unconstrained`.

    Parameters
    ----------
    spec, frame, coordinates
        As of :func:`unconstrained`.
    positions : (chain, draw, coordinate) array
        Where the sampler was.
    """
    values: dict[str, Any] = {PRIOR_MEDIAN: prior_medians(spec, frame)}
    found, place = {}, 0
    sizes = {"family": len(spec.families)}
    for node in nodes(spec):
        shape = tuple(sizes.get(dim, len(node.labels)) for dim in node.dims)
        count = math.prod(shape)
        value = positions[..., place : place + count].reshape(*positions.shape[:-1], *shape)
        place += count
        if node.log_normal:
            value = np.exp(value)
        elif node.by_family and coordinates:
            location, scale = node.moments(values)
            value = coordinates.backward(value, location[..., None, :], scale[..., None, :])
        values[node.name] = value
        found[node.name] = (("chain", "draw", *node.dims), value)
    labels = {node.dims[-1]: list(node.labels) for node in nodes(spec) if node.dims}
    return xr.Dataset(found, coords=labels | {"family": list(spec.families)})


def _fit_families(spec: Spec, frame: ReferenceFrame, design: Design) -> dict[str, Floats]:
    """By parameter, its log in each family alone; the noise is what the law leaves."""
    law, noise = spec.law, spec.noise_parameter
    sets = Sets.by_group(design, design.family)
    centre = np.array([frame.log_median(p) for p in law.parameters])
    theta, _ = modes(law, sets, np.tile(centre, (len(spec.families), 1)), _TOLERANCE)
    # Runs of one size say nothing of some parameters, and nutpie cannot start where a gradient is
    # exactly zero.
    sd = np.array([math.hypot(p.prior.sd, p.prior.spread) for p in law.parameters])
    theta = np.where(np.abs(theta - centre) < _UNMOVED * sd, centre + _NUDGE * sd, theta)
    left = np.abs(sets.log_loss - sets.log_curve(law, theta))
    median = noise.prior.median
    scatter = np.clip(sets.medians(left) * 1.48, median / 10, median * 10)
    informed = sets.sizes > len(law.names)
    result = dict(zip(law.names, theta.T, strict=True))
    return result | {noise.name: np.log(np.where(informed, scatter, median))}
