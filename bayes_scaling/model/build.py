"""Specification and runs to a PyMC model."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt
from pymc.logprob.transforms import Transform

from bayes_scaling.laws.coordinates import Identity
from bayes_scaling.model.design import Design
from bayes_scaling.model.spec import Spec

__all__ = ["build"]


class _FamilyCoordinates(Transform):  # type: ignore[misc]
    """Log parameters at the reference point, to coordinates in which a sampler moves well.

    Parameters that runs fix are the law's coordinates at each family's centre. Loose ones, which
    the runs of a family hardly tell, are deviations from the population in units of its spread:
    centred, they and the spread form a funnel.
    """

    name = "coordinates"
    ndim_supp = 0

    def __init__(self, spec: Spec) -> None:
        self.law = spec.law
        self.coordinates = spec.law.coordinates or Identity()
        self.names = [p.name for p in spec.parameters]
        self.loose = [i for i, p in enumerate(spec.parameters) if p.loose]
        self.shift = {n: np.asarray(spec.centres[n]) - spec.reference[n] for n in spec.law.inputs}

    def _move(self, logs: dict[str, Any], sign: float) -> dict[str, Any]:
        if self.law.rigid:
            return logs
        values = {name: pt.exp(value) for name, value in logs.items()}
        moved = dict(logs)
        for name, by_input in self.law.slopes(values).items():
            if self.names.index(name) in self.loose:
                continue
            for column, slope in by_input.items():
                moved[name] = moved[name] - sign * slope * self.shift[column]
        return moved

    def _split(self, columns: list[Any]) -> tuple[dict[str, Any], Any]:
        """Columns of the law's parameters by name; the noise scale, which stands last."""
        return dict(zip(self.names[:-1], columns[:-1], strict=True)), columns[-1]

    def forward(self, value: Any, *inputs: Any) -> Any:
        columns = [value[..., i] for i in range(len(self.names))]
        logs, noise = self._split(columns)
        moved = self.coordinates.forward(self._move(logs, 1.0))
        at = [*(moved[name] for name in logs), noise]
        _, _, location, scale = inputs
        for i in self.loose:
            at[i] = (columns[i] - location[..., i]) / scale[..., i]
        return pt.stack(at, axis=-1)

    def backward(self, value: Any, *inputs: Any) -> Any:
        columns = self._told(value, inputs)
        at, noise = self._split(columns)
        logs = self._move(self.coordinates.backward(at), -1.0)
        return pt.stack([*(logs[name] for name in at), noise], axis=-1)

    def log_jac_det(self, value: Any, *inputs: Any) -> Any:
        # One determinant per family, spread over its parameters because logp is elementwise;
        # moving an amplitude along its exponents is a shear and adds nothing.
        at, _ = self._split(self._told(value, inputs))
        total = self.coordinates.log_jacobian(at) + sum(
            pt.log(inputs[3][..., i]) for i in self.loose
        )
        zeros = pt.zeros_like(value)  # type: ignore[no-untyped-call]
        if getattr(total, "ndim", 0):
            total = total[..., None]
        return zeros + total / len(self.names)

    def _told(self, value: Any, inputs: tuple[Any, ...]) -> list[Any]:
        """Coordinates with the loose ones as log parameters."""
        _, _, location, scale = inputs
        columns = [value[..., i] for i in range(len(self.names))]
        for i in self.loose:
            columns[i] = location[..., i] + scale[..., i] * columns[i]
        return columns


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
        tau = pm.LogNormal("tau", medians, spec.spread_sd, dims="partial")
        scale = {p.name: tau[i] for i, p in enumerate(partial)}
    own = spec.pooled("partial", "none")
    if own:
        centre = [location.get(p.name, spec.log_median(p)) for p in own]
        spread = [scale.get(p.name, spec.log_sd(p)) for p in own]
        whole = len(own) == len(spec.parameters)
        bent = spec.law.coordinates or any(p.loose for p in own)
        theta = pm.Normal(
            "theta",
            pt.stack(centre),
            pt.stack(spread),
            dims=("family", "parameter"),
            default_transform=_FamilyCoordinates(spec) if whole and bent else None,
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
