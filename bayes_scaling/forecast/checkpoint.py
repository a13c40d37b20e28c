"""Results kept as they come, so that a long computation that was stopped can go on."""

import hashlib
import io
import json
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_scaling._files import path_of, write_bytes
from bayes_scaling.errors import FileError

__all__ = ["Checkpoint", "Result", "key_of"]

_BEGINNING = '{"key": '
"""Of each line: one that has it and does not parse was cut off."""

Result = tuple[pd.DataFrame, dict[str, Any]]


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

    Raises
    ------
    FileError
        If the file is there and cannot be read, or is something else.
    """

    def __init__(self, path: str | PathLike[str] | None) -> None:
        self.path = None if path is None else path_of(path)
        self.results: dict[str, Result] = {}
        if self.path is not None and self.path.exists():
            self._read(self.path)

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise FileError(f"cannot read the checkpoint {path}: {error}") from error
        for number, line in enumerate(lines, start=1):
            try:
                entry = json.loads(line)
                points = pd.read_json(io.StringIO(entry["points"]), orient="table")
                self.results[entry["key"]] = (points, entry["quality"])
            except (ValueError, KeyError, TypeError) as error:
                if number == len(lines) and line.startswith(_BEGINNING):
                    write_bytes(path, "".join(f"{whole}\n" for whole in lines[:-1]))
                    break
                raise FileError(
                    f"{path} is not a checkpoint of a backtest (line {number}); name another file"
                ) from error

    def add(self, key: str, points: pd.DataFrame, quality: dict[str, Any]) -> None:
        """Keep one result.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        self.results[key] = points, quality
        if self.path is None:
            return
        whole = points.to_json(orient="table", index=False, double_precision=15)
        line = json.dumps({"key": key, "points": whole, "quality": quality})
        try:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise FileError(f"cannot write the checkpoint {self.path}: {error}") from error
