"""A specification back from its JSON, every field of its type and in its range."""

import json
from dataclasses import replace
from typing import cast, get_args

from bayes_scaling import laws
from bayes_scaling.errors import LawError
from bayes_scaling.laws import Law
from bayes_scaling.laws.checking import difference, signature
from bayes_scaling.model._fields import LARGEST_LOG, POSITIVE, Fields, discrepancy_of, parameter_of
from bayes_scaling.model.spec import SPREAD_SD, Noise, Pooling, Spec

__all__ = ["read_spec"]


def read_spec(text: str) -> Spec:
    """The specification that :meth:`Spec.to_json` wrote.

    Raises
    ------
    LawError
        If the law is not known here, or has other parameters or another expression here.
    ValueError
        If a field is missing, of another type or out of range; the message is a clause.
    """
    content = Fields.of_json(text)
    law = _law(content)
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
        reference={name: reference.number(name, *logs) for name in law.inputs},
        centres={name: centres.numbers(name, count, *logs) for name in law.inputs},
        loss_scale=content.number("loss_scale", *POSITIVE),
        loss_scales=content.numbers("loss_scales", count, *POSITIVE) if scaled else (),
        own=own,
        noise_parameter=noise_parameter,
        nu_parameter=parameter_of(content.object("nu_parameter"), "nu"),
        spread_sd=content.number("spread_sd", *POSITIVE, default=SPREAD_SD),
        prior=content.text("prior", ("weak", "population", "own"), default="weak"),
        discrepancy=discrepancy_of(discrepancy) if discrepancy else None,
    )
    content.has(*json.loads(spec.to_json()), partly=True)
    return spec


def _law(content: Fields) -> Law:
    """The law of that name here, with the priors that were in force."""
    law = laws.get(content.text("law"))
    stated = tuple(parameter_of(fields) for fields in content.objects("law_parameters"))
    if tuple(parameter.name for parameter in stated) != law.names:
        raise LawError(
            f"the fit's law {law.name!r} has parameters "
            f"{', '.join(parameter.name for parameter in stated)}; here it has "
            f"{', '.join(law.names)}"
        )
    content.text("formula")
    _check_signature(law, content.maybe_object("law_signature"))
    return replace(law, parameters=stated)


def _check_signature(law: Law, stated: Fields | None) -> None:
    """Refuse a law that has the name of the one that was fitted, and another expression."""
    # Fits of the first versions say nothing of it.
    if stated is None:
        return
    values = {name: list(stated.list_of_numbers(name)) for name in stated.content}
    differs = difference(values, signature(law))
    if differs is not None:
        raise LawError(
            f"the fit was made with another law of the name {law.name!r} than the one here: "
            f"{differs} gives other values, so load it where that law is registered"
        )


def _pooling(fields: Fields, names: tuple[str, ...], families: int) -> dict[str, Pooling]:
    """How each parameter is pooled; over one family there is nothing to pool."""
    fields.has(*names)
    legal = get_args(Pooling) if families > 1 else ("none",)
    return {name: cast("Pooling", fields.text(name, legal)) for name in names}
