"""A specification as JSON, and back, every field of its type and in its range."""

import json
from dataclasses import asdict, replace
from typing import cast, get_args

from bayes_scaling.errors import LawError
from bayes_scaling.laws import Law, Parameter
from bayes_scaling.laws.registry import find
from bayes_scaling.laws.signature import difference, signature
from bayes_scaling.model._fields import LARGEST_LOG, POSITIVE, Fields, discrepancy_of, parameter_of
from bayes_scaling.model.frame import ReferenceFrame
from bayes_scaling.model.spec import SPREAD_SD, Noise, Pooling, Spec

__all__ = ["read_spec", "write_spec"]


def write_spec(spec: Spec, frame: ReferenceFrame) -> str:
    """A model and its reference frame as JSON: priors, and the law by its name and signature."""
    content = {
        "law": spec.law.name,
        "law_signature": signature(spec.law),
        "formula": spec.law.formula,
        "law_parameters": [asdict(p) for p in spec.law.parameters],
        "families": list(spec.families),
        "pooling": dict(spec.pooling),
        "noise": spec.noise,
        "reference": dict(frame.reference),
        "centres": {name: list(value) for name, value in frame.centres.items()},
        "loss_scale": frame.loss_scale,
        "loss_scales": list(frame.loss_scales),
        "own": frame.own,
        "noise_parameter": asdict(spec.noise_parameter),
        "nu_parameter": asdict(spec.nu_parameter),
        "spread_sd": spec.spread_sd,
        "prior": spec.prior,
        "discrepancy": asdict(spec.discrepancy) if spec.discrepancy else None,
    }
    return json.dumps(content, sort_keys=True)


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
    content = Fields.of_json(text)
    law = _law(content, law)
    families = content.texts("families")
    if not families or len(set(families)) < len(families):
        raise ValueError("families are not distinct names")
    noise_parameter = parameter_of(content.object("noise_parameter"), "sigma")
    discrepancy = content.maybe_object("discrepancy")
    count, logs = len(families), (-LARGEST_LOG, LARGEST_LOG)
    reference, centres = content.object("reference"), content.object("centres")
    reference.has(*law.inputs)
    centres.has(*law.inputs)
    own = content.flag("own", default=False)
    scaled = own or bool(content.get("loss_scales"))
    spec = Spec(
        law=law,
        families=families,
        pooling=_pooling(content.object("pooling"), (*law.names, noise_parameter.name), count),
        noise=cast("Noise", content.text("noise", get_args(Noise))),
        noise_parameter=noise_parameter,
        nu_parameter=parameter_of(content.object("nu_parameter"), "nu"),
        spread_sd=content.number("spread_sd", *POSITIVE, default=SPREAD_SD),
        prior=content.text("prior", ("weak", "population", "own"), default="weak"),
        discrepancy=discrepancy_of(discrepancy) if discrepancy else None,
    )
    frame = ReferenceFrame(
        reference={name: reference.number(name, *logs) for name in law.inputs},
        centres={name: centres.numbers(name, count, *logs) for name in law.inputs},
        loss_scale=content.number("loss_scale", *POSITIVE),
        loss_scales=content.numbers("loss_scales", count, *POSITIVE) if scaled else (),
        own=own,
    )
    content.has(*json.loads(write_spec(spec, frame)), partly=True)
    return spec, frame


def _law(content: Fields, given: Law | None) -> Law:
    """The law given, or the one of that name here, with the priors that were in force."""
    name = content.text("law")
    law = given or find(name)
    if law is None:
        raise LawError(
            f"it is of law {name!r}, which is not registered here; write load_fit(path, law=LAW) "
            "with the Law it was fitted with, or bayes_scaling.laws.register(LAW) first"
        )
    stated = tuple(parameter_of(fields) for fields in content.objects("law_parameters"))
    content.text("formula")
    differs = _difference(law, name, stated, content.maybe_object("law_signature"))
    if differs is not None:
        which = "the law given" if given else "the law of that name here"
        raise LawError(
            f"it is of another law {name!r} than {which}: {differs}; write "
            "load_fit(path, law=LAW) with the Law it was fitted with"
        )
    return replace(law, parameters=stated)


def _difference(
    law: Law, name: str, stated: tuple[Parameter, ...], signed: Fields | None
) -> str | None:
    """In what a law is not the one that was fitted."""
    if law.name != name:
        return f"that is {law.name!r}"
    if tuple(parameter.name for parameter in stated) != law.names:
        return f"its parameters are {', '.join(p.name for p in stated)}, not {', '.join(law.names)}"
    # Fits of the first versions say nothing of the expressions.
    if signed is None:
        return None
    values = {name: list(signed.list_of_numbers(name)) for name in signed.content}
    differs = difference(values, signature(law))
    return differs and f"{differs} gives other values"


def _pooling(fields: Fields, names: tuple[str, ...], families: int) -> dict[str, Pooling]:
    """How each parameter is pooled; over one family there is nothing to pool."""
    fields.has(*names)
    legal = get_args(Pooling) if families > 1 else ("none",)
    return {name: cast("Pooling", fields.text(name, legal)) for name in names}
