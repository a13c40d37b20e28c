"""Structure of a fit: groups, variables, attributes and their ranges."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import xarray as xr
from msgspec import ValidationError, convert

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.progress import Seconds
from bayes_scaling.core.records import explain
from bayes_scaling.inference.storage.structure_checks import (
    coordinates,
    fitted_problems,
    flag_problems,
    held_out_problems,
    mixture_problems,
    named,
)
from bayes_scaling.inference.tree import every, run_columns, with_derived
from bayes_scaling.model import ReferenceFrame, Spec, arrays, hierarchy
from bayes_scaling.model.nodes import nodes

__all__ = ["GROUPS", "missing", "problem"]

GROUPS = (
    "posterior",
    "prior",
    "posterior_predictive",
    "prior_predictive",
    "log_likelihood",
    "log_prior",
    "observed_data",
    "constant_data",
    "held_out",
    "flags",
    "sample_stats",
)
_ATTRIBUTES = (
    "law",
    "spec",
    "runs_hash",
    "source",
    "count",
    "loss_unit",
    "excluded",
    "sampler",
    "versions",
    "caveats",
)
_WIDEST = 30.0
"""Largest spread of a log: families, or errors of the law, that differ by factors of 1e13."""
_EVALUATIONS = 100_000
"""Of the likelihood in looking at a fit, so many or up to twice as many: larger ones are looked at
in part."""
_LARGEST = 1e60
"""Parameters hold at the reference point, amidst the runs, so none is beyond it."""


def missing(tree: xr.DataTree) -> list[str]:
    """Groups, and attributes that are text, which a fit has and the tree has not."""
    lacking = [name for name in GROUPS if name not in tree.children]
    return lacking + [name for name in _ATTRIBUTES if not isinstance(tree.attrs.get(name), str)]


def problem(tree: xr.DataTree, spec: Spec, frame: ReferenceFrame) -> str | None:
    """The first thing in a tree that no fit of a specification has, as a clause, or None.

    Parameters
    ----------
    tree : xarray.DataTree
        Has every group and attribute (see :func:`missing`).
    spec, frame : Spec, ReferenceFrame
        Its model.
    """
    return next(_problems(tree, spec, frame), None)


def _problems(tree: xr.DataTree, spec: Spec, frame: ReferenceFrame) -> Iterator[str]:
    groups = {name: node.to_dataset() for name, node in tree.children.items()}
    yield from _of_attributes({str(k): v for k, v in tree.attrs.items()}, spec)
    for name in groups:
        if name not in GROUPS:
            yield f"the group {name!r} is none of a fit"
    yield from _draws(groups["posterior"], groups["prior"], spec)
    yield from fitted_problems(groups["constant_data"], groups["observed_data"], spec, frame)
    runs = groups["constant_data"]["run"].values.tolist()
    for name in ("posterior_predictive", "prior_predictive", "log_likelihood"):
        yield from coordinates(name, groups[name], ("chain", "draw"), run=runs)
        low = -math.inf if name == "log_likelihood" else 0.0
        shape = {"loss": ("chain", "draw", "run")}
        kinds = ("float64",) if name == "log_likelihood" else ("float64", "float32")
        yield from named(name, groups[name], shape, low=low, zero=True, kinds=kinds)
    yield from _log_prior(groups["log_prior"], spec)
    for name, like in (
        ("posterior_predictive", "posterior"),
        ("log_likelihood", "posterior"),
        ("log_prior", "posterior"),
        ("prior_predictive", "prior"),
    ):
        thin = groups[name].attrs.get("thin", 1)
        if type(thin) is not int or not 1 <= thin <= groups[like].sizes["draw"]:
            yield f"the attribute 'thin' of {name} is {thin!r}, a number of draws is needed"
        kept = every(thin, groups[like])
        for dim in ("chain", "draw"):
            if groups[name][dim].values.tolist() != kept[dim].values.tolist():
                yield f"{name}/{dim} differs from {like}/{dim}"
    yield from _likelihood(groups, spec, frame)
    yield from held_out_problems(groups["held_out"], spec)
    yield from flag_problems(groups["flags"])
    yield from _statistics(groups["sample_stats"], groups["posterior"])
    yield from mixture_problems(groups["sample_stats"], groups["posterior"], spec)


def _draws(posterior: xr.Dataset, prior: xr.Dataset, spec: Spec) -> Iterator[str]:
    """Return a problem of the draws of the parameters, or an empty text."""
    families, parameters = list(spec.families), _parameters(spec)
    for group, data in (("posterior", posterior), ("prior", prior)):
        yield from coordinates(group, data, ("chain", "draw"), family=families)
        yield from named(group, data, parameters, low=0.0, high=_LARGEST)
    for name in parameters:
        if name == "discrepancy" or name.endswith("_spread"):
            largest = float(posterior[name].max())
            if largest > _WIDEST:
                yield f"posterior/{name} holds {largest:g}, numbers up to {_WIDEST:g} are needed"
        for group, data in (("posterior", posterior), ("prior", prior)):
            least = float(data[name].min())
            if least == float(data[name].max()):
                yield f"{group}/{name} is {least:g} in every draw"
    again = with_derived(spec, posterior)
    for name in ("alpha_C", "params_exponent"):
        if name in parameters and not np.allclose(
            again[name], posterior[name], rtol=1e-6, atol=0.0
        ):
            yield f"posterior/{name} does not follow from the other parameters"


def _of_attributes(attributes: Mapping[str, Any], spec: Spec) -> Iterator[str]:
    if attributes["law"] != spec.law.name:
        yield f"its law is {attributes['law']!r}, that of its spec {spec.law.name!r}"
    if attributes["count"] not in ("params", "params_nonemb"):
        yield f"its count is {attributes['count']!r}, 'params' or 'params_nonemb' is needed"
    for name, kind, needed in (
        ("caveats", list, "a list of objects"),
        ("versions", dict, "an object of text"),
        ("excluded", dict, "an object of counts"),
        ("sampler", dict, "an object"),
    ):
        value = _json(attributes[name])
        entries = value.values() if isinstance(value, dict) else value
        of = {"excluded": int, "sampler": object, "caveats": dict}.get(name, str)
        if not isinstance(value, kind) or not all(isinstance(entry, of) for entry in entries):
            yield f"its attribute {name!r} is not {needed} as JSON"
    # Fits of earlier versions have no seconds by stage.
    for name, record in (("caveats", Caveat), ("seconds", Seconds)):
        try:
            convert(_json(str(attributes.get(name, "[]"))), list[record])  # type: ignore[valid-type]
        except ValidationError as error:
            yield f"its attribute {name!r} is not as it should be: {explain(error)}"
    for name in ("seed", "compile_seconds", "sample_seconds"):
        value = attributes.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value >= 0:
            yield f"its attribute {name!r} is {value!r}, a number from 0 is needed"
    if not isinstance(attributes["seed"], int):
        yield f"its attribute 'seed' is {attributes['seed']!r}, a whole number is needed"


def _json(text: str) -> Any:
    """Decode a text; None if it is not JSON, or holds what is no number there."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None


