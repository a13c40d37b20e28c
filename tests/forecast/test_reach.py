"""Caveats of points outside the runs: above and below alike, and where the law says the absurd."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from bayes_scaling.decisions import (
    Alternative,
    Scenario,
    allocate,
    budget_frontier,
    marginal,
    next_runs,
)
from bayes_scaling.forecast.extrapolation import EXTRAPOLATED, extent_of, implausible, reach_of
from bayes_scaling.inference import Fit
from bayes_scaling.runs.loss_units import plausible
from tests.conftest import codes


def below(result: Any) -> set[str]:
    """What of a result lies below the runs."""
    return {c.subject for c in result.caveats if c.code == "extrapolation-below"}


def corners(fit: Fit) -> tuple[dict[str, float], dict[str, float]]:
    """Smallest and largest params and tokens of the family "web"."""
    extent = extent_of(fit, "web")
    return tuple(
        {name: math.exp(side[name]) for name in ("params", "tokens")}
        for side in (extent.low, extent.high)
    )


@pytest.mark.parametrize("name", ["params", "tokens"])
@pytest.mark.parametrize("factor", [1.01, EXTRAPOLATED * 0.99, EXTRAPOLATED * 1.01, 20.0])
def test_one_threshold_holds_on_every_side(two_families: Fit, name: str, factor: float) -> None:
    low, high = corners(two_families)
    middle = {n: math.sqrt(low[n] * high[n]) for n in low}
    for code, at in (
        ("extrapolation-below", low[name] / factor),
        ("extrapolation", high[name] * factor),
    ):
        forecast = two_families.predict(**(middle | {name: at}), family="web")
        far = [c for c in forecast.caveats if c.code.startswith("extrapolation")]
        assert [c.code for c in far] == [code] * (factor > EXTRAPOLATED)
        assert all(c.data["factor"] > EXTRAPOLATED for c in far)


def test_compute_below_every_run_is_below_the_runs(two_families: Fit) -> None:
    low, _ = corners(two_families)
    extent = extent_of(two_families, "web")
    # Within the box of params and tokens, but in its empty corner.
    flops = 6.0 * low["params"] * low["tokens"]
    reach = reach_of(extent, low | {"flops": flops})
    assert reach.below_in == "compute"
    assert math.isclose(reach.below, extent.low["flops"] - math.log(flops))
    assert (
        "extrapolation-below" in codes(two_families.predict(**low, family="web"))
    ) == reach.is_below


def test_the_factor_is_the_one_of_the_smallest_run(two_families: Fit) -> None:
    low, high = corners(two_families)
    sizes = {"params": low["params"] / 40, "tokens": high["tokens"], "flops": 1e19}
    reach = reach_of(extent_of(two_families, "web"), sizes)
    assert math.isclose(math.exp(reach.below), 40, rel_tol=1e-9)
    assert reach.below_in == "parameters"
    assert reach.words == "1/40 of the parameters of the smallest fitted run"


@pytest.mark.parametrize("unit", ["nats/token", "bits/byte", "nats/char"])
def test_a_loss_above_that_of_guessing_is_said_by_its_median(unit: str) -> None:
    most = plausible(unit)[1]
    assert implausible([unit], np.array([most * 0.999])) == []
    (caveat,) = implausible([unit, unit], np.array([most * 1.1, 1.0]))
    assert caveat.code == "loss-above-guessing"
    assert (caveat.data["points"], caveat.data["of"], caveat.data["unit"]) == (1, 2, unit)
    assert caveat.data["median"] == most * 1.1
    assert caveat.data["most"] == most
    assert implausible(["unknown"], np.array([1e6])) == []


def test_a_forecast_worse_than_guessing_is_reported(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit()
    tiny = fit.predict(params=1e4, tokens=1e5, family="web")
    median = float(tiny.loss_run.median())
    assert median > plausible("nats/token")[1]
    (absurd,) = [c for c in tiny.caveats if c.code == "loss-above-guessing"]
    assert absurd.data["median"] == median
    assert "loss-above-guessing" not in codes(fit.predict(params=1e8, tokens=1e10, family="web"))


def test_every_decision_below_the_data_is_reported(two_families: Fit) -> None:
    scenario = Scenario(
        compute_budget=1e13, family="web", alternatives=(Alternative("small", params=1e4),)
    )
    plan = allocate(two_families, scenario)
    assert below(plan) == {"point", "alternative"}
    assert plan.extrapolation < -3
    assert all(c.text in str(plan) for c in plan.caveats)
    frontier = budget_frontier(
        two_families, Scenario(compute_budget=1e13, family="web"), factors=[0.5, 1.0]
    )
    assert below(frontier) == {"plan"}
    (far,) = [c for c in frontier.caveats if c.code == "extrapolation-below"]
    assert (far.data["points"], far.data["of"]) == (2, 2)
    gains = marginal(two_families, 1e5, 1e7, family="web", doublings=1)
    assert below(gains)
    ranked = next_runs(two_families, Scenario(compute_budget=1e13, family="web"))
    assert "plan" in below(ranked)
    point = {name: getattr(plan.recommended, name) for name in ("params", "tokens", "flops")}
    assert reach_of(extent_of(two_families, "web"), point).is_below


def test_a_decision_within_the_data_has_no_such_caveat(two_families: Fit) -> None:
    plan = allocate(two_families, Scenario(compute_budget=1e20, family="web"))
    assert not {"extrapolation", "extrapolation-below"} & set(codes(plan))
