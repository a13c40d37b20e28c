"""Results that have a file: their plain values as JSON, and back."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from os import PathLike
from typing import Any, Never

import numpy as np
import pandas as pd

from bayes_scaling.core.files import path_of, reason
from bayes_scaling.errors import FileError

__all__ = ["MOST", "disordered", "plain", "read_json", "records", "strict_json"]

MOST = 1e100
"""Largest magnitude of a number in a file: costs are products of what has bounds of its own."""


def plain(value: Any) -> Any:
    """Nested containers of plain Python values; what is missing or not finite becomes None.

    Parameters
    ----------
    value : object
        Mappings, sequences, NumPy scalars and arrays, and plain values, nested.
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain values; what is missing or not finite is None."""
    # Not by to_json, which rounds to a number of decimals: gains per FLOP have no digits left.
    rows: list[dict[str, Any]] = plain(table.to_dict(orient="records"))
    return rows


_LARGEST_INTEGER = 2.0**63
_SURROGATE = "\\ud"
"""Beginning of the escape of half a character, which must have its other half."""


def strict_json(text: str) -> Any:
    """A value of JSON whose numbers are finite and whose objects hold every key once.

    Raises
    ------
    ValueError
        If the text is not JSON, or nested too deeply; or with a sentence on a number that is none
        of JSON's or not within what :mod:`bayes_scaling.core.bounds` allows, or a repeated key.
    """
    try:
        found = json.loads(
            text,
            parse_constant=_constant,
            parse_float=_real,
            parse_int=_integer,
            object_pairs_hook=_unique,
        )
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if _SURROGATE in text.lower():
        try:
            json.dumps(found, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError as error:
            raise ValueError("it holds half of a surrogate pair, which is no character") from error
    return found


def _constant(text: str) -> Never:
    raise ValueError(f"it holds {text}, which JSON does not have")


def _real(text: str) -> float:
    value = float(text)
    if not abs(value) <= MOST:
        raise ValueError(f"it holds {text[:30]}, and numbers here are at most {MOST:g}")
    return value


def _integer(text: str) -> int | float:
    value = _real(text)
    # Integers that 64 bits do not hold would make a column of Python objects of a table.
    return int(text) if abs(value) < _LARGEST_INTEGER else value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it holds the key {twice[:60]!r} twice in one object")
    return found


def read_json(path: str | PathLike[str], what: str) -> dict[str, Any]:
    """The object in a JSON file.

    Parameters
    ----------
    path : path-like
        The file.
    what : str
        What it should be, for messages: "a plan".
    """
    source = path_of(path, "read")
    try:
        content = strict_json(source.read_bytes().decode("utf-8"))
    except OSError as error:
        raise FileError(f"cannot read {source}: {reason(error)}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{source} is not {what}: it is not JSON") from error
    except ValueError as error:
        raise FileError(f"{source} is not {what}: {error}") from error
    if not isinstance(content, dict):
        raise FileError(f"{source} is not {what}: it holds no object with a schema")
    return content


_QUANTILE = re.compile(r"(.*?)q(\d{2}(?:\.\d+)?)")
_GROWING = (("low", "likely", "high"), ("low", "high"), ("min_layers", "max_layers"))
"""Fields of one object that grow from first to last, beside quantiles."""
_ROUNDING = 1e-9


def disordered(value: Any, where: str = "") -> Iterator[str]:
    """Yield where quantiles or ends of ranges do not grow, in words.

    Parameters
    ----------
    value : object
        Content of a file, or a part of it.
    where : str
        Path of the part.

    Examples
    --------
    >>> next(disordered({"loss": {"q05": 2.0, "q95": 1.0}}))
    'at loss, q05 = 2 is above q95 = 1'
    """
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from disordered(item, f"{where}[{place}]")
    elif isinstance(value, Mapping):
        for names in _ordered(value):
            for first, second in pairwise(names):
                low, high = value[first], value[second]
                if low > high + _ROUNDING * max(abs(low), abs(high)):
                    yield f"at {where or 'the top'}, {first} = {low:g} is above {second} = {high:g}"
        for name, item in value.items():
            yield from disordered(item, f"{where}.{name}" if where else str(name))


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
