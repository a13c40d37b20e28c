"""Units of the loss: kept as they were given, turned where a table has both, never mixed up."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayes_scaling.runs import load_runs
from bayes_scaling.runs.loss_units import conversion, parse_loss, plausible

LN2 = math.log(2)
UNITS = [f"{amount}/{per}" for amount in ("nats", "bits") for per in ("token", "byte", "char")]


def frame(**columns: object) -> pd.DataFrame:
    sizes = {"params": [1e8, 2e8], "tokens": [2e9, 4e9], "loss": [3.5, 3.2]}
    return pd.DataFrame(sizes | columns)


@pytest.mark.parametrize(
    ("unit", "name"),
    [
        ("nats/token", "nats/token"),
        ("nats", "nats/token"),
        ("nats/token (val)", "nats/token"),
        ("Nats per Byte", "nats/byte"),
        ("bits/byte", "bits/byte"),
        ("bits-per-byte", "bits/byte"),
        ("BPB", "bits/byte"),
        ("bits/char", "bits/char"),
        ("bits per token", "bits/token"),
        ("nats/char", "nats/char"),
        ("unknown", "unknown"),
        ("exp(axis), not nats/token", "unknown"),
    ],
)
def test_losses_stay_in_the_unit_they_were_given_in(unit: str, name: str) -> None:
    argument = load_runs(frame(loss_se=[0.1, 0.2]), loss_unit=unit)
    column = load_runs(frame(loss_se=[0.1, 0.2], loss_unit=unit))
    assert argument.loss_unit == column.loss_unit == name
    assert argument.table["loss"].tolist() == [3.5, 3.2]
    assert column.table["loss_se"].tolist() == [0.1, 0.2]
    assert not [flag for flag in argument.flags if flag.code == "unit-converted"]
    # What is written is read back as it was.
    assert load_runs(column.table).table["loss"].tolist() == [3.5, 3.2]


@pytest.mark.parametrize(
    ("name", "unit"),
    [("bpb", "bits/byte"), ("bits_per_byte", "bits/byte"), ("bpc", "bits/char")],
)
def test_a_column_named_after_its_unit_says_it(name: str, unit: str) -> None:
    table = frame().rename(columns={"loss": name})
    assert load_runs(table).loss_unit == unit
    assert load_runs(table, columns={"loss": name}).loss_unit == unit
    assert load_runs(table, loss_unit="nats/byte").loss_unit == "nats/byte"


def test_a_table_with_bits_and_nats_comes_to_nats() -> None:
    runs = load_runs(frame(loss_se=[0.1, 0.2], loss_unit=["bits/byte", "nats/byte"]))
    assert runs.loss_unit == "nats/byte"
    assert_allclose(runs.table["loss"], [3.5 * LN2, 3.2])
    assert_allclose(runs.table["loss_se"], [0.1 * LN2, 0.2])
    assert [flag.code for flag in runs.flags].count("unit-converted") == 1


@given(st.sampled_from(UNITS), st.sampled_from(UNITS), st.sampled_from(UNITS))
def test_conversions_compose_and_never_cross_tokens_bytes_and_characters(
    first: str, second: str, third: str
) -> None:
    one, other = conversion(first, second), conversion(second, third)
    assert (one is None) == (first.split("/")[1] != second.split("/")[1])
    if one is not None and other is not None:
        whole = conversion(first, third)
        assert whole is not None
        assert_allclose(whole, one * other)
    assert_allclose(conversion(first, first), 1.0)


def test_reference_values() -> None:
    assert_allclose(conversion("bits/byte", "nats/byte"), 0.6931471805599453)
    assert conversion("bits/byte", "nats/token") is None
    assert conversion("unknown", "nats/token") is None
    assert parse_loss("0.83 bits/byte") == (0.83, "bits/byte")
    assert parse_loss(" 2.1 nats per token") == (2.1, "nats/token")
    assert parse_loss("2.1") == (2.1, None)
    for text in ("", "low", "0.83 furlongs", "0.83 unknown", "bits/byte"):
        assert parse_loss(text) is None
    # A uniform guess over 256 bytes costs 8 bits.
    assert_allclose(plausible("bits/byte")[1], 8.0)
    assert_allclose(plausible("nats/byte")[1], 8.0 * LN2)
    assert plausible("unknown")[1] == np.inf
