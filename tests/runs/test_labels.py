"""Labels of rows: each distinct cell is read once, and equal cells that read differently apart."""

import numpy as np
import pandas as pd
import pytest

from bayes_scaling.errors import DataError
from bayes_scaling.runs.reading.cells import to_text
from bayes_scaling.runs.reading.raw_table import Places

PLACES = Places("runs.csv", "line", tuple(range(2, 12)))


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (pd.Series([" a", "b ", None, "a", " a"], dtype="str"), ["a", "b", "", "a", "a"]),
        (pd.Series(["a", None, np.nan, pd.NA, "a"], dtype=object), ["a", "", "", "", "a"]),
        (pd.Series([1, True, 1.0, "1", [1]], dtype=object), ["1", "True", "1", "1", "[1]"]),
        (pd.Series([1.0, np.nan, -0.0, 0.5, 1.0]), ["1", "", "0", "0.5", "1"]),
        (pd.Series(["x", None, "x"], dtype="category"), ["x", "", "x"]),
        (pd.Series([3, None, 2**60], dtype="Int64"), ["3", "", str(2**60)]),
        (pd.Series(["b", "a"], index=[5, 7]), ["b", "a"]),
        (pd.Series([], dtype=object), []),
    ],
)
def test_labels_are_those_of_each_cell(cells: pd.Series, labels: list[str]) -> None:
    found = to_text(cells, "run", PLACES)
    assert found.tolist() == labels
    assert found.dtype == "str"
    assert found.index.equals(pd.RangeIndex(len(labels)))


def test_the_first_row_of_a_label_that_cannot_be_written_is_named() -> None:
    cells = pd.Series(["a", "a", "b\0", "a", "b\0"], dtype="str")
    with pytest.raises(DataError, match=r"line 4: column 'run'.*'\\x00'"):
        to_text(cells, "run", PLACES)
