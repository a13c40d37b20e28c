"""Results: records that are files of their own, tagged by their schema.

A result type states its fields and its tag, and inherits writing and reading::

    class Marginal(Result, frozen=True, kw_only=True, tag="bayes_scaling.marginal/2"):
        '''What more of each factor buys.'''

        quantity: Annotated[str, about("What was forecast.")]
        caveats: Annotated[list[Caveat], about(CAVEATS)]

        def __str__(self) -> str: ...

``dict=True`` lets a result carry what is not in its file (draws), set with
:func:`msgspec.structs.force_setattr`. Files of other versions are brought to the present one by
:mod:`bayes_scaling.core.version_1`.
"""

import json
import warnings
from os import PathLike
from pathlib import Path
from types import UnionType
from typing import Any, Self, get_args

import msgspec

from bayes_scaling.core.arguments import shown
from bayes_scaling.core.caveat import deprecated_texts
from bayes_scaling.core.display import brief
from bayes_scaling.core.files import write_bytes
from bayes_scaling.core.json_files import disordered, read_json
from bayes_scaling.core.records import Record, explain
from bayes_scaling.core.version_1 import upgraded
from bayes_scaling.errors import FileError

__all__ = ["CAVEATS", "Result", "decode", "kind_name", "load"]

CAVEATS = "What makes the numbers less sure than they look."
"""Meaning of the field ``caveats`` of every result."""


class Result(Record, frozen=True, kw_only=True, tag_field="schema"):
    """Base of results that have a file, which is tagged by the field ``schema``."""

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the result as JSON, whole or not at all.

        Parameters
        ----------
        path : path-like
            File to write.

        Returns
        -------
        Path

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        # What is not finite is null: JSON has no word for it.
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        return write_bytes(path, text + "\n")

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Read a result of this type from a file that :meth:`save` wrote.

        Raises
        ------
        FileError
            If the file cannot be read or does not hold such a result.
        """
        found: Self = load(path, cls)
        return found

    @classmethod
    def from_dict(cls, content: Any) -> Self:
        """Make a result from the content of its file.

        Raises
        ------
        FileError
            If the content is not such a result; the message has the path of the wrong field.
        """
        found: Self = decode(content, cls)
        return found

    warnings = deprecated_texts("warnings")

    def __copy__(self) -> Self:
        copied: Self = super().__copy__()  # type: ignore[misc]  # A method of every msgspec.Struct.
        if self.__struct_config__.dict:
            copied.__dict__.update(self.__dict__)
        return copied

    def __reduce__(self) -> Any:
        # What is not in the file (draws) is no field, and msgspec would leave it out.
        made: Any = super().__reduce__()
        return (*made, self.__dict__) if self.__struct_config__.dict else made

    @property
    def content(self) -> dict[str, Any]:
        """Content of the file (deprecated)."""
        name = type(self).__name__
        text = f"{name}.content is deprecated; use the fields of {name}, or to_dict()"
        warnings.warn(text, DeprecationWarning, stacklevel=2)
        return self.to_dict()

    def __str__(self) -> str:
        return f"{type(self).__name__} ({type(self).__struct_config__.tag})"

    def __repr__(self) -> str:
        return brief(str(self))


def kind_name(kind: type[Result]) -> str:
    """Name of a type of result in its tag, such as "plan" of "bayes_scaling.plan/2"."""
    return str(kind.__struct_config__.tag).removeprefix("bayes_scaling.").partition("/")[0]


def load(path: str | PathLike[str], kinds: Any) -> Any:
    """Read a result of one of several types.

    Parameters
    ----------
    path : path-like
        File to read.
    kinds : type or union of types
        Types of results that are legal.

    Raises
    ------
    FileError
        If the file cannot be read, or holds none of these results.
    """
    return decode(read_json(path, _wanted(_members(kinds))), kinds, str(path))


def decode(content: Any, kinds: Any, source: str = "the content") -> Any:
    """Make a result from the content of a file of the present or an earlier version.

    Parameters
    ----------
    content : mapping
        As it stands in the file.
    kinds : type or union of types
        Types of results that are legal.
    source : str
        Where the content comes from, for messages.

    Raises
    ------
    FileError
        If it is none of these results, or a field is missing, unknown, of another type or out of
        range.
    """
    known = {str(kind.__struct_config__.tag): kind for kind in _members(kinds)}
    stated = content.get("schema") if isinstance(content, dict) else None
    current = upgraded(content) if isinstance(stated, str) else content
    tag = current.get("schema") if isinstance(stated, str) else None
    if tag not in known:
        raise FileError(
            f"{source} is not {_wanted(known.values())}: its schema is {shown(stated)}; it can be "
            f"{' or '.join(map(repr, known))}"
        )
    name = kind_name(known[tag])
    try:
        found = msgspec.convert(current, kinds)
    except msgspec.ValidationError as error:
        raise FileError(f"{source} is not a whole {name}: {explain(error)}") from error
    wrong = next(disordered(current), None)
    if wrong:
        raise FileError(f"{source} is not a whole {name}: {wrong}")
    return found


def _members(kinds: Any) -> tuple[type[Result], ...]:
    return get_args(kinds) if isinstance(kinds, UnionType) else (kinds,)


def _wanted(kinds: Any) -> str:
    names = [kind_name(kind).replace("_", " ") for kind in kinds]
    return f"a {names[0]}" if len(names) == 1 else "a plan or another result"
