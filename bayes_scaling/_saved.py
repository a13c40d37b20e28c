"""Results that have a file: their plain values as JSON."""

import json
from abc import ABC, abstractmethod
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from bayes_scaling._files import write_bytes

__all__ = ["Saved", "records"]


class Saved(ABC):
    """A result that :meth:`save` writes as JSON."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""

    def save(self, path: str | PathLike[str]) -> Path:
        """Write everything as JSON, whole or not at all.

        Parameters
        ----------
        path : path-like
            The file.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        return write_bytes(path, text + "\n")


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a table as plain values; what is missing or not finite is None."""
    rows: list[dict[str, Any]] = json.loads(table.to_json(orient="records", double_precision=15))
    return rows
