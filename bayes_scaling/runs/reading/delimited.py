"""CSV, TSV and JSON lines: text read exactly, with the line of every row."""

import csv
import io
import json
from pathlib import Path

import pandas as pd

from bayes_scaling.errors import DataError, FileError
from bayes_scaling.runs.reading.raw_table import Places, RawTable, few_columns, show, unique_names

__all__ = ["decode", "read_delimited", "read_json_lines"]


def decode(data: bytes, source: str) -> str:
    """Decode UTF-8, with or without a byte order mark."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder counts from after the byte order mark that it removed.
        position = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        line = data.count(b"\n", 0, position) + 1
        raise FileError(
            f"{source} is not UTF-8 text: byte 0x{data[position]:02x} at position {position} "
            f"(line {line}); save it as UTF-8"
        ) from error
    zero = text.find("\0")
    if zero >= 0:
        raise FileError(
            f"{source} is not a text file: it holds a zero byte at position "
            f"{len(text[:zero].encode())}; save the table as UTF-8 text"
        )
    if not text.strip():
        raise DataError(f"{source} is empty; it needs a header and at least one row")
    return text


def read_delimited(data: bytes, source: str, delimiter: str) -> RawTable:
    """Read CSV or TSV; every cell stays text, and blank lines are passed over."""
    reader = csv.reader(
        io.StringIO(decode(data, source), newline=""), delimiter=delimiter, strict=True
    )
    header: list[str] | None = None
    rows: list[list[str]] = []
    lines: list[int] = []
    line = 1
    try:
        for cells in reader:
            if cells and header is None:
                few_columns(len(cells), source)
                header = [cell.strip() for cell in cells]
                _no_table(header, source, line)
                _separated(header, source, delimiter)
                unique_names(header, source)
            elif cells and header is not None:
                _same_width(cells, header, f"{source}, line {line}", delimiter)
                rows.append(cells)
                lines.append(line)
            # A quoted cell may span lines; a row is named by the line it starts on.
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{source}, line {line} cannot be read as {_KINDS[delimiter]}: {error}; "
            "quote a cell with double quotes on both sides"
        ) from error
    if header is None or not rows:
        raise DataError(f"{source} has a header but no rows; it needs at least one run")
    frame = pd.DataFrame(rows, columns=pd.Index(header), dtype="str")
    return RawTable(frame, Places(source, "line", tuple(lines)), textual=True)


_KINDS = {",": "CSV", "\t": "TSV"}


def _no_table(header: list[str], source: str, line: int) -> None:
    """Refuse the first lines of what is often taken for a table."""
    first = header[0]
    if first.startswith("#"):
        raise DataError(
            f"{source}, line {line} is a comment, {show(first)}; delete it, because the first "
            "line names the columns"
        )
    if first.casefold().startswith(("<!doctype", "<html", "<?xml")):
        raise DataError(
            f"{source} is a web page and no table: it begins with {show(first)}; download the "
            "table itself, which may need a login"
        )


def _separated(header: list[str], source: str, delimiter: str) -> None:
    others = {";": "semicolons", "\t": "tabs", ",": "commas"}
    for other, name in others.items():
        if len(header) == 1 and other != delimiter and other in header[0]:
            raise DataError(
                f"{source} separates its columns with {name}; a {_KINDS[delimiter]} file needs "
                f"{others[delimiter]} (.csv is read with commas, .tsv with tabs) and decimal points"
            )


def _same_width(cells: list[str], header: list[str], place: str, delimiter: str) -> None:
    if len(cells) != len(header):
        raise DataError(
            f"{place} has {len(cells)} cells where the header has {len(header)}; every row of a "
            f"{_KINDS[delimiter]} file needs as many cells as the header"
        )


def read_json_lines(path: Path, data: bytes, source: str) -> RawTable:
    """Read one JSON object per line; keys are columns, an absent key is a blank cell."""
    records: list[dict[str, object]] = []
    names: dict[str, None] = {}
    lines: list[int] = []
    # Only "\n" ends a line: str.splitlines would also break at U+2028 inside a string.
    for number, line in enumerate(decode(data, source).split("\n"), start=1):
        if line.strip():
            records.append(_record(line, f"{source}, line {number}", path.suffix))
            lines.append(number)
            names |= dict.fromkeys(records[-1])
            few_columns(len(names), source)
    if not names:
        raise DataError(f"{source} has no columns: every line is an empty JSON object")
    columns = {
        name: pd.Series([record.get(name) for record in records], dtype=object) for name in names
    }
    return RawTable(pd.DataFrame(columns), Places(source, "line", tuple(lines)))


def _record(line: str, place: str, suffix: str) -> dict[str, object]:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        unique_names([key for key, _ in pairs], place)
        return dict(pairs)

    try:
        record = json.loads(line, object_pairs_hook=unique)
    except DataError:
        raise
    except (ValueError, RecursionError) as error:
        detail = getattr(error, "msg", None) or "it cannot be read"
        hint = " (a .json file is read line by line)" if suffix.lower() == ".json" else ""
        raise DataError(
            f"{place} is not JSON: {str(detail).lower()}, at {show(line.strip())}; "
            f"every line needs one JSON object{hint}"
        ) from error
    if "\\ud" in line.lower():
        _no_lone_surrogate(record, place)
    if not isinstance(record, dict):
        raise DataError(
            f"{place} holds {show(record)}; every line needs one JSON object such as "
            '{"params": 1e9, "tokens": 2e10, "loss": 2.9}'
        )
    return record


def _no_lone_surrogate(record: object, place: str) -> None:
    try:
        json.dumps(record, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(
            f"{place} holds half of a surrogate pair, {error.object[error.start]!a}, which "
            "is no character; write the text as UTF-8"
        ) from error
