"""Whether the content of a file is what its schema says, and what a schema cannot say."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bayes_scaling.schemas import schema

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

__all__ = ["what_is_wrong"]

_LONGEST = 160
_QUANTILE = re.compile(r"(.*?)q(\d{2}(?:\.\d+)?)")
_GROWING = (("low", "likely", "high"), ("low", "high"), ("min_layers", "max_layers"))
"""Fields of one object that grow from first to last, beside quantiles."""
_ROUNDING = 1e-9


def what_is_wrong(content: Mapping[str, Any], name: str) -> str | None:
    """Where a file breaks its schema, in words; None where it does not.

    Parameters
    ----------
    content : mapping
        Of the file.
    name : str
        Of the schema, such as "plan".
    """
    from jsonschema.exceptions import best_match

    errors = list(_validator(name).iter_errors(content))
    # A field that is wrong leaves its neighbours unevaluated, which says nothing of them.
    causes = [error for error in errors if error.validator != "unevaluatedProperties"]
    error = best_match(causes or errors)
    if error is None:
        return next(_disordered(content, ""), None)
    message = error.message
    said = message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"
    return said if error.json_path == "$" else f"at {error.json_path.removeprefix('$.')}, {said}"


@cache
def _validator(name: str) -> "Draft202012Validator":
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema(name))


def _disordered(value: Any, where: str) -> Iterator[str]:
    """Quantiles and ends of ranges that do not grow."""
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _disordered(item, f"{where}[{place}]")
    elif isinstance(value, Mapping):
        for names in _ordered(value):
            for first, second in pairwise(names):
                low, high = value[first], value[second]
                if low > high + _ROUNDING * max(abs(low), abs(high)):
                    yield f"at {where or 'the top'}, {first} = {low:g} is above {second} = {high:g}"
        for name, item in value.items():
            yield from _disordered(item, f"{where}.{name}" if where else str(name))


def _ordered(value: Mapping[str, Any]) -> Iterator[Sequence[str]]:
    """Groups of names of numbers that must grow."""
    levels: dict[str, list[tuple[float, str]]] = {}
    for name, item in value.items():
        found = _QUANTILE.fullmatch(name)
        if found and _is_number(item):
            levels.setdefault(found[1], []).append((float(found[2]), name))
    for group in levels.values():
        yield [name for _, name in sorted(group)]
    for names in _GROWING:
        if all(_is_number(value.get(name)) for name in names):
            yield names


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
