"""Calls that a first-time user gets wrong: each is one sentence of ours, or does what was meant."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayes_scaling as bs
from bayes_scaling.decisions import Compute, Data, Fixed, Inference, LogNormal, Pert, ShapeLimits
from bayes_scaling.errors import (
    BayesScalingError,
    DataError,
    FileError,
    FitError,
    LawError,
    ScenarioError,
)
from bayes_scaling.inference import Fit
from tests.conftest import TRUTH, grid

Call = Callable[[Fit], object]

H100 = ("989 TFLOP/s", 0.4, "2.5 USD/hour")
WEB = bs.Scenario(1e22, family="web")
NAN = float("nan")


@pytest.fixture(autouse=True)
def _no_sampling(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("compiled, and would have sampled")

    monkeypatch.setattr("bayes_scaling.inference.fitting.compile_model", fail)
    monkeypatch.chdir(tmp_path)


def refuses(call: Callable[[], object], error: type[BayesScalingError], said: str) -> None:
    with pytest.raises(error) as caught:
        call()
    text = str(caught.value)
    assert said in text
    assert "\n" not in text
    assert len(text) < 500
    assert " at 0x" not in text.lower()
    assert "object" not in text


@pytest.mark.parametrize(
    ("made", "attribute", "value"),
    [
        (lambda: bs.Scenario("1e22"), "budget_flops", 1e22),
        (lambda: bs.Scenario("1e22 FLOP"), "budget_flops", 1e22),
        (lambda: bs.Scenario("3 ZFLOP"), "budget_flops", 3e21),
        (lambda: bs.Scenario("100 PF-days"), "budget_flops", 8.64e21),
        (lambda: bs.Scenario(10**22), "budget_flops", 1e22),
        (lambda: bs.Scenario(np.int64(10**18)), "budget_flops", 1e18),
        (lambda: bs.Scenario(np.float32(2.0**70)), "budget_flops", 2.0**70),
        (lambda: bs.Scenario(seconds="3 weeks", compute=Compute(*H100, 8)), "seconds", 1814400.0),
        (lambda: bs.Scenario(seconds=60, compute=Compute(*H100, 8)), "seconds", 60.0),
        (lambda: bs.Scenario(money="2.5 MUSD", compute=Compute(*H100)), "money", 2.5e6),
        (lambda: bs.Scenario(1e22, worth="50 MUSD"), "worth", 5e7),
        (lambda: bs.Scenario(1e22, confidence="80%"), "confidence", 0.8),
        (lambda: bs.Scenario(1e22, "cvar"), "risk", bs.Risk("cvar")),
        (lambda: bs.Scenario(1e22), "currency", "USD"),
        (lambda: bs.Scenario(1e22, worth="5 MEUR"), "currency", "EUR"),
        (lambda: bs.Scenario(1e22, data=Data("0.5 CHF/Mtoken")), "currency", "CHF"),
        (lambda: bs.Scenario(1e22, currency="SEK"), "currency", "SEK"),
        (lambda: Compute("989 TFLOP/s", "40%"), "utilisation", Fixed(0.4)),
        (lambda: Compute("989 TFLOP/s", 0.4), "speed", Fixed(989e12)),
        (lambda: Compute(*H100), "price", Fixed(2.5 / 3600)),
        (lambda: Compute(*H100, "512 GPUs"), "devices", 512.0),
        (
            lambda: Compute("1 PFLOP/s", {"low": 0.3, "likely": 0.4, "high": 0.5}),
            "utilisation",
            Pert(0.3, 0.4, 0.5),
        ),
        (lambda: Compute("1 PFLOP/s", LogNormal(0.2, 0.5)), "utilisation", LogNormal(0.2, 0.5, 1)),
        (lambda: Data("0.5 USD/Mtoken", "2 Ttoken"), "owned", 2e12),
        (lambda: Inference("20 Ttoken"), "prompt_tokens", Fixed(2e13)),
        (lambda: bs.Limits("7 Gparam"), "min_params", 7e9),
        (lambda: bs.Limits(max_tokens="1 Ttoken"), "max_tokens", 1e12),
        (lambda: ShapeLimits(np.int64(128)), "width_multiple", 128),
        (lambda: bs.Alternative("a", params="7 Gparam"), "params", 7e9),
    ],
)
def test_what_scenario_files_read_python_reads(
    made: Callable[[], object], attribute: str, value: Any
) -> None:
    found = getattr(made(), attribute)
    if isinstance(value, float):
        assert type(found) is float
        assert_allclose(found, value, rtol=1e-12)
    elif isinstance(value, Fixed):
        assert_allclose(found.value, value.value, rtol=1e-12)
    else:
        assert found == value


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: bs.Scenario("1e22 bananas"), "'bananas' is no unit"),
        (lambda: bs.Scenario("3 days"), "cannot be turned into FLOP"),
        (lambda: bs.Scenario("much"), "budget_flops is 'much', a number is needed"),
        (lambda: bs.Scenario(-1), "budget_flops is -1, a number above 0"),
        (lambda: bs.Scenario(0), "budget_flops is 0, a number above 0"),
        (lambda: bs.Scenario(NAN), "budget_flops is nan"),
        (lambda: bs.Scenario(float("inf")), "budget_flops is inf"),
        (lambda: bs.Scenario(np.inf), "budget_flops is inf"),
        (lambda: bs.Scenario(True), "budget_flops is True"),
        (lambda: bs.Scenario([1e22]), "budget_flops is [1e+22]"),
        (lambda: bs.Scenario({"compute": 1}), "budget_flops is {'compute': 1}"),
        (lambda: bs.Scenario(10**400), "an integer of 401 digits"),
        (lambda: bs.Scenario(1e22, "cvr"), "risk measure is 'cvr'"),
        (lambda: bs.Scenario(1e22, 0.9), "risk is 0.9, write Risk('cvar', level=0.9)"),
        (lambda: bs.Scenario(1e22, bs.Risk), "risk is the type 'Risk'"),
        (lambda: bs.Risk("cvar", "0.9"), "risk level is '0.9'"),
        (lambda: bs.Risk("cvar", 90), "risk level is 90"),
        (lambda: bs.Risk(["cvar"]), "risk measure is ['cvar']"),
        (lambda: bs.Risk("entropic", aversion=NAN), "risk aversion is nan"),
        (lambda: bs.Scenario(1e22, family=3), "family is 3, the name of a family"),
        (lambda: bs.Scenario(1e22, family=["web"]), "family is ['web']"),
        (lambda: bs.Scenario(1e22, family=""), "family is ''"),
        (lambda: bs.Scenario(1e22, target_loss=-2), "target_loss is -2"),
        (lambda: bs.Scenario(1e22, target_loss=NAN), "target_loss is nan"),
        (lambda: bs.Scenario(1e22, target_loss=[2]), "target_loss is [2]"),
        (lambda: bs.Scenario(1e22, limits=1e9), "limits is 1000000000.0, write Limits("),
        (lambda: bs.Scenario(1e22, limits={"max_params": 1}), "write Limits("),
        (lambda: bs.Scenario(1e22, confidence=80), "confidence is 80"),
        (lambda: bs.Scenario(1e22, confidence="high"), "confidence is 'high'"),
        (lambda: bs.Scenario(1e22, target_probability=1), "target_probability is 1"),
        (lambda: bs.Scenario(1e22, target_probability=0), "target_probability is 0"),
        (lambda: bs.Scenario(1e22, target_probability=NAN), "target_probability is nan"),
        (lambda: bs.Scenario(1e22, minimise="money"), "minimise is 'money'"),
        (lambda: bs.Scenario(1e22, minimise=["loss"]), "minimise is ['loss']"),
        (lambda: bs.Scenario(1e22, currency="<b>"), "currency is '<b>'"),
        (lambda: bs.Scenario(1e22, compute={"speed": 1}), "compute is {'speed': 1}, write"),
        (lambda: bs.Scenario(1e22, inference=1e13), "inference is 10000000000000.0, write"),
        (lambda: bs.Scenario(1e22, alternatives="ours"), "alternatives is 'ours'"),
        (lambda: bs.Scenario(1e22, alternatives=[{"a": 1}]), "alternatives is [{'a': 1}]"),
        (
            lambda: bs.Scenario(money="1 MEUR", compute=Compute(*H100)),
            "money is in EUR and price of compute in USD",
        ),
        (
            lambda: bs.Scenario(money=1e6, currency="SEK", compute=Compute(*H100)),
            "currency is 'SEK', and prices are in USD",
        ),
        (lambda: bs.Scenario(seconds="300", compute=Compute(*H100, 8)), "without a unit"),
        (lambda: Compute(989e12, 0.4), "speed is 989000000000000.0, without a unit"),
        (lambda: Compute("989 TFLOP/s", 40), "utilisation is 40, at most 1"),
        (lambda: Compute("989 TFLOP/s", Fixed(40)), "at most 1"),
        (lambda: Compute("989 TFLOP/s", Fixed(0)), "utilisation is 0, a number above 0"),
        (lambda: Compute("989 TFLOP/s", 0.4, 2.5), "price is 2.5, without a unit"),
        (lambda: Compute("989 TFLOP/s", 0.4, "2.5 USD"), "cannot be turned into USD/second"),
        (lambda: Compute(None, 0.4), "speed is None"),
        (lambda: Compute(*H100, -3), "devices is -3"),
        (lambda: Fixed("989 TFLOP/s"), "value of Fixed is '989 TFLOP/s'"),
        (lambda: Fixed(-1), "value of Fixed is -1"),
        (lambda: Fixed(NAN), "value of Fixed is nan"),
        (lambda: Pert(3, 2, 1), "they must grow from first to last"),
        (lambda: LogNormal(0, 1), "q05 of LogNormal is 0"),
        (lambda: Data(-1), "price is -1"),
        (lambda: Data("1 USD/Mtoken", -5), "owned is -5"),
        (lambda: Inference(-5), "prompt_tokens is -5, a number of 0 or more"),
        (lambda: Inference(1e13, output_utilisation=3), "output_utilisation is 3, at most 1"),
        (lambda: bs.Limits("7B"), "min_params is '7B'"),
        (lambda: bs.Limits(max_params=NAN), "max_params is nan"),
        (lambda: bs.Limits(min_params=None), "min_params is None"),
        (lambda: ShapeLimits(0.5), "width_multiple is 0.5"),
        (lambda: ShapeLimits(within="a"), "within is 'a'"),
        (lambda: bs.Alternative("a", params="big"), "params of alternative 'a' is 'big'"),
        (lambda: bs.Alternative("a", params=1e9, epochs=None), "epochs of alternative 'a' is None"),
    ],
)
def test_scenarios_are_refused_when_they_are_made(made: Callable[[], object], said: str) -> None:
    refuses(made, ScenarioError, said)


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda f: bs.allocate(f, 1e22), ScenarioError, "scenario is 1e+22; write"),
        (lambda f: bs.allocate(f, {"budget": 1}), ScenarioError, "scenario is {'budget': 1}"),
        (lambda f: bs.allocate(f, "s.toml"), ScenarioError, "load_scenario("),
        (lambda f: bs.allocate(f, bs.Scenario), ScenarioError, "scenario is the type 'Scenario'"),
        (lambda f: bs.allocate(WEB, f), FitError, "fit is a Scenario, a Fit is needed"),
        (lambda _: bs.allocate("fit.nc", WEB), FitError, "fit is 'fit.nc', a Fit is needed"),
        (lambda f: bs.allocate(f, bs.Scenario(1e22)), ScenarioError, "no family is named"),
        (lambda f: bs.allocate(f, WEB, seed=None), FitError, "seed is None"),
        (
            lambda f: bs.allocate(f, WEB, seed=np.random.default_rng()),
            FitError,
            "seed is a Generator",
        ),
        (lambda f: bs.budget_frontier(f, 1e22), ScenarioError, "scenario is 1e+22"),
        (lambda f: bs.budget_frontier(f, WEB, factors=3), ScenarioError, "budget are 3;"),
        (lambda f: bs.budget_frontier(f, WEB, factors="1,2"), ScenarioError, "are '1,2';"),
        (lambda f: bs.budget_frontier(f, WEB, factors=[NAN]), ScenarioError, "are [nan];"),
        (lambda f: bs.next_runs(f, {"a": 1}), ScenarioError, "scenario is {'a': 1}"),
        (lambda f: bs.next_runs(f, WEB, at=[1e9]), ScenarioError, "a DataFrame of params"),
        (lambda f: bs.next_runs(f, WEB, batch="2"), ScenarioError, "batch is '2'"),
        (lambda f: bs.marginal(f, "7B", 1e12, family="web"), ScenarioError, "params is '7B'"),
        (lambda f: bs.marginal(f, 7e9, -1, family="web"), ScenarioError, "tokens is -1"),
        (lambda f: bs.marginal(f, 7e9, 1e12, family=2), ScenarioError, "family is 2"),
        (lambda f: bs.marginal(f, 7e9, 1e12, scenario=1e22), ScenarioError, "scenario is 1e+22"),
        (
            lambda f: bs.marginal(f, 7e9, 1e12, family="web", doublings="3"),
            ScenarioError,
            "doublings is '3'",
        ),
        (lambda _: bs.best_shape("fit", 1e9), FitError, "fit is 'fit'"),
        (lambda _: bs.predict("fit.nc", params=1e9, tokens=1e9), FitError, "fit is 'fit.nc'"),
        (lambda f: f.predict([1e9, 1e10]), DataError, "from a list"),
        (lambda f: f.predict(params="seven", tokens=1e9, family="web"), DataError, "'seven'"),
        (
            lambda f: f.predict(params=[1e9, 2e9], tokens=[1e9] * 3, family="web"),
            DataError,
            "2 of params, 3 of tokens",
        ),
        (
            lambda f: f.predict(params=np.ones((2, 2)), tokens=1e9, family="web"),
            DataError,
            "params has 2 dimensions",
        ),
        (lambda f: f.predict(params=[], tokens=[], family="web"), DataError, "no rows"),
        (lambda f: f.predict(params=1e9, tokens=1e9, familly="web"), DataError, "'familly'"),
        (lambda f: point(f).to_frame("loss"), FitError, "kind is 'loss'"),
        (lambda f: point(f).to_frame(quantiles=[5, 50]), FitError, "quantile 5 is not"),
        (lambda f: point(f).to_frame(quantiles=["a"]), FitError, "quantile 'a' is not"),
        (lambda f: point(f).to_frame(quantiles=[NAN]), FitError, "quantile nan is not"),
        (lambda f: point(f).to_frame(quantiles="0.5"), FitError, "quantiles are '0.5'"),
        (lambda f: point(f).to_frame(quantiles=None), FitError, "quantiles are None"),
        (lambda f: point(f).save(None), FileError, "path is None"),
        (lambda f: f.summary(90), FitError, "ci_prob is 90"),
        (lambda f: f.summary("0.9"), FitError, "ci_prob is '0.9'"),
        (lambda f: f.save(3), FileError, "path is 3"),
        (bs.load_fit, FileError, "path is a Fit"),
        (lambda _: bs.load_fit("a\0b"), FileError, "zero byte"),
        (lambda _: bs.load_result(3), FileError, "path is 3"),
        (lambda _: bs.load_scenario({"budget": 1}), FileError, "path is {'budget': 1}"),
        (lambda _: bs.write_report("r.html", "fit.nc"), FitError, "fit is 'fit.nc'"),
        (lambda f: bs.write_report(f, "r.html"), FileError, "path is a Fit"),
        (lambda f: bs.write_report("r.html", f, "plan.json"), ScenarioError, "load_result("),
        (lambda f: bs.write_report("r.html", f, 1e22), ScenarioError, "a result is 1e+22"),
        (lambda _: bs.tables("fit"), FitError, "fit is 'fit'"),
        (lambda f: bs.write_tables(f, None), FileError, "path is a Fit"),
        (lambda f: bs.write_zarr(f, None), FitError, "fit is None"),
        (lambda _: bs.log_to_mlflow("fit"), FitError, "fit is 'fit'"),
        (lambda _: bs.score("fit", None), FitError, "fit is 'fit'"),
        (lambda _: bs.identifiability("runs.csv"), DataError, "runs is 'runs.csv', write"),
        (lambda _: bs.fit_curve(3), DataError, "curve is 3, one Curve is needed"),
        (lambda _: bs.monitor("log.csv", 1e5), DataError, "curve is 'log.csv'"),
        (lambda f: f.law.loss(3, 4), LawError, "inputs is 3"),
        (
            lambda f: f.law.loss({"params": -1, "tokens": 1}, TRUTH),
            LawError,
            "params is -1, numbers above 0",
        ),
        (lambda _: bs.laws.with_shape("chinchilla"), LawError, "law is 'chinchilla', write"),
    ],
)
def test_wrong_calls_on_a_fit(
    call: Call, error: type[BayesScalingError], said: str, two_families: Fit
) -> None:
    refuses(lambda: call(two_families), error, said)


def point(fit: Fit) -> bs.Forecast:
    return bs.predict(fit, params=1e9, tokens=1e10, family="web")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"draws": "many"}, FitError, "draws is 'many'"),
        ({"draws": 1000.0}, FitError, "draws is 1000.0"),
        ({"tune": None}, FitError, "tune is None"),
        ({"chains": [4]}, FitError, "chains is [4]"),
        ({"seed": "a"}, FitError, "seed is 'a'"),
        ({"cores": "all"}, FitError, "cores is 'all'"),
        ({"target_accept": "0.9"}, FitError, "target_accept is '0.9'"),
        ({"progress": "no"}, FitError, "progress is 'no'"),
        ({"prior": None}, LawError, "prior is None"),
        ({"prior": {"floor": 1}}, LawError, "prior is {'floor': 1}"),
        ({"prior": ["weak"]}, LawError, "prior is ['weak']"),
        ({"pooling": None}, LawError, "pooling is None"),
        ({"pooling": ["partial"]}, LawError, "pooling is ['partial']"),
        ({"pooling": {"floor": 1}}, LawError, "pooling of 'floor' is 1"),
        ({"priors": {"floor": 1.8}}, LawError, "the prior of 'floor' is 1.8; write Prior("),
        ({"priors": {"sigma": 0.01}}, LawError, "the prior of 'sigma' is 0.01"),
        ({"priors": [1]}, LawError, "priors are [1]"),
        ({"priors": {1: bs.Prior(1, 1, 1)}}, LawError, "no parameter 1"),
        ({"noise": 0.1}, LawError, "noise is 0.1"),
    ],
)
def test_options_of_a_fit_are_refused_before_sampling(
    options: dict[str, Any], error: type[BayesScalingError], said: str
) -> None:
    table = grid().assign(loss=np.linspace(3.5, 2.5, 40))
    refuses(lambda: bs.fit(table, **options), error, said)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"ratio": None}, DataError, "ratio is None"),
        ({"laws_to_test": 3}, LawError, "law is 3"),
        ({"executor": 4}, FitError, "executor is 4"),
        ({"checkpoint": 4}, FileError, "path is 4"),
    ],
)
def test_options_of_a_backtest(
    options: dict[str, Any], error: type[BayesScalingError], said: str
) -> None:
    table = grid().assign(loss=np.linspace(3.5, 2.5, 40))
    refuses(lambda: bs.backtest(table, **options), error, said)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ((3, TRUTH), DataError, "design is 3"),
        ((grid(), 3), LawError, "truth is 3"),
        ((grid(), TRUTH | {"A": "a"}), LawError, "'A' of the truth is 'a'"),
        ((grid(), TRUTH | {"A": -1}), LawError, "'A' of the truth is -1"),
    ],
)
def test_simulations(arguments: tuple[Any, Any], error: type[BayesScalingError], said: str) -> None:
    refuses(lambda: bs.simulate("chinchilla", *arguments), error, said)


def test_one_value_or_a_list_for_every_point(two_families: Fit) -> None:
    points = two_families.predict(
        params=pd.Series([1e9, 2e9], index=[7, 8]), tokens=1e10, family=["web", "code"]
    ).points
    assert points["params"].tolist() == [1e9, 2e9]
    assert points["tokens"].tolist() == [1e10, 1e10]
    assert points["family"].tolist() == ["web", "code"]


def test_one_quantile_may_stand_alone(two_families: Fit) -> None:
    forecast = point(two_families)
    alone = forecast.to_frame(quantiles=0.5)
    assert_allclose(alone["q50"], forecast.to_frame(quantiles=[0.5])["q50"])


def test_prices_as_texts_make_the_same_plan(two_families: Fit) -> None:
    by_text = bs.Scenario(
        money="1 MUSD",
        family="web",
        risk="cvar",
        compute=Compute("1 PFLOP/s", "40%", "2 USD/hour"),
        data=Data("0.5 USD/Mtoken", "1 Ttoken"),
    )
    by_number = bs.Scenario(
        money=1e6,
        family="web",
        risk=bs.Risk("cvar"),
        compute=Compute(Fixed(1e15), Fixed(0.4), Fixed(2 / 3600)),
        data=Data(Fixed(5e-7), 1e12),
    )
    one, other = (bs.allocate(two_families, given).to_dict() for given in (by_text, by_number))
    assert one["scenario"]["currency"] == "USD"
    for name in ("params", "tokens"):
        assert_allclose(one["recommended"][name], other["recommended"][name], rtol=1e-9)
