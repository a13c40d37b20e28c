"""Allocation: the optimum of every draw, and the split that is recommended."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayes_scaling.decisions import (
    Limits,
    Plan,
    Risk,
    Scenario,
    allocate,
    load_plan,
)
from bayes_scaling.decisions.allocation.closed_form_optimum import closed_form
from bayes_scaling.errors import FileError, FitError, ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.laws.compute_optimum import numeric
from bayes_scaling.posterior import family_posterior
from tests.conftest import TRUTH, codes

BUDGET = 1e23


@pytest.mark.parametrize("law", ["chinchilla", "chinchilla-gamma"])
@pytest.mark.parametrize("log10_flops", [15.0, 20.0, 26.0])
def test_closed_form_equals_search(
    make_fit: Callable[..., Fit], law: str, log10_flops: float
) -> None:
    truth = TRUTH if law == "chinchilla" else TRUTH | {"gamma": 0.7}
    fit = make_fit(law, truth, width=0.1)
    web, log_flops = family_posterior(fit, "web", 0), log10_flops * math.log(10)
    formula = closed_form(fit.spec, fit.frame, web.values, log_flops)
    bounds = (float(formula.min()) - 2.0, float(formula.max()) + 3.0)

    def loss(at: np.ndarray) -> np.ndarray:
        return web.curve(web.at(at, log_flops - math.log(6.0) - at))

    assert_allclose(numeric(loss, bounds, formula.size), formula, atol=1e-5)


def test_optimum_of_a_known_truth_is_hoffmanns_formula(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit(width=1e-9)
    plan = allocate(fit, Scenario(compute_budget=BUDGET, family="web"))
    a, b = TRUTH["alpha_N"], TRUTH["alpha_D"]
    g = (a * TRUTH["A"] / (b * TRUTH["B"])) ** (1 / (a + b))
    params = g * (BUDGET / 6) ** (b / (a + b))
    assert_allclose(plan.optimum.params.q50, params, rtol=1e-6)
    # The optimum is flat, so the least risk pins N down less sharply than the formula does.
    assert_allclose(plan.recommended.params, params, rtol=2e-3)
    exponent = plan.optimum.params_exponent
    assert exponent is not None
    assert_allclose(exponent.mean, b / (a + b), rtol=1e-6)


@pytest.mark.parametrize("risk", [Risk(), Risk("quantile", 0.8), Risk("cvar", 0.9)], ids=str)
def test_no_split_on_a_dense_grid_is_better(make_fit: Callable[..., Fit], risk: Risk) -> None:
    fit = make_fit(width=0.15)
    plan = allocate(fit, Scenario(compute_budget=BUDGET, risk=risk, family="web"))
    curve = plan.curve
    assert len(curve) > 50
    assert plan.risk.value <= curve["risk"].min() + 1e-9
    split = plan.recommended
    assert_allclose(6 * split.params * split.tokens, BUDGET, rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(
    log10_flops=st.floats(18, 26),
    level=st.floats(0.5, 0.95),
    cap=st.floats(8, 12),
)
def test_budget_is_met_within_limits_and_more_is_never_worse(
    two_families: Fit, log10_flops: float, level: float, cap: float
) -> None:
    limits = Limits(max_params=10**cap)
    plans = [
        allocate(
            two_families,
            Scenario(
                compute_budget=times * 10**log10_flops,
                risk=Risk("cvar", level),
                family="web",
                target_loss=None,
                limits=limits,
            ),
        )
        for times in (1.0, 2.0)
    ]
    for plan in plans:
        split = plan.recommended
        assert_allclose(6 * split.params * split.tokens, split.flops, rtol=1e-9)
        assert split.params <= 10**cap * (1 + 1e-9)
    assert plans[1].risk.value < plans[0].risk.value


def test_probability_of_a_target_counts_runs_that_reach_it(two_families: Fit) -> None:
    median = allocate(two_families, Scenario(compute_budget=BUDGET, family="web")).loss.q50
    plan = allocate(two_families, Scenario(compute_budget=BUDGET, family="web", target_loss=median))
    assert plan.probability_of_target is not None
    assert abs(plan.probability_of_target - 0.5) < 0.01
    easy = allocate(two_families, Scenario(compute_budget=BUDGET, family="web", target_loss=10.0))
    assert easy.probability_of_target == 1.0
    hopeless = allocate(
        two_families, Scenario(compute_budget=BUDGET, family="web", target_loss=0.5)
    )
    assert hopeless.probability_of_target == 0.0
    assert "below-floor" in codes(hopeless)


def test_near_optimal_range_holds_the_recommendation_and_its_tolerance(two_families: Fit) -> None:
    plan = allocate(two_families, Scenario(compute_budget=BUDGET, family="web"))
    low, high = plan.near_optimal.params
    assert low < plan.recommended.params < high
    limit = plan.risk.value * 1.01
    inside = plan.curve["params"].between(low, high)
    assert (plan.curve.loc[inside, "risk"] <= limit * (1 + 1e-9)).all()
    assert (plan.curve.loc[~inside, "risk"] >= limit * (1 - 1e-4)).all()


def test_a_law_without_an_optimum_says_so_and_obeys_limits(make_fit: Callable[..., Fit]) -> None:
    truth = {"L0": 40.0, "alpha_N": 0.02, "alpha_D": 0.09, "alpha_C": 0.01}
    fit = make_fit("product", truth)
    with pytest.raises(ScenarioError, match=r"'product' .* min_params"):
        allocate(fit, Scenario(compute_budget=BUDGET, family="web"))
    limits = Limits(min_params=1e9, max_params=1e11)
    plan = allocate(fit, Scenario(compute_budget=BUDGET, family="web", limits=limits))
    assert_allclose(plan.recommended.params, 1e9, rtol=1e-6)
    assert "at-limit" in codes(plan)
    assert plan.method == "numeric"


def test_several_families_and_none_named(two_families: Fit) -> None:
    with pytest.raises(ScenarioError, match="'web', 'code'"):
        allocate(two_families, Scenario(compute_budget=BUDGET))


def test_an_unseen_family_is_flagged_and_wider(two_families: Fit) -> None:
    seen = allocate(two_families, Scenario(compute_budget=BUDGET, family="web"))
    unseen = allocate(two_families, Scenario(compute_budget=BUDGET, family="law"))
    assert seen.family_seen
    assert not unseen.family_seen
    assert unseen.loss.sd > seen.loss.sd
    assert "unseen-family" in codes(unseen)


def test_a_budget_counted_otherwise_than_the_runs_is_named(two_families: Fit) -> None:
    tree = two_families.dt.copy()
    data = tree["constant_data"].to_dataset().copy(deep=True)
    data["flops"] = data["flops"] * 1.4
    tree["constant_data"] = xr.DataTree(data)
    plan = allocate(Fit(tree), Scenario(compute_budget=BUDGET, family="web"))
    (counted,) = [one for one in plan.caveats if one.code == "flop-count"]
    assert_allclose(counted.data["ratio"], 1.4)
    clean = allocate(two_families, Scenario(compute_budget=BUDGET, family="web"))
    assert "flop-count" not in codes(clean)


def test_the_same_seed_gives_the_same_plan(two_families: Fit) -> None:
    scenario = Scenario(compute_budget=BUDGET, risk=Risk("cvar"), family="law")
    first, again = (allocate(two_families, scenario, seed=3) for _ in range(2))
    assert first.to_dict() == again.to_dict()


@pytest.mark.parametrize("seed", [-1, 1.5, True])
def test_bad_seeds_are_refused(two_families: Fit, seed: object) -> None:
    with pytest.raises(FitError, match="seed is"):
        allocate(two_families, Scenario(compute_budget=BUDGET, family="web"), seed=seed)  # type: ignore[arg-type]
    with pytest.raises(FitError, match="seed is"):
        two_families.predict(params=1e9, tokens=1e10, family="web", seed=seed)


def test_a_plan_survives_its_file(two_families: Fit, tmp_path: Path) -> None:
    plan = allocate(two_families, Scenario(compute_budget=BUDGET, family="web", target_loss=2.0))
    path = plan.save(tmp_path / "plan.json")
    loaded = load_plan(path)
    assert loaded.to_dict() == plan.to_dict()
    assert loaded.curve.equals(plan.curve)
    assert str(loaded) == str(plan)
    assert loaded.draws is None


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"schema": "other/1"}', "\x00"])
def test_files_that_are_not_plans_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(text)
    with pytest.raises(FileError, match=r"plan\.json"):
        load_plan(path)


def test_loss_on_the_budget_uses_the_laws_own_expression(two_families: Fit) -> None:
    web, tokens = family_posterior(two_families, "web", 0), BUDGET / 6e10
    values = web.values
    ours = np.exp(web.curve(web.at(np.log([1e10]), np.log([tokens]))))
    reference = {n: math.exp(v) for n, v in two_families.frame.reference.items()}
    expected = (
        values["floor"]
        + values["A"] * (1e10 / reference["params"]) ** -values["alpha_N"]
        + values["B"] * (tokens / reference["tokens"]) ** -values["alpha_D"]
    )
    assert_allclose(ours, expected, rtol=1e-10)


def test_a_budget_need_not_be_spent(make_fit: Callable[..., Fit]) -> None:
    # With tokens limited, all of it buys a model far beyond the runs, whose error is unknown.
    fit = make_fit("chinchilla-gamma", TRUTH | {"gamma": 0.7}, width=0.05, prior="population")
    scenario = Scenario(
        compute_budget=1e26, risk=Risk("cvar", 0.9), family="web", limits=Limits(max_tokens=1e10)
    )
    plan = allocate(fit, scenario)
    all_of_it = 1e26 / 6 / 1e10
    assert plan.recommended.params < 0.9 * all_of_it
    assert plan.recommended.tokens <= 1e10 * (1 + 1e-9)
    assert plan.budgets[0].spent < 0.9
    assert "max_tokens" in {one.subject for one in plan.caveats if one.code == "at-limit"}
    assert "unspent-budget" in codes(plan)


def test_plans_are_plain_json(two_families: Fit) -> None:
    plan = allocate(two_families, Scenario(compute_budget=BUDGET, family="web"))
    assert isinstance(plan, Plan)
    text = json.dumps(plan.to_dict(), allow_nan=False)
    assert json.loads(text)["schema"] == "bayes_scaling.plan/2"
