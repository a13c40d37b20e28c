"""Which runs are of one family, sweeps of settings, and tables too wide to be tables of runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_scaling.decisions import Scenario, allocate, best_shape, marginal, next_runs
from bayes_scaling.errors import DataError
from bayes_scaling.forecast import predict
from bayes_scaling.forecast.evaluation.outcomes import score
from bayes_scaling.inference.data_caveats import data_caveats
from bayes_scaling.model import specify
from bayes_scaling.runs import load_runs
from bayes_scaling.runs.checks.family_names import misspelt
from tests.conftest import codes

CASES = Path(__file__).parents[1] / "cases"
GOOD = pd.read_csv(CASES / "good.csv")
SWEEP = pd.read_csv(CASES / "learning_rate_sweep.csv")


def errors(runs):
    return {(flag.row, flag.code) for flag in runs.flags if flag.severity == "error"}


@pytest.mark.parametrize("name", ["dataset", "experiment", "exp_id", "model arch", "recipe"])
def test_a_column_that_tells_families_apart(name):
    source = GOOD.rename(columns={"family": name})
    runs = load_runs(source)
    assert errors(runs) == {(-1, "no-family")}
    with pytest.raises(DataError, match=name):
        runs.fit_rows()
    # Each of the ways that are offered works.
    named = load_runs(source, columns={"family": name})
    assert named.families == ("web", "code")
    assert len(load_runs(source, family="all").fit_rows()) == 20
    accepted = load_runs(source, accept=["no-family"])
    assert len(accepted.fit_rows()) == 20
    assert [f.severity for f in accepted.flags if f.code == "no-family"] == ["warning"]


def test_numbered_experiments_tell_families_apart():
    source = GOOD.drop(columns="family").assign(experiment=np.repeat([1, 2, 3, 4], 5))
    assert errors(load_runs(source)) == {(-1, "no-family")}


def test_other_texts_are_a_warning_unless_they_name_sizes():
    source = GOOD.rename(columns={"family": "kind"})
    flags = [(f.code, f.severity) for f in load_runs(source).flags if f.code == "no-family"]
    assert flags == [("no-family", "warning")]
    sized = GOOD[GOOD["family"] == "web"].drop(columns="family")
    sized["kind"] = (sized["params"] // 10**6).astype(str) + "M"
    assert not [f for f in load_runs(sized).flags if f.code == "no-family"]


@pytest.mark.parametrize(
    "columns",
    [
        {"dataset": "c4"},
        {"dataset_size": 5},
        {"split": ["train", "test"] * 10},
        {"in_study": [True, False] * 10},
        {"experiment": [f"e{i}" for i in range(20)]},
    ],
)
def test_columns_that_tell_no_families_apart(columns):
    source = GOOD.drop(columns="family").assign(**columns)
    source = source.drop(columns="dataset_size", errors="ignore")
    assert not [f for f in load_runs(source).flags if f.code == "no-family"]


@pytest.mark.parametrize("other", ["Web", " web", "WEB ", "w-e-b"])
def test_families_that_differ_in_case_or_spaces(other):
    source = GOOD.copy()
    source.loc[source.index[:4], "family"] = other
    runs = load_runs(source)
    if other.strip() == "web":  # labels lose the space around them
        assert not errors(runs)
        return
    assert errors(runs) == {(-1, "similar-families")}
    with pytest.raises(DataError, match="similar-families"):
        runs.fit_rows()
    assert len(load_runs(source, accept=["similar-families"]).fit_rows()) == 20


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Web", "web"),
        ("webb", "web"),
        ("wbe", "web"),
        ("we", None),
        ("pyhton", "python"),
        ("c4-dedup", "c4_dedup"),
        ("c4_dedupe", "c4_dedup"),
        ("c5_dedup", None),
        ("wiki", None),
        ("law", None),
        ("new webb", None),
        ("web", None),
        ("", None),
    ],
)
def test_misspelt_families(name, meant):
    assert misspelt(name, ("web", "python", "c4_dedup")) == meant


@given(name=st.text("abcdef", min_size=3, max_size=12), place=st.integers(0, 11), data=st.data())
def test_one_letter_more_or_less_is_a_misspelling(name, place, data):
    place %= len(name)
    letter = data.draw(st.sampled_from("xyz"))
    longer = name[:place] + letter + name[place:]
    replaced = name[:place] + letter + name[place + 1 :]
    assert misspelt(longer, (name,)) == misspelt(replaced, (name,)) == name
    assert misspelt(name, (longer,)) == longer
    assert misspelt(name, (name, longer)) is None
    assert misspelt(f"new {name}", (name,)) is None


def test_a_misspelt_family_is_refused_wherever_it_is_named(make_fit):
    fit = make_fit("chinchilla")
    sizes = {"params": 1e9, "tokens": 1e11}
    table = pd.DataFrame(sizes | {"family": ["Web"]})
    tries = [
        lambda: predict(fit, **sizes, family="Web"),
        lambda: predict(fit, table),
        lambda: score(fit, table.assign(loss=3.0)),
        lambda: allocate(fit, Scenario(compute_budget=1e21, family="wbe")),
        lambda: marginal(fit, **sizes, family="webb"),
    ]
    for attempt in tries:
        with pytest.raises(DataError, match="'web'"):
            attempt()
    unseen = predict(fit, **sizes, family="new webb")
    assert not unseen.points["family_seen"].any()
    assert [c.data["families"] for c in unseen.caveats if c.code == "unseen-family"] == [
        ["new webb"]
    ]


def test_a_misspelt_family_of_a_shape(make_fit):
    truth = {"floor": 1.8, "A": 400.0, "B": 1800.0, "alpha_N": 0.34, "alpha_D": 0.36}
    fit = make_fit("depth-width", truth | {"aspect": 80.0, "curvature": 0.2})
    with pytest.raises(DataError, match="'web'"):
        best_shape(fit, 1e9, family="Web")


def test_a_forecast_of_no_size_is_refused(two_families):
    with pytest.raises(DataError, match="params and tokens"):
        predict(two_families, params=7, tokens=1000, family="web")
    accepted = predict(
        two_families, params=7, tokens=1000, family="web", accept=["implausible-size"]
    )
    assert accepted.caveats[0].code == "implausible-size"
    right = predict(two_families, params=7e9, tokens=1e12, family="web")
    assert "implausible-size" not in codes(right)


def test_decisions_at_no_size_are_refused(two_families):
    said = "params and tokens"
    with pytest.raises(DataError, match=said):
        marginal(two_families, 7, 140, family="web")
    found = marginal(two_families, 7, 140, family="web", accept=["implausible-size"])
    assert found.caveats[0].code == "implausible-size"
    at = pd.DataFrame({"params": [0.1, 0.2], "tokens": [2.0, 4.0]})
    with pytest.raises(DataError, match=said):
        next_runs(two_families, Scenario(compute_budget=1e21, family="web"), at=at)


def test_a_sweep_is_refused_and_its_best_runs_are_kept():
    runs = load_runs(SWEEP)
    assert errors(runs) == {(-1, "sweep")}
    with pytest.raises(DataError, match=r"24 .*24 .*6 .*4 .*lr"):
        runs.fit_rows()
    best = runs.best()
    expected = SWEEP.groupby(["params", "tokens"])["loss"].min()
    found = best.fit_rows().set_index(["params", "tokens"])["loss"]
    assert found.to_dict() == expected.to_dict()
    assert best.excluded == {"best-of": 18}
    said = [flag for flag in best.flags if flag.code == "best-of"]
    assert [(flag.row, flag.severity) for flag in said] == [(-1, "warning")]
    # What was left out is said with every fit, and by what is selected from these runs.
    rows = best.fit_rows()
    caveats = data_caveats(best, rows, specify(rows, "chinchilla", prior="weak")[0])
    assert [c.text for c in caveats if c.code == "best-of"] == [said[0].text]
    big = best.select(best.table["params"] > 1e8)
    assert said[0] in big.flags
    assert len(load_runs(SWEEP, accept=["sweep"]).fit_rows()) == 24


def test_the_best_by_other_columns():
    runs = load_runs(SWEEP)
    assert len(runs.best("lr")) == 4
    assert len(runs.best(["params", "tokens", "lr"])) == 24
    assert runs.best(["params", "tokens", "lr"]) is runs
    with pytest.raises(DataError, match="'rate'"):
        runs.best(["rate"])


def test_the_best_keeps_families_targets_and_blank_losses_apart():
    source = pd.DataFrame(
        {
            "family": ["a", "a", "b", "b", "b", "c", "c"],
            "role": ["fit", "fit", "fit", "target", "target", "fit", "fit"],
            "params": [1e8, 1.001e8, 1e8, 1e8, 1e8, 1e8, 1e8],
            "tokens": 2e9,
            "loss": [3.2, 3.1, 3.3, 3.0, np.nan, np.nan, np.nan],
        }
    )
    best = load_runs(source).best()
    kept = best.table[["family", "role", "loss"]].fillna(0).to_numpy().tolist()
    assert kept == [
        ["a", "fit", 3.1],
        ["b", "fit", 3.3],
        ["b", "target", 3.0],
        ["c", "fit", 0.0],
        ["c", "fit", 0.0],
    ]


@given(losses=st.lists(st.floats(2.0, 4.0), min_size=1, max_size=20))
def test_the_best_of_one_size_is_its_lowest_loss(losses):
    source = pd.DataFrame({"params": 1e8, "tokens": 2e9, "loss": losses})
    best = load_runs(source).best()
    assert best.table["loss"].tolist() == [min(losses)]
    assert best.excluded.get("best-of", 0) == len(losses) - 1


def test_seeds_and_two_settings_are_no_sweep():
    seeds = pd.concat([GOOD.assign(seed=i, loss=GOOD["loss"] + i / 1000) for i in range(5)])
    assert not errors(load_runs(seeds.reset_index(drop=True)))
    pairs = pd.concat([GOOD.assign(lr=lr, loss=GOOD["loss"] + lr) for lr in (1e-3, 2e-3)])
    assert not errors(load_runs(pairs.reset_index(drop=True)))


def test_a_few_swept_runs_or_unnamed_settings_are_a_warning():
    more = pd.concat([GOOD.iloc[[0]].assign(lr=lr, loss=4.7 + lr) for lr in (0.1, 0.2, 0.3)])
    few = load_runs(pd.concat([GOOD.assign(lr=0.05), more]).reset_index(drop=True))
    many = pd.concat([GOOD.assign(loss=GOOD["loss"] + i / 1000) for i in range(12)])
    unnamed = load_runs(many.reset_index(drop=True))
    for runs in (few, unnamed):
        assert not errors(runs)
        assert [f.severity for f in runs.flags if f.code == "sweep"] == ["warning"]


def test_batches_are_settings():
    batches = [GOOD.assign(batch_size=2**i, loss=GOOD["loss"] + i / 100) for i in range(4)]
    assert errors(load_runs(pd.concat(batches).reset_index(drop=True))) == {(-1, "sweep")}


def test_a_million_columns_are_refused_by_the_header(tmp_path, monkeypatch):
    path = tmp_path / "wide.csv"
    path.write_bytes(b",".join([b"c"] * 1_000_000) + b"\n" + b"1," * 2_000_000)

    def never(*_):
        raise AssertionError("the rows were read")

    monkeypatch.setattr("bayes_scaling.runs.reading.sources.read_delimited", never)
    with pytest.raises(DataError, match=r"1,000,000.*10,000"):
        load_runs(path)
    path.write_bytes(b"c" * 5_000_000)
    with pytest.raises(DataError, match="line"):
        load_runs(path)


def test_wide_tables_of_other_formats(tmp_path):
    wide = pd.DataFrame(np.ones((1, 10_001))).rename(columns=str)
    wide.to_parquet(tmp_path / "wide.parquet")
    wide.to_json(tmp_path / "wide.jsonl", orient="records", lines=True)
    wide.to_csv(tmp_path / "wide.tsv", sep="\t", index=False)
    for source in (wide, *tmp_path.iterdir()):
        with pytest.raises(DataError, match="10,001"):
            load_runs(source)
