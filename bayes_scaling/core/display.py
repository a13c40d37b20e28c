"""Representation of results in a notebook: short however many rows, and never an error."""

import html
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["brief", "html_list", "html_table"]

_LINES, _WIDTH = 60, 1000
_ROWS, _COLUMNS, _ITEMS, _CELL = 40, 30, 20, 60


def brief(text: str) -> str:
    """A text cut to what a notebook shows; ``print`` shows all of it.

    Parameters
    ----------
    text : str
        Lines of any number and length.
    """
    lines = [
        line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…" for line in text.splitlines()
    ]
    left = len(lines) - _LINES
    if left <= 0:
        return "\n".join(lines)
    head, tail = _LINES * 2 // 3, _LINES - _LINES * 2 // 3
    return "\n".join([*lines[:head], f"… {left} more lines, which print() shows …", *lines[-tail:]])


def html_table(table: "pd.DataFrame", *, index: bool = True) -> str:
    """A table as HTML, escaped; rows and columns in the middle are left out of large ones."""
    import pandas as pd

    # Names of columns need not be texts, nor differ, so columns are counted.
    short = table.copy()
    for place, kind in enumerate(table.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            short.isetitem(place, table.iloc[:, place].map(_cell).to_numpy())
    return short.rename(columns=_cell).to_html(
        index=index,
        escape=True,
        max_rows=_ROWS,
        max_cols=_COLUMNS,
        float_format="{:.4g}".format,
    )


def _cell(value: object) -> object:
    """Pandas writes cells of text in full."""
    if isinstance(value, str) and len(value) > _CELL:
        return f"{value[: _CELL - 1]}…"
    return value


def html_list(sentences: Iterable[str]) -> str:
    """Sentences as a list in HTML, escaped, the first of many."""
    texts = list(sentences)
    shown = texts[:_ITEMS] + ([f"… and {len(texts) - _ITEMS} more"] if len(texts) > _ITEMS else [])
    items = "".join(f"<li>{html.escape(brief(text))}</li>" for text in shown)
    return f"<ul>{items}</ul>"
