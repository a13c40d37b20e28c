"""Reading the JSON of a specification field by field, each of its type and in its range."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bayes_scaling.laws import Parameter, Prior
from bayes_scaling.model.discrepancy import Discrepancy

__all__ = ["LARGEST_LOG", "POSITIVE", "Fields", "discrepancy_of", "parameter_of"]

LARGEST_LOG = 230.0
"""Natural logs of sizes lie within this: 1e-100 to 1e100."""
POSITIVE = (1e-100, 1e100)
_WIDEST = 1e3
"""No log is known to less than this."""
_STEEPEST = 5.0
"""Powers by which the error of a law grows, and the sd of its log between families."""


@dataclass(frozen=True)
class Fields:
    """An object of JSON whose fields are read with their types.

    Every method raises a ``ValueError`` that names the field, its value and what is legal.
    """

    content: Mapping[str, Any]
    path: str = ""

    @classmethod
    def of_json(cls, text: str) -> "Fields":
        """The object that a text holds."""

        def refuse(constant: str) -> float:
            raise ValueError(f"it holds {constant}, which is no number of JSON")

        content = json.loads(text, parse_constant=refuse)
        if not isinstance(content, dict):
            raise ValueError(f"it is a {type(content).__name__}, an object is needed")  # noqa: TRY004
        return cls(content)

    def _wrong(self, name: str, needed: str) -> ValueError:
        if name not in self.content:
            return ValueError(f"{self.path}{name} is missing, {needed} is needed")
        shown = repr(self.content[name])
        shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
        return ValueError(f"{self.path}{name} is {shown}, {needed} is needed")

    def get(self, name: str, default: Any = None) -> Any:
        """A field as it stands."""
        return self.content.get(name, default)

    def has(self, *names: str, partly: bool = False) -> None:
        """See that these are the fields, or, ``partly``, that there are no others."""
        other = set(self.content) - set(names)
        lacking = set() if partly else set(names) - set(self.content)
        if other:
            raise ValueError(f"{self.path}{min(other)} is a field that is not known here")
        if lacking:
            raise ValueError(f"{self.path}{min(lacking)} is missing")

    def number(self, name: str, low: float, high: float, *, default: float | None = None) -> float:
        """A finite number between two others."""
        value = self.content.get(name, default)
        if _is_between(value, low, high):
            return float(value)
        raise self._wrong(name, f"a number from {low:g} to {high:g}")

    def numbers(self, name: str, count: int, low: float, high: float) -> tuple[float, ...]:
        """So many finite numbers between two others."""
        values = self.content.get(name)
        if (
            isinstance(values, list)
            and len(values) == count
            and all(_is_between(value, low, high) for value in values)
        ):
            return tuple(map(float, values))
        raise self._wrong(name, f"a list of {count} numbers from {low:g} to {high:g}")

    def list_of_numbers(self, name: str) -> tuple[float, ...]:
        """Finite numbers, however many."""
        values = self.content.get(name)
        if isinstance(values, list) and all(_is_between(v, -1e300, 1e300) for v in values):
            return tuple(map(float, values))
        raise self._wrong(name, "a list of finite numbers")

    def text(self, name: str, legal: Sequence[str] = (), *, default: str | None = None) -> str:
        """A text, one of the legal ones where they are given."""
        value = self.content.get(name, default)
        if isinstance(value, str) and (not legal or value in legal):
            return value
        raise self._wrong(name, " or ".join(map(repr, legal)) if legal else "text")

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts."""
        value = self.content.get(name)
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        raise self._wrong(name, "a list of text")

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self.content.get(name, default)
        if isinstance(value, bool):
            return value
        raise self._wrong(name, "true or false")

    def object(self, name: str) -> "Fields":
        """An object."""
        value = self.content.get(name)
        if isinstance(value, dict):
            return Fields(value, f"{self.path}{name}.")
        raise self._wrong(name, "an object")

    def maybe_object(self, name: str) -> "Fields | None":
        """An object, or None where there is none."""
        return None if self.content.get(name) is None else self.object(name)

    def objects(self, name: str) -> list["Fields"]:
        """A list of objects."""
        value = self.content.get(name)
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return [Fields(item, f"{self.path}{name}[{i}].") for i, item in enumerate(value)]
        raise self._wrong(name, "a list of objects")


def _is_between(value: Any, low: float, high: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and low <= value <= high and math.isfinite(value)


def parameter_of(fields: Fields, name: str | None = None) -> Parameter:
    """A parameter with its prior, from JSON.

    Parameters
    ----------
    fields : Fields
        What ``dataclasses.asdict`` made of it.
    name : str, optional
        What its name must be.
    """
    fields.has("name", "prior", "unit", "meaning", "reason", "of_loss", "loose", partly=True)
    prior = fields.object("prior")
    prior.has("median", "sd", "spread")
    return Parameter(
        name=fields.text("name", (name,) if name else ()),
        prior=Prior(
            median=prior.number("median", *POSITIVE),
            sd=prior.number("sd", POSITIVE[0], _WIDEST),
            spread=prior.number("spread", POSITIVE[0], _WIDEST),
        ),
        unit=fields.text("unit"),
        meaning=fields.text("meaning"),
        reason=fields.text("reason"),
        of_loss=fields.flag("of_loss", default=False),
        loose=fields.flag("loose", default=False),
    )


def discrepancy_of(fields: Fields) -> Discrepancy:
    """A law's error beyond the data, from JSON."""
    fields.has("level", "noise_power", "power", "shared", "spread")
    return Discrepancy(
        level=fields.number("level", *POSITIVE),
        noise_power=fields.number("noise_power", -_STEEPEST, _STEEPEST),
        power=fields.number("power", 0.0, _STEEPEST),
        shared=fields.number("shared", 0.0, 1.0),
        spread=fields.number("spread", 0.0, _STEEPEST),
    )
