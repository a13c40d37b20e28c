"""Specification and runs to a PyMC model."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform

from bayes_scaling.errors import LawError
from bayes_scaling.laws.check_law import evaluated
from bayes_scaling.laws.ops import Array
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.nodes import PRIOR_MEDIAN, data_of, log_parameters, named_values, nodes
from bayes_scaling.model.run_noise import observe
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
    *,
    named: bool = False,
) -> pm.Model:
    """The model of a specification, conditioned on a design's losses.

    Every parameter is positive and modelled on its log, in standardised terms; the free variables
    are those of :func:`bayes_scaling.model.nodes.nodes`.

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
    named : bool
        Whether to add the named parameters and the reference point, which no density reads.

    Returns
    -------
    pymc.Model
        With the data of :func:`data_of` and the observed variable ``log_loss``.
    """
    coords: dict[str, list[str]] = {"family": list(spec.families), "run": list(design.run)}
    coords |= {node.dims[-1]: list(node.labels) for node in nodes(spec) if node.dims}
    with pm.Model(coords=coords) as model:
        data = {n: pm.Data(n, value) for n, value in data_of(spec, frame, design).items()}
        free = _free_variables(spec, data[PRIOR_MEDIAN], coordinates)
        x = {name: data[f"x_{name}"] for name in design.inputs}
        values = {
            name: pt.exp(value if value.ndim == 0 else value[data["family_index"]])
            for name, value in log_parameters(spec, free).items()
        }
        mean = evaluated(spec.law, x, values, "PyTensor variables")
        scale = pt.sqrt(values["sigma"] ** 2 + data["relative_se"] ** 2)
        nu = 2.0 + pt.exp(free["log_excess_nu"]) if "log_excess_nu" in free else None
        observe(spec.noise, nu, mean, scale, data["observed_log_loss"])
        if named:
            _name(spec, frame, free)
    return model


def _name(spec: Spec, frame: ReferenceFrame, free: dict[str, Array]) -> None:
    """Add the parameters, in the terms of a fit, to the model in whose context it is."""
    model = pm.modelcontext(None)
    for name, value in frame.reference.items():
        pm.Data(f"reference_{name}", np.exp(value))
    by_family = {p.name for p in spec.parameters}
    for name, value in frame.unstandardise(spec.law, named_values(spec, free)).items():
        if name in model.named_vars or name in model.coords:
            raise LawError(
                f"parameter {name!r} of law {spec.law.name!r} has the name of another variable of "
                f"the PyMC model; rename it, like {name + '_1'!r}"
            )
        pm.Deterministic(name, value, dims="family" if name in by_family else None)


def _free_variables(
    spec: Spec, medians: Any, coordinates: FamilyCoordinates | None
) -> dict[str, Array]:
    """Each node as a variable of the model in whose context it is."""
    values = {PRIOR_MEDIAN: medians}
    for node in nodes(spec):
        location, scale = node.moments(values)
        options = (
            {"default_transform": _Moved(coordinates)} if node.by_family and coordinates else {}
        )
        make = pm.LogNormal if node.log_normal else pm.Normal
        values[node.name] = make(node.name, location, scale, dims=node.dims or None, **options)
    return values
