"""What a field of a scenario states: type, unit, range, example and meaning."""

from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

from bayes_scaling.core.arguments import shown
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.amounts import Fixed

__all__ = ["Field", "fields_of", "quantity", "uncertain"]


def quantity(text: str, unit: str = "", example: str = "1", **constraints: Any) -> msgspec.Meta:
    """Describe a number for ``Annotated``.

    Parameters
    ----------
    text : str
        Meaning, one sentence.
    unit : str
        Unit in which it is kept, as pint writes it; "currency" stands for that of the scenario.
    example : str
        How it is written, with "USD" for the currency.
    **constraints : float
        Of :class:`msgspec.Meta`: ``gt``, ``ge``, ``lt``, ``le``.

    Examples
    --------
    >>> quantity("Training compute.", "FLOP", '"1e23 FLOP"', gt=0).extra["unit"]
    'FLOP'
    """
    return msgspec.Meta(
        description=text,
        extra_json_schema={"x-unit": unit} if unit else None,
        extra={"unit": unit, "example": example},
        **constraints,
    )


def uncertain(text: str, unit: str, example: str, **constraints: Any) -> msgspec.Meta:
    """Describe an amount that may be uncertain, for ``Annotated[Amount, ...]``.

    Parameters
    ----------
    text, unit, example
        As of :func:`quantity`.
    **constraints : float
        ``ge=0`` where 0 is legal, and ``le``, the largest legal value.

    Examples
    --------
    >>> uncertain("Use of the peak speed.", "", "0.4", le=1).extra["le"]
    1
    """
    extra = {"x-unit": unit} if unit else None
    found = {"unit": unit, "example": example, "amount": True, **constraints}
    return msgspec.Meta(description=text, extra_json_schema=extra, extra=found)


@dataclass(frozen=True)
class Field:
    """What the annotation of a field says: its type, its description, whether None is legal."""

    name: str
    kind: Any
    meta: msgspec.Meta
    optional: bool
    default: Any
    required: bool

    @property
    def unit(self) -> str:
        """Unit in which the value is kept."""
        return str((self.meta.extra or {}).get("unit", ""))

    def example(self, currency: str) -> str:
        """Return an example of the value as text, with a currency."""
        return str((self.meta.extra or {}).get("example", "1")).replace("USD", currency)

    def checked(self, name: str, value: Any, number: float) -> float:
        """Return a number, if it is in the range of the field."""
        meta = self.meta
        above = meta.gt is None or number > meta.gt
        least = meta.ge is None or number >= meta.ge
        below = meta.lt is None or number < meta.lt
        most = meta.le is None or number <= meta.le
        if above and least and below and most:
            return number
        what = "a whole number" if self.kind is int else "a number"
        raise ScenarioError(f"{name} is {shown(value)}, {what} {self.range} is needed")

    @property
    def range(self) -> str:
        """Legal values in words."""
        gt, ge, lt, le = self.meta.gt, self.meta.ge, self.meta.lt, self.meta.le
        if gt is not None and lt is not None:
            return f"between {gt:g} and {lt:g}"
        if ge is not None and le is not None:
            return f"from {ge:g} to {le:g}"
        low = f"above {gt:g}" if gt is not None else f"of {ge:g} or more" if ge is not None else ""
        high = f"below {lt:g}" if lt is not None else f"at most {le:g}" if le is not None else ""
        return " and ".join(part for part in (low, high) if part)


@cache
def fields_of(kind: type[msgspec.Struct]) -> dict[str, Field]:
    """Return what the annotations of a structure's fields say, by name."""
    found = {}
    for entry in msgspec.structs.fields(kind):
        meta, one = msgspec.Meta(), entry.type
        optional = False
        while get_origin(one) in (Annotated, Union, UnionType):
            parts = get_args(one)
            if get_origin(one) is Annotated:
                one, meta = parts[0], parts[1]
                if (meta.extra or {}).get("amount"):
                    one = Fixed
                continue
            optional |= type(None) in parts
            (one,) = [part for part in parts if part is not type(None)]
        found[entry.name] = Field(entry.name, one, meta, optional, entry.default, entry.required)
    return found
