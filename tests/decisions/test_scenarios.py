"""Plans under budgets of money and time, with data, serving and repeats to pay for."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from numpy.testing import assert_allclose

from bayes_scaling.decisions import (
    Compute,
    Data,
    Fixed,
    Inference,
    Limits,
    LogNormal,
    Pert,
    Risk,
    Scenario,
    allocate,
)
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.problem_from_fit import problem_from_fit
from bayes_scaling.decisions.allocation.risk_search import least_risk
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from tests.conftest import TRUTH, codes

DEVICES = Compute(Fixed(1e15), Fixed(0.4), Fixed(2 / 3600), devices=1000)
MIXED = TRUTH | {"R_D": 15.0, "R_N": 5.0}
SERVING = Inference(Fixed(1e13))


def elasticities(given_: Problem, sizes: np.ndarray, tokens: np.ndarray) -> list[np.ndarray]:
    """-dL/dlogN and -dL/dlogD of every draw, by central differences."""
    step, found = 1e-4, []
    for axis in (0, 1):
        move = np.array([step, 0]) if axis == 0 else np.array([0, step])
        up = np.exp(given_.draws.curve(given_.draws.at(sizes + move[0], tokens + move[1])))
        down = np.exp(given_.draws.curve(given_.draws.at(sizes - move[0], tokens - move[1])))
        found.append((down - up) / (2 * step))
    return found


def test_serving_shifts_the_optimum_as_sardana_et_al_have_it(two_families: Fit) -> None:
    # Sardana et al. 2024, arXiv:2401.00448: eps_N / eps_D = 1 + D_inf / (3 D_tr) at the optimum.
    scenario = Scenario(compute_budget=1e23, family="web", inference=SERVING)
    made = problem_from_fit(two_families, scenario, 0)
    sizes, _, method = made.optimum
    assert method == "numeric"
    tokens = made.log_tokens(sizes)
    by_size, by_data = elasticities(made, sizes, tokens)
    assert_allclose(by_size / by_data, 1 + 1e13 / (3 * np.exp(tokens)), rtol=2e-3)
    plain = problem_from_fit(two_families, Scenario(compute_budget=1e23, family="web"), 0)
    assert (sizes < plain.optimum[0]).all()


def test_marginal_gains_per_cost_are_equal_at_the_optimum(two_families: Fit) -> None:
    # The textbook's Theorem 13: spend until -dL/dN per cost of N is -dL/dD per cost of D.
    scenario = Scenario(
        money_budget=1e6, family="web", compute=DEVICES, data=Data(Fixed(1e-6)), inference=SERVING
    )
    made = problem_from_fit(two_families, scenario, 0)
    sizes, _, _ = made.optimum
    tokens = made.log_tokens(sizes)
    by_size, by_data = elasticities(made, sizes, tokens)
    params, seen, flop = np.exp(sizes), np.exp(tokens), 2 / 3600 / 4e14
    cost_of_size = (6 * seen + 2 * 1e13) * flop
    cost_of_data = 6 * params * flop + 1e-6
    assert_allclose(by_size / params / cost_of_size, by_data / seen / cost_of_data, rtol=2e-3)
    spent = 6 * params * seen * flop + 1e-6 * seen + 2 * params * 1e13 * flop
    assert_allclose(spent, 1e6, rtol=1e-9)


def test_a_deadline_is_a_budget_of_compute(two_families: Fit) -> None:
    days = Scenario(time_budget="10 days", family="web", compute=DEVICES)
    flops = 1000 * 4e14 * 10 * 86400
    plan, same = (
        allocate(two_families, days),
        allocate(two_families, Scenario(compute_budget=flops, family="web")),
    )
    assert_allclose(plan.recommended.params, same.recommended.params, rtol=0.02)
    assert_allclose(plan.recommended.flops, flops, rtol=1e-6)
    assert_allclose(plan.costs.seconds.q50, 10 * 86400, rtol=1e-6)
    assert_allclose(plan.costs.money.q50, flops * 2 / 3600 / 4e14, rtol=1e-6)


def test_the_tighter_of_two_budgets_binds(two_families: Fit) -> None:
    loose = Scenario(compute_budget=1e23, family="web", time_budget="1e9 s", compute=DEVICES)
    plan = allocate(two_families, loose)
    spent = {row.budget: row.spent for row in plan.budgets}
    assert_allclose(spent["compute"], 1.0, rtol=1e-6)
    assert spent["time"] < 0.5
    assert all(row.probability_within == 1 for row in plan.budgets)


@pytest.mark.parametrize("confidence", [0.2, 0.9])
def test_uncertain_costs_stay_within_with_the_confidence_requested(
    two_families: Fit, confidence: float
) -> None:
    devices = replace(DEVICES, utilisation=Pert(0.2, 0.4, 0.5))
    scenario = Scenario(money_budget=1e6, family="web", compute=devices, confidence=confidence)
    plan = allocate(two_families, scenario)
    (row,) = plan.budgets
    assert_allclose(row.probability_within, confidence, atol=0.01)
    assert_allclose(row.spent, 1.0, rtol=5e-3)
    assert f"{confidence:.0%}" in str(plan)
    assert plan.costs.money.q05 < plan.costs.money.q95


def test_tokens_that_do_not_exist_are_repeated_as_often_as_it_pays(
    make_fit: Callable[..., Fit],
) -> None:
    fit = make_fit("data-constrained", MIXED, width=0.01)
    limits = Limits(max_unique_tokens=1e11, max_epochs=20)
    scenario = Scenario(compute_budget=1e23, risk=Risk(), family="web", limits=limits)
    plan = allocate(fit, scenario)
    split = plan.recommended
    assert 1 < split.epochs < 20
    assert split.unique_tokens <= 1e11 * (1 + 1e-9)
    # No size and number of epochs of a dense grid does better.
    made = problem_from_fit(fit, scenario, 0)
    least = min(
        made.risk(float(size), float(epochs))
        for epochs in np.geomspace(1, 20, 25)
        for size in np.linspace(*made.bounds(float(epochs))[:2], 60)
    )
    assert plan.risk.value <= least * (1 + 2e-4)
    once = allocate(fit, replace(scenario, limits=Limits(max_unique_tokens=1e11)))
    assert once.risk.value > plan.risk.value
    assert f"{split.unique_tokens:.3g} " in str(plan)


@settings(max_examples=20, deadline=None)
@given(
    log_money=st.floats(4, 8),
    price=st.floats(-8, -5),
    served=st.floats(9, 14),
    owned=st.floats(8, 12),
    cap=st.floats(8, 12),
    measure=st.sampled_from(["mean", "cvar", "quantile", "entropic", "regret"]),
)
def test_the_plan_is_the_best_there_is_and_more_money_is_never_worse(
    two_families: Fit,
    *,
    log_money: float,
    price: float,
    served: float,
    owned: float,
    cap: float,
    measure: str,
) -> None:
    # The textbook's Theorem 13.1: the search converges to the optimum within the budget.
    scenario = Scenario(
        money_budget=10**log_money,
        risk=Risk(measure),  # type: ignore[arg-type]
        family="web",
        limits=Limits(max_params=10**cap),
        compute=DEVICES,
        data=Data(Fixed(10**price), 10**owned),
        inference=Inference(Fixed(10**served)),
    )
    made = problem_from_fit(two_families, scenario, 0)
    best = least_risk(made)
    point = best.point
    costs = made.line.costs
    params, tokens = np.array([point.params]), np.array([point.tokens])
    assert costs.money(params, tokens, tokens)[0, 0] <= 10**log_money * (1 + 1e-6)
    assert point.params <= 10**cap * (1 + 1e-9)
    risk = made.risk(best.log_params)
    low, high, *_ = made.bounds()
    others = [made.risk(float(at)) for at in np.linspace(low, high, 300)]
    assert risk <= min(others) + 1e-6 * abs(min(others))
    if measure != "regret":
        richer = made.with_budget(1.5)
        assert richer.risk(least_risk(richer).log_params) <= risk + 1e-9


def test_limits_may_ask_for_repeats(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit("data-constrained", MIXED, width=0.01)
    limits = Limits(min_tokens=2e11, max_unique_tokens=1e11, max_epochs=4)
    split = allocate(fit, Scenario(compute_budget=1e23, family="web", limits=limits)).recommended
    assert split.tokens >= 2e11 * (1 - 1e-9)
    assert 2 <= split.epochs <= 4


def test_regret_is_that_of_the_draws_own_best_plan(two_families: Fit) -> None:
    scenario = Scenario(compute_budget=1e23, family="web")
    plan = allocate(two_families, scenario)
    made = problem_from_fit(two_families, scenario, 0)
    losses = made.loss_run(math.log(plan.recommended.params))
    assert (losses - made.best_losses > -1e-9).all()
    assert_allclose(plan.regret.mean, np.mean(losses - made.best_losses), atol=1e-6)
    assert 0 <= plan.regret.q50 <= plan.regret.q95 < 0.05
    drivers = plan.drivers
    assert {row.parameter for row in drivers} <= set(two_families.law.names)
    assert drivers[0].share == max(row.share for row in drivers)
    # The floor moves no optimum.
    floor = next(row for row in drivers if row.parameter == "floor")
    assert floor.share < 0.05


def test_a_plan_records_what_was_asked(two_families: Fit) -> None:
    devices = replace(DEVICES, utilisation=LogNormal(0.3, 0.95))
    scenario = Scenario(
        money_budget=1e6, family="web", compute=devices, confidence=0.9, value_per_nat=5e6
    )
    asked = allocate(two_families, scenario).to_dict()["scenario"]
    assert asked["confidence"] == 0.9
    assert asked["value_per_nat"] == 5e6
    assert asked["compute"]["utilisation"] == {"q05": 0.3, "q95": 0.95}
    assert asked["limits"] == {}
    made = problem_from_fit(two_families, scenario, 0)
    # A device is never used for more than all of its time.
    assert made.line.costs.per_flop.min() >= 2 / 3600 / 1e15 * (1 - 1e-12)


def test_plans_that_miss_a_target_alike_are_distinguished_by_the_mean(two_families: Fit) -> None:
    mean = allocate(two_families, Scenario(compute_budget=1e23, family="web")).recommended
    for target in (0.5, 9.0):
        plan = allocate(
            two_families,
            Scenario(compute_budget=1e23, risk=Risk("miss"), family="web", target_loss=target),
        )
        assert_allclose(plan.recommended.params, mean.params, rtol=0.02)
        assert plan.risk.value == (1.0 if target < 1 else 0.0)
        assert "tied-risk" in codes(plan)


def test_other_budgets_are_plans_of_their_own(two_families: Fit) -> None:
    scenario = Scenario(
        money_budget=1e6, family="web", compute=DEVICES, data=Data(Fixed(1e-6)), inference=SERVING
    )
    rows = allocate(two_families, scenario).other_budgets
    assert [row.factor for row in rows] == [0.25, 0.5, 2.0, 4.0]
    half = allocate(two_families, replace(scenario, money_budget=5e5))
    assert_allclose(rows[1].mean, half.loss.mean, rtol=1e-4)
    assert_allclose(rows[1].money, 5e5, rtol=1e-6)


@pytest.mark.parametrize("budget", [Scenario(compute_budget=1e-5, family="web"), None])
def test_budgets_that_train_nothing_are_refused(two_families: Fit, budget: Scenario | None) -> None:
    eaten = Scenario(compute_budget=1e20, family="web", inference=Inference(Fixed(1e25)))
    with pytest.raises(ScenarioError, match=r"1e(-05|\+20) FLOP") as error:
        allocate(two_families, budget or eaten)
    assert ("serving" in str(error.value)) == (budget is None)


def test_limits_that_cannot_spend_the_budget_are_reported(two_families: Fit) -> None:
    limits = Limits(max_params=1e6, max_tokens=1e6)
    plan = allocate(two_families, Scenario(compute_budget=1e20, family="web", limits=limits))
    assert_allclose(plan.recommended.params, 1e6)
    assert_allclose(plan.recommended.tokens, 1e6)
    assert "unspent-budget" in codes(plan)


def test_limits_that_cost_more_than_the_budget_are_refused(two_families: Fit) -> None:
    limits = Limits(min_params=1e12, min_tokens=1e14)
    with pytest.raises(ScenarioError, match="1e\\+22 FLOP"):
        allocate(two_families, Scenario(compute_budget=1e22, family="web", limits=limits))
