"""The least cost for a target: closed form, constraints, and what cannot be reached."""

from collections.abc import Callable

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.testing import assert_allclose

from bayes_scaling.decisions import (
    Compute,
    Data,
    Fixed,
    Limits,
    Pert,
    Risk,
    Scenario,
    ShapeLimits,
    allocate,
    budget_frontier,
)
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from tests.conftest import TRUTH

TARGET = 2.2
CHEAPEST = Scenario(minimise="cost", target_loss=TARGET, family="web")
DEVICES = Compute(Fixed(1e15), Fixed(0.4), Fixed(2 / 3600), devices=100)
SHAPED = TRUTH | {"aspect": 64.0, "curvature": 0.3}


def test_a_known_truth_costs_what_hoffmanns_formula_says(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit(width=1e-9)
    noise = allocate(fit, Scenario(compute_budget=1e21, family="web")).loss
    assert noise.q95 - noise.q05 < 0.1
    plan = allocate(fit, replace(CHEAPEST, target_probability=0.5))
    # Half of all runs reach the target where the curve does: L*(C) = floor + K C^(-ab/(a+b)).
    a, b = TRUTH["alpha_N"], TRUTH["alpha_D"]
    g = (a * TRUTH["A"] / (b * TRUTH["B"])) ** (1 / (a + b))
    lost = TRUTH["A"] * g**-a + TRUTH["B"] * g**b
    exact = 6 * (lost / (TARGET - TRUTH["floor"])) ** ((a + b) / (a * b))
    least = plan.least_cost
    # The noise of one run, 0.5%, has a median that 400 draws know to a tenth of that.
    assert_allclose(least.amount, exact, rtol=0.03)
    assert least.unit == "FLOP"
    assert_allclose(plan.recommended.flops, least.amount, rtol=1e-6)


@pytest.mark.parametrize("probability", [0.5, 0.9])
def test_a_little_less_does_not_reach_it(two_families: Fit, probability: float) -> None:
    scenario = replace(CHEAPEST, target_probability=probability)
    plan = allocate(two_families, scenario)
    assert plan.probability_of_target is not None
    assert plan.probability_of_target >= probability - 1e-9
    amount = plan.least_cost.amount
    less = allocate(
        two_families,
        replace(scenario, minimise="loss", compute_budget=0.97 * amount, risk=Risk("miss")),
    )
    assert less.probability_of_target is not None
    assert less.probability_of_target < probability
    assert f"{amount:.4g} FLOP" in str(plan)


def test_surer_is_dearer_and_the_frontier_agrees(two_families: Fit) -> None:
    amounts = []
    for probability in (0.5, 0.8, 0.95):
        plan = allocate(two_families, replace(CHEAPEST, target_probability=probability))
        amounts.append(plan.least_cost.amount)
    assert amounts == sorted(amounts)
    found = budget_frontier(
        two_families,
        Scenario(compute_budget=amounts[1], target_loss=TARGET, family="web"),
        factors=np.geomspace(0.1, 10, 9).tolist(),
    )
    # The frontier's plans are those of least mean, and stop a hundredth of a row from the answer.
    assert found.needed[0.8] is not None
    assert_allclose(found.needed[0.8], amounts[1], rtol=0.05)


def test_the_frontier_of_least_cost_is_about_the_least_cost(two_families: Fit) -> None:
    least = allocate(two_families, CHEAPEST).least_cost.amount
    capped = replace(CHEAPEST, compute_budget=1e3 * least)
    for scenario in (CHEAPEST, capped):
        found = budget_frontier(two_families, scenario, factors=[0.5, 1.0, 2.0])
        assert found.unit == "FLOP"
        assert_allclose(found.table["budget"], least * np.array([0.5, 1.0, 2.0]), rtol=1e-3)
        assert found.needed[0.9] is not None
        assert_allclose(found.needed[0.9], least, rtol=0.02)


def test_money_pays_for_data_and_uncertain_prices(two_families: Fit) -> None:
    unsure = replace(DEVICES, utilisation=Pert(0.3, 0.4, 0.5))
    priced = replace(CHEAPEST, compute=unsure, data=Data(Fixed(1e-7)))
    plan = allocate(two_families, priced)
    assert plan.least_cost.unit == "USD"
    assert_allclose(plan.costs.money.q50, plan.least_cost.amount, rtol=1e-2)
    # Data that cost something are bought less of.
    free = allocate(two_families, replace(priced, data=None))
    assert plan.recommended.tokens_per_param < free.recommended.tokens_per_param
    assert plan.least_cost.amount > free.least_cost.amount


def test_limits_make_it_dearer(two_families: Fit) -> None:
    free = allocate(two_families, CHEAPEST).least_cost.amount
    size = allocate(two_families, CHEAPEST).recommended.params
    bound = allocate(two_families, replace(CHEAPEST, limits=Limits(max_params=size / 3)))
    assert bound.recommended.params <= size / 3 * (1 + 1e-9)
    assert bound.least_cost.amount > 1.02 * free


def test_a_shape_of_whole_layers_reaches_it_too(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit("depth-width", SHAPED, width=0.05)
    plan = allocate(fit, replace(CHEAPEST, shape=ShapeLimits(width_multiple=512)))
    assert plan.probability_of_target is not None
    assert_allclose(plan.probability_of_target, 0.9, atol=0.006)
    free = allocate(fit, CHEAPEST)
    ratio = plan.least_cost.amount / free.least_cost.amount
    assert 1 - 1e-3 < ratio < 1.2


@pytest.mark.parametrize(
    ("change", "offender"),
    [
        ({"target_loss": None}, "target_loss"),
        ({"target_loss": 1.7}, "target_loss 1.7 "),
        ({"compute_budget": 1e15}, r"1e\+15 FLOP"),
        ({"target_loss": 1e6}, r"target_loss 1e\+06 "),
        ({"limits": Limits(min_params=1e9, max_tokens=10.0)}, "target_loss"),
    ],
)
def test_what_cannot_be_is_refused(
    two_families: Fit, change: dict[str, object], offender: str
) -> None:
    with pytest.raises(ScenarioError, match=offender):
        allocate(two_families, replace(CHEAPEST, **change))  # type: ignore[arg-type]


def test_a_plan_without_budget_is_refused(two_families: Fit) -> None:
    with pytest.raises(ScenarioError, match="compute_budget"):
        allocate(two_families, Scenario(family="web"))


def test_whole_layers_keep_within_the_most_that_may_be_spent(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit("depth-width", SHAPED, width=0.05)
    shape = ShapeLimits(max_layers=16)
    free = allocate(fit, replace(CHEAPEST, shape=shape)).least_cost.amount
    bare = allocate(fit, CHEAPEST).least_cost.amount
    assert free > 1.002 * bare
    with pytest.raises(ScenarioError, match=r"target_loss .* 90%"):
        allocate(fit, replace(CHEAPEST, shape=shape, compute_budget=1.001 * bare))
