"""Checkpoint file of a backtest, from which an interrupted one is resumed."""

import hashlib
import json
from os import PathLike
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pandas as pd

from bayes_scaling.core.files import path_of, write_bytes
from bayes_scaling.core.json_files import strict_json
from bayes_scaling.core.record_tables import to_rows, to_table
from bayes_scaling.core.records import Record
from bayes_scaling.errors import FileError
from bayes_scaling.forecast.evaluation.backtest_result import FitQuality, PointScore

__all__ = ["Checkpoint", "Result", "key_of"]

_BEGINNING = '{"key": '
"""Of each line: one that has it and does not parse was cut off."""

Result = tuple[pd.DataFrame, FitQuality]


def key_of(*parts: Any) -> str:
    """SHA-256 (hex) of plain values: what a result depends on."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


class Checkpoint:
    """A file of JSON lines, one a result; without a path nothing is kept.

    Parameters
    ----------
    path : path or None
        Results there are read at once; a last line that was cut off is left out.
    """

    def __init__(self, path: str | PathLike[str] | None) -> None:
        self.path = None if path is None else path_of(path)
        self.results: dict[str, Result] = {}
        if self.path is not None and self.path.exists():
            self._read(self.path)

    def _read(self, path: Path) -> None:
        try:
            # Only "\n" ends a line: str.splitlines would also break at U+2028 inside a name.
            lines = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"cannot read the checkpoint {path}: {error}") from error
        for number, line in enumerate(lines, start=1):
            try:
                key, result = _entry(line)
                self.results[key] = result
            except ValueError as error:
                if number == len(lines) and line.startswith(_BEGINNING):
                    write_bytes(path, "".join(f"{whole}\n" for whole in lines[:-1]))
                    break
                raise FileError(
                    f"{path} is not a checkpoint of a backtest (line {number}); name another file"
                ) from error

    def add(self, key: str, points: pd.DataFrame, quality: FitQuality) -> None:
        """Keep one result."""
        self.results[key] = points, quality
        if self.path is None:
            return
        entry = _Entry(key=key, points=to_rows(points, PointScore), quality=quality)
        line = json.dumps(entry.to_dict(), allow_nan=False)
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise FileError(f"cannot write the checkpoint {self.path}: {error}") from error


class _Entry(Record, frozen=True, kw_only=True):
    """A line of the file."""

    key: str
    points: Annotated[tuple[PointScore, ...], msgspec.Meta(min_length=1)]
    quality: FitQuality


def _entry(line: str) -> tuple[str, Result]:
    """Key and result of a line.

    Raises
    ------
    ValueError
        If it is not what :meth:`Checkpoint.add` writes.
    """
    entry = _Entry.from_dict(strict_json(line))
    return entry.key, (to_table(entry.points, PointScore), entry.quality)
