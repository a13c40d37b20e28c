"""Specification and runs to a PyMC model."""

from typing import Any

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from bayes_scaling.laws import Parameter
from bayes_scaling.model.design import Design
from bayes_scaling.model.hierarchy import moved
from bayes_scaling.model.spec import SPREAD_SD, Spec

__all__ = ["build"]


def build(spec: Spec, design: Design) -> pm.Model:
    """The model of a specification, conditioned on a design's losses.

    Every parameter is positive and sampled on its log. Free variables: ``log_<p>_mu`` and
    ``log_<p>_tau`` (population median and between-family sd, where pooled) and ``log_<p>_family``
    (dims ``family``), so that each draw holds everything a forecast needs.

    Parameters
    ----------
    spec : Spec
        Law, pooling, noise, priors and centring.
    design : Design
        Centred inputs and log losses, dims ``run``.

    Returns
    -------
    pymc.Model
        With data ``x_<input>``, ``family_index``, ``relative_se`` and observed ``log_loss``, so
        that a compiled model can be given other runs.
    """
    coords = {"family": list(spec.families), "run": list(design.run)}
    with pm.Model(coords=coords) as model:
        x = {n: pm.Data(f"x_{n}", v, dims="run") for n, v in design.inputs.items()}
        family = pm.Data("family_index", design.family, dims="run")
        relative_se = pm.Data("relative_se", design.relative_se, dims="run")
        observed = pm.Data("observed_log_loss", design.log_loss, dims="run")
        logs: dict[str, Any] = {}
        for parameter in spec.parameters:
            logs[parameter.name] = _log_parameter(spec, parameter, logs)
        values = {name: pt.exp(value[family]) for name, value in logs.items()}
        mean = spec.law.log_curve(x, values)
        scale = pt.sqrt(values["sigma"] ** 2 + relative_se**2)
        _likelihood(spec, mean, scale, observed)
    return model


def _log_parameter(spec: Spec, parameter: Parameter, logs: dict[str, Any]) -> Any:
    """Log of one parameter, by family, at each family's centre."""
    name = f"log_{parameter.name}"
    location, prior = spec.log_median(parameter), parameter.prior
    kind = spec.pooling[parameter.name]
    if kind == "none":
        # Marginally over the population: its median and the family's distance from it.
        sd = float(np.hypot(prior.sd, prior.spread))
        return pm.Normal(f"{name}_family", location, sd, dims="family")
    mu = pm.Normal(f"{name}_mu", location, prior.sd)
    values = {known: pt.exp(value) for known, value in logs.items()}
    centre = mu - moved(spec, parameter, values)
    if kind == "shared":
        return pm.Deterministic(f"{name}_family", centre, dims="family")
    tau = pm.LogNormal(f"{name}_tau", np.log(prior.spread), SPREAD_SD)
    # Centred where a family's runs inform the parameter, non-centred where they hardly do
    # (Papaspiliopoulos, Roberts and Sköld 2007).
    weight = np.asarray(spec.centred, dtype=np.float64)
    raw = pm.Normal(f"{name}_raw", weight * centre, tau**weight, dims="family")
    value = (1 - weight) * centre + tau ** (1 - weight) * raw
    return pm.Deterministic(f"{name}_family", value, dims="family")


def _likelihood(spec: Spec, mean: Any, scale: Any, observed: Any) -> None:
    if spec.noise == "normal":
        pm.Normal("log_loss", mean, scale, observed=observed, dims="run")
        return
    prior = spec.nu_parameter.prior
    log_nu = pm.Normal("log_nu", np.log(prior.median), prior.sd)
    pm.StudentT("log_loss", nu=pt.exp(log_nu), mu=mean, sigma=scale, observed=observed, dims="run")
