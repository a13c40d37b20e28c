"""A specification as JSON, and back, every field of its type and in its range."""

import json
from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, structs

from bayes_scaling.errors import LawError
from bayes_scaling.laws import Law, Parameter, Prior
from bayes_scaling.laws.log_quadratic import log_quadratic
from bayes_scaling.laws.registry import find
from bayes_scaling.laws.signature import difference, signature
from bayes_scaling.model.discrepancy import Discrepancy
from bayes_scaling.model.frame import ReferenceFrame
from bayes_scaling.model.spec import SPREAD_SD, Noise, Pooling, Spec

__all__ = ["read_spec", "write_spec"]

_Positive = Annotated[float, Meta(ge=1e-100, le=1e100)]
_Log = Annotated[float, Meta(ge=-230.0, le=230.0)]
"""Natural logs of sizes lie within this: 1e-100 to 1e100."""
_Sd = Annotated[float, Meta(ge=1e-100, le=1e3)]
_Finite = Annotated[float, Meta(ge=-1e300, le=1e300)]
_STEEPEST = 5.0
"""Powers by which the error of a law grows, and the sd of its log between families."""


class _Prior(Struct, forbid_unknown_fields=True):
    median: _Positive
    sd: _Sd
    spread: _Sd


class _Parameter(Struct, forbid_unknown_fields=True):
    name: str
    prior: _Prior
    unit: str
    meaning: str
    reason: str
    of_loss: bool = False
    noncentred: bool = msgspec.field(default=False, name="loose")  # its name in files

    @property
    def value(self) -> Parameter:
        """The parameter."""
        prior = Prior(**structs.asdict(self.prior))
        return Parameter(**structs.asdict(self) | {"prior": prior})


class _Discrepancy(Struct, forbid_unknown_fields=True):
    level: _Positive
    noise_power: Annotated[float, Meta(ge=-_STEEPEST, le=_STEEPEST)]
    power: Annotated[float, Meta(ge=0.0, le=_STEEPEST)]
    shared: Annotated[float, Meta(ge=0.0, le=1.0)]
    spread: Annotated[float, Meta(ge=0.0, le=_STEEPEST)]


class _Content(Struct, forbid_unknown_fields=True):
    """Content of the attribute ``spec`` of a fit; fields with defaults came after version 0.1."""

    law: str
    formula: str
    law_parameters: list[_Parameter]
    families: list[str]
    pooling: dict[str, Pooling]
    noise: Noise
    reference: dict[str, _Log]
    centres: dict[str, list[_Log]]
    loss_scale: _Positive
    noise_parameter: _Parameter
    nu_parameter: _Parameter
    law_signature: dict[str, list[_Finite]] | None = None
    loss_scales: list[_Positive] = []
    own: bool = False
    spread_sd: _Positive = SPREAD_SD
    prior: Literal["weak", "population", "own"] = "weak"
    discrepancy: _Discrepancy | None = None
    curvature_share: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0


def write_spec(spec: Spec, frame: ReferenceFrame) -> str:
    """A model and its reference frame as JSON: priors, and the law by its name and signature."""
    content = {
        **{name: value for name, value in vars(spec).items() if name != "law"},
        **vars(frame),
        "noise_parameter": _Parameter(**vars(spec.noise_parameter)),
        "nu_parameter": _Parameter(**vars(spec.nu_parameter)),
        "law": spec.law.name,
        "law_signature": signature(spec.law),
        "formula": spec.law.formula,
        "law_parameters": [_Parameter(**vars(each)) for each in spec.law.parameters],
    }
    # Numbers as Python writes them, so that files stay the same to the byte.
    return json.dumps(msgspec.to_builtins(content), sort_keys=True)


def read_spec(text: str, law: Law | None = None) -> tuple[Spec, ReferenceFrame]:
    """The model and the reference frame that :func:`write_spec` wrote.

    Parameters
    ----------
    text : str
        JSON.
    law : Law, optional
        The law; that of its name here if not given.

    Raises
    ------
    LawError
        If the law is not known here, or has other parameters or another expression.
    ValueError
        If a field is missing, of another type or out of range; the message is a clause.
    """
    content = msgspec.json.decode(text, type=_Content)
    law = _law(content, law)
    _check(content, law)
    found = content.discrepancy
    spec = Spec(
        law=law,
        families=tuple(content.families),
        pooling=content.pooling,
        noise=content.noise,
        noise_parameter=content.noise_parameter.value,
        nu_parameter=content.nu_parameter.value,
        spread_sd=content.spread_sd,
        prior=content.prior,
        discrepancy=Discrepancy(**structs.asdict(found)) if found else None,
        curvature_share=content.curvature_share,
    )
    frame = ReferenceFrame(
        reference={name: content.reference[name] for name in law.inputs},
        centres={name: tuple(content.centres[name]) for name in law.inputs},
        loss_scale=content.loss_scale,
        loss_scales=tuple(content.loss_scales),
        own=content.own,
    )
    return spec, frame


def _check(content: _Content, law: Law) -> None:
    """Check that the fields are consistent."""
    families = content.families
    if not families or len(set(families)) < len(families):
        raise ValueError("families are not distinct names")
    by_family: dict[str, list[float]] = {f"centres.{n}": v for n, v in content.centres.items()}
    if content.own or content.loss_scales:
        by_family["loss_scales"] = content.loss_scales
    for name, values in by_family.items():
        if len(values) != len(families):
            raise ValueError(f"{name} has {len(values)} numbers for {len(families)} families")
    names = (*law.names, "sigma")
    _same_names("reference", content.reference, law.inputs)
    _same_names("centres", content.centres, law.inputs)
    _same_names("pooling", content.pooling, names)
    _same_names("noise_parameter", [content.noise_parameter.name], ["sigma"])
    _same_names("nu_parameter", [content.nu_parameter.name], ["nu"])
    # Over one family there is nothing to pool.
    if len(families) == 1 and set(content.pooling.values()) != {"none"}:
        raise ValueError("parameters of a single family are pooled")


def _same_names(what: str, names: Collection[str], needed: Collection[str]) -> None:
    for name in set(names) ^ set(needed):
        raise ValueError(f"{what} {'lacks' if name in needed else 'has an unknown'} {name!r}")


def _law(content: _Content, stated: Law | None) -> Law:
    """Return the stated law, or the registered one, with the priors of the fit."""
    name = content.law
    law = stated or find(name)
    if law is None:
        raise LawError(
            f"it is of law {name!r}, which is not registered here; install the package that has "
            "it (docs/add-a-law.md), or in Python write load_fit(path, law=LAW) with the Law it "
            "was fitted with"
        )
    if content.curvature_share:
        law = log_quadratic(law, sd=1.0)
    differs = _difference(law, content)
    if differs is not None:
        which = "the law given" if stated else "the law of that name here"
        raise LawError(
            f"it is of another law {name!r} than {which}: {differs}; write "
            "load_fit(path, law=LAW) with the Law it was fitted with"
        )
    return replace(law, parameters=tuple(each.value for each in content.law_parameters))


def _difference(law: Law, content: _Content) -> str | None:
    """In what a law is not the one that was fitted."""
    if law.name != content.law:
        return f"that is {law.name!r}"
    names = tuple(stated.name for stated in content.law_parameters)
    if names != law.names:
        return f"its parameters are {', '.join(names)}, not {', '.join(law.names)}"
    # Fits of the first versions have no signature.
    if content.law_signature is None:
        return None
    differs = difference(content.law_signature, signature(law))
    return differs and f"{differs} gives other values"
