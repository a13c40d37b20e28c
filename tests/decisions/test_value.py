"""The value of information: between nothing and that of perfect knowledge."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from msgspec import structs
from numpy.testing import assert_allclose
from scipy.special import softmax
from scipy.stats import norm

from bayes_scaling.decisions import (
    Compute,
    Fixed,
    Limits,
    Risk,
    Scenario,
    allocate,
    next_runs,
)
from bayes_scaling.decisions.pilot_runs.value_of_information import Decision, Outcomes
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.posterior import family_posterior
from tests.conftest import TRUTH, codes

DEVICES = Compute(Fixed(1e15), Fixed(0.4), Fixed(2 / 3600))
PLAIN = Scenario(compute_budget=1e23, family="web")
PRICED = Scenario(money_budget=1e6, family="web", compute=DEVICES, value_per_nat=1e9)


@pytest.fixture(scope="module")
def wide(make_fit) -> Fit:  # type: ignore[no-untyped-def]
    return make_fit(width=0.15)


def test_saving_by_hand() -> None:
    # Two plans, two draws: the first plan is best in the one, the second in the other.
    decision = Decision(np.array([[0.0, 3.0], [2.0, 0.0]]), np.array([0.0, 1.0]))
    # Undecided the second plan loses 1 on average; in full knowledge nothing is lost.
    assert decision.perfect() == 1.0
    sure = decision.informed(np.array([[0.0, -np.inf], [-np.inf, 0.0]]))
    assert (sure.saved, sure.effective_draws) == (1.0, 1.0)
    # Likelihoods count relative to each other only.
    ignorant = decision.informed(np.full((4, 2), -1e5))
    assert (ignorant.saved, ignorant.effective_draws) == (0.0, 2.0)
    # With probability 0.8 the first draw: the first plan loses 0.6, the second 1.6; else 2.4 and
    # 0.4. On average the second one loses 1.0 and the better of both 0.5.
    half = decision.informed(np.log(np.array([[0.8, 0.2], [0.2, 0.8]])))
    assert_allclose(half.saved, 0.5)
    assert_allclose(half.effective_draws, 1 / (0.8**2 + 0.2**2))
    assert_allclose(half.sd_left, np.sqrt(0.8 * 0.2) / 0.5)
    assert_allclose(sure.sd_left, 0.0, atol=1e-12)
    assert_allclose(ignorant.sd_left, 1.0)


def test_perfect_knowledge_saves_the_regret_of_the_plan(wide: Fit) -> None:
    found = next_runs(wide, PLAIN)
    assert_allclose(found.evpi_loss, allocate(wide, PLAIN).regret.mean, rtol=0.1)
    assert found.evpi is None
    assert found.unit == "FLOP"


def test_no_run_is_worth_more_than_perfect_knowledge(wide: Fit) -> None:
    found = next_runs(wide, PRICED)
    assert found.evpi is not None
    assert (found.table["saves"] >= 0).all()
    assert (found.table["saves"] <= found.evpi * 1.001).all()
    assert (found.table["net"].diff().dropna() <= 0).all()
    assert_allclose(found.table["net"], found.table["saves"] - found.table["cost"])
    assert_allclose(found.table["saves"], 1e9 * found.table["saves_loss"])
    best = found.best
    assert best is not None
    assert best.net == found.table["net"].max()
    assert not found.stop


def test_a_run_at_the_target_tells_more_of_it_than_a_small_one(wide: Fit) -> None:
    split = allocate(wide, PLAIN).recommended
    at = pd.DataFrame({"params": [split.params, 1e7], "tokens": [split.tokens, 1e9]})
    table = next_runs(wide, PLAIN, at=at).table.set_index("params")
    assert table.loc[split.params, "sd_left"] < 0.3
    assert table.loc[1e7, "sd_left"] > 0.5


def test_repeats_and_other_measures_of_risk_are_reported(make_fit) -> None:  # type: ignore[no-untyped-def]
    fit = make_fit("data-constrained", TRUTH | {"R_D": 15.0, "R_N": 5.0}, width=0.1)
    limits = Limits(max_unique_tokens=1e11, max_epochs=8)
    repeated = next_runs(
        fit, Scenario(compute_budget=1e23, risk=Risk("cvar"), family="web", limits=limits)
    )
    assert repeated.evpi_loss > 0
    assert "expected-loss" in codes(repeated)
    plain = next_runs(fit, Scenario(compute_budget=1e23, family="web"))
    assert "expected-loss" not in codes(plain)


def test_when_no_run_is_worth_its_cost_it_says_stop(wide: Fit) -> None:
    found = next_runs(wide, structs.replace(PRICED, value_per_nat=1.0))
    assert found.best is None
    assert found.stop


def _weights(draws, runs):  # type: ignore[no-untyped-def]
    outcomes = Outcomes.of(draws, 0, len(runs))
    for log_params, log_tokens in runs:
        outcomes = outcomes.after(log_params, log_tokens)
    return softmax(outcomes.log_density, axis=1)


def test_likelihoods_are_normal_about_the_moments_of_a_draw(wide: Fit) -> None:
    draws = family_posterior(wide, "web", 0)
    start = Outcomes.of(draws, 0, 1)
    where = np.log(1e9), np.log(2e10)
    centre, sigma = draws.moments(draws.at(*(np.array([size]) for size in where)))
    outcome = centre[start.picked] + sigma[start.picked] * start.noise[0]
    expected = softmax(norm.logpdf(outcome[:, None], centre, sigma), axis=1)
    assert_allclose(_weights(draws, [where]), expected, rtol=1e-9)


def test_weights_are_those_of_bayes_theorem(wide: Fit) -> None:
    draws = family_posterior(wide, "web", 0)
    weights = _weights(draws, [(np.log(1e9), np.log(2e10))])
    assert_allclose(weights.sum(axis=1), 1.0)
    # Averaged over outcomes, what is believed after is what was believed before.
    curve = draws.curve(draws.at(np.log([1e9]), np.log([2e10])))
    assert_allclose((weights @ curve).mean(), curve.mean(), atol=4 * curve.std() / np.sqrt(400))
    # Normal prior and normal outcome: the variance left is 1 / (1 / prior + 1 / noise).
    left = weights @ curve**2 - (weights @ curve) ** 2
    noise = np.median(draws.sigma) ** 2
    assert_allclose(np.median(left), 1 / (1 / curve.var() + 1 / noise), rtol=0.3)


@pytest.mark.parametrize(
    ("table", "offender"),
    [
        (pd.DataFrame({"params": [1e9]}), "'tokens'"),
        (pd.DataFrame({"params": [-1.0], "tokens": [1e9]}), "params of a candidate is -1"),
        (pd.DataFrame({"params": [], "tokens": []}), "candidates"),
    ],
)
def test_bad_candidates_are_refused(wide: Fit, table: pd.DataFrame, offender: str) -> None:
    with pytest.raises(ScenarioError, match=offender):
        next_runs(wide, PLAIN, at=table)


def test_the_file_is_complete(wide: Fit, tmp_path: Path) -> None:
    found = next_runs(wide, PLAIN)
    content = json.loads(found.save(tmp_path / "n.json").read_text(encoding="utf-8"))
    assert content["schema"] == "bayes_scaling.next_runs/2"
    assert len(content["candidates"]) == len(found.table) == 18
    assert content["evpi"] is None
    assert content["ranked_by"] == "loss saved for the cost"


def test_a_batch_tells_more_than_its_first_run_and_no_more_than_all(wide: Fit) -> None:
    found = next_runs(wide, PRICED, batch=3)
    assert found.batch is not None
    assert found.evpi is not None
    alone = found.best
    assert alone is not None
    assert_allclose(found.batch["saves"].iloc[0], alone.saves)
    assert found.batch["saves"].is_monotonic_increasing
    assert found.batch["sd_left"].is_monotonic_decreasing
    assert found.batch["saves"].iloc[-1] <= found.evpi * 1.001
    assert_allclose(found.batch["net"], found.batch["saves"] - found.batch["cost"])
    assert found.to_dict()["batch"][0]["params"] == alone.params


def test_two_outcomes_weigh_as_one_of_half_the_variance(wide: Fit) -> None:
    # Of a normal outcome with known noise two runs are one run with half the variance.
    draws = family_posterior(wide, "web", 0)
    same = (np.log(1e9), np.log(2e10))
    calm = replace(draws, sigma=np.full_like(draws.sigma, 0.02))
    two = _weights(calm, [same, same])
    one = _weights(replace(calm, sigma=calm.sigma / np.sqrt(2)), [same])
    curve = draws.curve(draws.at(np.array([same[0]]), np.array([same[1]])))
    left = [float((w @ curve**2 - (w @ curve) ** 2).mean()) for w in (two, one)]
    assert_allclose(left[0], left[1], rtol=0.05)


def test_no_batch_where_no_run_pays(wide: Fit) -> None:
    found = next_runs(wide, structs.replace(PRICED, value_per_nat=1.0), batch=2)
    assert found.batch is not None
    assert found.batch.empty
    with pytest.raises(ScenarioError, match="batch"):
        next_runs(wide, PRICED, batch=0)


def test_a_stated_cost_counts(wide: Fit) -> None:
    at = pd.DataFrame({"params": [1e9, 1e9], "tokens": [2e10, 2e10], "cost": [10, "2 kUSD"]})
    found = next_runs(wide, PRICED, at=at)
    assert found.table["cost"].tolist() == [10.0, 2000.0]
    assert_allclose(*found.table["saves"])
