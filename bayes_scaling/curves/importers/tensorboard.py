"""Event files of TensorBoard, read by its own package (the extra ``tensorboard``)."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bayes_scaling.core.files import reason
from bayes_scaling.curves.caveat_list import Caveats
from bayes_scaling.curves.importers.log_source import Log
from bayes_scaling.curves.importers.log_table import label
from bayes_scaling.curves.importers.tagged_series import Series, TaggedSeries
from bayes_scaling.errors import DataError, FileError

__all__ = ["EventFiles"]

_MARK = "tfevents"
_HEADER = struct.Struct("<Q4x")
_CHECKSUM = 4

type _Points = dict[str, list[tuple[float, float, float]]]


class EventFiles(TaggedSeries):
    """Scalars of an event file, or of a folder of runs."""

    word = "tag"

    def __init__(self, log: Log) -> None:
        self.source = label(log.path)
        files = _event_files(log.path)
        if not files:
            raise DataError(f"{self.source} holds no event file of TensorBoard (named *{_MARK}*)")
        self._series = {}
        with log.progress.stage("reading log", "reading event files", len(files), "runs") as stage:
            for run, paths in files.items():
                self._series[run] = _series(paths, log.caveats)
                stage.advance()
        self.tags = {run: list(series) for run, series in self._series.items()}
        if not any(self._series.values()):
            why = "".join(f" ({caveat})" for caveat in [*log.caveats][:1])
            raise DataError(f"{self.source} holds no scalar that TensorBoard can read{why}")

    @staticmethod
    def recognises(log: Log) -> bool:
        """Return whether the log is an event file, or a folder with one in it or below."""
        if log.is_file:
            return _MARK in log.path.name
        return log.is_folder and bool(_event_files(log.path))

    def series(self, run: str, tag: str) -> Series:
        """Return one tag of a run."""
        return self._series[run][tag]


def _event_files(path: Path) -> dict[str, list[Path]]:
    """List event files in a folder and below, oldest first, by run: TensorBoard's name for it."""

    def refuse(error: OSError) -> None:
        raise FileError(f"cannot read {path}: {reason(error)}") from error

    if not path.is_dir():
        return {label(path.resolve().parent): [path]}
    runs = {}
    for folder, folders, files in os.walk(path, onerror=refuse):
        folders.sort()
        # Names begin with the time of their making, so by name is by age.
        events = [Path(folder, name) for name in sorted(files) if _MARK in name]
        events = [event for event in events if event.is_file()]  # a pipe might never end
        if events:
            below = Path(folder).relative_to(path).as_posix()
            runs[label(path.resolve()) if below == "." else below] = events
    return runs


def _series(paths: list[Path], caveats: Caveats) -> dict[str, Series]:
    points: _Points = {}
    for path in paths:
        _read(path, points, caveats)
    return {tag: Series(*np.array(rows, dtype=np.float64).T) for tag, rows in points.items()}


def _read(path: Path, points: _Points, caveats: Caveats) -> None:
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
        from tensorboard.util.tensor_util import make_ndarray
    except ImportError as error:
        raise FileError(
            "event files of TensorBoard are read by an extra: pip install "
            "'bayes-scaling[tensorboard]'"
        ) from error
    records, whole = _records(path)
    read = 0
    try:
        for event in EventFileLoader(str(path)).Load():
            read += 1
            for tag, value in _scalars(event, make_ndarray):
                points.setdefault(tag, []).append((event.step, value, event.wall_time))
    except Exception:  # bytes from anywhere, in a parser that is not ours
        whole = False
    if not whole or read < records:
        caveats.add(
            "damaged-file",
            f"{label(path)} is damaged or was cut off: {read} records of it were read, and nothing "
            "after them",
            file=label(path),
            records=read,
        )


def _scalars(event: Any, make_ndarray: Any) -> Iterator[tuple[str, float]]:
    for value in event.summary.value:
        tensor = value.tensor
        # A tensor of one number may claim any shape, and would be spread out to it.
        if any(dim.size != 1 for dim in tensor.tensor_shape.dim) or tensor.string_val:
            continue
        plugin = value.metadata.plugin_data.plugin_name
        if plugin not in {"", "scalars"}:
            continue
        array = make_ndarray(tensor)
        if array.size == 1 and array.dtype.kind in "fiu":
            yield value.tag, float(array.reshape(-1)[0])


def _records(path: Path) -> tuple[int, bool]:
    """Count the records a file claims to hold, and tell whether it ends where one ends.

    TensorBoard passes over a record that was cut off, or is damaged, without a word.
    """
    count = 0
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            while len(header := file.read(_HEADER.size)) == _HEADER.size:
                end = file.tell() + _HEADER.unpack(header)[0] + _CHECKSUM
                if end > size:
                    return count, False
                file.seek(end)
                count += 1
    except OSError as error:
        raise FileError(f"cannot read {path}: {reason(error)}") from error
    return count, not header
