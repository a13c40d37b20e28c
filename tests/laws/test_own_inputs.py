"""A law with an input of its own, from a table to a report, and what cannot be declared."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import bayes_scaling as bs
from bayes_scaling import laws
from bayes_scaling.errors import DataError, LawError, ScenarioError
from bayes_scaling.forecast.evaluation.model_average import ModelAverage
from bayes_scaling.laws import Input, Law, common, ops
from bayes_scaling.laws.check_law import check_law
from bayes_scaling.laws.law_inputs import typical_at
from bayes_scaling.model import fill_typical, input_table, simulate, stated_inputs, typical
from bayes_scaling.runs import INPUTS, Runs, identifiability, load_configs, load_runs
from bayes_scaling.runs.load_runs_table import recount
from tests.conftest import handmade

VOCAB = Input("vocab", "tokens", "entries of the vocabulary", ("vocab_size",), low=2.0)
TRUTH = {"floor": 1.5, "A": 400.0, "B": 1800.0, "W": 8.0}
TRUTH |= {"alpha_N": 0.34, "alpha_D": 0.36, "alpha_V": 0.3}
_TERMS = {"params": ("A", "alpha_N"), "tokens": ("B", "alpha_D"), "vocab": ("W", "alpha_V")}


def _log_curve(x: Any, p: Any) -> Any:
    total = ops.log(p["floor"])
    for name, (amplitude, exponent) in _TERMS.items():
        total = ops.logaddexp(total, ops.log(p[amplitude]) - p[exponent] * x[name])
    return total


def _slopes(p: Any) -> dict[str, dict[str, Any]]:
    return {amplitude: {name: p[exponent]} for name, (amplitude, exponent) in _TERMS.items()}


LAW = Law(
    name="vocabulary",
    formula="floor + A·N^-alpha_N + B·D^-alpha_D + W·V^-alpha_V",
    inputs=("params", "tokens", VOCAB),
    parameters=(
        common.FLOOR,
        common.amplitude("A", "finite size"),
        common.amplitude("B", "finite data"),
        common.amplitude("W", "a finite vocabulary"),
        common.exponent("alpha_N", "parameters"),
        common.exponent("alpha_D", "tokens"),
        common.exponent("alpha_V", "the vocabulary"),
    ),
    reference="none, for this test",
    log_curve=_log_curve,
    slopes=_slopes,
)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Twenty-five runs of one family, as a user may have them: under an alias."""
    params, tokens = np.meshgrid(np.geomspace(1e7, 1e9, 5), np.geomspace(1e9, 1e11, 5))
    design = pd.DataFrame(
        {
            "run": [f"r{i}" for i in range(25)],
            "params": params.ravel(),
            "tokens": tokens.ravel(),
            "vocab": np.resize([8e3, 16e3, 32e3, 64e3], 25),
        }
    )
    runs = simulate(LAW, design, TRUTH, noise=0.003, seed=1).drop(columns="loss_curve")
    return runs.rename(columns={"vocab": "vocab_size"})