def _parameters(spec: Spec) -> dict[str, tuple[str, ...]]:
    """Names and dimensions of everything that the posterior and the prior hold."""
    scalar: tuple[str, ...] = ("chain", "draw")
    by_family = (*scalar, "family")
    names = {p.name: by_family for p in spec.parameters}
    names |= {f"{p.name}_population": scalar for p in spec.pooled("partial", "shared")}
    names |= {f"{p.name}_spread": scalar for p in spec.pooled("partial")}
    if spec.noise == "student-t":
        names["nu"] = scalar
    if spec.law.closed_forms.frontier:
        names["alpha_C"] = by_family
    if spec.law.closed_forms.params_exponent:
        names["params_exponent"] = by_family
    if spec.discrepancy:
        names["discrepancy"] = by_family
    return names


def _likelihood(
    groups: Mapping[str, xr.Dataset], spec: Spec, frame: ReferenceFrame
) -> Iterator[str]:
    """Return whether the draws give the runs the likelihoods that the fit states.

    This holds the spec, the posterior, the runs and their losses to one another.
    """
    kept = groups["constant_data"]
    rows = kept[[name for name in run_columns(spec.law) if name in kept]]
    table = rows.to_dataframe().reset_index()
    table["loss"] = groups["observed_data"]["loss"].values
    stated = groups["log_likelihood"]["loss"]
    thin = groups["log_likelihood"].attrs.get("thin", 1)
    some = slice(None, None, max(1, stated.size // _EVALUATIONS))
    with np.errstate(all="ignore"):
        design = arrays(spec, frame, table)
        draws = every(thin, groups["posterior"]).isel(draw=some)
        again = hierarchy.log_likelihood(spec, design, draws).values - design.log_loss
    if not np.allclose(stated.isel(draw=some).values, again, rtol=1e-6, atol=1e-6):
        yield "log_likelihood/loss is not that of its posterior, spec and runs"


def _log_prior(data: xr.Dataset, spec: Spec) -> Iterator[str]:
    """Return a problem of the prior densities, by free variable of the model."""
    shapes = {node.name: ("chain", "draw", *node.dims) for node in nodes(spec)}
    labels = {node.dims[-1]: list(node.labels) for node in nodes(spec) if node.dims}
    if any(node.by_family for node in nodes(spec)):
        labels["family"] = list(spec.families)
    yield from coordinates("log_prior", data, ("chain", "draw"), **labels)
    yield from named("log_prior", data, shapes)


def _statistics(data: xr.Dataset, posterior: xr.Dataset) -> Iterator[str]:
    """Return a problem of the sampler's statistics."""
    group = "sample_stats"
    yield from coordinates(group, data, ("chain", "draw"))
    for name, check in (("diverging", _is_flag), ("energy", _is_energy)):
        if name not in data.data_vars or not check(data[name]):
            yield f"{group}/{name} is not one value for each chain and draw, or always the same"
    for label, values in data.data_vars.items():
        name = str(label)
        if values.dims[:2] != ("chain", "draw") or values.dtype.kind not in "biuf":
            yield f"{group}/{name} is not numbers by chain and draw"
    if data["chain"].values.tolist() != posterior["chain"].values.tolist():
        yield f"{group}/chain differs from posterior/chain"


def _is_flag(values: xr.DataArray) -> bool:
    return values.dtype.kind == "b"


def _is_energy(values: xr.DataArray) -> bool:
    """Return whether numbers vary within every chain, and their squares do not overflow."""
    if values.dtype != np.float64 or values.dims != ("chain", "draw"):
        return False
    numbers = values.values
    return bool((np.abs(numbers) <= _LARGEST).all() and (np.ptp(numbers, axis=1) > 0.0).all())
