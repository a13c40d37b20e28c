"""Units of sizes, compute and losses: what no training run has is refused, unless it is meant."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_scaling.errors import DataError
from bayes_scaling.runs import ACCEPTABLE, CODES, load_configs, load_runs
from bayes_scaling.runs.checks.size_units import likely_units
from bayes_scaling.runs.load_runs_table import recount

CASES = Path(__file__).parents[1] / "cases"
GOOD = pd.read_csv(CASES / "good.csv")
UNITS = {"thousands": 1e3, "millions": 1e6, "billions": 1e9, "trillions": 1e12}
LOGS = {"log10": np.log10, "natural logarithms": np.log, "log2": np.log2}


def errors(runs):
    return {(flag.row, flag.code) for flag in runs.flags if flag.severity == "error"}


def refusal(source, **options):
    with pytest.raises(DataError) as error:
        load_runs(source, **options).fit_rows()
    return str(error.value)


def in_units(**names):
    table = GOOD.assign(flops=6.0 * GOOD["params"] * GOOD["tokens"])
    for name, unit in names.items():
        table[name] = LOGS[unit](table[name]) if unit in LOGS else table[name] / UNITS[unit]
    return table


@pytest.mark.parametrize(
    "units",
    [
        {"params": "billions"},
        {"params": "millions"},
        {"tokens": "millions"},
        {"tokens": "billions"},
        {"tokens": "trillions"},
        {"params": "billions", "tokens": "billions"},
        {"params": "millions", "tokens": "billions"},
        {"params": "millions", "tokens": "millions"},
        {"params": "billions", "tokens": "trillions"},
        {"params": "log10"},
        {"tokens": "log10"},
        {"params": "log10", "tokens": "log10"},
        {"params": "natural logarithms", "tokens": "natural logarithms"},
        {"params": "log2", "tokens": "log2"},
    ],
    ids=lambda units: "-".join(f"{name}-{unit}" for name, unit in units.items()),
)
def test_the_unit_of_sizes_is_named(units):
    source = in_units(**units).drop(columns="flops")
    assert errors(load_runs(source)) == {(-1, "implausible-size")}
    sizes = {name: source[name].to_numpy() for name in ("params", "tokens")}
    found = likely_units(sizes, 3e8)
    assert {name: unit.name for name, unit in found.items()} == units
    # What the sentence says to write is what the sizes truly are.
    for name, unit in found.items():
        np.testing.assert_allclose(unit.to_base(sizes[name]), GOOD[name].to_numpy(), rtol=1e-9)
    assert all(unit in refusal(source) for unit in units.values())


@settings(max_examples=60, deadline=None)
@given(
    params=st.lists(st.floats(6.5, 10.0), min_size=4, max_size=12),
    ratio=st.floats(0.7, 2.3),
    units=st.sampled_from([("billions", "billions"), ("log10", "log10")]),
)
def test_sizes_in_billions_or_logarithms_never_pass(params, ratio, units):
    params = np.array(params)
    sizes = {"params": params, "tokens": params + ratio}
    if units[0] == "billions":
        sizes = {name: 10.0 ** (values - 9) for name, values in sizes.items()}
    source = pd.DataFrame(sizes).assign(loss=3.0)
    assert (-1, "implausible-size") in errors(load_runs(source))
    with pytest.raises(DataError, match="implausible-size"):
        load_configs(source)
    assert load_configs(source, accept=["implausible-size"]).caveats


def test_what_is_meant_is_accepted_and_stays_visible():
    source = CASES / "params_in_billions.csv"
    assert "implausible-size" in refusal(source)
    runs = load_runs(source, accept=["implausible-size"])
    assert len(runs.fit_rows()) == 20
    assert [f.severity for f in runs.flags if f.code == "implausible-size"] == ["warning"]
    half = runs.select(runs.table["family"] == "web")
    assert half.accepted == ("implausible-size",)
    assert len(half.fit_rows()) == 10
    # Runs that are loaded know what was accepted of them, and nothing more.
    assert load_runs(runs, accept=["implausible-size"]) is runs
    with pytest.raises(DataError, match="accept"):
        load_runs(runs, accept=["flops-unit"])


def test_only_implausible_values_can_be_accepted():
    assert set(CODES) >= ACCEPTABLE
    assert not ACCEPTABLE & {"missing-value", "nonpositive", "not-finite", "mixed-units"}
    for load in (load_runs, load_configs):
        with pytest.raises(DataError, match="'nonpositive'"):
            load(GOOD, accept=["nonpositive"])


def test_one_size_among_many_is_an_error_of_its_row():
    source = GOOD.astype({"params": float})
    source.loc[3, "params"] = 0.03
    runs = load_runs(source)
    assert errors(runs) == {(3, "implausible-size")}
    assert "write 0.03 as 3e+07" in refusal(source)
    assert len(runs.exclude("implausible-size").fit_rows()) == 19


@pytest.mark.parametrize(
    ("params", "tokens", "legal"),
    [
        (2837, 54_300, True),
        (1e3, 1e4, True),
        (999, 1e6, False),
        (1e4, 9_999, False),
        (1e6, 0.9e12, True),
        (1e6, 1.1e12, False),
        (1e9, 1.1e6, True),
        (1e9, 0.9e6, False),
    ],
)
def test_the_limits_of_sizes(params, tokens, legal):
    point = pd.DataFrame({"params": [params], "tokens": [tokens]})
    found = load_runs(point.assign(loss=5.0, loss_unit="nats/byte"))
    assert (not errors(found)) == legal
    if legal:
        assert load_configs(point).caveats == ()
    else:
        with pytest.raises(DataError, match="implausible-size"):
            load_configs(point)


def test_thousands_are_at_least_a_warning():
    source = in_units(params="thousands", tokens="thousands").drop(columns="flops")
    found = [f.severity for f in load_runs(source).flags if f.code == "implausible-size"]
    assert found == ["warning"]
    per_byte = load_runs(source, loss_unit="nats/byte")
    assert not [flag for flag in per_byte.flags if flag.code == "implausible-size"]


@pytest.mark.parametrize(
    ("unit", "flop"),
    [
        ("GFLOP", 1e9),
        ("TFLOP", 1e12),
        ("PFLOP", 1e15),
        ("EFLOP", 1e18),
        ("ZFLOP", 1e21),
        ("petaflop/s-days", 8.64e19),
    ],
)
def test_compute_in_another_unit_is_one_error(unit, flop):
    source = in_units()
    scatter = np.exp(np.random.default_rng(0).normal(0, 0.1, len(source)))
    source["flops"] *= scatter / flop
    runs = load_runs(source)
    assert [(f.row, f.code) for f in runs.flags] == [(-1, "flops-unit")]
    assert f"probably in {unit}, so multiply them by {flop:.3g}" in refusal(source)
    assert len(load_runs(source, accept=["flops-unit"]).fit_rows()) == 20
    # Where tokens follow from the compute they show its unit.
    assert f"flops are probably in {unit}" in refusal(source.drop(columns="tokens"))


@pytest.mark.parametrize("factor", [1 / 3, 1 / 8, 3.0, 8.0])
def test_a_ratio_of_a_few_is_reported_once(factor):
    source = in_units()
    source["flops"] *= factor
    found = load_runs(source).flags
    assert [(f.row, f.code, f.severity) for f in found] == [(-1, "flops-mismatch", "warning")]


def test_one_family_in_petaflop():
    source = in_units()
    source.loc[source["family"] == "web", "flops"] /= 1e15
    assert errors(load_runs(source)) == {(-1, "flops-unit")}
    assert "'web'" in refusal(source)


def test_logarithms_of_compute():
    source = in_units(flops="log10")
    assert errors(load_runs(source)) == {(-1, "flops-unit")}
    assert "flops" in refusal(source)


def test_compute_is_not_blamed_for_the_unit_of_params():
    assert errors(load_runs(in_units(params="billions"))) == {(-1, "implausible-size")}


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_accuracies_are_no_loss(scale):
    source = pd.read_csv(CASES / "accuracy_as_loss.csv")
    named = refusal(source, columns={"loss": "accuracy"})
    assert "--accept loss-name --accept rising-loss" in named
    unnamed = source.rename(columns={"accuracy": "loss"})
    unnamed["loss"] *= scale
    assert (-1, "rising-loss") in errors(load_runs(unnamed))
    assert (-1, "rising-loss") in errors(load_runs(unnamed, loss_unit="unknown"))
    assert not [f for f in load_runs(GOOD).flags if f.code == "rising-loss"]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), noise=st.floats(0.0, 0.3))
def test_a_loss_that_falls_in_the_mean_is_not_reported_to_rise(seed, noise):
    rng = np.random.default_rng(seed)
    runs = load_runs(GOOD.assign(loss=GOOD["loss"] * np.exp(noise * rng.normal(size=len(GOOD)))))
    falls = np.corrcoef(np.log(runs.table["flops"]), runs.table["loss"])[0, 1] < 0
    assert not falls or (-1, "rising-loss") not in errors(runs)


def test_runs_of_one_compute_do_not_rise():
    params = np.geomspace(1e8, 1e10, 9)
    loss = 2.5 + 0.1 * np.log10(params / 1e8) ** 2
    source = pd.DataFrame({"params": params, "flops": 1e20, "loss": loss})
    assert not errors(load_runs(source))


def test_perplexities_and_sums_are_no_losses():
    source = pd.read_csv(CASES / "perplexity.csv")
    assert "'ppl'" in refusal(source, columns={"loss": "ppl"})
    unnamed = source.rename(columns={"ppl": "loss"})
    assert errors(load_runs(unnamed)) == {(-1, "implausible-loss")}
    # What is said to write works, and gives the losses that these are the perplexities of.
    logs = load_runs(unnamed.assign(loss=np.log(unnamed["loss"])))
    np.testing.assert_allclose(logs.fit_rows()["loss"], GOOD["loss"], atol=1e-4)
    summed = GOOD.assign(loss=GOOD["loss"] * 65_536)
    assert errors(load_runs(summed)) == {(-1, "implausible-loss")}


def test_one_sum_among_losses():
    source = GOOD.copy()
    source.loc[3, "loss"] = 2e5
    runs = load_runs(source)
    assert errors(runs) == {(3, "implausible-loss")}
    assert len(runs.exclude("implausible-loss").fit_rows()) == 19


def test_bits_need_their_unit():
    source = GOOD.rename(columns={"loss": "hellaswag_bits"})
    with pytest.raises(DataError, match=r"hellaswag_bits.*bits/byte"):
        load_runs(source)
    columns = {"loss": "hellaswag_bits"}
    assert "--loss-unit" in refusal(source, columns=columns)
    runs = load_runs(source, columns=columns, loss_unit="bits/token")
    assert not errors(runs)
    assert len(runs.fit_rows()) == 20
    assert load_runs(CASES / "bits_per_byte.csv").loss_unit == "bits/byte"


@pytest.mark.parametrize("name", ["Accuracy", "mmlu_acc", "topScore", "F1", "win-rate/score"])
def test_names_of_metrics(name):
    source = GOOD.rename(columns={"loss": name})
    with pytest.raises(DataError, match="held-out loss"):
        load_runs(source)
    assert (-1, "loss-name") in errors(load_runs(source, columns={"loss": name}))


@pytest.mark.parametrize(
    "name", ["c4_loss", "val/ppl_log", "error_loss", "cross-entropy", "nll", "y", "access"]
)
def test_names_that_may_be_losses(name):
    source = GOOD.rename(columns={"loss": name})
    assert not errors(load_runs(source, columns={"loss": name}))


def test_what_is_known_of_names_survives_selections_and_other_counts():
    source = GOOD.rename(columns={"loss": "accuracy"}).assign(params_nonemb=GOOD["params"])
    runs = load_runs(source, columns={"loss": "accuracy"})
    some = runs.select(runs.table["family"] == "web")
    for table in (some, recount(runs, "params_nonemb")):
        assert (-1, "loss-name") in errors(table)


def test_some_runs_do_not_show_what_all_of_them_did_not():
    source = GOOD.copy()
    source["loss"] = GOOD["loss"].to_numpy()[::-1].copy()
    falling = pd.concat([GOOD, GOOD.assign(family="third"), source.assign(family="odd")])
    runs = load_runs(falling.reset_index(drop=True))
    assert (-1, "rising-loss") not in errors(runs)
    assert not errors(runs.select(runs.table["family"] == "odd"))