def test_a_law_with_an_input_of_its_own_goes_all_the_way(
    table: pd.DataFrame, tmp_path: Path
) -> None:
    settings = {"draws": 60, "tune": 120, "chains": 2, "progress": False}
    fitted = bs.fit(table, LAW, seed=1, **settings)
    assert_array_equal(fitted.runs["vocab"], table["vocab_size"])
    middle = np.exp(np.log(table["vocab_size"]).mean())
    assert_allclose(fitted.dt["constant_data"]["reference_vocab"], middle)
    assert fitted.summary().loc["alpha_V[all]", "median"] == pytest.approx(0.3, abs=0.1)

    # predict: stated, by alias in a table, and left open.
    sizes = {"params": 1e10, "tokens": 2e11}
    small, large = (fitted.predict(**sizes, vocab=v).to_frame()["q50"].item() for v in (8e3, 1e5))
    truth = [LAW.loss(sizes | {"vocab": v}, TRUTH) for v in (8e3, 1e5)]
    assert_allclose([small, large], truth, rtol=0.02)
    at = fitted.predict(pd.DataFrame([sizes | {"vocab_size": "8000"}]))
    assert at.to_frame()["q50"].item() == small
    open_ = fitted.predict(**sizes)
    assert_allclose(open_.points["vocab"], middle)
    assert ("typical-input", "vocab") in {(c.code, c.subject) for c in open_.caveats}
    assert "vocab" not in {caveat.subject for caveat in at.caveats}

    scored = bs.score(fitted, table)
    assert scored["loss"].tolist() == table["loss"].tolist()
    assert scored["inside_95"].mean() > 0.8
    tested = bs.backtest(table, LAW, ratio=8, **settings)
    assert tested.scores["are"].max() < 0.05
    assert tested.runs_hash == fitted.dt.attrs["runs_hash"]

    plan = bs.allocate(fitted, bs.Scenario(compute_budget="1e22 FLOP"))
    assert ("typical-input", "vocab") in {(c.code, c.subject) for c in plan.caveats}
    best = {name: getattr(plan.recommended, name) for name in ("params", "tokens")}
    truth_there = LAW.loss(best | {"vocab": middle}, TRUTH)
    assert plan.loss.q50 == pytest.approx(truth_there, rel=0.02)
    points = pd.DataFrame({"params": [1e9], "tokens": [2e10]})
    wanted = bs.Scenario(compute_budget="1e21 FLOP")
    for decision in (
        bs.budget_frontier(fitted, wanted, factors=(1.0, 2.0)),
        bs.marginal(fitted, 1e9, 2e10),
        bs.next_runs(fitted, wanted, at=points),
    ):
        assert ("typical-input", "vocab") in {(c.code, c.subject) for c in decision.caveats}
    with pytest.raises(ScenarioError, match="'vocab_size'"):
        bs.next_runs(fitted, wanted, at=points.assign(vocab_size=8e3))
    assert bs.tables(fitted)["runs"]["vocab"].tolist() == table["vocab_size"].tolist()

    again = bs.load_fit(fitted.save(tmp_path / "fit.nc"), law=LAW)
    assert again.law == LAW
    pd.testing.assert_frame_equal(again.runs, fitted.runs)
    assert again.predict(**sizes, vocab=8e3).to_frame()["q50"].item() == small
    entry = replace(VOCAB, unstated="required")
    needed = bs.load_fit(tmp_path / "fit.nc", law=replace(LAW, inputs=("params", "tokens", entry)))
    assert needed.predict(**sizes, vocab=8e3).to_frame()["q50"].item() == small
    with pytest.raises(DataError, match="'vocab'"):
        needed.predict(**sizes)
    with pytest.raises(LawError, match="'vocab'"):
        bs.allocate(needed, wanted)
    page = bs.write_report(tmp_path / "report.html", again, plan, tested).read_text("utf-8")
    assert "vocab" in page


FOLLOWING = replace(VOCAB, needs=("tokens",), formula=lambda tokens: tokens**0.4)


def test_an_average_takes_inputs_that_only_one_law_reads() -> None:
    own = handmade(replace(LAW, inputs=("params", "tokens", FOLLOWING)), TRUTH, families=("web",))
    pair = {"own": own, "flat": handmade(families=("web",))}
    average = ModelAverage(pair, {"own": 0.5, "flat": 0.5})
    where = {"params": 1e10, "tokens": 2e11, "family": "web"}
    mixed, alone = (f.predict(**where, vocab=8e3).loss_curve for f in (average, own))
    assert np.isin(mixed, alone).mean() == 0.5
    with pytest.raises(DataError, match=r"'words'.*vocab"):
        average.predict(**where, words=8e3)


def test_decisions_take_an_input_as_it_follows_from_sizes() -> None:
    own = handmade(replace(LAW, inputs=("params", "tokens", FOLLOWING)), TRUTH, families=("web",))
    plan = bs.allocate(own, bs.Scenario(compute_budget="1e21 FLOP"))
    assert "vocab" not in {c.subject for c in plan.caveats}
    best = {name: getattr(plan.recommended, name) for name in ("params", "tokens")}
    there = own.predict(**best).to_frame().iloc[0]
    assert [getattr(plan.loss, n) for n in ("mean", "q05", "q95")] == there[
        ["mean", "q05", "q95"]
    ].tolist()
    stated = own.predict(**best, vocab=best["tokens"] ** 0.4).to_frame().iloc[0]
    assert_allclose(stated["q50"], there["q50"])
    gain = bs.marginal(own, **best)
    assert "vocab" not in {c.subject for c in gain.caveats}


