"""A table as it was read, before any cell is interpreted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from bayes_scaling.errors import DataError

__all__ = ["MOST_COLUMNS", "Places", "RawTable", "few_columns", "show", "unique_names"]

_LONGEST = 60

MOST_COLUMNS = 10_000
"""More are no table of runs but one that was transposed, or no table at all."""


@dataclass(frozen=True, slots=True)
class Places:
    """Places of rows in their source, for messages.

    Parameters
    ----------
    source : str
        Name of the file, or "data frame".
    word : {"line", "row"}
        Lines count from 1 and include the header; rows of a data frame count from 0.
    numbers : tuple of int
        Line or row number of each row.
    """

    source: str
    word: Literal["line", "row"]
    numbers: tuple[int, ...]

    def short(self, index: int) -> str:
        """Place of one row without the source, such as "line 7"."""
        return f"{self.word} {self.numbers[index]}"

    def full(self, index: int) -> str:
        """Place of one row, such as "runs.csv, line 7"."""
        return f"{self.source}, {self.short(index)}"

    def take(self, indices: Sequence[int]) -> "Places":
        """Places of the rows at ``indices``."""
        return Places(self.source, self.word, tuple(self.numbers[i] for i in indices))


@dataclass(frozen=True, slots=True)
class RawTable:
    """Rows of a source: text cells (CSV), Python objects (JSON lines) or typed columns."""

    frame: pd.DataFrame
    places: Places
    textual: bool = False

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [str(name) for name in self.frame.columns]


def show(value: object) -> str:
    """Write a cell for a message, on one line and not too long."""
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # Python does not write out integers of thousands of digits
        text = f"a very large {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def few_columns(count: int, source: str) -> None:
    """Refuse a table of very many columns, before its rows are read."""
    if count > MOST_COLUMNS:
        raise DataError(
            f"{source} has {count:,} or more columns, and {MOST_COLUMNS:,} are the most that are "
            "read; every row is one run, so transpose the table or leave columns out"
        )


def unique_names(names: Sequence[str], source: str) -> None:
    """Check that no column name stands twice."""
    first: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if name in first:
            raise DataError(
                f"{source} has two columns named {name!r} (columns {first[name]} and {position}); "
                "every column needs its own name"
            )
        first[name] = position
