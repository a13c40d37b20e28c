"""Numbers with units, read by pint: compute, money, time, tokens and what comes of them."""

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from bayes_scaling.core.arguments import is_number, shown
from bayes_scaling.core.bounds import LARGEST, legal, meant
from bayes_scaling.errors import ScenarioError

__all__ = ["CURRENCIES", "Unit", "currency_of", "in_unit", "unit_of"]

CURRENCIES = ("USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "KRW", "CAD", "AUD")
"""Each is a dimension of its own: there is no rate between them here."""
_DEFINITIONS = (
    "FLOP = [compute] = _ = FLOPs = flop = flops",
    "token = [token] = _ = tokens",
    "PFday = 8.64e19 FLOP",
    "param = [parameter] = _ = params = parameter = parameters",
    "device = [] = _ = devices = GPU = GPUs = gpu = gpus = TPU = accelerator = accelerators",
)
_NUMBER = re.compile(r"\s*([+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)(.*)", re.DOTALL)
# Words, prefixes and one level of division: no exponents, and so nothing that could take forever.
_UNIT = re.compile(r"[A-Za-z%µ]+(?:[ ·*/-]+[A-Za-z%µ]+)*\Z")
_HYPHENS = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)+")
_PF_DAYS = re.compile(r"PF(?:LOPS?|LOP/s)?[ -]?days?\Z", re.IGNORECASE)
"""A petaFLOP/s for a day, the unit of Kaplan et al. 2020; to pint PF is a farad."""
_MOST = 60

Unit = str
"""A unit as pint writes it: "FLOP", "USD/FLOP", "second"."""


@cache
def _registry() -> Any:
    import pint

    registry = pint.UnitRegistry()
    for definition in (*_DEFINITIONS, *(f"{name} = [{name}]" for name in CURRENCIES)):
        registry.define(definition)
    return registry


def in_unit(
    name: str, value: Any, unit: Unit, example: str, *, zero: bool = False, words: str = ""
) -> float:
    """Read a number in a unit, from text with a unit or, but for rates and times, a plain number.

    Parameters
    ----------
    name : str
        What it is, for messages.
    value : object
        What was given.
    unit : str
        The unit wanted; "" for a pure number.
    example : str
        How it could be written.
    zero : bool
        Whether 0 is legal.
    words : str
        Legal numbers in words, where they are fewer than those of any quantity.

    Examples
    --------
    >>> in_unit("compute_budget", "2 PF-days", "FLOP", '"1e23 FLOP"')
    1.728e+20
    """
    number, given = _parts(name, value, example)
    if not given and ("/" in unit or unit == "second"):
        # Of prices, speeds and times nobody could tell which unit a plain number is in.
        raise ScenarioError(f"{name} is {shown(value)}, without a unit; write it like {example}")
    # Pint takes longer to import than most decisions to compute.
    if given not in ("", unit):
        number *= _factor(name, value, given, unit, example)
    if not meant(number, zero=zero):
        raise ScenarioError(
            f"{name} is {shown(value)}, a number {words or legal(zero=zero)} is needed, like "
            f"{example}"
        )
    return number


def _parts(name: str, value: Any, example: str) -> tuple[float, str]:
    if isinstance(value, str):
        found = _NUMBER.match(value)
        if found:
            return float(found.group(1).replace("_", "")), found.group(2).strip()
    elif is_number(value):
        number = value.item() if isinstance(value, np.generic) else value
        # Compared and not converted: an integer may be too large for a float.
        if -LARGEST <= number <= LARGEST:
            return float(number), ""
        if isinstance(number, int) or math.isfinite(number):
            raise ScenarioError(f"{name} is {shown(value)}, at most {LARGEST:g} is legal")
    raise ScenarioError(f"{name} is {shown(value)}, a number is needed, like {example}")


def _factor(name: str, value: Any, given: str, unit: Unit, example: str) -> float:
    import pint

    registry = _registry()
    refused = f"{name} is {value!r}, and {given!r} is no unit; write it like {example}"
    legal = len(given) <= _MOST and _UNIT.match(given)
    # Of pure numbers only shares have a unit: to pint "7 B" is seven bytes, 56 of something.
    if not legal or (not unit and given not in ("%", "percent")):
        raise ScenarioError(refused)
    # "USD/GPU-hour" divides by both.
    together = _HYPHENS.sub(lambda found: f"({found[0].replace('-', '*')})", given)
    if _PF_DAYS.match(given):
        together = "PFday"
    try:
        known = registry.parse_units(together.replace("·", "*"))
    except (pint.errors.PintError, ValueError, AttributeError, AssertionError, TypeError) as error:
        raise ScenarioError(refused) from error
    try:
        return float(registry.Quantity(1.0, known).to(unit or "dimensionless").magnitude)
    except pint.errors.DimensionalityError as error:
        wanted = unit or "a pure number"
        raise ScenarioError(
            f"{name} is {value!r}, in {given}, which cannot be turned into {wanted}; write it like "
            f"{example}"
        ) from error


def unit_of(value: Any) -> Unit:
    """Return the unit in a text such as "2 EUR/hour"; "" where there is none.

    Examples
    --------
    >>> unit_of("2 EUR/hour")
    'EUR/hour'
    """
    found = _NUMBER.match(value) if isinstance(value, str) else None
    return found.group(2).strip() if found else ""


def currency_of(*tables: Mapping[str, Any]) -> str | None:
    """Return the one currency of texts such as "2.5 MUSD"; None where there is none.

    Parameters
    ----------
    *tables : mapping of str to object
        By name; texts, tables of texts, or anything else, which has none.

    Examples
    --------
    >>> currency_of({"price": "2.5 EUR/hour"})
    'EUR'
    """
    found: dict[str, str] = {}
    for table in tables:
        for name, value in table.items():
            points = value if isinstance(value, Mapping) else {"": value}
            for part, text in points.items():
                unit = unit_of(text)
                for code in CURRENCIES:
                    if code in unit:
                        found.setdefault(code, f"{name}.{part}" if part else name)
    if len(found) > 1:
        (one, first), (other, second), *_ = found.items()
        raise ScenarioError(
            f"{first} is in {one} and {second} in {other}; there is no rate between them, so write "
            "all of them in one currency"
        )
    return next(iter(found), None)
