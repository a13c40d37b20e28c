"""Tables of logs, whose columns are read on demand."""

import csv
import io
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from bayes_scaling.core.files import reason
from bayes_scaling.errors import FileError
from bayes_scaling.runs.reading.cells import to_float
from bayes_scaling.runs.reading.delimited import decode, read_delimited
from bayes_scaling.runs.reading.raw_table import Places, RawTable, unique_names
from bayes_scaling.runs.reading.sources import read_table

__all__ = ["Numbers", "Table", "label", "numbers", "of_csv", "of_raw", "read_bytes"]

Floats = NDArray[np.float64]

# What stands for "not logged here". "NaN" does not: a loss that is NaN was logged, and diverged.
_BLANK = ["", "NA", "N/A", "n/a", "na", "null", "NULL", "None", "none", "<NA>"]
_LARGEST_BLOCK = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Table:
    """Table: its name in messages, its columns, and a function that reads some of them."""

    source: str
    names: list[str]
    take: Callable[[Sequence[str]], RawTable]


def label(path: Path) -> str:
    """Return the name of a file as text that can be written anywhere."""
    return (path.name or str(path.resolve())).encode("utf-8", "backslashreplace").decode()


def read_bytes(path: Path) -> bytes:
    """Read a whole file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"cannot read {path}: {reason(error)}") from error


def of_raw(source: str | os.PathLike[str] | pd.DataFrame) -> Table:
    """Open a data frame, or a file of Parquet or JSON lines."""
    raw = read_table(source)
    return Table(raw.places.source, raw.names, lambda _: raw)


def of_csv(data: bytes, source: str, delimiter: str) -> Table:
    """Open CSV or TSV in UTF-8; what is malformed is refused as in a table of runs."""
    lines = io.StringIO(decode(data, source), newline="")
    try:
        header = next((cells for cells in csv.reader(lines, delimiter=delimiter) if cells), [])
    except csv.Error:
        header = []
    names = [name.strip() for name in header]
    body = lines.read().encode()
    if len(names) < 2 or not body.strip() or body.count(b'"') % 2:
        # What is wrong with it, the slow reader says; Arrow takes a quote that is left open.
        return _exactly(data, source, delimiter)
    unique_names(names, source)
    try:
        _arrow(body, names, names[:1], delimiter)
    except pa.ArrowException:
        # The slow reader names the line that is wrong, or knows better.
        return _exactly(data, source, delimiter)

    def take(wanted: Sequence[str]) -> RawTable:
        frame = _arrow(body, names, wanted, delimiter)
        plain = body.count(b"\n") + (not body.endswith(b"\n")) == len(frame)
        rows = tuple(range(2, len(frame) + 2)) if plain else tuple(range(1, len(frame) + 1))
        return RawTable(frame, Places(source, "line" if plain else "row", rows), textual=True)

    return Table(source, names, take)


def _exactly(data: bytes, source: str, delimiter: str) -> Table:
    raw = read_delimited(data, source, delimiter)
    frame = raw.frame.mask(raw.frame.isin(_BLANK))
    return Table(source, raw.names, lambda _: RawTable(frame, raw.places, textual=True))


def _arrow(body: bytes, names: list[str], wanted: Sequence[str], delimiter: str) -> pd.DataFrame:
    """Read some columns as text: Arrow would infer types from the first rows alone."""
    table = pacsv.read_csv(
        pa.BufferReader(body),
        # One block: a row must not be cut in two, and threads hide which row is wrong.
        read_options=pacsv.ReadOptions(
            column_names=names, use_threads=False, block_size=min(len(body) + 1, _LARGEST_BLOCK)
        ),
        parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            include_columns=list(dict.fromkeys(wanted)),
            column_types=dict.fromkeys(wanted, pa.string()),
            null_values=_BLANK,
            strings_can_be_null=True,
        ),
    )
    frame: pd.DataFrame = table.to_pandas()
    return frame


class Numbers(NamedTuple):
    """Values of a column, and whether each cell holds one."""

    values: Floats
    held: NDArray[np.bool_]


def numbers(raw: RawTable, name: str) -> Numbers:
    """Return a column of numbers, and where it holds any; a cell that is none is refused.

    A cell that reads NaN holds one in text and JSON; in a data frame, NaN is a blank.
    """
    cells = raw.frame[name]
    held = cells.notna().to_numpy()
    if raw.textual:
        quick = pd.to_numeric(cells, errors="coerce")
        lost = cells[quick.isna() & cells.notna()]
        if quick.dtype.kind in "iuf" and all(_is_nan(cell) for cell in lost.unique()):
            return Numbers(quick.to_numpy(dtype=np.float64, na_value=np.nan), held)
    elif cells.dtype == object:
        held = np.array([cell is not None and cell is not pd.NA for cell in cells], dtype=np.bool_)
    return Numbers(to_float(cells, name, raw.places), held)


def _is_nan(cell: str) -> bool:
    return re.fullmatch(r"\s*[+-]?nan\s*", cell, re.IGNORECASE) is not None
