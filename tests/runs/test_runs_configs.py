"""Tables of configurations keep everything and refuse what cannot be forecast."""

import re

import numpy as np
import pandas as pd
import pytest

from bayes_scaling.errors import DataError, FileError
from bayes_scaling.runs import load_configs


@pytest.fixture
def csv(tmp_path):
    def writer(text):
        path = tmp_path / "configs.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return writer


def test_everything_is_kept(csv):
    text = "label,N,cost,D,family,C\n007,7e9,1.50,1.40e12,web,\n,1e9,NA,,,6e21\n"
    configs = load_configs(csv(text))
    assert configs.source == "configs.csv"
    assert configs.original.to_csv(index=False) == text
    assert configs.table["params"].tolist() == [7e9, 1e9]
    assert configs.table["tokens"].tolist() == [1.4e12, 6e21 / (6.0 * 1e9)]
    assert configs.table["flops"].tolist() == [6.0 * 7e9 * 1.4e12, 6e21]
    assert configs.table["family"].tolist() == ["web", None]
    assert len(configs) == 2


def test_without_families_and_with_unique_tokens():
    frame = pd.DataFrame({"n": [10**19], "d": [10**22], "U": [np.nan], "loss": ["not needed"]})
    configs = load_configs(frame)
    assert configs.table["family"].tolist() == [None]
    assert configs.table["flops"].tolist() == [6.0 * 1e19 * 1e22]
    assert configs.table["unique_tokens"].isna().all()
    pd.testing.assert_frame_equal(configs.original, frame)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1e9,x", "line 3: .*'D'.*'x'"),
        ("1e9,0", "line 3: .*'D'.*'0'"),
        ("-1,1e9", "line 3: .*'N'.*'-1'"),
        ("inf,1e9", "line 3: .*'N'.*'inf'"),
        ("1e9,", "line 3: tokens"),
        ("1e9", "line 3 .*1.*2"),
        ("1e200,1e9", "line 3: .*'N'.*'1e200'"),
        ("1e50,1e50", r"line 3: flops .*6e\+100"),
    ],
)
def test_bad_rows(csv, row, said):
    with pytest.raises(DataError) as error:
        load_configs(csv(f"N,D\n1e8,1e9\n{row}\n"))
    assert str(error.value).startswith("configs.csv, ")
    assert re.search(said, str(error.value))


def test_bad_tables(csv, tmp_path):
    with pytest.raises(DataError, match="tokens"):
        load_configs(csv("N,family\n1,2\n"))
    with pytest.raises(DataError, match=r"configs\.csv"):
        load_configs(csv("N,D\n"))
    with pytest.raises(DataError, match="'N'"):
        load_configs(csv("N,N,D\n1,2,3\n"))
    with pytest.raises(DataError, match=r"'D'.*'train_tokens'"):
        load_configs(csv("N,D,train_tokens\n1,2,3\n"))
    with pytest.raises(FileError, match=r"none\.csv"):
        load_configs(tmp_path / "none.csv")


def test_mapping(csv):
    path = csv("N,D,train_tokens\n1e9,2e9,3e9\n")
    assert load_configs(path, {"tokens": "train_tokens"}).table["tokens"].tolist() == [3e9]
