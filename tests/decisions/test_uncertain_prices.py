"""What uncertain prices do to the posterior of the optimum, and which plans are within a budget."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from msgspec import structs
from numpy.testing import assert_allclose

from bayes_scaling.decisions import (
    Alternative,
    Compute,
    Data,
    Fixed,
    Inference,
    Limits,
    LogNormal,
    Pert,
    Plan,
    Scenario,
    allocate,
    budget_frontier,
)
from bayes_scaling.decisions.allocation.problem_from_fit import problem_from_fit
from bayes_scaling.decisions.allocation.wait_and_see import wait_and_see
from bayes_scaling.inference import Fit
from bayes_scaling.scenarios.amounts import Amount
from tests.conftest import TRUTH

MIXED = TRUTH | {"R_D": 15.0, "R_N": 5.0}
PRICED = Scenario(
    family="web",
    money_budget=5e6,
    time_budget="70 days",
    confidence=0.9,
    compute=Compute(
        Fixed(989e12), Pert(0.3, 0.4, 0.5), Pert(1.8 / 3600, 2.4 / 3600, 4.0 / 3600), 1024
    ),
    data=Data(LogNormal(1e-7, 1e-6), 2e12),
    inference=Inference(LogNormal(2e12, 2e13), Fixed(2e12), Fixed(0.4), Fixed(0.1)),
)


def scaled(amount: Amount | None, by: float) -> Amount | None:
    """An amount with its spread about its median so many times as wide."""
    if amount is None or isinstance(amount, Fixed):
        return amount
    middle = amount.median
    if by == 0:
        return Fixed(middle)
    if isinstance(amount, LogNormal):
        return LogNormal(middle * (amount.q05 / middle) ** by, middle * (amount.q95 / middle) ** by)
    return Pert(*(middle + by * (v - middle) for v in (amount.low, amount.likely, amount.high)))


def uncertain(by: float, scenario: Scenario = PRICED) -> Scenario:
    """The scenario with prices so uncertain; with known ones at 0."""

    def each(part: Any) -> Any:
        known = (Fixed, LogNormal, Pert)
        amounts = {n: v for n, v in structs.asdict(part).items() if isinstance(v, known)}
        return structs.replace(part, **{name: scaled(value, by) for name, value in amounts.items()})

    return structs.replace(
        scenario,
        compute=each(scenario.compute),
        data=each(scenario.data),
        inference=each(scenario.inference),
    )


def interval(plan: Plan, low: str = "q05", high: str = "q95") -> tuple[float, float]:
    """Logs of the ends of an interval of the optimal size."""
    found = plan.optimum.params
    return float(np.log(getattr(found, low))), float(np.log(getattr(found, high)))


@pytest.fixture(scope="module")
def spread(make_fit: Callable[..., Fit]) -> Fit:
    return make_fit(width=0.05)


@pytest.fixture(scope="module")
def plans(spread: Fit) -> dict[float, Plan]:
    return {by: allocate(spread, uncertain(by)) for by in (0.0, 1e-6, 0.3, 1.0)}


def test_uncertain_prices_never_narrow_the_posterior_of_the_optimum(
    plans: dict[float, Plan],
) -> None:
    for ends in (("q05", "q95"), ("q25", "q75")):
        widths = {by: np.diff(interval(plan, *ends)).item() for by, plan in plans.items()}
        assert widths[0.0] < widths[0.3] < widths[1.0]
        assert widths[1.0] > 2.0 * widths[0.0]


def test_an_optimum_is_one_of_every_draw(plans: dict[float, Plan]) -> None:
    for plan in plans.values():
        assert plan.draws is not None
        sizes = plan.draws["params"].values.ravel()
        assert len(np.unique(sizes)) == sizes.size


def test_as_prices_become_known_the_posterior_is_that_of_known_prices(
    plans: dict[float, Plan],
) -> None:
    assert_allclose(interval(plans[1e-6]), interval(plans[0.0]), atol=1e-4)
    known, nearly = plans[0.0].draws, plans[1e-6].draws
    assert known is not None
    assert nearly is not None
    for name in ("params", "tokens", "loss"):
        assert_allclose(nearly[name], known[name], rtol=1e-3)


def test_every_optimum_spends_the_budgets_at_its_own_prices(spread: Fit) -> None:
    made = problem_from_fit(spread, PRICED, 0)
    best = wait_and_see(made)
    own = made.line.costs.paired(best.log_params.size)
    params, tokens = np.exp(best.log_params), np.exp(best.log_tokens)
    money = own.money(params, tokens, tokens)[:, 0] / PRICED.money_budget
    seconds = own.seconds(params, tokens)[:, 0] / PRICED.time_budget
    assert_allclose(np.maximum(money, seconds), 1.0, rtol=1e-9)
    # No other size that these prices allow is better in its draw.
    for away in (-0.05, 0.05):
        left = replace(made.line, costs=own).log_tokens(best.log_params + away)
        other = made.draws.curve(made.draws.at(best.log_params + away, left))
        assert (other >= best.log_loss - 1e-12).all()


def test_limits_hold_at_every_draws_own_prices(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit("data-constrained", MIXED, width=0.05)
    limits = Limits(
        max_params=5e10, min_tokens=1e12, max_unique_tokens=1e12, max_epochs=4.0, min_params=2e10
    )
    made = problem_from_fit(fit, structs.replace(PRICED, limits=limits), 0)
    few = replace(made, draws=made.draws.thinned(4))
    found = wait_and_see(few)
    assert np.exp(found.log_params).max() <= 5e10 * (1 + 1e-6)
    assert np.exp(found.log_params).min() >= 2e10 * (1 - 1e-6)
    assert np.exp(found.log_tokens).max() <= 4e12 * (1 + 1e-6)
    assert np.exp(found.log_tokens).min() >= 1e12 * (1 - 1e-6)
    assert found.epochs.max() == 4.0
    assert np.exp(found.log_loss).max() < 10.0


def test_the_frontier_has_the_posterior_of_the_plan(spread: Fit, plans: dict[float, Plan]) -> None:
    rows = budget_frontier(spread, PRICED, factors=[0.8, 0.9, 1.0]).table
    ends = np.log([rows["optimum_q05"].iloc[-1], rows["optimum_q95"].iloc[-1]])
    assert_allclose(ends, interval(plans[1.0]), atol=1e-2)


def rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}")


@pytest.mark.parametrize("digits", [3, 4, 17])
@pytest.mark.parametrize("by", [0.0, 1.0])
def test_a_plan_given_back_as_it_was_printed_is_within_its_budget(
    spread: Fit, plans: dict[float, Plan], by: float, digits: int
) -> None:
    said = plans[by].recommended
    same = Alternative(
        "same", *(rounded(getattr(said, name), digits) for name in ("params", "tokens"))
    )
    sized = [Alternative(f"{size:g}", params=size) for size in (8e9, 28e9, 34e9)]
    more = Alternative("more", said.params, 1.2 * said.tokens)
    found = allocate(spread, structs.replace(uncertain(by), alternatives=(same, *sized, more)))
    beyond = {row.name: row.beyond for row in found.alternative_outcomes}
    assert beyond.pop("more") == ["money"]
    assert set(map(tuple, beyond.values())) == {()}


@pytest.mark.parametrize(
    ("limits", "name"),
    [
        (Limits(max_params=1.004e10), "max_params"),
        (Limits(max_tokens=1.234e12), "max_tokens"),
        (Limits(min_params=2.346e11), "min_params"),
        (Limits(min_tokens=7.654e12), "min_tokens"),
    ],
)
def test_one_tolerance_holds_for_every_limit(spread: Fit, limits: Limits, name: str) -> None:
    bound, what = getattr(limits, name), name.partition("_")[2]
    outwards = 1.01 if name.startswith("max") else 0.99
    at = Alternative("at", **{what: rounded(bound, 3)})
    off = Alternative("off", **{what: bound * outwards})
    scenario = Scenario(compute_budget=1e23, family="web", limits=limits, alternatives=(at, off))
    found = {row.name: row.beyond for row in allocate(spread, scenario).alternative_outcomes}
    assert found == {"at": [], "off": [name]}
