"""Event files of TensorBoard, read by its own package (the extra ``tensorboard``)."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bayes_scaling.core.files import reason
from bayes_scaling.curves.curve import Curves
from bayes_scaling.curves.importers.import_options import Asked
from bayes_scaling.curves.importers.metrics_table import label
from bayes_scaling.curves.importers.series import Series, curves_of_series
from bayes_scaling.errors import DataError, FileError

__all__ = ["curves_of_events", "event_files"]

_MARK = "tfevents"
_HEADER = struct.Struct("<Q4x")
_CHECKSUM = 4

Points = dict[str, list[tuple[float, float, float]]]


def event_files(path: Path) -> dict[str, list[Path]]:
    """Event files in a folder and below, oldest first, by run: TensorBoard's name for a folder.

    Raises
    ------
    FileError
        If a folder cannot be listed.
    """

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


def curves_of_events(path: Path, asked: Asked) -> Curves:
    """Curves of the scalars in an event file, or in a folder of runs.

    Parameters
    ----------
    path : pathlib.Path
        File or folder.
    asked : Asked
        What the caller says of it.

    Raises
    ------
    FileError
        If the extra ``tensorboard`` is missing or a file cannot be read.
    DataError
        If there is no event or no scalar, or a tag is absent or ambiguous.
    """
    source = label(path)
    files = event_files(path)
    if not files:
        raise DataError(f"{source} holds no event file of TensorBoard (named *{_MARK}*)")
    notes: list[str] = []
    runs = {run: _series(paths, notes) for run, paths in files.items()}
    if not any(runs.values()):
        told = f" ({notes[0]})" if notes else ""
        raise DataError(f"{source} holds no scalar that TensorBoard can read{told}")
    return curves_of_series(runs, asked, source, "tag", notes)


def _series(paths: list[Path], notes: list[str]) -> dict[str, Series]:
    points: Points = {}
    for path in paths:
        _read(path, points, notes)
    return {tag: Series(*np.array(rows, dtype=np.float64).T) for tag, rows in points.items()}


def _read(path: Path, points: Points, notes: list[str]) -> None:
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
        notes.append(
            f"{label(path)} is damaged or was cut off: {read} records of it were read, and nothing "
            "after them"
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
    """How many records a file claims to hold, and whether it ends where one ends.

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
