"""Records: frozen, typed objects that are written to files and read from them.

The type of a record is the one statement of its fields: reading, writing, checking and the JSON
Schema follow from it. Those that are files of their own are
:class:`bayes_scaling.core.result.Result`, with ``save`` and ``load``.
"""

import math
import re
import warnings
from typing import Any, Self, cast

import msgspec
import numpy as np

__all__ = ["Record", "about", "explain", "null_together", "to_plain"]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what stands in files: frozen, compared by value, without unknown fields.

    A subclass repeats ``frozen=True, kw_only=True`` (the first for mypy, the second holds for the
    fields of one class only). A constraint stands on the number, not on the union with None:
    ``Annotated[float, about("Price.", gt=0)] | None``.
    """

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; what is not finite is None."""
        return cast("dict[str, Any]", to_plain(self))

    def __getitem__(self, name: str) -> Any:
        """Return a field by its name, as results of version 0.1 were dictionaries; deprecated."""
        kind = type(self).__name__
        text = f"{kind}[{name!r}] is deprecated; use {kind}.{name}"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return getattr(self, name)

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """Make one from plain values, as :meth:`to_dict` returns them.

        Raises
        ------
        msgspec.ValidationError
            If a field is missing, unknown, of another type or out of range; the message has the
            path of the field.
        """
        return msgspec.convert(content, cls)


def about(text: str, unit: str | None = None, **constraints: Any) -> msgspec.Meta:
    """Describe a field for ``Annotated``: its meaning, its unit and its range.

    Parameters
    ----------
    text : str
        Meaning, one sentence.
    unit : str, optional
        Unit of the value; ``x-unit`` in the JSON Schema.
    **constraints : object
        Of :class:`msgspec.Meta`: ``gt``, ``ge``, ``lt``, ``le``, ``min_length``, ``max_length``.

    Examples
    --------
    >>> about("Training compute.", "FLOP", gt=0).description
    'Training compute.'
    """
    extra = {"x-unit": unit} if unit else None
    return msgspec.Meta(description=text, extra_json_schema=extra, **constraints)


def null_together(record: Record, *names: str) -> None:
    """Check that fields are null together, or none of them is.

    Raises
    ------
    ValueError
        If some are null.
    """
    missing = [name for name in names if getattr(record, name) is None]
    if missing and len(missing) < len(names):
        stated = next(name for name in names if name not in missing)
        raise ValueError(f"{missing[0]} is null, and {stated} is not")


def to_plain(value: Any) -> Any:
    """Nested plain Python values of a record, array or container; what is not finite is None."""
    return _finite(msgspec.to_builtins(value, enc_hook=_from_numpy))


def _from_numpy(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, float):
        return float(value)
    raise NotImplementedError(f"a value of type {type(value).__name__} has no form in a file")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


_PLACE = re.compile(r"(.*) - at `\$\.?(.*)`$", re.DOTALL)


def explain(error: msgspec.ValidationError) -> str:
    """Put the message of a validation error in words, the path of the field first.

    Examples
    --------
    >>> try:
    ...     msgspec.convert([{"mean": "low"}], list[dict[str, float]])
    ... except msgspec.ValidationError as error:
    ...     explain(error)
    'at [0][...], expected `float`, got `str`'
    """
    found = _PLACE.fullmatch(str(error))
    text = found[1] if found else str(error)
    sentence = text[:1].lower() + text[1:]
    return f"at {found[2]}, {sentence}" if found and found[2] else sentence
