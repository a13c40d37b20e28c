"""Finding columns, and reading their cells."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from bayes_scaling.errors import DataError
from bayes_scaling.runs import COLUMNS, load_runs
from bayes_scaling.runs.columns import normalise


def frame(**columns):
    base = {"params": [1e8, 2e8], "tokens": [2e9, 4e9], "loss": [3.5, 3.2]}
    return pd.DataFrame(base | columns)


@pytest.fixture
def csv(tmp_path):
    def writer(text):
        path = tmp_path / "runs.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return writer


def test_no_alias_serves_two_columns():
    seen = {}
    for column in COLUMNS:
        for name in {normalise(alias) for alias in (column.name, *column.aliases)}:
            assert name not in seen, (name, seen.get(name), column.name)
            seen[name] = column.name


@pytest.mark.parametrize(
    "names",
    [
        ("N", "D", "loss"),
        ("Num Params", "TRAIN-TOKENS", "Val_Loss"),
        ("n", "d", "validation loss"),
        ("modelSize", "datasetSize", "finalLoss"),
    ],
)
def test_aliases(names):
    source = frame().set_axis(list(names), axis=1)
    assert load_runs(source).hash == load_runs(frame()).hash


def test_a_canonical_name_does_not_win_over_an_alias_that_differs():
    source = frame(N=[1.0, 2.0])
    with pytest.raises(DataError, match=r"'params', 'N' "):
        load_runs(source)
    runs = load_runs(source, columns={"params": "params"})
    assert runs.table["params"].tolist() == [1e8, 2e8]
    assert runs.table["N"].tolist() == [1.0, 2.0]
    assert load_runs(frame(N=[1e8, 2e8])).hash == load_runs(frame()).hash
    # A table that was loaded and written keeps what its columns were.
    assert load_runs(runs.table).hash == runs.hash


def test_two_aliases_for_one_column():
    source = frame(val_loss=[1.0, 2.0], test_loss=[1.0, 2.5]).drop(columns="loss")
    with pytest.raises(DataError, match=r"'val_loss', 'test_loss'"):
        load_runs(source)
    assert load_runs(source, columns={"loss": "test_loss"}).table["loss"].tolist() == [1.0, 2.5]
    same = source.assign(test_loss=source["val_loss"])
    assert load_runs(same).table["loss"].tolist() == [1.0, 2.0]


@pytest.mark.parametrize("other", ["val_loss", "loss/val", "eval.loss", "val_loss_c4", "valCE"])
def test_two_losses(other):
    source = frame().assign(**{other: [3.2, 3.0]})
    with pytest.raises(DataError, match="loss='loss'"):
        load_runs(source)
    assert load_runs(source, columns={"loss": "loss"}).hash == load_runs(frame()).hash
    chosen = load_runs(source, columns={"loss": other}).table["loss"].tolist()
    assert chosen == [3.2, 3.0]


@pytest.mark.parametrize("other", ["train_loss", "val_loss_se", "loss_paloma", "val_acc"])
def test_one_loss_and_others_beside_it(other):
    assert load_runs(frame().assign(**{other: [3.2, 3.0]})).hash == load_runs(frame()).hash


def test_mapping_a_column_that_is_not_there():
    with pytest.raises(DataError, match=r"'bananas'.*'loss'"):
        load_runs(frame(), columns={"loss": "bananas"})


def test_mapping_an_unknown_canonical_name():
    with pytest.raises(DataError, match="'lost'"):
        load_runs(frame(), columns={"lost": "loss"})


def test_mapping_over_a_column_of_the_canonical_name():
    runs = load_runs(frame(smooth=[3.4, 3.1]), columns={"loss": "smooth"})
    assert runs.table["loss"].tolist() == [3.4, 3.1]
    assert runs.table["source_loss"].tolist() == [3.5, 3.2]
    assert "smooth" not in runs.table


@pytest.mark.parametrize(
    ("dropped", "said"),
    [
        (["loss"], r"no column for loss \(accepted: loss, L, val_loss"),
        (["params"], "no column for params or flops"),
        (["params", "tokens"], "no column for params or tokens or flops"),
    ],
)
def test_missing_columns(dropped, said):
    with pytest.raises(DataError, match=said) as error:
        load_runs(frame().drop(columns=dropped))
    assert all(repr(name) in str(error.value) for name in frame().drop(columns=dropped))


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1e9", 1e9),
        (" 1E+09 ", 1e9),
        ("+1.5", 1.5),
        (".5", 0.5),
        ("5.", 5.0),
        ("10000000000000000000", 1e19),
        ("9223372036854775809", 9223372036854775809.0),
        ("1" + "0" * 30, 1e30),
        ("0.1", 0.1),
        ("123456789012345678", 123456789012345678.0),
    ],
)
def test_numbers_are_rounded_once(csv, cell, value):
    runs = load_runs(csv(f"params,tokens,loss\n{cell},2e9,3.5\n"))
    assert runs.table["params"].tolist() == [value]


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ('"1,000"', "without thousands separators"),
        ("1_000", "without thousands separators"),
        ("1 000 000", "without thousands separators"),
        ("7B", "7e9 for 7 billion"),
        ('"2,5"', "decimal point"),
        ("0x10", "plain number"),
        ("1e", "plain number"),
        ("__import__('os')", "plain number"),
        ("١٢", "plain number"),
        ("True", "plain number"),
        ("2 nats", "plain number"),
    ],
)
def test_what_is_not_a_number(csv, cell, hint):
    with pytest.raises(DataError) as error:
        load_runs(csv(f"N,D,loss\n1e8,2e9,3.5\n{cell},2e9,3.5\n"))
    assert "runs.csv, line 3: column 'N' holds " in str(error.value)
    assert hint in str(error.value)


def test_python_numbers_of_every_size():
    cells = [10**30, Decimal("1e25"), np.float32(0.5), np.int64(7), 10**400, 2**63]
    runs = load_runs(pd.DataFrame({"N": pd.Series(cells, dtype=object), "D": 1e9, "loss": 3.0}))
    assert runs.table["params"].tolist() == [1e30, 1e25, 0.5, 7.0, np.inf, 2.0**63]


@pytest.mark.parametrize("cell", [True, 1j, [1.0], pd.Timestamp("2020-01-01"), b"1", {"a": 1}])
def test_objects_that_are_not_numbers(cell):
    source = pd.DataFrame({"N": pd.Series([1.0, cell], dtype=object), "D": 1e9, "loss": 3.0})
    with pytest.raises(DataError, match=r"row 1: .*'N'"):
        load_runs(source)


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float32", "Int64", "Float64", "category"])
def test_numeric_dtypes(dtype):
    runs = load_runs(frame(seed=pd.Series([1, 2]).astype(dtype)))
    assert runs.table["seed"].dtype == np.float64
    assert runs.table["seed"].tolist() == [1.0, 2.0]


def test_never_int64_overflow():
    runs = load_runs(pd.DataFrame({"N": [10**10], "D": [10**13], "loss": [2.0]}))
    assert runs.table["flops"].tolist() == [6e23]


def test_cooldown_cells(csv):
    text = "N,D,loss,cooldown\n1,2,3,yes\n1,2,3,FALSE\n1,2,3,\n1,2,3,1\n1,2,3,0.0\n"
    answers = load_runs(csv(text)).table["cooldown"]
    assert answers.dtype == "boolean"
    assert answers.isna().tolist() == [False, False, True, False, False]
    assert answers.dropna().tolist() == [True, False, True, False]
    with pytest.raises(DataError, match=r"line 2: .*'cooldown'.*'maybe'"):
        load_runs(csv("N,D,loss,cooldown\n1,2,3,maybe\n"))


def test_families_as_numbers_are_text():
    assert load_runs(frame(family=[1, 2])).families == ("1", "2")
    assert load_runs(frame(family=[1.0, np.nan]), family="rest").families == ("1", "rest")
    assert load_runs(frame()).families == ("all",)
    assert load_runs(frame(), family="web").families == ("web",)
    assert load_runs(frame(family=["", None])).families == ("all",)


def test_extras_follow_untouched(csv):
    text = "note,N,D,loss,split,k,code,big,part\n,1e8,2e9,3,train,3,007,12345678901234567890,\n"
    table = load_runs(csv(text)).table
    assert table.columns.tolist()[-6:] == ["note", "split", "k", "code", "big", "part"]
    assert table["code"].tolist() == ["007"]
    assert table["big"].tolist() == ["12345678901234567890"]
    assert table["k"].tolist() == [3]
    assert table["note"].isna().all()


def test_parameter_count_without_embeddings():
    source = frame(params_nonemb=[5e7, 1.5e8])
    total, bare = load_runs(source), load_runs(source, count="params_nonemb")
    assert bare.table["params"].tolist() == [5e7, 1.5e8]
    assert bare.table["params_total"].tolist() == [1e8, 2e8]
    assert bare.table["flops"].tolist() == [6.0 * 5e7 * 2e9, 6.0 * 1.5e8 * 4e9]
    assert bare.count == "params_nonemb"
    assert bare.hash != total.hash
    with pytest.raises(DataError, match="params_nonemb"):
        load_runs(frame(), count="params_nonemb")
    with pytest.raises(DataError, match="count='both'"):
        load_runs(frame(), count="both")


def test_unknown_and_contradicting_units():
    with pytest.raises(DataError, match="loss_unit='furlongs'"):
        load_runs(frame(), loss_unit="furlongs")
    with pytest.raises(DataError, match=r"row 1: .*'loss_unit'.*'perplexity'"):
        load_runs(frame(loss_unit=["nats", "perplexity"]))
    with pytest.raises(DataError, match=r"row 0: .*'loss_unit'.*'bits/byte'"):
        load_runs(frame(loss_unit=["bits/byte", ""]), loss_unit="nats/byte")
    filled = load_runs(frame(loss_unit=["nats/byte", ""]), loss_unit="nats/byte")
    assert filled.table["loss_unit"].tolist() == ["nats/byte", "nats/byte"]


def test_runs_pass_through():
    runs = load_runs(frame())
    assert load_runs(runs) is runs
    with pytest.raises(DataError, match=r"count|loss_unit|columns|family"):
        load_runs(runs, loss_unit="bits/byte")
