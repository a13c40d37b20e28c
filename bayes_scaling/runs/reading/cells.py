"""Turning cells into float64, text and yes/no, with errors that name the cell."""

import math
import numbers
import re
from collections.abc import Callable
from decimal import Decimal
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import infer_dtype

from bayes_scaling.errors import DataError
from bayes_scaling.runs.reading.raw_table import Places, RawTable, show

__all__ = ["infer", "is_blank", "same_numbers", "to_bool", "to_float", "to_text"]

# One way to read any run of digits: with two, a long one takes time with the square of its length.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_BLANK = frozenset({"", "na", "n/a", "nan", "null", "none", "<na>"})
# Numbers that a person typed as numbers: "007" and "+1" may be labels, so they stay text.
_PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_EXACT = 2**53
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
_TRUE = frozenset({"true", "yes", "y", "t"})
_FALSE = frozenset({"false", "no", "n", "f"})


def is_blank(cell: object) -> bool:
    """Return whether a cell is empty: None, NA, NaT or NaN."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return True
    return isinstance(cell, float | np.floating) and math.isnan(cell)


def to_float(values: pd.Series, name: str, places: Places) -> NDArray[np.float64]:
    """Read a column of numbers as float64, blank cells as NaN.

    Parameters
    ----------
    values : pandas.Series
        Cells: text, numbers of any size, or blanks.
    name : str
        Name of the column in its source, for the message.
    places : Places
        Where the rows stood.

    Returns
    -------
    numpy.ndarray
        float64, one value per row; text and integers beyond 2**63 are rounded once, correctly.
    """
    kind = getattr(values.dtype, "kind", "O")
    if kind in "iuf":
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    numbers_read = np.empty(len(values), dtype=np.float64)
    for index, cell in enumerate(values.tolist()):
        number = _number(cell)
        if number is None:
            raise DataError(
                f"{places.full(index)}: column {name!r} holds {show(cell)}, which is not a number; "
                f"{_legal(cell)}"
            )
        numbers_read[index] = number
    return numbers_read


def same_numbers(raw: RawTable) -> Callable[[str, str], bool]:
    """Return whether two columns of a table hold the same numbers, blanks included."""

    def same(first: str, second: str) -> bool:
        try:
            one, other = (to_float(raw.frame[n], n, raw.places) for n in (first, second))
        except DataError:
            return False
        return np.array_equal(one, other, equal_nan=True)

    return same


def _number(cell: object) -> float | None:
    if is_blank(cell):
        return math.nan
    if isinstance(cell, str):
        return _number_in(cell.strip())
    if isinstance(cell, bool | np.bool_) or not isinstance(cell, numbers.Real | Decimal):
        return None
    try:
        return float(cell)
    except OverflowError:
        return math.copysign(math.inf, 1 if cast("int", cell) > 0 else -1)
    except ValueError:
        return None


def _number_in(text: str) -> float | None:
    if _NUMBER.fullmatch(text) or _INFINITE.fullmatch(text):
        return float(text)
    return math.nan if text.casefold() in _BLANK else None


def _legal(cell: object) -> str:
    text = cell.strip() if isinstance(cell, str) else ""
    if re.fullmatch(r"[+-]?\d{1,3}([,_' \u00a0\u202f.]\d{3})+([.,]\d+)?", text):
        return "write it without thousands separators, such as 1500000 or 1.5e6"
    if re.fullmatch(r"[+-]?[\d.]+\s*[kmbtgKMBTG]", text):
        return "write the number out, such as 7e9 for 7 billion"
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        return "write a decimal point, such as 2.5"
    return "a plain number such as 1500000 or 1.5e6, or a blank, is legal"


def to_text(values: pd.Series, name: str, places: Places) -> "pd.Series[str]":
    """Read a column of labels: numbers as text, surrounding space removed, blanks as ''."""
    codes, cells = _distinct(values)
    texts = ["" if is_blank(cell) else _label(cell) for cell in cells]
    for code, text in enumerate(texts):
        bad = _UNWRITABLE.search(text)
        if bad:
            index = int(np.argmax(codes == code))
            raise DataError(
                f"{places.full(index)}: column {name!r} holds the character {bad[0]!a}, which "
                "cannot be written to files; take it out"
            )
    # The last one is for blanks, whose code is -1.
    return pd.Series(pd.array([*texts, ""], dtype="str").take(codes))


def _distinct(values: pd.Series) -> tuple[NDArray[np.int64], list[object]]:
    """Return the code of each cell, -1 for a blank, and the cells of the codes as they appear."""
    if values.dtype == object and infer_dtype(values, skipna=True) != "string":
        # Objects may be equal whose labels are not, such as 1 and True.
        return np.arange(len(values)), values.tolist()
    codes, cells = pd.factorize(values)
    return codes, cells.tolist()


def _label(cell: object) -> str:
    # A label column with blanks turns 1 into 1.0 in pandas; the label is still "1".
    if (
        isinstance(cell, float | np.floating)
        and float(cell).is_integer()
        and abs(float(cell)) < _EXACT
    ):
        return str(int(cell))
    return str(cell).strip()


def to_bool(values: pd.Series, name: str, places: Places) -> "pd.Series[bool]":
    """Read a column of yes/no cells as nullable booleans."""
    answers: list[object] = []
    for index, cell in enumerate(values.tolist()):
        answer = _answer(cell)
        if answer is None:
            raise DataError(
                f"{places.full(index)}: column {name!r} holds {show(cell)}; true, false, yes, no, "
                "1, 0 or a blank is legal (rename the column if it means something else)"
            )
        answers.append(answer)
    return pd.Series(answers, dtype="boolean")


def _answer(cell: object) -> object:
    if isinstance(cell, bool | np.bool_):
        return bool(cell)
    text = cell.strip().casefold() if isinstance(cell, str) else ""
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    number = _number(cell)
    if number is None:
        return None
    if math.isnan(number):
        return pd.NA
    return bool(number) if number in {0.0, 1.0} else None


def infer(values: "pd.Series[str]") -> pd.Series:
    """Give a column of text cells the type that all its cells share, changing no value.

    Whole numbers become int64, other numbers float64, True/False booleans; anything else stays
    text. A blank is a missing value.
    """
    cells = [cell if cell.strip() else None for cell in values.tolist()]
    filled = [cell for cell in cells if cell is not None]
    complete = bool(filled) and len(filled) == len(cells)
    if filled and all(_keeps_its_value(cell) for cell in filled):
        whole = complete and all(_is_whole(cell) for cell in filled)
        read = [math.nan if cell is None else float(cell) for cell in cells]
        return pd.Series(read, dtype="int64" if whole else "float64")
    if complete and set(filled) <= {"True", "False"}:
        return pd.Series([cell == "True" for cell in filled], dtype="bool")
    return pd.Series(cells, dtype="str")


def _is_whole(cell: str) -> bool:
    return cell.lstrip("-").isdigit()


def _keeps_its_value(cell: str) -> bool:
    if not _PLAIN.fullmatch(cell) or not math.isfinite(float(cell)):
        return False
    return not _is_whole(cell) or abs(float(cell)) < _EXACT
