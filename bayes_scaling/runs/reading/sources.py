"""Reading a table of runs from a file or a data frame, without interpreting its cells."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bayes_scaling.core.files import reason
from bayes_scaling.core.spreadsheet_text import unquoted_table
from bayes_scaling.errors import DataError, FileError
from bayes_scaling.runs.reading.delimited import read_delimited, read_json_lines
from bayes_scaling.runs.reading.raw_table import Places, RawTable, few_columns, unique_names

if TYPE_CHECKING:
    import pyarrow.parquet as pq

__all__ = ["SUFFIXES", "read_table"]

SUFFIXES: dict[str, str] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".jsonl": "json lines",
    ".ndjson": "json lines",
    ".json": "json lines",
}

_PACKED = frozenset({".gz", ".bz2", ".xz", ".zip", ".zst"})


_MOST_ROWS = 50_000_000
"""Of a Parquet file, which states them before there are any."""


def read_table(source: str | os.PathLike[str] | pd.DataFrame) -> RawTable:
    """Read a table from a file, chosen by its suffix, or from a data frame.

    Parameters
    ----------
    source : path-like or pandas.DataFrame
        CSV (.csv), TSV (.tsv), Parquet (.parquet, .pq) or JSON lines (.jsonl, .ndjson, .json).

    Returns
    -------
    RawTable
        The cells as they stand, with the place of every row. The apostrophe before formulas in
        a table of text that this package wrote is taken away.
    """
    if isinstance(source, pd.DataFrame):
        return _from_frame(source, "data frame")
    if not isinstance(source, str | os.PathLike):
        raise DataError(
            f"runs cannot be read from a {type(source).__name__}; give the path of a file "
            f"({', '.join(SUFFIXES)}) or a pandas data frame"
        )
    path = Path(source)
    kind = _kind(path)
    if kind == "parquet":
        return _read_parquet(path)
    if kind == "json lines":
        return read_json_lines(path, _read_bytes(path), _name(path))
    delimiter = "," if kind == "csv" else "\t"
    data = _read_bytes(path, delimiter)
    raw = read_delimited(data, _name(path), delimiter)
    if b"'" not in data:
        return raw
    return RawTable(unquoted_table(raw.frame), raw.places, raw.textual)


def _name(path: Path) -> str:
    """Name of a file as text: one that is not UTF-8 could not be written into results."""
    return path.name.encode("utf-8", "backslashreplace").decode()


def _kind(path: Path) -> str:
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder; give the file that holds the table of runs")
        exists = path.exists()
    except (ValueError, OSError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{str(path)!r} is not the path of a file that can be read") from error
    if not exists:
        prefix, _, name = str(path).partition("dataset:")
        other = f", or datasets.load({name!r}) for a bundled one" if name and not prefix else ""
        raise FileError(f"{path} does not exist; give the path of a table of runs{other}")
    kind = SUFFIXES.get(path.suffix.lower())
    if path.suffix.lower() in _PACKED:
        raise FileError(f"{path} is compressed; unpack it first and give the table itself")
    if kind is None:
        raise FileError(
            f"{path} has the suffix {path.suffix!r}, which is not a table this program reads; "
            f"legal suffixes are {', '.join(SUFFIXES)}"
        )
    return kind


_LONGEST_HEADER = 2**22


def _read_bytes(path: Path, delimiter: str | None = None) -> bytes:
    """Read a file; with a delimiter, only if its header is that of a table."""
    try:
        with path.open("rb") as handle:
            start = handle.read(_LONGEST_HEADER)
            if delimiter is not None:
                _look_at_header(start, delimiter, _name(path))
            return start + handle.read()
    except OSError as error:
        raise FileError(f"cannot read {path}: {reason(error)}") from error


def _look_at_header(start: bytes, delimiter: str, source: str) -> None:
    """Refuse a file of very many columns by its first line, before the rest is read."""
    header = start.lstrip().partition(b"\n")[0]
    few_columns(header.count(delimiter.encode()) + 1, source)
    if len(header) >= _LONGEST_HEADER:
        raise DataError(
            f"{source} has a first line of more than {_LONGEST_HEADER:,} bytes; the first line of "
            "a table names its columns"
        )


def _read_parquet(path: Path) -> RawTable:
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = _read_bytes(path)
    if not data:
        raise DataError(f"{_name(path)} is empty; it needs at least one run")
    try:
        with pq.ParquetFile(pa.BufferReader(data)) as handle:
            few_columns(handle.metadata.num_columns, _name(path))
            unique_names(handle.schema_arrow.names, _name(path))
            _believable(handle.metadata)
            table = handle.read()
        # Parquet does not look whether text is UTF-8; Arrow would say so at the first use of it.
        table.validate(full=True)
        # Metadata of pandas could rebuild an index or odd types; plain columns are all we want.
        frame = table.to_pandas(ignore_metadata=True)
    except DataError:
        raise
    except (pa.ArrowException, OSError, ValueError, TypeError) as error:
        raise FileError(
            f"{_name(path)} is not a readable Parquet file ({_first_sentence(error)}); write it "
            "again"
        ) from error
    return _from_frame(frame, _name(path))


def _believable(metadata: "pq.FileMetaData") -> None:
    """Refuse counts of rows that do not agree, or that no table has: memory is taken by them."""
    groups = [metadata.row_group(index) for index in range(metadata.num_row_groups)]
    rows = sum(group.num_rows for group in groups)
    values = max((_most_values(group) for group in groups), default=0)
    if rows != metadata.num_rows or not 0 <= max(rows, values) <= _MOST_ROWS:
        raise ValueError(
            f"it states {metadata.num_rows:,} rows, its parts {rows:,} rows and up to {values:,} "
            f"values; at most {_MOST_ROWS:,} are read"
        )


def _most_values(group: "pq.RowGroupMetaData") -> int:
    return max((group.column(index).num_values for index in range(group.num_columns)), default=0)


def _first_sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].split(". ")[0].rstrip(".")


def _from_frame(frame: pd.DataFrame, source: str) -> RawTable:
    if any(name is not None for name in frame.index.names):
        # A named index is data that someone set aside, often the labels of the runs.
        unique_names([str(name) for name in (*frame.index.names, *frame.columns)], source)
        frame = frame.reset_index()
    few_columns(frame.shape[1], source)
    names = [str(name) for name in frame.columns]
    unique_names(names, source)
    if not len(frame):
        raise DataError(f"{source} has no rows; it needs at least one run")
    plain = frame.reset_index(drop=True).set_axis(pd.Index(names), axis=1)
    return RawTable(plain, Places(source, "row", tuple(range(len(plain)))))
