"""Where priors hold: at one reference point for all families, or at each family's own.

A prior learned from many studies says what a family looks like seen from the middle of its own
runs, in units of its own typical loss, whatever its tokenizer and its sizes. Families of one table
may differ in both. Such a model is built in these terms, and its draws are brought back to the
common reference point and to the unit of the loss, where everything else works.
"""

from dataclasses import replace

import numpy as np
import xarray as xr

from bayes_scaling.model.design import Design
from bayes_scaling.model.spec import Spec

__all__ = ["at_home", "from_home", "home"]


def home(spec: Spec) -> Spec:
    """The specification in the terms in which its priors hold.

    Parameters
    ----------
    spec : Spec
        The same is returned where priors hold at the common reference point.
    """
    if not spec.own:
        return spec
    return replace(
        spec,
        own=False,
        reference=dict.fromkeys(spec.law.inputs, 0.0),
        centres={name: (0.0,) * len(spec.families) for name in spec.law.inputs},
        loss_scale=1.0,
        loss_scales=(1.0,) * len(spec.families),
    )


def at_home(spec: Spec, design: Design) -> Design:
    """Runs as their families see them: inputs from their middle, losses over the typical one."""
    if not spec.own:
        return design
    inputs = {
        name: value - (np.asarray(spec.centres[name]) - spec.reference[name])[design.family]
        for name, value in design.inputs.items()
    }
    log_loss = design.log_loss - np.log(spec.loss_scales)[design.family]
    return replace(design, inputs=inputs, log_loss=log_loss)


def from_home(spec: Spec, draws: xr.Dataset) -> xr.Dataset:
    """Named parameters at the common reference point and in the unit of the loss.

    Parameters
    ----------
    spec : Spec
        The model.
    draws : xarray.Dataset
        As :func:`bayes_scaling.model.hierarchy.named` names them, in the terms of :func:`home`.
        Medians over families become those of families whose middle is the reference point.
    """
    if not spec.own:
        return draws
    families = {"family": list(spec.families)}
    scale = xr.DataArray(np.array(spec.loss_scales), dims="family", coords=families)
    values = {p.name: draws[p.name] for p in spec.law.parameters}
    shift = {
        name: xr.DataArray(
            spec.reference[name] - np.asarray(spec.centres[name]), dims="family", coords=families
        )
        for name in spec.law.inputs
    }
    moved = spec.law.move(values, shift)
    result = {}
    for p in spec.law.parameters:
        there = moved[p.name].transpose(*draws[p.name].dims)
        result[p.name] = there * scale if p.of_loss else there
        median = f"{p.name}_population"
        if p.of_loss and median in draws:
            result[median] = draws[median] * spec.loss_scale
    return draws.assign(result)
