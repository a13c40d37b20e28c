"""Specification and runs to a PyMC model."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform

from bayes_scaling.laws.coordinates import Coordinates
from bayes_scaling.model.design import Design
from bayes_scaling.model.spec import SPREAD_SD, Spec

__all__ = ["build"]


class _FamilyCoordinates(Transform):  # type: ignore[misc]
    """Log parameters at the reference point, to the law's coordinates at each family's centre."""

    name = "coordinates"
    ndim_supp = 0

    def __init__(self, spec: Spec, coordinates: Coordinates) -> None:
        self.law = spec.law
        self.coordinates = coordinates
        self.names = spec.law.names
        self.shift = {n: np.asarray(spec.centres[n]) - spec.reference[n] for n in spec.law.inputs}

    def _named(self, value: Any) -> dict[str, Any]:
        return {name: value[..., i] for i, name in enumerate(self.names)}

    def _stacked(self, logs: dict[str, Any], value: Any) -> Any:
        columns = [logs[name] for name in self.names]
        # The noise scale stands last and is its own coordinate.
        return pt.stack([*columns, value[..., len(self.names)]], axis=-1)

    def _move(self, logs: dict[str, Any], sign: float) -> dict[str, Any]:
        values = {name: pt.exp(value) for name, value in logs.items()}
        moved = dict(logs)
        for name, by_input in self.law.slopes(values).items():
            for column, slope in by_input.items():
                moved[name] = moved[name] - sign * slope * self.shift[column]
        return moved

    def forward(self, value: Any, *inputs: Any) -> Any:  # noqa: ARG002
        at_centre = self._move(self._named(value), 1.0)
        return self._stacked(self.coordinates.forward(at_centre), value)

    def backward(self, value: Any, *inputs: Any) -> Any:  # noqa: ARG002
        at_centre = self.coordinates.backward(self._named(value))
        return self._stacked(self._move(at_centre, -1.0), value)

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:  # noqa: ARG002
        # One determinant per family, spread over its parameters because logp is elementwise;
        # moving an amplitude along its exponents is a shear and adds nothing.
        log_jacobian = self.coordinates.log_jacobian(self._named(value))
        zeros = pt.zeros_like(value)  # type: ignore[no-untyped-call]
        if isinstance(log_jacobian, float):
            return zeros + log_jacobian / (len(self.names) + 1)
        return zeros + log_jacobian[..., None] / (len(self.names) + 1)


def build(spec: Spec, design: Design) -> pm.Model:
    """The model of a specification, conditioned on a design's losses.

    Every parameter is positive and modelled on its log, at the common reference point. Free
    variables: ``mu`` (population median, dims ``pooled``), ``tau`` (between-family sd, dims
    ``partial``), ``theta`` (dims ``family``, ``parameter``) and ``log_excess_nu`` (degrees of
    freedom above 2).

    Parameters
    ----------
    spec : Spec
        Law, pooling, noise and priors.
    design : Design
        Log inputs and log losses, dims ``run``.

    Returns
    -------
    pymc.Model
        With data ``x_<input>``, ``family_index``, ``relative_se`` and ``observed_log_loss``, and
        the observed variable ``log_loss``.
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
        x = {n: pm.Data(f"x_{n}", v, dims="run") for n, v in design.inputs.items()}
        family = pm.Data("family_index", design.family, dims="run")
        relative_se = pm.Data("relative_se", design.relative_se, dims="run")
        observed = pm.Data("observed_log_loss", design.log_loss, dims="run")
        values = {
            name: pt.exp(value if value.ndim == 0 else value[family])
            for name, value in _log_parameters(spec).items()
        }
        mean = spec.law.log_curve(x, values)
        scale = pt.sqrt(values["sigma"] ** 2 + relative_se**2)
        _likelihood(spec, mean, scale, observed)
    return model


def _log_parameters(spec: Spec) -> dict[str, Any]:
    """Log of each parameter: by family, or one number where families share it."""
    logs, location, scale = {}, {}, {}
    pooled, partial = spec.pooled("partial", "shared"), spec.pooled("partial")
    if pooled:
        mu = pm.Normal("mu", _medians(spec, pooled), _sds(spec, pooled), dims="pooled")
        location = {p.name: mu[i] for i, p in enumerate(pooled)}
        logs = {p.name: location[p.name] for p in spec.pooled("shared")}
    if partial:
        medians = np.log([p.prior.spread for p in partial])
        tau = pm.LogNormal("tau", medians, SPREAD_SD, dims="partial")
        scale = {p.name: tau[i] for i, p in enumerate(partial)}
    own = spec.pooled("partial", "none")
    if own:
        centre = [location.get(p.name, spec.log_median(p)) for p in own]
        spread = [scale.get(p.name, spec.log_sd(p)) for p in own]
        coordinates = spec.law.coordinates if len(own) == len(spec.parameters) else None
        theta = pm.Normal(
            "theta",
            pt.stack(centre),
            pt.stack(spread),
            dims=("family", "parameter"),
            default_transform=_FamilyCoordinates(spec, coordinates) if coordinates else None,
        )
        logs |= {p.name: theta[:, i] for i, p in enumerate(own)}
    return logs


def _medians(spec: Spec, parameters: Any) -> Any:
    return np.array([spec.log_median(p) for p in parameters])


def _sds(spec: Spec, parameters: Any) -> Any:
    return np.array([spec.log_sd(p) for p in parameters])


def _likelihood(spec: Spec, mean: Any, scale: Any, observed: Any) -> None:
    if spec.noise == "normal":
        pm.Normal("log_loss", mean, scale, observed=observed, dims="run")
        return
    prior = spec.nu_parameter.prior
    # Above 2 degrees of freedom the noise has a variance, so a forecast has a standard deviation.
    nu = 2.0 + pt.exp(pm.Normal("log_excess_nu", np.log(prior.median), prior.sd))
    pm.StudentT("log_loss", nu=nu, mu=mean, sigma=scale, observed=observed, dims="run")
