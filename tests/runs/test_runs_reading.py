"""Bad files: one sentence that names the place, never a traceback of another library."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bayes_scaling.errors import BayesScalingError, DataError, FileError
from bayes_scaling.runs import load_configs, load_runs

GOOD = "run,family,params,tokens,loss\na,web,1e8,2e9,3.5\nb,web,2e8,4e9,3.2\n"


@pytest.fixture
def write(tmp_path):
    def writer(content, name="runs.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writer


def one_sentence(error):
    text = str(error.value)
    assert "\n" not in text
    assert not text.endswith(".")
    return text


@pytest.mark.parametrize(
    ("content", "name", "kind", "said"),
    [
        (b"", "runs.csv", DataError, "runs.csv"),
        (b"  \n\n", "runs.csv", DataError, "runs.csv"),
        (b"", "runs.jsonl", DataError, "runs.jsonl"),
        (b"", "runs.parquet", DataError, "runs.parquet"),
        (b"params,tokens,loss\n", "runs.csv", DataError, "runs.csv"),
        (b"params,tokens,loss\n\n\n", "runs.csv", DataError, "runs.csv"),
        (b"params;tokens;loss\n1;2;3\n", "runs.csv", DataError, "runs.csv"),
        (b"params,tokens,loss\n1,2,3\n", "runs.tsv", DataError, "runs.tsv"),
        (b"a,b,a\n1,2,3\n", "runs.csv", DataError, "'a' (columns 1 and 3)"),
        (b"params,tokens,loss\n1,2,3\n1,2\n", "runs.csv", DataError, "line 3 has 2 "),
        (b'params,tokens,loss\n1,2,3\n1,"2,3\n', "runs.csv", DataError, "line 3"),
        (b'params,tokens,loss\n1,"2"x,3\n', "runs.csv", DataError, "line 2"),
        (
            b"family,params,tokens,loss\ncaf\xe9,1,2,3\n",
            "runs.csv",
            FileError,
            "byte 0xe9 at position 29 (line 2)",
        ),
        (b"\xef\xbb\xbfa\xff\n", "runs.csv", FileError, "byte 0xff at position 4 (line 1)"),
        ("params,loss\n1,2\n".encode("utf-16"), "runs.csv", FileError, "UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "runs.csv", FileError, "position 1"),
        (bytes(range(256)), "runs.csv", FileError, "UTF-8"),
        (b"PAR1 and then nothing", "runs.parquet", FileError, "Parquet"),
        (b"PAR1" + b"\0" * 50 + b"PAR1", "runs.pq", FileError, "Parquet"),
        (b"params,tokens,loss\n", "runs.xlsx", FileError, "'.xlsx'"),
        (b"params", "runs", FileError, "''"),
        (b'{"params": 1}\n{"params": \n', "runs.jsonl", DataError, "line 2"),
        (b'[{"params": 1}]\n', "runs.jsonl", DataError, "[{'params': 1}]"),
        (b'[\n{"params": 1}\n]\n', "runs.json", DataError, "line"),
        (b'{"a": 1, "a": 2}\n', "runs.ndjson", DataError, "'a'"),
        (b"{}\n", "runs.jsonl", DataError, "runs.jsonl"),
        (b"[" * 100_000, "runs.jsonl", DataError, "line 1"),
        (b'{"params": ' + b"1" * 5000 + b"}", "runs.jsonl", DataError, "line 1"),
        (b'{"run": "\\ud800"}', "runs.jsonl", DataError, "surrogate"),
    ],
)
def test_bad_file(write, content, name, kind, said):
    with pytest.raises(kind) as error:
        load_runs(write(content, name))
    text = one_sentence(error)
    assert said in text
    assert name in text


def test_no_such_file(tmp_path):
    with pytest.raises(FileError, match=r"none\.csv"):
        load_runs(tmp_path / "none.csv")


def test_a_folder(tmp_path):
    with pytest.raises(FileError, match="is a folder"):
        load_runs(tmp_path)


def test_a_path_no_system_has():
    with pytest.raises(FileError):
        load_runs("a\0b.csv")


def test_an_unreadable_file(write):
    path = write(GOOD)
    path.chmod(0)
    try:
        path.read_bytes()
    except OSError:
        with pytest.raises(FileError, match="runs"):
            load_runs(path)
    else:
        pytest.skip("this user may read every file")


def test_not_a_source():
    with pytest.raises(DataError, match="list"):
        load_runs([1, 2])


def test_truncated_parquet_at_any_length(write, tmp_path):
    load_runs(write(GOOD)).table.to_parquet(tmp_path / "good.parquet")
    data = (tmp_path / "good.parquet").read_bytes()
    for length in range(1, len(data), 97):
        with pytest.raises(BayesScalingError):
            load_runs(write(data[:length], "cut.parquet"))


def test_byte_order_mark_and_line_endings(write):
    plain = load_runs(write(GOOD))
    marked = load_runs(write(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()))
    assert marked.hash == plain.hash


def test_tab_separated(write):
    assert load_runs(write(GOOD.replace(",", "\t"), "r.tsv")).hash == load_runs(write(GOOD)).hash


def test_lines_are_those_of_the_file(write):
    text = 'params,tokens,loss,comment\n1e8,2e9,3.5,"two\nlines"\n\n1e8,2e9,oops,\n'
    with pytest.raises(DataError, match=r"runs.csv, line 5: .*'loss'.*'oops'"):
        load_runs(write(text))


def test_rows_of_a_data_frame_count_from_zero():
    frame = pd.DataFrame({"N": [1e8, 1e8], "D": [1e9, 1e9], "loss": [3.0, "x"]}, index=[7, 9])
    with pytest.raises(DataError, match=r"data frame, row 1: .*'loss'.*'x'"):
        load_runs(frame)


def test_json_lines_with_absent_keys_and_nulls(write):
    lines = [
        {"params": 10**19, "tokens": 10**22, "loss": 2.0, "family": 3},
        {"params": 1e8, "loss": 3, "flops": 6e18, "family": "x"},
        {"params": 2e8, "tokens": None, "flops": 6e18, "loss": 3, "family": "x"},
    ]
    runs = load_runs(write("\n".join(map(json.dumps, lines)), "runs.jsonl"))
    assert runs.families == ("3", "x")
    assert runs.table["params"].tolist() == [1e19, 1e8, 2e8]
    assert runs.table["flops"].tolist() == [6.0 * 1e19 * 1e22, 6e18, 6e18]
    assert runs.table["tokens"].tolist() == [1e22, 6e18 / (6.0 * 1e8), 6e18 / (6.0 * 2e8)]


def test_named_index_is_a_column():
    frame = pd.DataFrame({"run": ["a", "b"], "N": [1e8, 2e8], "D": [1e9, 1e9], "loss": [3.0, 2.9]})
    assert load_runs(frame.set_index("run")).table["run"].tolist() == ["a", "b"]


def test_duplicate_columns_in_a_data_frame():
    frame = pd.DataFrame(np.ones((1, 3)), columns=["params", "tokens", "tokens"])
    with pytest.raises(DataError, match="'tokens'"):
        load_runs(frame)


def test_markup_and_formulas_are_only_text(write):
    text = "run,params,tokens,loss\n<script>alert(1)</script>,1e8,2e9,3.5\n=1+1,1e8,3e9,3.2\n"
    runs = load_runs(write(text, "<b>.csv"))
    assert runs.table["run"].tolist() == ["<script>alert(1)</script>", "=1+1"]
    assert "<b>.csv" not in runs._repr_html_()


def test_parquet_that_states_rows_it_does_not_have_is_refused_before_it_takes_memory(tmp_path):
    # In the footer, the number of rows of the file and of its only part are the same varint.
    path = tmp_path / "t.parquet"
    table = pd.DataFrame({"params": np.arange(1.0, 1235.0), "tokens": 1e9, "loss": 3.0})
    table.to_parquet(path, index=False, row_group_size=2000)
    data = path.read_bytes()
    footer = data[-int.from_bytes(data[-8:-4], "little") - 8 :]
    rows = bytes([0xA4, 0x13])  # 1234, zigzag, as a varint
    assert footer.count(rows) >= 2
    last = data.rindex(rows)
    path.write_bytes(data[:last] + bytes([0xA4, 0x14]) + data[last + 2 :])
    with pytest.raises(FileError, match=r"parquet|pq"):
        load_runs(path)


def test_parquet_with_text_that_is_no_utf8_is_refused_everywhere(tmp_path):
    path = tmp_path / "t.parquet"
    texts = pa.array([b"web", b"\xff\xfe"], type=pa.binary()).view(pa.string())
    numbers = pa.array([1e9, 2e9])
    columns = {"family": texts, "params": numbers, "tokens": numbers, "loss": pa.array([3.0, 2.9])}
    pq.write_table(pa.table(columns), path)
    for load in (load_runs, load_configs):
        with pytest.raises(FileError, match="UTF8"):
            load(path)
