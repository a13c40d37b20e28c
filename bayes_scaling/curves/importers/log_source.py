"""Interface between the driver of an import and the kinds of logs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import Protocol

import pandas as pd

from bayes_scaling.core.progress import Progress
from bayes_scaling.curves.caveat_list import Caveats
from bayes_scaling.curves.curve import Axis
from bayes_scaling.curves.importers.import_options import Format, Origin
from bayes_scaling.curves.importers.log_table import Table, label, of_csv, of_raw, read_bytes
from bayes_scaling.curves.importers.tracks import Track
from bayes_scaling.errors import DataError, FileError
from bayes_scaling.runs.reading.sources import SUFFIXES

__all__ = ["Log", "Names", "Roles", "Source"]


@dataclass(frozen=True, slots=True)
class Names:
    """Names that a log offers; ``word`` is what messages call one, such as "column"."""

    source: str
    word: str
    names: list[str]
    positions: tuple[str, ...] = ()
    """Position that every value of the log has, such as the axis of a chart."""
    own_runs: str = ""
    """Why run= cannot be given; empty if a column may name the runs."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Names that are read, by role; without ``t`` points are counted as they were logged."""

    metric: str
    t: str | None
    lr: str | None
    run: str | None
    axis: Axis


@dataclass
class Log:
    """Log to be imported, opened as far as a source needs it, with the decisions made in it."""

    origin: Origin
    format: Format | None = None
    progress: Progress = field(default_factory=Progress)
    caveats: Caveats = field(default_factory=Caveats)

    def __post_init__(self) -> None:
        if not isinstance(self.origin, str | PathLike | pd.DataFrame):
            raise DataError(
                f"curves cannot be read from a {type(self.origin).__name__}; give a path, an "
                "address such as mlflow:URI#EXPERIMENT, or a pandas data frame"
            )

    @property
    def address(self) -> str:
        """Text of the origin; a data frame is refused."""
        if isinstance(self.origin, pd.DataFrame):
            raise DataError(f"data frame is a table and cannot be read as format={self.format!r}")
        return str(self.origin)

    @cached_property
    def path(self) -> Path:
        """Path of a file or folder that exists."""
        try:
            path = Path(self.address)
            path.stat()
        except FileNotFoundError:
            raise FileError(
                f"{self.address} does not exist; give the path of a log of training"
            ) from None
        except (OSError, ValueError, TypeError) as error:
            raise FileError(
                f"{self.address!r} is not the path of a file that can be read"
            ) from error
        if not (path.is_file() or path.is_dir()):  # a device or a pipe might never end
            raise FileError(f"{path} is not a file that can be read")
        return path

    @property
    def is_file(self) -> bool:
        """Whether it is a file on disk."""
        return not isinstance(self.origin, pd.DataFrame) and self.path.is_file()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder on disk."""
        return not isinstance(self.origin, pd.DataFrame) and self.path.is_dir()

    @cached_property
    def data(self) -> bytes:
        """Bytes of the file."""
        return read_bytes(self.path)

    @property
    def name(self) -> str:
        """Name of the run of a log that names none."""
        if isinstance(self.origin, pd.DataFrame):
            return "data frame"
        return self.path.stem.encode("utf-8", "backslashreplace").decode()

    @cached_property
    def table(self) -> Table:
        """Table of the log; what is no table is refused."""
        if isinstance(self.origin, pd.DataFrame):
            return of_raw(self.origin)
        path = self.path
        if path.is_dir():
            raise FileError(
                f"{path} is a folder without event files of TensorBoard and without "
                "trainer_state.json; give the file that holds the curves"
            )
        suffix = SUFFIXES.get(path.suffix.lower())
        if suffix is None:
            raise FileError(
                f"{path} has the suffix {path.suffix!r}, which is no log that this program reads; "
                f"legal are {', '.join(SUFFIXES)} and event files of TensorBoard"
            )
        if suffix not in {"csv", "tsv"}:
            return of_raw(path)
        return of_csv(self.data, label(path), "," if suffix == "csv" else "\t")


class Source(Protocol):
    """Kind of log: recognise it, name what it holds, read what was chosen.

    A new kind is one class, and one line in ``SOURCES`` of
    :mod:`bayes_scaling.curves.importers.import_curves`.
    """

    def __init__(self, log: Log) -> None: ...

    @staticmethod
    def recognises(log: Log) -> bool:
        """Return whether a log is of this kind, by its name or content."""

    def names(self) -> Names:
        """Return the names that the loss and its positions can have."""

    def tracks(self, roles: Roles) -> Iterable[Track]:
        """Read the points of every run, in the order in which they were logged."""
