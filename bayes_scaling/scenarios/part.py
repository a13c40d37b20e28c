"""Parts of a scenario: the type of a field states its unit, range, example and meaning once.

One reader turns text with a unit, plain numbers and tables into the typed value, whether they come
from Python, TOML or JSON.
"""

import math
import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from inspect import Parameter, Signature
from typing import Any, ClassVar, Self, get_args, get_origin

import msgspec

from bayes_scaling.core.arguments import shown, whole_number
from bayes_scaling.core.records import Record
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.amounts import Fixed, read_amount
from bayes_scaling.scenarios.field import Field, fields_of
from bayes_scaling.scenarios.quantities import CURRENCIES, currency_of, in_unit

__all__ = ["Part"]


class _PartMeta(msgspec.StructMeta):
    """Makes a part from what a person writes: a rate or a time without a unit is refused."""

    def __call__(self, *args: Any, **values: Any) -> Any:
        kind: Any = self
        return kind.made(kind.bound(args, values), base_units=False)

    @property
    def __signature__(self) -> Signature:
        """Fields and defaults, without what their annotations say: ``help`` prints it."""
        known = super().__signature__
        fields = [one.replace(annotation=Parameter.empty) for one in known.parameters.values()]
        return known.replace(parameters=fields)


class Part(Record, frozen=True, kw_only=True, metaclass=_PartMeta):
    """Base of what a scenario consists of.

    A field is ``Annotated[float, quantity(...)]``, ``Annotated[Amount, uncertain(...)]``, an int,
    text, one of a few texts (``Literal``), another part, or a tuple of parts; each may be None.
    """

    place: ClassVar[str] = ""
    """Path of the part in a scenario, with its point, for messages."""
    example: ClassVar[str] = ""
    """How one is written in Python."""
    short: ClassVar[str] = ""
    """Field that a text in place of the table states."""

    @classmethod
    def bound(cls, args: tuple[Any, ...], values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Arguments of a call by field."""
        names = list(cls.__struct_fields__)
        if len(args) > len(names):
            raise ScenarioError(
                f"{cls.__name__} takes at most {len(names)} values, {len(args)} are given"
            )
        if len(args) > len(cls.__match_args__):
            warnings.warn(
                f"{cls.__name__} takes keywords only: write "
                f"{cls.__name__}({', '.join(f'{name}=…' for name in names[: len(args)])})",
                DeprecationWarning,
                stacklevel=3,
            )
        by_place = dict(zip(names, args, strict=False))
        twice = sorted(set(by_place) & set(values))
        if twice:
            raise ScenarioError(f"{cls.__name__} is given {twice[0]} twice")
        return {**by_place, **values}

    @classmethod
    def made(cls, values: Mapping[str, Any], *, base_units: bool) -> Self:
        """Make one from values by field, each in any of its forms.

        Parameters
        ----------
        values : mapping
            Text with a unit, numbers, tables, parts.
        base_units : bool
            Whether a rate or a time may be a plain number, of the unit in which it is kept.
        """
        read = cls.read(values, base_units=base_units)
        made: Self = msgspec.StructMeta.__call__(cls, **read)
        return made

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """Make one from plain values: those of :meth:`to_dict`, or those of a TOML table.

        Raises
        ------
        ScenarioError
            If a key is unknown, or a value out of range or of another dimension.
        """
        if not isinstance(content, Mapping):
            raise ScenarioError(
                f"{cls.place[:-1] or 'the scenario'} is {shown(content)}, a table is needed"
            )
        return cls.made(content, base_units=True)

    @classmethod
    def path(cls, values: Mapping[str, Any]) -> str:  # noqa: ARG003 - of those that have a name
        """Path of this part in the scenario, for messages."""
        return cls.place

    @classmethod
    def read(cls, values: Mapping[str, Any], *, base_units: bool) -> Mapping[str, Any]:
        """Typed values by field, from values in any of their forms."""
        fields, where = fields_of(cls), cls.path(values)
        for name in values:
            if name not in fields:
                near = get_close_matches(str(name), fields, 1)
                hint = f"did you mean {near[0]!r}" if near else f"it can be {', '.join(fields)}"
                raise ScenarioError(f"{where}{name} is unknown; {hint}")
        for field in fields.values():
            if field.required and field.name not in values:
                written = field.example(CURRENCIES[0])
                raise ScenarioError(f"{where}{field.name} is missing, write it like {written}")
        nested = {
            name: _nested(where + name, fields[name], value, base_units)
            for name, value in values.items()
        }
        currency = cls._currency(nested)
        code = currency or CURRENCIES[0]
        found = {
            name: _read(where + name, fields[name], value, code, base_units)
            for name, value in nested.items()
        }
        return {**found, **({"currency": currency} if currency else {})}

    @classmethod
    def _currency(cls, values: Mapping[str, Any]) -> str | None:
        """The one currency of all prices: as it is named, or as texts have it."""
        fields = fields_of(cls)
        if "currency" not in fields:
            return None
        texts = {cls.place + n: v for n, v in values.items() if "currency" in fields[n].unit}
        parts = {
            f"{name}.price": f"1 {part.currency}"
            for name, part in values.items()
            if getattr(part, "currency", None)
        }
        found, stated = currency_of(texts, parts), values.get("currency") or None
        if stated is not None and not (isinstance(stated, str) and stated.isalpha()):
            raise ScenarioError(
                f"{cls.place}currency is {shown(stated)}, letters are needed, like 'USD'"
            )
        if stated and found not in (None, stated):
            raise ScenarioError(
                f"{cls.place}currency is {stated!r}, and prices are in {found}; there is no rate "
                "between them, so write all of them in one currency"
            )
        return stated or found

    def __post_init__(self) -> None:
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        for name, value in self.read(values, base_units=True).items():
            if value is not values[name]:
                msgspec.structs.force_setattr(self, name, value)
        self.check()

    def check(self) -> None:
        """Refuse fields that contradict each other."""

    def __reduce__(self) -> Any:
        return _restored, (type(self), msgspec.structs.asdict(self))


def _restored(kind: type[Part], values: Mapping[str, Any]) -> Part:
    return kind.made(values, base_units=True)


def _is_part(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Part)


def _nested(name: str, field: Field, value: Any, base_units: bool) -> Any:
    """Parts of a part, read; other values as they are."""
    if get_origin(field.kind) is tuple:
        kind = get_args(field.kind)[0]
        several = (value,) if isinstance(value, kind) else value
        if not isinstance(several, list | tuple):
            raise ScenarioError(
                f"{name} is {shown(value)}, a list of tables is needed, like ({kind.example},)"
            )
        return tuple(_part(name, kind, one, base_units) for one in several)
    if not _is_part(field.kind) or (value is None and field.optional):
        return value
    return _part(name, field.kind, value, base_units)


def _part(name: str, kind: type[Part], value: Any, base_units: bool) -> Part:
    if isinstance(value, kind):
        return value
    if isinstance(value, str) and kind.short:
        value = {kind.short: value}
    if not isinstance(value, Mapping):
        raise ScenarioError(f"{name} is {shown(value)}, write {kind.example} or a table")
    return kind.made(value, base_units=base_units)


def _read(name: str, field: Field, value: Any, currency: str, base_units: bool) -> Any:
    """One typed value from a value in any of its forms; parts have been read."""
    if (value is None and field.optional) or get_origin(field.kind) is tuple:
        return value
    if _is_part(field.kind):
        return value
    if type(value) is type(field.default) and value == field.default:
        return field.default
    if field.kind in (Fixed, float, int):
        return _number(name, field, value, currency, base_units)
    if field.kind is str:
        if isinstance(value, str) and value.strip():
            return value
        raise ScenarioError(f"{name} is {shown(value)}, text is needed")
    legal = get_args(field.kind)
    if not (isinstance(value, str) and value in legal):
        raise ScenarioError(f"{name} is {shown(value)}; it can be {', '.join(legal)}")
    return value


def _number(name: str, field: Field, value: Any, currency: str, base_units: bool) -> Any:
    """An amount, a number or a whole number."""
    unit, example = field.unit.replace("currency", currency), field.example(currency)
    if field.kind is Fixed:
        extra = field.meta.extra or {}
        zero, most = extra.get("ge") == 0, extra.get("le", math.inf)
        return read_amount(name, value, unit, example, zero=zero, most=most, base_units=base_units)
    if field.kind is float:
        known = "" if base_units and not isinstance(value, str) else unit
        bounded = field.meta.lt is not None or field.meta.le is not None
        words = field.range if bounded else ""
        number = in_unit(name, value, known, example, zero=field.meta.ge == 0, words=words)
        return field.checked(name, value, number)
    whole = whole_number(value)
    if whole is None:
        raise ScenarioError(f"{name} is {shown(value)}, a whole number {field.range} is needed")
    return int(field.checked(name, value, whole))
