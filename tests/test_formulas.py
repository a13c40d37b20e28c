"""Formulas in tables: what a spreadsheet would run is quoted, and comes back exactly."""

import csv
import io
import time
import unicodedata

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import bayes_scaling as bs
from bayes_scaling.core.spreadsheet_text import (
    count_formulas,
    quoted,
    quoted_table,
    unquoted,
    unquoted_table,
)
from bayes_scaling.core.tabular import write_csv

ALPHABET = st.sampled_from([*"'=+-@;\t\r\n ,\"a1.e\x00\x1f\x7f\x85\u200b\ufeff\xa0＝＋－＠é|"])
TEXTS = st.text(ALPHABET, max_size=8) | st.text(max_size=8)
STARTS = "=+-@＝＋－＠"


def is_run(cell):
    """Whether a spreadsheet may run a cell, or its own part beyond a semicolon, tab or line end."""
    for part in cell.replace("\t", ";").replace("\r", ";").replace("\n", ";").split(";"):
        unseen = {ch for ch in part if ch.isspace() or unicodedata.category(ch) in {"Cc", "Cf"}}
        seen = "".join(ch for ch in part if ch not in unseen)
        if seen and seen[0] in STARTS:
            try:
                float(part.strip(" "))
            except ValueError:
                return True
    return bool(cell) and cell[0] in "\t\r\n"


@given(text=TEXTS)
@example(text="'=a")
@example(text="''+a")
@example(text="\t'=a")
@example(text="'\t=a")
@example(text="a;'=b")
@example(text="-1;-2")
@example(text="=-1")
@example(text=" -1e5 ")
def test_quoting_is_exact_and_leaves_nothing_to_run(text):
    written = quoted(text)
    assert unquoted(written) == text
    assert not is_run(written)
    if not is_run(text) and "'" not in text and text.isprintable():
        assert written == text


@pytest.mark.parametrize("text", ["=cmd|'/c calc'!A0", "+a", "-a", "@SUM(A1)", "\tx", "\rx", "\nx"])
def test_what_is_dangerous_is_quoted_by_one_apostrophe(text):
    assert quoted(text)[:1] == "'"
    assert unquoted(quoted(text)) == text


@pytest.mark.parametrize("text", ["-1", "+2.5e-3", "-inf", "nan", " -7", "'tis", "a-b", "", "1e22"])
def test_numbers_and_plain_text_stay(text):
    assert quoted(text) == text


CELLS = st.one_of(TEXTS, st.none(), st.integers(-9, 9), st.floats(allow_nan=False), st.booleans())


@given(
    rows=st.lists(st.tuples(TEXTS, CELLS), min_size=1, max_size=5),
    names=st.lists(TEXTS, min_size=2, max_size=2, unique=True),
)
def test_tables_come_back_and_numbers_are_not_touched(rows, names):
    table = pd.DataFrame(rows, columns=pd.Index(names, dtype=object), dtype=object)
    written = quoted_table(table)
    assert unquoted_table(written).equals(table)
    for before, after in zip(table.to_numpy().ravel(), written.to_numpy().ravel(), strict=True):
        if not isinstance(before, str):
            assert type(before) is type(after)
            assert before == after
    changed = (written.to_numpy() != table.to_numpy()) & table.notna().to_numpy()
    headers = sum(a != b for a, b in zip(written, table, strict=True))
    assert count_formulas(table) == changed.sum() + headers


def test_apostrophes_of_other_tables_are_their_own():
    table = pd.DataFrame({"family": ["'=a", "=a"]}, dtype="str")
    assert unquoted_table(table) is table


FAMILIES = ["=cmd|'/c calc'!A0", "'=cmd|'/c calc'!A0", "+web", "-web", "@web", "＝web", "'web", "w"]


def test_families_come_back_from_a_written_table(tmp_path):
    rows = [
        {"params": 1e7 * 2**n, "tokens": 1e9 * 2**n, "loss": 4.0 - 0.2 * n, "family": family}
        for family in FAMILIES
        for n in range(4)
    ]
    table = pd.DataFrame(rows).assign(**{"=note": "-5", "z": -5})
    path = write_csv(tmp_path / "runs.csv", table)
    cells = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert not any(is_run(cell) for row in cells for cell in row)
    assert [row[cells[0].index("z")] for row in cells[1:]] == ["-5"] * len(rows)
    runs = bs.load_runs(path)
    assert runs.table["family"].tolist() == [row["family"] for row in rows]
    assert "=note" in runs.table
    raw = write_csv(tmp_path / "raw.csv", table, raw=True)
    assert raw.read_text(encoding="utf-8").splitlines()[0] == "params,tokens,loss,family,=note,z"
    assert bs.load_runs(raw).table["family"].tolist() == runs.table["family"].tolist()


@pytest.mark.parametrize(
    "text", ["1" * 200_000 + "x", "'" * 200_000, " " * 200_000 + "x", ";" * 10**5]
)
def test_long_texts_take_no_time(text):
    start = time.process_time()
    assert unquoted(quoted(text)) == text
    assert time.process_time() - start < 2