def test_an_input_outside_the_runs_is_reported() -> None:
    own = handmade(replace(LAW, inputs=("params", "tokens", FOLLOWING)), TRUTH, families=("web",))
    low, high = own.runs["tokens"].min() ** 0.4, own.runs["tokens"].max() ** 0.4
    where = {"params": 1e9, "tokens": 1e10, "family": "web"}

    def outside(vocab: Any) -> list[tuple[object, object, object]]:
        found = own.predict(**where, vocab=vocab).caveats
        data = [c.data for c in found if (c.code, c.subject) == ("input-extrapolation", "vocab")]
        return [(d["points"], d["of"], pytest.approx(d["factor"])) for d in data]

    assert outside([low / 1.4, low, high, 1.4 * high]) == []
    assert outside([low / 2, low, high * 3]) == [(2, 3, 3.0)]
    assert outside(low / 2) == [(1, 1, 2.0)]


def test_reports_refuse_a_law_that_needs_more_than_sizes(tmp_path: Path) -> None:
    entry = replace(FOLLOWING, needs=("d_model",), formula=lambda d: 30.0 * d, unstated="required")
    law = replace(LAW, inputs=("params", "tokens", entry))
    own = handmade(law, TRUTH, families=("web",))
    with pytest.raises(LawError, match=r"'vocab'.*unstated='typical'"):
        bs.write_report(tmp_path / "none.html", own)
    stated = pd.DataFrame({"params": [1e10], "tokens": [2e11], "vocab": [8e3]})
    found = bs.tables(own, configs=stated)["forecasts"]
    assert found["q50"].item() == own.predict(stated).to_frame()["q50"].item()


def test_a_law_keeps_names_and_what_it_declares() -> None:
    assert LAW.inputs == ("params", "tokens", "vocab")
    assert LAW.own_inputs == (VOCAB,)
    check_law(LAW)
    assert replace(LAW, name="other").own_inputs == (VOCAB,)
    assert replace(LAW, inputs=("params", "tokens")).own_inputs == ()
    assert pickle.loads(pickle.dumps(LAW)) == LAW  # noqa: S301
    assert replace(LAW, inputs=("params", "tokens", replace(VOCAB, unit="1"))) != LAW
    rising = replace(LAW, inputs=("params", "tokens", replace(VOCAB, falls=False)))
    assert rising.nonmonotone == ("vocab",)
    assert laws.with_shape(LAW).inputs == (*LAW.inputs, "aspect_ratio")
    assert laws.with_shape(LAW).own_inputs == (VOCAB,)
    assert set(stated_inputs(laws.with_shape(LAW))) == {
        *("vocab", "aspect_ratio", "d_model", "n_layer")
    }


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (Input("flops", "", ""), "column 'flops'"),
        (Input("seed", "", ""), "column 'seed'"),
        (Input("V", "", "", ("n_params",)), "'n_params'.*'params'"),
        (Input("Vocabulary", "", ""), "'tokenizer'"),
        (Input("extrapolation", "", ""), "results use"),
        (Input("reference_params", "", ""), "results use"),
        (Input("self", "", ""), "results use"),
        (Input("mean", "", ""), "results use"),
        (Input("V", "", "", unstated="W"), "'W'"),
        (
            Input("V", "", "", grows={"flops": 1.0}),
            r"from 'flops'; it can follow from params, tokens$",
        ),
        (Input("V", "", "", needs=("v",), formula=abs), "'v'"),
        (Input("V", "", "", needs=("tokens",), formula=lambda d: d["x"]), "formula of input 'V'"),
        (Input("V", "", "", needs=("tokens",), formula=max), r"of shape \(\) for 12 rows"),
        (Input("V", "", "", needs=("tokens",), formula=pow), "formula of input 'V'.*TypeError"),
        ("lr", r"'lr'"),
    ],
)
def test_what_a_law_cannot_declare(entry: Any, said: str) -> None:
    name = entry if isinstance(entry, str) else entry.name
    law = replace(
        LAW,
        inputs=("params", "tokens", entry),
        log_curve=lambda x, p: _log_curve({**x, "vocab": x[name]}, p),
    )
    with pytest.raises(LawError, match=said):
        check_law(law)


