"""The population of families on numbers: draws from the prior, new families, log densities.

The nodes of :mod:`bayes_scaling.model.nodes` on labelled draws, without compiling anything;
:mod:`bayes_scaling.model.build` makes a PyMC model of them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.laws import Parameter, ops
from bayes_scaling.laws.log_quadratic import curvature_names
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.mixed_draws import by_component, interleave, order_of
from bayes_scaling.model.nodes import PRIOR_MEDIAN, Node, named_values, nodes, prior_medians
from bayes_scaling.model.run_blocks import run_blocks
from bayes_scaling.model.run_noise import log_density
from bayes_scaling.model.spec import Spec

__all__ = [
    "family_values",
    "log_likelihood",
    "log_mean",
    "log_prior",
    "named",
    "new_family",
    "noise_scale",
    "prior_draws",
]

_SCALAR = ("chain", "draw")
_BY_FAMILY = ("chain", "draw", "family")


def named(spec: Spec, frame: ReferenceFrame, draws: xr.Dataset) -> xr.Dataset:
    """Draws of the model's free variables as parameters with their names, in their units.

    Parameters
    ----------
    spec, frame : Spec, ReferenceFrame
        The model, and where its parameters are stated.
    draws : xarray.Dataset
        ``mu``, ``tau``, ``theta`` and ``log_excess_nu`` as the model has them.

    Returns
    -------
    xarray.Dataset
        ``<p>`` with dims (chain, draw, family); ``<p>_population`` (median over families) and
        ``<p>_spread`` (sd of the log between families) with dims (chain, draw); ``nu``.
    """
    values = {n.name: draws[n.name].transpose(*_SCALAR, *n.dims).values for n in nodes(spec)}
    return _named(spec, frame, values).assign_coords(chain=draws["chain"], draw=draws["draw"])


def _named(spec: Spec, frame: ReferenceFrame, values: Mapping[str, Any]) -> xr.Dataset:
    by_family = {p.name for p in spec.parameters}
    named = frame.unstandardise(spec.law, named_values(spec, values))
    return xr.Dataset(
        {n: (_BY_FAMILY if n in by_family else _SCALAR, value) for n, value in named.items()},
        coords={"family": list(spec.families)},
    )


def prior_draws(
    spec: Spec, frame: ReferenceFrame, draws: int, rng: np.random.Generator
) -> xr.Dataset:
    """Draws of every parameter from the prior.

    Parameters
    ----------
    spec, frame : Spec, ReferenceFrame
        The model, and where its parameters are stated.
    draws : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    xarray.Dataset
        As :func:`named`, with one chain.
    """
    order = order_of([share for _, share in spec.components], draws)
    parts = [
        _free_draws(part, frame, int((order == number).sum()), rng)
        for number, (part, _) in enumerate(spec.components)
    ]
    return named(spec, frame, interleave(spec, parts, order))


def _free_draws(
    spec: Spec, frame: ReferenceFrame, draws: int, rng: np.random.Generator
) -> xr.Dataset:
    """Draws of the free variables of one component from the prior."""
    values: dict[str, ops.Array] = {PRIOR_MEDIAN: prior_medians(spec, frame)}
    found = xr.Dataset(coords={"chain": [0], "draw": np.arange(draws)})
    for node in nodes(spec):
        location, scale = _moments(node, values)
        own = (len(spec.families),) if node.by_family else ()
        sample = rng.normal(location, scale, (1, draws, *own, *np.shape(location)[-1:]))
        values[node.name] = np.exp(sample) if node.log_normal else sample
        labels = {node.dims[-1]: list(node.labels)} if node.dims else {}
        labels |= {"family": list(spec.families)} if node.by_family else {}
        found = found.assign_coords(labels)
        found[node.name] = (*_SCALAR, *node.dims), values[node.name]
    return found


def family_values(spec: Spec, posterior: xr.Dataset, family: str) -> dict[str, xr.DataArray]:
    """Parameter values of a fitted family at the reference point, dims (chain, draw)."""
    index = spec.families.index(family)
    return {p.name: posterior[p.name].isel(family=index, drop=True) for p in spec.parameters}


def new_family(
    spec: Spec, frame: ReferenceFrame, posterior: xr.Dataset, rng: np.random.Generator
) -> dict[str, xr.DataArray]:
    """A family that was not fitted, drawn from the population.

    Where nothing was pooled (one family, or ``pooling="none"``) the population is the prior,
    updated by a single family if there is exactly one.

    Parameters
    ----------
    spec, frame : Spec, ReferenceFrame
        The model, and where its parameters are stated.
    posterior : xarray.Dataset
        Draws of a fit.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to xarray.DataArray
        Values at the reference point, dims (chain, draw).
    """
    values = {}
    curvatures = curvature_names(spec.law)
    for parameter in spec.parameters:
        name = parameter.name
        template = posterior[name].isel(family=0, drop=True)
        if spec.pooling[name] == "none":
            mu, tau = _unpooled_population(spec, frame, parameter, posterior, rng)
        else:
            mu = np.log(posterior[f"{name}_population"].values)
            spread = posterior.get(f"{name}_spread")
            tau = np.zeros_like(mu) if spread is None else spread.values
        drawn = np.exp(mu + tau * rng.normal(size=mu.shape))
        if name in curvatures:
            # A draw in which the law has no quadratic has none in any family.
            drawn = np.where(template.values == 1.0, 1.0, drawn)
        values[name] = template.copy(data=drawn)
    return values


def _unpooled_population(
    spec: Spec,
    frame: ReferenceFrame,
    parameter: Parameter,
    posterior: xr.Dataset,
    rng: np.random.Generator,
) -> tuple[Any, Any]:
    """Population location and spread given at most one family, by the normal-normal update."""
    seen = np.log(posterior[parameter.name].isel(family=0).values)
    prior, location = parameter.prior, frame.log_median(parameter)
    tau = np.exp(rng.normal(np.log(prior.spread), spec.spread_sd, seen.shape))
    if len(spec.families) > 1:
        return rng.normal(location, prior.sd, seen.shape), tau
    gain = prior.sd**2 / (prior.sd**2 + tau**2)
    mean = location + gain * (seen - location)
    return mean + prior.sd * np.sqrt(1 - gain) * rng.normal(size=seen.shape), tau


def log_mean(spec: Spec, design: Design, draws: xr.Dataset) -> xr.DataArray:
    """Log of the noise-free loss at the runs of a design, dims (chain, draw, run)."""
    coords = {"run": list(design.run)}
    x = {n: xr.DataArray(v, dims="run", coords=coords) for n, v in design.inputs.items()}
    index = xr.DataArray(design.family, dims="run")
    values = {n: draws[n].isel(family=index).drop_vars("family") for n in spec.law.names}
    for name, centre in design.centres.items():
        values[name] = xr.DataArray(centre[design.family], dims="run", coords=coords)
    result: xr.DataArray = spec.law.log_curve(x, values)
    return result.transpose("chain", "draw", "run")


def noise_scale(spec: Spec, design: Design, draws: xr.Dataset) -> xr.DataArray:
    """Scale of the noise on log loss, known standard errors included, dims (chain, draw, run)."""
    index = xr.DataArray(design.family, dims="run")
    se = xr.DataArray(design.relative_se, dims="run")
    sigma = draws[spec.noise_parameter.name].isel(family=index).drop_vars("family")
    scale: xr.DataArray = ((sigma**2 + se**2) ** 0.5).transpose("chain", "draw", "run")
    return scale


def log_likelihood(spec: Spec, design: Design, draws: xr.Dataset) -> xr.DataArray:
    """Log density of each run's log loss, dims (chain, draw, run).

    Parameters
    ----------
    spec, design, draws
        The model, the runs, and draws of the parameters.
    """
    sizes = (draws.sizes["chain"], draws.sizes["draw"], len(design.run))
    density = np.empty((sizes[0] * sizes[1], sizes[2]))
    for block in run_blocks(spec, design, draws):
        left = block.mean - design.log_loss[block.runs]
        density[block.place] = log_density(spec.noise, block.nu, left, block.scale)
    coords = {"chain": draws["chain"], "draw": draws["draw"], "run": list(design.run)}
    return xr.DataArray(density.reshape(sizes), coords, ("chain", "draw", "run"))


def log_prior(
    spec: Spec,
    frame: ReferenceFrame,
    draws: xr.Dataset,
    components: NDArray[np.int64] | None = None,
) -> xr.Dataset:
    """Log prior density of each free variable of the model.

    Parameters
    ----------
    spec, frame : Spec, ReferenceFrame
        The model, and where its priors hold.
    draws : xarray.Dataset
        ``mu``, ``tau``, ``theta`` and ``log_excess_nu`` as the model has them.
    components : (draw,) array of int, optional
        Of a mixture, the component of each draw, in which it has its density.

    Returns
    -------
    xarray.Dataset
        The same names and dims.
    """
    if components is not None and len(spec.components) > 1:
        return by_component(spec, draws, components, lambda part, own: log_prior(part, frame, own))
    result = {}
    values: dict[str, ops.Array] = {PRIOR_MEDIAN: prior_medians(spec, frame)}
    for node in nodes(spec):
        value = draws[node.name].transpose(*_SCALAR, *node.dims)
        values[node.name] = value.values
        location, scale = _moments(node, values)
        at = np.log(value.values) if node.log_normal else value.values
        density = log_density("normal", None, at - location, scale)
        result[node.name] = value.copy(data=density - at if node.log_normal else density)
    return xr.Dataset(result)


def _moments(node: Node, values: Mapping[str, Any]) -> tuple[Any, Any]:
    """Location and scale of a free variable, the same for every family."""
    location, scale = node.moments(values)
    if node.by_family:
        return location[..., None, :], scale[..., None, :]
    return location, scale
