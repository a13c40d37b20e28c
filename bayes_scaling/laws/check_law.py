"""Requirements that a law must meet before it is fitted."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayes_scaling.errors import LawError
from bayes_scaling.laws.closed_form_checks import check_closed_forms
from bayes_scaling.laws.law import Law
from bayes_scaling.laws.signature import POINTS, fixed_points
from bayes_scaling.runs.columns import COLUMNS, normalise
from bayes_scaling.runs.input_columns import INPUTS, REQUIRED, TYPICAL, Input

__all__ = ["check_law", "evaluated"]

_RESERVED = frozenset({"sigma", "nu", "discrepancy", "params_exponent", "chain", "draw"})
"""Variables and dimensions of every posterior beside the parameters of its law."""
_OF_PARAMETERS = ("_population", "_spread")
"""What the names of variables end with that every posterior has of its parameters."""
_COLUMNS = frozenset({"extrapolation", "family_seen", "fit", "configs", "accept", "params_total"})
_COLUMNS |= {"self", "mean", "sd"}
"""Columns of forecasts, and arguments of them, beside the canonical ones."""
_PREFIXES = ("reference_", "centre_", "loss_", "source_")
"""What names of columns begin with that are added to those of runs."""
_FAR = 1e4
"""Log of an input at which a law with a floor has reached it."""


def evaluated(law: Law, x: Mapping[str, Any], p: Mapping[str, Any], on: str) -> Any:
    """``law.log_curve(x, p)``, whatever goes wrong in it being a LawError.

    Parameters
    ----------
    law : Law
        The law.
    x, p : mapping
        As ``log_curve`` takes them.
    on : str
        Of which library the values are, for messages.

    Raises
    ------
    LawError
        If the expression cannot be evaluated.
    """
    try:
        return law.log_curve(x, p)
    # The expression is a user's, and may raise anything.
    except Exception as error:
        raise LawError(
            f"log_curve of law {law.name!r} cannot be evaluated on {on} "
            f"({type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}); write "
            "it in terms of bayes_scaling.laws.ops, x[input] and p[parameter] alone"
        ) from error


def check_law(law: Law) -> None:
    """Check the requirements that fits and forecasts have of a law.

    Parameters
    ----------
    law : Law
        The law.

    Raises
    ------
    LawError
        If it reads what no table of configurations has, a parameter takes a reserved name, its
        expression does not work on NumPy and xarray or gives no finite numbers, ``slopes`` does
        not move its parameters, it does not tend to the parameter ``floor``, or a closed form is
        not what a search finds.
    """
    _check_names(law)
    _check_values(law)
    _check_slopes(law)
    _check_floor(law)
    check_closed_forms(law)


def _check_names(law: Law) -> None:
    own = {entry.name for entry in law.own_inputs}
    for name in law.inputs:
        if name not in INPUTS and name not in own:
            raise LawError(
                f"law {law.name!r} reads {name!r}; a law of runs can read {', '.join(INPUTS)}, and "
                f"what it declares of its own, as Input({name!r}, unit, meaning) in its inputs"
            )
    _check_own(law)
    for name in law.names:
        stems = {name.removesuffix(end) for end in _OF_PARAMETERS} - {name}
        if name in _RESERVED or stems & set(law.names):
            raise LawError(
                f"law {law.name!r} has a parameter {name!r}, a name that every fit uses for "
                "something else; give it another name"
            )


def _check_own(law: Law) -> None:
    """Check that the names of declared inputs are free."""
    meant = {normalise(name): each.name for each in COLUMNS for name in (each.name, *each.aliases)}
    known = (*INPUTS, *(entry.name for entry in law.own_inputs))
    for entry in law.own_inputs:
        if entry.name in _COLUMNS or entry.name.startswith(_PREFIXES):
            raise LawError(
                f"law {law.name!r} declares the input {entry.name!r}, a name that results use for "
                "something else; give it another name"
            )
        own = {normalise(name): name for name in (entry.name, *entry.aliases)}
        for key, name in own.items():
            if key in meant:
                raise LawError(
                    f"law {law.name!r} declares the input {entry.name!r}, and {name!r} means the "
                    f"column {meant[key]!r}; give it another name"
                )
        meant |= dict.fromkeys(own, entry.name)
        _check_sources(law, entry, known)
        _check_formula(law, entry)


def _check_sources(law: Law, entry: Input, known: tuple[str, ...]) -> None:
    """Check that the sources of a declared input exist."""
    equal = () if entry.unstated in (REQUIRED, TYPICAL) else (entry.unstated,)
    sizes = ("params", "tokens")
    for names, legal in (((*entry.needs, *equal), known), (tuple(entry.grows), sizes)):
        for name in names:
            if name not in legal or name == entry.name:
                raise LawError(
                    f"input {entry.name!r} of law {law.name!r} follows from {name!r}; it can "
                    f"follow from {', '.join(n for n in legal if n != entry.name)}"
                )


def _check_formula(law: Law, entry: Input) -> None:
    """Check that a declared input can be computed from its sources."""
    stated = np.geomspace(10.0, 1e4, POINTS)
    try:
        values = np.asarray(entry.follow(dict.fromkeys(entry.needs, stated)), dtype=np.float64)
    # The formula is a user's, and may raise anything.
    except Exception as error:
        raise LawError(
            f"formula of input {entry.name!r} of law {law.name!r} cannot be evaluated on NumPy "
            f"arrays ({type(error).__name__}: {error}); it takes the values of "
            f"{', '.join(entry.needs)}, in this order"
        ) from error
    if entry.needs and values.shape != stated.shape:
        raise LawError(
            f"formula of input {entry.name!r} of law {law.name!r} gives an array of shape "
            f"{values.shape} for {POINTS} rows; a number for each is needed"
        )


def _check_values(law: Law) -> None:
    import xarray as xr

    x, p = fixed_points(law)
    values = np.asarray(evaluated(law, x, p, "NumPy arrays"))
    if values.shape != (POINTS,) or not np.isfinite(values.astype(np.float64)).all():
        raise LawError(
            f"log_curve of law {law.name!r} gives {values.ravel()[:3].tolist()!r} … of shape "
            f"{values.shape} for {POINTS} points; a finite number for each is needed, the log of "
            "the loss"
        )
    labelled = [
        {name: xr.DataArray(value, dims="point") for name, value in values_by_name.items()}
        for values_by_name in (x, p)
    ]
    again = evaluated(law, labelled[0], labelled[1], "xarray objects")
    if not isinstance(again, xr.DataArray) or not np.allclose(again.values, values):
        raise LawError(
            f"log_curve of law {law.name!r} gives a {type(again).__name__} on xarray objects, or "
            "other numbers than on NumPy arrays; write it in terms of bayes_scaling.laws.ops"
        )


def _check_slopes(law: Law) -> None:
    if law.fixed_reference:
        return
    x, p = fixed_points(law)
    shift = {name: 0.3 + 0.1 * i for i, name in enumerate(law.inputs)}
    shift |= {name: shift[other] for name, other in law.shared_reference.items()}
    try:
        moved = law.move(p, shift)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LawError(
            f"slopes of law {law.name!r} cannot be evaluated ({type(error).__name__}: {error}); "
            "slopes(p) gives, by amplitude and input, how fast the log of the amplitude falls"
        ) from error
    there = {name: value - shift[name] for name, value in x.items()}
    if not np.allclose(law.log_curve(there, moved), law.log_curve(x, p), rtol=1e-8):
        raise LawError(
            f"slopes of law {law.name!r} do not move its parameters: at another reference point "
            "they give another loss; give slopes(p) for every amplitude, or fixed_reference=True"
        )


def _check_floor(law: Law) -> None:
    if law.nonmonotone or not law.has_floor:
        return
    x, p = fixed_points(law)
    far = {name: 0.0 * value + (0.0 if name in law.best else _FAR) for name, value in x.items()}
    with np.errstate(all="ignore"):
        reached = np.exp(law.log_curve(far, p))
    if not np.allclose(reached, p["floor"]):
        raise LawError(
            f"law {law.name!r} has a parameter 'floor' but tends to {reached[0]:.4g} where that is "
            f"{p['floor'][0]:.4g}; log_curve is the natural log of the loss, and floor its limit"
        )
