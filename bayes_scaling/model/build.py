"""Specification and runs to a PyMC model."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform

from bayes_scaling.laws.checking import evaluated
from bayes_scaling.model.data import data_of
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.noise import observe
from bayes_scaling.model.spec import Spec

__all__ = ["build"]


class _Moved(Transform):  # type: ignore[misc]
    """:class:`FamilyCoordinates` as PyMC wants them."""

    name = "coordinates"
    ndim_supp = 0

    def __init__(self, coordinates: FamilyCoordinates) -> None:
        self.coordinates = coordinates

    def forward(self, value: Any, *inputs: Any) -> Any:
        return self.coordinates.forward(value, *inputs[2:])

    def backward(self, value: Any, *inputs: Any) -> Any:
        return self.coordinates.backward(value, *inputs[2:])

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        return self.coordinates.log_jacobian(value, *inputs[2:])


def build(
    spec: Spec,
    frame: ReferenceFrame,
    design: Design,
    coordinates: FamilyCoordinates | None = None,
) -> pm.Model:
    """The model of a specification, conditioned on a design's losses.

    Every parameter is positive and modelled on its log, in standardised terms. Free
    variables: ``mu`` (population median, dims ``pooled``), ``tau`` (between-family sd, dims
    ``partial``), ``theta`` (dims ``family``, ``parameter``) and ``log_excess_nu`` (degrees of
    freedom above 2).

    Parameters
    ----------
    spec : Spec
        Law, pooling, noise and priors.
    frame : ReferenceFrame
        Where the priors hold.
    design : Design
        Log inputs and log losses, dims ``run``.
    coordinates : FamilyCoordinates, optional
        Where a sampler moves; on the log parameters if not given.

    Returns
    -------
    pymc.Model
        With the data of :func:`data_of` and the observed variable ``log_loss``.
    """
    own = spec.pooled("partial", "none")
    coords = {
        "family": list(spec.families),
        "run": list(design.run),
        "parameter": [p.name for p in own],
        "pooled": [p.name for p in spec.pooled("partial", "shared")],
        "partial": [p.name for p in spec.pooled("partial")],
    }
    with pm.Model(coords=coords) as model:
        data = {n: pm.Data(n, value) for n, value in data_of(spec, frame, design).items()}
        x = {name: data[f"x_{name}"] for name in design.inputs}
        values = {
            name: pt.exp(value if value.ndim == 0 else value[data["family_index"]])
            for name, value in _log_parameters(spec, data, coordinates).items()
        }
        mean = evaluated(spec.law, x, values, "PyTensor variables")
        scale = pt.sqrt(values["sigma"] ** 2 + data["relative_se"] ** 2)
        observe(spec.noise, _degrees_of_freedom(spec), mean, scale, data["observed_log_loss"])
    return model


def _log_parameters(
    spec: Spec, data: Mapping[str, Any], coordinates: FamilyCoordinates | None
) -> dict[str, Any]:
    """Log of each parameter: by family, or one number where families share it."""
    median = {p.name: data["prior_median"][i] for i, p in enumerate(spec.parameters)}
    logs, location, scale = {}, {}, {}
    pooled, partial = spec.pooled("partial", "shared"), spec.pooled("partial")
    if pooled:
        centre = pt.stack([median[p.name] for p in pooled])
        mu = pm.Normal("mu", centre, [spec.log_sd(p) for p in pooled], dims="pooled")
        location = {p.name: mu[i] for i, p in enumerate(pooled)}
        logs = {p.name: location[p.name] for p in spec.pooled("shared")}
    if partial:
        medians = np.log([p.prior.spread for p in partial])
        tau = pm.LogNormal("tau", medians, spec.spread_sd, dims="partial")
        scale = {p.name: tau[i] for i, p in enumerate(partial)}
    own = spec.pooled("partial", "none")
    if own:
        middle = [location.get(p.name, median[p.name]) for p in own]
        spread = [scale.get(p.name, spec.log_sd(p)) for p in own]
        theta = pm.Normal(
            "theta",
            pt.stack(middle),
            pt.stack(spread),
            dims=("family", "parameter"),
            default_transform=_Moved(coordinates) if coordinates else None,
        )
        logs |= {p.name: theta[:, i] for i, p in enumerate(own)}
    return logs


def _degrees_of_freedom(spec: Spec) -> Any:
    """Above 2 the noise has a variance, so that a forecast has a standard deviation."""
    if spec.noise == "normal":
        return None
    prior = spec.nu_parameter.prior
    return 2.0 + pt.exp(pm.Normal("log_excess_nu", np.log(prior.median), prior.sd))
