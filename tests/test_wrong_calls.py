"""Calls that a first-time user gets wrong: each is one sentence of ours, or does what was meant."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayes_scaling as bs
from bayes_scaling.decisions import Compute, Data, Fixed
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
WEB = bs.Scenario(compute_budget=1e22, family="web")
NAN = float("nan")


@pytest.fixture(autouse=True)
def _no_sampling(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("compiled, and would have sampled")

    monkeypatch.setattr("bayes_scaling.inference.mixture.compile_model", fail)
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
    ("call", "error", "said"),
    [
        (lambda f: bs.allocate(f, 1e22), ScenarioError, "scenario is 1e+22"),
        (lambda f: bs.allocate(f, {"budget": 1}), ScenarioError, "scenario is {'budget': 1}"),
        (lambda f: bs.allocate(f, "s.toml"), ScenarioError, "s.toml"),
        (lambda f: bs.allocate(f, bs.Scenario), ScenarioError, "scenario is the type 'Scenario'"),
        (lambda f: bs.allocate(WEB, f), FitError, "fit is a Scenario"),
        (lambda _: bs.allocate("fit.nc", WEB), FitError, "fit is 'fit.nc'"),
        (
            lambda f: bs.allocate(f, bs.Scenario(compute_budget=1e22)),
            ScenarioError,
            "no family is named",
        ),
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
        (lambda f: bs.next_runs(f, WEB, at=[1e9]), ScenarioError, "[1000000000.0]"),
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
        (lambda f: f.predict([1e9, 1e10]), DataError, "list"),
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
        (lambda f: point(f).to_frame(quantiles=[5, 50]), FitError, "quantile 5"),
        (lambda f: point(f).to_frame(quantiles=["a"]), FitError, "quantile 'a'"),
        (lambda f: point(f).to_frame(quantiles=[NAN]), FitError, "quantile nan"),
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
        (lambda f: bs.write_report("r.html", f, "plan.json"), ScenarioError, "plan.json"),
        (lambda f: bs.write_report("r.html", f, 1e22), ScenarioError, "a result is 1e+22"),
        (lambda _: bs.tables("fit"), FitError, "fit is 'fit'"),
        (lambda f: bs.write_tables(f, None), FileError, "path is a Fit"),
        (lambda f: bs.write_zarr(f, None), FitError, "fit is None"),
        (lambda _: bs.log_to_mlflow("fit"), FitError, "fit is 'fit'"),
        (lambda _: bs.score("fit", None), FitError, "fit is 'fit'"),
        (lambda _: bs.identifiability("runs.csv"), DataError, "runs is 'runs.csv'"),
        (lambda _: bs.fit_curve(3), DataError, "curve is 3"),
        (lambda _: bs.monitor("log.csv", 1e5), DataError, "curve is 'log.csv'"),
        (lambda f: f.law.loss(3, 4), LawError, "inputs is 3"),
        (
            lambda f: f.law.loss({"params": -1, "tokens": 1}, TRUTH),
            LawError,
            "params is -1, numbers above 0",
        ),
        (lambda _: bs.laws.with_shape("chinchilla"), LawError, "law is 'chinchilla'"),
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
        ({"priors": {"floor": 1.8}}, LawError, "'floor' is 1.8"),
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
        money_budget="1 MUSD",
        family="web",
        risk="cvar",
        compute=Compute("1 PFLOP/s", "40%", "2 USD/hour"),
        data=Data("0.5 USD/Mtoken", "1 Ttoken"),
    )
    by_number = bs.Scenario(
        money_budget=1e6,
        family="web",
        risk=bs.Risk("cvar"),
        compute=Compute(Fixed(1e15), Fixed(0.4), Fixed(2 / 3600)),
        data=Data(Fixed(5e-7), 1e12),
    )
    one, other = (bs.allocate(two_families, given).to_dict() for given in (by_text, by_number))
    assert one["scenario"]["currency"] == "USD"
    for name in ("params", "tokens"):
        assert_allclose(one["recommended"][name], other["recommended"][name], rtol=1e-9)
