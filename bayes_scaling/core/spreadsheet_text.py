"""Text in tables that a spreadsheet would run as a formula, and the apostrophe that stops it.

A cell that starts with ``=``, ``+``, ``-`` or ``@`` is a formula to a spreadsheet, whatever its
column holds, and can start programs or send the table away (CWE-1236; OWASP, "CSV Injection").
An apostrophe before it makes it text. The start is what is left after spaces, control characters
and characters without width, which spreadsheets pass over, and the full-width forms count too; a
cell is searched beyond each semicolon, tab and line end as well, at which a spreadsheet of another
locale starts a new cell. A cell that starts with a control character is quoted whatever follows.
Numbers stay as they are.

The apostrophe is put before any that stand there already (``'=a`` becomes ``''=a``), so
:func:`unquoted` is exact: it takes one apostrophe away where one or more stand before such a start.
"""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

__all__ = ["count_formulas", "quoted", "quoted_table", "unquoted", "unquoted_table"]

_CONTROL = r"\x00-\x1f\x7f-\x9f"
# Format characters, which have no width: Unicode category Cf.
_UNSEEN = (
    r"\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\ufeff\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001\U000e0020-\U000e007f"
)
_FORMULA = rf"[\s{_CONTROL}{_UNSEEN}]*[=+\-@\uff1d\uff0b\uff0d\uff20]"
_STARTS = re.compile(rf"('*){_FORMULA}")
_CONTROLLED = re.compile(rf"('*)[{_CONTROL}]")
_NUMBER = re.compile(
    r" *[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan) *",
    re.IGNORECASE,
)
_CELLS = re.compile(r"([;\t\r\n])")


def quoted(text: str) -> str:
    """A cell as it is written to a table.

    Examples
    --------
    >>> quoted("=1+1"), quoted(" @a"), quoted("-1.5"), quoted("it's"), quoted("'=1")
    ("'=1+1", "' @a", '-1.5', "it's", "''=1")
    """
    if _NUMBER.fullmatch(text):
        return text
    inner = "".join(map(_quoted_start, _CELLS.split(text)))
    return f"'{inner}" if _CONTROLLED.match(inner) else inner


def unquoted(text: str) -> str:
    """Return the cell that :func:`quoted` was given.

    Examples
    --------
    >>> unquoted("'=1+1"), unquoted("''=1"), unquoted("'tis"), unquoted("=1")
    ('=1+1', "'=1", "'tis", '=1')
    """
    found = _CONTROLLED.match(text)
    inner = text[1:] if found and found[1] else text
    return "".join(map(_unquoted_start, _CELLS.split(inner)))


def _quoted_start(text: str) -> str:
    return f"'{text}" if _STARTS.match(text) and not _NUMBER.fullmatch(text) else text


def _unquoted_start(text: str) -> str:
    found = _STARTS.match(text)
    return text[1:] if found and found[1] else text


def quoted_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its text and the names of its columns quoted; numbers are never touched."""
    return _mapped(table, quoted)


def unquoted_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table as it was before :func:`quoted_table`, where that can have written it.

    A table with a formula that is not quoted was written by something else, and stays as it is:
    its apostrophes are its own.
    """
    plain = _mapped(table, unquoted)
    return plain if _mapped(plain, quoted).equals(table) else table


def count_formulas(table: pd.DataFrame) -> int:
    """Count the cells and names of columns that :func:`quoted_table` changes."""
    found = [str(name) for name in table]
    for name in table:
        if _may_hold_text(table[name]):
            found += [cell for cell in table[name].tolist() if isinstance(cell, str)]
    return sum(quoted(text) != text for text in found)


def _mapped(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    def cell(value: object) -> object:
        return change(value) if isinstance(value, str) else value

    changed = table.copy()
    for name in table:
        if _may_hold_text(table[name]):
            # A map of pandas would infer a type anew, and make whole numbers floats.
            cells = [cell(value) for value in table[name].tolist()]
            changed[name] = pd.Series(cells, index=table.index, dtype=_own(table[name]))
    return changed.rename(columns=cell)


def _own(column: pd.Series) -> Any:
    # The categories of a categorical column would not hold the quoted text.
    return object if isinstance(column.dtype, pd.CategoricalDtype) else column.dtype


def _may_hold_text(column: pd.Series) -> bool:
    return column.dtype.kind == "O" or isinstance(column.dtype, pd.StringDtype)