@pytest.mark.parametrize(
    "options",
    [
        {"name": "two words"},
        {"name": "V", "low": 0.0},
        {"name": "V", "low": 2.0, "high": 1.0},
        {"name": "V", "aliases": "W"},
        {"name": "V", "kind": "text"},
        {"name": "class"},
        {"name": "V", "low": "2"},
        {"name": "V", "needs": ("params",)},
        {"name": "V", "needs": "params", "formula": abs},
        {"name": "V", "grows": ("params",)},
        {"name": "V", "grows": {"params": "1/2"}},
        {"name": "V", "grows": {"params": np.nan}},
        {"name": "V", "falls": "no"},
        {"name": "V", "unit": 1},
    ],
)
def test_what_is_no_input(options: dict[str, Any]) -> None:
    with pytest.raises(LawError):
        Input(**({"unit": "", "meaning": ""} | options))


def test_runs_keep_an_input_through_every_step(table: pd.DataFrame) -> None:
    plain = load_runs(table)
    runs = plain.with_inputs(LAW.own_inputs)
    assert plain.hash == load_runs(table.drop(columns="vocab_size")).hash != runs.hash
    assert runs.with_inputs((VOCAB,)) is runs
    assert plain.with_inputs(()) is plain
    assert runs.hash == plain.with_inputs((VOCAB,)).hash
    other = table.assign(vocab_size=table["vocab_size"] + 1)
    assert load_runs(other).with_inputs((VOCAB,)).hash != runs.hash

    def kept(some: Runs) -> list[float]:
        return some.with_inputs((VOCAB,)).table["vocab"].tolist()

    stated = table["vocab_size"].tolist()
    assert kept(runs) == stated
    mask = np.arange(25) % 2 == 0
    assert kept(runs.select(mask)) == kept(plain.select(mask)) == stated[::2]
    assert runs.select(mask).inputs == (VOCAB,)
    twice = pd.concat([table, table.assign(loss=table["loss"] + 0.1, vocab_size=99.0)])
    assert kept(load_runs(twice).best()) == stated
    target = load_runs(table.assign(role=["target", *["fit"] * 24])).with_inputs((VOCAB,))
    assert target.targets()["vocab"].tolist() == stated[:1]
    assert kept(target.without_targets()) == target.fit_rows()["vocab"].tolist() == stated[1:]
    counted = recount(
        load_runs(table.assign(N_nonemb=table["params"] / 2)).with_inputs((VOCAB,)), "params_nonemb"
    )
    assert counted.inputs == (VOCAB,)
    assert kept(counted) == stated
    with pytest.raises(LawError, match="'vocab'"):
        runs.with_inputs((replace(VOCAB, unit="entries"),))


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("many", r"runs\.csv, line 3: .*'vocab_size'.*'many'"),
        ("32k", r"line 3: .*'vocab_size'.*'32k'"),
        ("1", r"line 3: .*'vocab_size'.*1.*from 2 to"),
        ("inf", r"line 3: .*'vocab_size'"),
    ],
)
def test_cells_are_checked_as_those_of_any_column(tmp_path: Path, cell: str, said: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(f"params,tokens,loss,vocab_size\n1e8,1e9,3,8e3\n1e8,2e9,2.9,{cell}\n", "utf-8")
    with pytest.raises(DataError, match=said):
        load_runs(path).with_inputs((VOCAB,))
    if cell != "1":
        return
    with pytest.raises(DataError, match=said):
        load_configs(path).with_inputs((VOCAB,))


def test_two_columns_that_differ_are_refused(table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="'vocab', 'vocab_size'") as refused:
        load_runs(table.assign(vocab=5.0)).with_inputs((VOCAB,))
    # --column knows canonical columns alone.
    assert "--column" not in str(refused.value)
    with pytest.raises(DataError, match="vocab"):
        load_runs(table, columns={"vocab": "vocab_size"})
    same = load_runs(table.assign(vocab=table["vocab_size"])).with_inputs((VOCAB,))
    assert same.table["vocab"].tolist() == table["vocab_size"].tolist()


def test_a_table_without_it_is_refused_by_name_and_alias(table: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"'vocab'.*vocab_size"):
        input_table(LAW, load_runs(table.drop(columns="vocab_size")).fit_rows())
    with pytest.raises(DataError, match="row 2"):
        input_table(LAW, table.head(3).assign(vocab=[1.0, 0.0, 1.0]))


def test_an_input_is_no_setting_of_a_sweep() -> None:
    sizes = np.repeat(np.geomspace(1e8, 1e9, 3), 3)
    runs = load_runs(
        pd.DataFrame({"params": sizes, "tokens": 20 * sizes, "warmup": [1.0, 2.0, 3.0] * 3}).assign(
            loss=np.linspace(3.0, 2.5, 9)
        )
    )
    assert "sweep" in {flag.code for flag in runs.flags}
    own = runs.with_inputs([Input("warmup", "steps", "of the learning rate")])
    assert "sweep" not in {flag.code for flag in own.flags}


def test_what_the_runs_do_not_vary_is_reported(table: pd.DataFrame) -> None:
    runs = load_runs(table).with_inputs((VOCAB,))
    assert identifiability(runs).caveats == identifiability(load_runs(table)).caveats
    constant = load_runs(table.assign(vocab_size=32e3)).with_inputs((VOCAB,))
    (said,) = (
        c for c in identifiability(constant).caveats if c not in identifiability(runs).caveats
    )
    assert (said.code, said.subject) == ("constant-input", "vocab")
    assert said.data["sd_decades"] == pytest.approx(0.0, abs=1e-9)


def test_what_is_typical_grows_as_declared() -> None:
    runs = pd.DataFrame(
        {
            "family": ["web", "web", "code"],
            "params": [1e7, 1e9, 1e8],
            "tokens": [1e9, 1e9, 1e10],
            "vocab": [1e4, 4e4, 7e4],
            "params_nonemb": [5e6, 8e8, 9e7],
        }
    )
    asked = pd.DataFrame({"family": ["web", "code"], "params": 1e10, "tokens": 1e11})
    filled, said = fill_typical(LAW, runs, asked)
    assert_allclose(filled["vocab"], [2e4, 7e4])
    assert len(said) == 1
    matrices = replace(LAW, inputs=("params_nonemb", "tokens", VOCAB))
    filled, _ = fill_typical(matrices, runs, asked)
    assert_allclose(filled["params_nonemb"], [1e10 * np.sqrt(0.5 * 0.8), 0.9e10])
    growing = replace(LAW, inputs=("params", "tokens", replace(VOCAB, grows={"tokens": 0.5})))
    logs = typical_at(growing, np.log(1e10), np.log(1e11), typical(growing, runs, "web"))
    assert_allclose(np.exp(logs["vocab"]), 2e4 * np.sqrt(1e11 / 1e9))
    equal = replace(LAW, inputs=("params", "tokens", replace(VOCAB, unstated="tokens")))
    assert_allclose(input_table(equal, asked)["vocab"], 1e11)


def test_every_standard_input_follows_from_declared_ones() -> None:
    values = {"params": 2.0, "tokens": 12.0, "flops": 144.0, "step": 3.0, "batch_tokens": 4.0}
    values |= {"d_model": 128.0, "n_layer": 8.0, "aspect_ratio": 16.0}
    derived = {name: entry.follow(values) for name, entry in INPUTS.items() if entry.needs}
    assert derived == {name: values[name] for name in derived}
    assert set(derived) == {"params", "tokens", "flops", "step", "batch_tokens", "aspect_ratio"}
    for entry in INPUTS.values():
        assert {*entry.needs, *entry.grows} <= set(INPUTS)
        assert entry.unit
        assert entry.meaning
