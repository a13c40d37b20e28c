"""The population of families on numbers: draws from the prior, new families, log densities.

The PyMC model of :mod:`bayes_scaling.model.build` states the same hierarchy as a graph. Here it is
evaluated on labelled draws, without compiling anything; the tests hold the two equal.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from scipy import stats

from bayes_scaling.laws import Parameter, ops
from bayes_scaling.model.design import Design
from bayes_scaling.model.spec import SPREAD_SD, Spec

__all__ = [
    "family_values",
    "log_likelihood",
    "log_mean",
    "log_prior",
    "moved",
    "new_family",
    "noise",
    "prior_draws",
]


def moved(spec: Spec, parameter: Parameter, values: Mapping[str, Any]) -> Any:
    """How far the log of an amplitude falls from the reference point to each family's centre.

    Parameters
    ----------
    spec : Spec
        Reference point and centres.
    parameter : Parameter
        Any parameter; 0 for those that do not depend on the reference point.
    values : mapping of str to array-like
        Values of the exponents, ``family`` as the last dimension.

    Returns
    -------
    array-like
        Dims as ``values``, or (family,).
    """
    known = {name: values.get(name, 1.0) for name in spec.law.names}
    slopes = spec.law.slopes(known).get(parameter.name, {})
    total: Any = np.zeros(len(spec.families))
    for column, slope in slopes.items():
        total = total + slope * (np.asarray(spec.centres[column]) - spec.reference[column])
    return total


def _dims(spec: Spec, draws: int) -> dict[str, Any]:
    return {"chain": [0], "draw": np.arange(draws), "family": list(spec.families)}


def prior_draws(spec: Spec, draws: int, rng: np.random.Generator) -> xr.Dataset:
    """Draws of every parameter from the prior.

    Parameters
    ----------
    spec : Spec
        Priors, pooling and reference point.
    draws : int
        How many.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    xarray.Dataset
        As the posterior of a fit: ``<p>`` with dims (chain, draw, family), ``<p>_population`` and
        ``<p>_spread`` with dims (chain, draw), ``nu``; one chain.
    """
    scalar, by_family = ("chain", "draw"), ("chain", "draw", "family")
    shape = (1, draws, len(spec.families))
    data = xr.Dataset(coords=_dims(spec, draws))
    for parameter in spec.parameters:
        name, location, prior = parameter.name, spec.log_median(parameter), parameter.prior
        kind = spec.pooling[name]
        if kind == "none":
            sd = np.hypot(prior.sd, prior.spread)
            data[name] = by_family, np.exp(rng.normal(location, sd, shape))
            continue
        mu = rng.normal(location, prior.sd, shape[:2])
        data[f"{name}_population"] = scalar, np.exp(mu)
        centre = mu[..., None] - moved(spec, parameter, {str(n): v.values for n, v in data.items()})
        tau = np.zeros(shape[:2])
        if kind == "partial":
            tau = np.exp(rng.normal(np.log(prior.spread), SPREAD_SD, shape[:2]))
            data[f"{name}_spread"] = scalar, tau
        data[name] = by_family, np.exp(centre + tau[..., None] * rng.normal(size=shape))
    if spec.noise == "student-t":
        nu = spec.nu_parameter.prior
        data["nu"] = scalar, np.exp(rng.normal(np.log(nu.median), nu.sd, shape[:2]))
    return data


def family_values(spec: Spec, posterior: xr.Dataset, family: str) -> dict[str, xr.DataArray]:
    """Parameter values of a known family at the common reference point, dims (chain, draw)."""
    here = {p.name: posterior[p.name].sel(family=family, drop=True) for p in spec.parameters}
    shift = spec.shift(spec.families.index(family))
    values = {name: here[name] for name in spec.law.names}
    at_reference = spec.law.move(values, {name: -value for name, value in shift.items()})
    return at_reference | {spec.noise_parameter.name: here[spec.noise_parameter.name]}


def new_family(
    spec: Spec, posterior: xr.Dataset, rng: np.random.Generator
) -> dict[str, xr.DataArray]:
    """A family that was not fitted, drawn from the population.

    Where nothing was pooled (one family, or ``pooling="none"``) the population is the prior,
    updated by a single family if there is exactly one.

    Parameters
    ----------
    spec : Spec
        Priors and pooling.
    posterior : xarray.Dataset
        Draws of a fit.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    dict of str to xarray.DataArray
        Values at the common reference point, dims (chain, draw).
    """
    template = posterior[spec.noise_parameter.name].isel(family=0, drop=True)
    values = {}
    for parameter in spec.parameters:
        name = parameter.name
        if spec.pooling[name] == "none":
            mu, tau = _population_of_one(spec, parameter, posterior, rng)
        else:
            mu = ops.log(posterior[f"{name}_population"]).values
            spread = posterior.get(f"{name}_spread")
            tau = np.zeros_like(mu) if spread is None else spread.values
        values[name] = template.copy(data=np.exp(mu + tau * rng.normal(size=mu.shape)))
    return values


def _population_of_one(
    spec: Spec, parameter: Parameter, posterior: xr.Dataset, rng: np.random.Generator
) -> tuple[Any, Any]:
    """Population location and spread given at most one family, by the normal-normal update."""
    shape = posterior[parameter.name].isel(family=0).shape
    prior, location = parameter.prior, spec.log_median(parameter)
    tau = np.exp(rng.normal(np.log(prior.spread), SPREAD_SD, shape))
    if len(spec.families) > 1:
        return rng.normal(location, prior.sd, shape), tau
    seen = np.log(posterior[parameter.name].isel(family=0).values)
    gain = prior.sd**2 / (prior.sd**2 + tau**2)
    mean = location + gain * (seen - location)
    return mean + prior.sd * np.sqrt(1 - gain) * rng.normal(size=shape), tau


def log_mean(spec: Spec, design: Design, draws: xr.Dataset) -> xr.DataArray:
    """Log of the noise-free loss at the runs of a design, dims (chain, draw, run)."""
    coords = {"run": list(design.run)}
    x = {n: xr.DataArray(v, dims="run", coords=coords) for n, v in design.inputs.items()}
    index = xr.DataArray(design.family, dims="run")
    values = {n: draws[n].isel(family=index).drop_vars("family") for n in spec.law.names}
    result: xr.DataArray = spec.law.log_curve(x, values)
    return result.transpose("chain", "draw", "run")


def _scale(spec: Spec, design: Design, draws: xr.Dataset) -> xr.DataArray:
    index = xr.DataArray(design.family, dims="run")
    se = xr.DataArray(design.relative_se, dims="run")
    sigma = draws[spec.noise_parameter.name].isel(family=index).drop_vars("family")
    scale: xr.DataArray = ((sigma**2 + se**2) ** 0.5).transpose("chain", "draw", "run")
    return scale


def log_likelihood(spec: Spec, design: Design, draws: xr.Dataset) -> xr.DataArray:
    """Log density of each run's log loss, dims (chain, draw, run)."""
    mean = log_mean(spec, design, draws)
    scale = _scale(spec, design, draws)
    observed = xr.DataArray(design.log_loss, dims="run", coords={"run": mean["run"]})
    z = (mean - observed) / scale
    if spec.noise == "normal":
        return mean.copy(data=stats.norm.logpdf(z.values) - np.log(scale.values))
    nu = draws["nu"].values[..., None]
    return mean.copy(data=stats.t.logpdf(z.values, nu) - np.log(scale.values))


