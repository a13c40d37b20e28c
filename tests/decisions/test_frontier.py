"""What smaller and larger budgets buy, and the budget a target needs."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.testing import assert_allclose

from bayes_scaling.decisions import (
    Compute,
    Data,
    Fixed,
    Inference,
    Risk,
    Scenario,
    allocate,
    budget_frontier,
)
from bayes_scaling.decisions.allocation.problem_from_fit import problem_from_fit
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.laws.compute_optimum import numeric, track

DEVICES = Compute(Fixed(1e15), Fixed(0.4), Fixed(2 / 3600))
PRICED = Scenario(
    money_budget=1e6,
    family="web",
    compute=DEVICES,
    data=Data(Fixed(1e-6)),
    inference=Inference(Fixed(1e12)),
    target_loss=2.02,
)


@pytest.mark.parametrize(
    "scenario", [Scenario(compute_budget=1e23, family="web"), PRICED], ids=["FLOP", "USD"]
)
def test_a_row_of_the_frontier_is_the_plan_for_that_budget(
    two_families: Fit, scenario: Scenario
) -> None:
    found = budget_frontier(two_families, scenario, factors=[0.5, 1.0, 4.0])
    plan = allocate(two_families, scenario)
    row = found.table.set_index("factor").loc[1.0]
    # The size is chosen by a part of the draws, where the risk is flat; the loss is that of all.
    assert_allclose(row["mean"], plan.loss.mean, rtol=1e-4)
    assert_allclose(math.log(row["params"]), math.log(plan.recommended.params), atol=0.1)
    assert_allclose(row["optimum_q05"], plan.optimum.params.q05, rtol=1e-3)
    assert_allclose(row["optimum_q95"], plan.optimum.params.q95, rtol=1e-3)
    assert found.unit == ("FLOP" if scenario.compute_budget else "USD")
    if scenario.money_budget:
        assert_allclose(found.table["money"], found.table["budget"], rtol=1e-6)


def test_more_budget_is_never_worse_and_reaches_a_target_more_surely(two_families: Fit) -> None:
    found = budget_frontier(two_families, PRICED)
    assert (found.table["risk"].diff().dropna() < 0).all()
    assert (found.table["probability_of_target"].diff().dropna() >= -0.02).all()
    assert (found.table["params"].diff().dropna() > 0).all()


def test_the_budget_needed_gives_the_probability_requested(two_families: Fit) -> None:
    found = budget_frontier(two_families, PRICED, factors=np.geomspace(0.01, 100, 41).tolist())
    known = {p: amount for p, amount in found.needed.items() if amount}
    assert 0.5 in known
    for probability, amount in known.items():
        plan = allocate(two_families, replace(PRICED, money_budget=amount))
        assert plan.probability_of_target is not None
        assert_allclose(plan.probability_of_target, probability, atol=0.04)
    amounts = list(known.values())
    assert amounts == sorted(amounts)


def test_targets_out_of_reach_and_within_it_at_once_are_distinguished(two_families: Fit) -> None:
    hopeless = budget_frontier(two_families, replace(PRICED, target_loss=0.5), factors=[1, 2])
    assert set(hopeless.needed.values()) == {None}
    easy = budget_frontier(two_families, replace(PRICED, target_loss=9.0), factors=[1, 2])
    assert_allclose(list(easy.needed.values()), 1e6)
    assert not budget_frontier(
        two_families, Scenario(compute_budget=1e22, family="web"), factors=[1]
    ).needed


def test_tracking_finds_what_a_search_finds(two_families: Fit) -> None:
    made = problem_from_fit(two_families, PRICED, 0)
    here = made.with_budget(1.3)
    low, high, *_ = here.bounds()
    exact = numeric(here.log_curve, (low, high), made.draws.size)
    tracked = track(here.log_curve, made.optimum[0], (low, high))
    assert_allclose(tracked, exact, atol=2e-3)
    # From far off it comes there too, and never leaves the bounds.
    for away in (-5.0, 1.0, 99.0):
        far = track(here.log_curve, made.optimum[0] + away, (low, high))
        assert_allclose(far, exact, atol=2e-3)


def test_budgets_far_apart_are_as_good_as_each_alone(two_families: Fit) -> None:
    found = budget_frontier(two_families, PRICED, factors=[1e-3, 1e3]).table
    for money, row in zip((1e3, 1e9), found.to_dict("records"), strict=True):
        plan = allocate(two_families, replace(PRICED, money_budget=money))
        assert_allclose(row["mean"], plan.loss.mean, rtol=1e-4)
        assert_allclose(row["optimum_q95"], plan.optimum.params.q95, rtol=5e-3)


@pytest.mark.parametrize("factors", [[], [0], [-1, 1], [math.nan], [math.inf]])
def test_factors_that_are_none_are_refused(two_families: Fit, factors: list[float]) -> None:
    with pytest.raises(ScenarioError, match="factors"):
        budget_frontier(two_families, PRICED, factors=factors)


def test_regret_has_no_frontier(two_families: Fit) -> None:
    with pytest.raises(ScenarioError, match="regret"):
        budget_frontier(two_families, replace(PRICED, risk=Risk("regret")))


def test_the_file_is_complete(two_families: Fit, tmp_path: Path) -> None:
    found = budget_frontier(two_families, PRICED, factors=[1, 2])
    content = json.loads(found.save(tmp_path / "f.json").read_text(encoding="utf-8"))
    assert content["schema"] == "bayes_scaling.frontier/2"
    assert content["unit"] == "USD"
    assert [row["factor"] for row in content["rows"]] == [1.0, 2.0]
    assert {"mean", "q05", "q95", "params", "tokens", "money"} <= set(content["rows"][0])
    assert [row["probability"] for row in content["needed"]] == [0.5, 0.8, 0.9, 0.95]
    assert "extrapolation" in [one["code"] for one in content["caveats"]]


@pytest.mark.parametrize("factors", [[5e-324, 1e59], [1e-10, 1], [1, 1e10], [0], [float("nan")]])
def test_multiples_of_a_budget_that_no_budget_has_are_refused(two_families, factors):
    with pytest.raises(ScenarioError, match=r"1e-09 to 1e\+09"):
        budget_frontier(two_families, Scenario(compute_budget=1e21, family="web"), factors=factors)