def noise(
    spec: Spec, draws: xr.Dataset, scale: xr.DataArray, rng: np.random.Generator
) -> xr.DataArray:
    """Run-to-run noise on log loss with the dims of ``scale`` (chain and draw first)."""
    standard = rng.normal(size=scale.shape)
    if spec.noise == "student-t":
        nu = draws["nu"].values
        nu = nu.reshape(nu.shape + (1,) * (scale.ndim - nu.ndim))
        # A t variate is a normal over the root of an independent chi-square over its degrees.
        standard = standard / np.sqrt(rng.chisquare(np.broadcast_to(nu, scale.shape)) / nu)
    return scale * scale.copy(data=standard)


def log_prior(spec: Spec, draws: xr.Dataset) -> xr.Dataset:
    """Log prior density of each free variable of the model, named as there.

    Returns
    -------
    xarray.Dataset
        ``log_<p>_mu`` and ``log_<p>_tau`` with dims (chain, draw), ``log_<p>_raw`` or
        ``log_<p>_family`` with dims (chain, draw, family), ``log_nu``.
    """
    result = xr.Dataset()
    for parameter in spec.parameters:
        result = result.assign(_log_prior_of(spec, parameter, draws))
    if spec.noise == "student-t":
        nu = spec.nu_parameter.prior
        result["log_nu"] = _normal(ops.log(draws["nu"]), np.log(nu.median), nu.sd)
    return result


def _log_prior_of(spec: Spec, parameter: Parameter, draws: xr.Dataset) -> dict[str, xr.DataArray]:
    name, prior = parameter.name, parameter.prior
    location, theta = spec.log_median(parameter), ops.log(draws[name])
    kind = spec.pooling[name]
    if kind == "none":
        return {
            f"log_{name}_family": _normal(theta, location, float(np.hypot(prior.sd, prior.spread)))
        }
    mu = ops.log(draws[f"{name}_population"])
    parts = {f"log_{name}_mu": _normal(mu, location, prior.sd)}
    if kind == "shared":
        return parts
    tau = draws[f"{name}_spread"]
    log_tau = ops.log(tau)
    parts[f"log_{name}_tau"] = _normal(log_tau, np.log(prior.spread), SPREAD_SD) - log_tau
    fall = moved(spec, parameter, {n: draws[n].values for n in spec.law.names})
    z = theta - mu + xr.DataArray(fall, dims=("chain", "draw", "family")[-fall.ndim :])
    weight = xr.DataArray(np.asarray(spec.centred, dtype=np.float64), dims="family")
    parts[f"log_{name}_raw"] = (_normal(z / tau, 0.0, 1.0) - weight * log_tau).transpose(
        "chain", "draw", "family"
    )
    return parts


def _normal(value: xr.DataArray, location: float, sd: float) -> xr.DataArray:
    return value.copy(data=stats.norm.logpdf(value.values, location, sd))
