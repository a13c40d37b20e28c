"""Plans that a user names, beside the recommended one; and plans with a shape."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.testing import assert_allclose

from bayes_scaling.decisions import (
    Alternative,
    Compute,
    Data,
    Fixed,
    Limits,
    Risk,
    Scenario,
    ShapeLimits,
    allocate,
    load_plan,
)
from bayes_scaling.decisions.allocation.compare_alternatives import candidate_of
from bayes_scaling.decisions.allocation.problem_from_fit import problem_from_fit
from bayes_scaling.decisions.allocation.risk_search import least_risk
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.plots import plot_alternatives
from tests.conftest import TRUTH

BUDGET = 1e23
PLAIN = Scenario(compute_budget=BUDGET, family="web", target_loss=2.0)
DEVICES = Compute(Fixed(1e15), Fixed(0.4), Fixed(2 / 3600), devices=1000)
SHAPED = TRUTH | {"aspect": 64.0, "curvature": 0.3}


@pytest.mark.parametrize(
    ("stated", "params", "tokens"),
    [
        ({"params": 1e10}, 1e10, BUDGET / 6e10),
        ({"tokens": 1e12}, BUDGET / 6e12, 1e12),
        ({"tokens_per_param": 20.0}, (BUDGET / 120) ** 0.5, 20 * (BUDGET / 120) ** 0.5),
        ({"params": 1e10, "tokens": 1e9}, 1e10, 1e9),
        ({"params": 1e10, "tokens_per_param": 3.0}, 1e10, 3e10),
        ({"tokens": 1e12, "tokens_per_param": 10.0}, 1e11, 1e12),
    ],
)
def test_what_is_left_open_is_what_the_budget_leaves(
    two_families: Fit, stated: dict[str, float], params: float, tokens: float
) -> None:
    plan = candidate_of(problem_from_fit(two_families, PLAIN, 0), Alternative("a", **stated))
    assert_allclose(plan.point.params, params, rtol=1e-6)
    assert_allclose(plan.point.tokens, tokens, rtol=1e-6)


def test_money_and_data_are_counted_too(two_families: Fit) -> None:
    scenario = Scenario(money_budget=1e6, family="web", compute=DEVICES, data=Data(Fixed(1e-6)))
    made = problem_from_fit(two_families, scenario, 0)
    plan = candidate_of(made, Alternative("a", tokens_per_param=20.0)).point
    spent = made.line.costs.money(
        *(np.array([getattr(plan, n)]) for n in ("params", "tokens", "tokens"))
    )
    assert_allclose(spent, 1e6, rtol=1e-6)


def test_the_recommended_plan_as_an_alternative_is_itself(two_families: Fit) -> None:
    split = allocate(two_families, PLAIN).recommended
    same = Alternative("same", params=split.params, tokens=split.tokens)
    half = Alternative("half", params=split.params / 2, tokens=split.tokens / 2)
    plan = allocate(two_families, replace(PLAIN, alternatives=(same, half)))
    first, second = plan.alternative_outcomes
    assert_allclose(first.extra_loss.q95, 0, atol=1e-12)
    assert_allclose(first.regret.mean, plan.regret.mean, rtol=1e-3)
    assert first.probability_of_target == plan.probability_of_target
    # Half of both is a quarter of the budget, and worse in every draw.
    assert_allclose(second.budgets[0].spent, 0.25)
    assert second.probability_better == 0.0
    assert second.regret.q05 > 0
    assert_allclose(second.loss.mean - plan.loss.mean, second.extra_loss.mean, rtol=1e-6)
    assert plan.alternatives["name"].tolist() == ["recommended", "same", "half"]


def test_what_an_alternative_breaks_is_named(two_families: Fit) -> None:
    large = Alternative("large", params=1e13, tokens=1e13)
    scenario = replace(PLAIN, limits=Limits(max_params=1e12), alternatives=(large,))
    plan = allocate(two_families, scenario)
    (row,) = plan.alternative_outcomes
    assert row.beyond == ["compute", "max_params"]
    assert row.probability_better == 1.0
    assert row.regret.mean < 0


def test_the_recommended_plans_name_is_taken() -> None:
    with pytest.raises(ScenarioError, match="name is 'recommended'"):
        Alternative("recommended", params=1e9)


@pytest.mark.parametrize(
    ("other", "offender"),
    [
        (
            Alternative("a", params=1e9, epochs=4.0),
            "alternative 'a' .* 4 times, but law 'chinchilla'",
        ),
        (Alternative("a", tokens=1e59), "alternative 'a'"),
    ],
)
def test_impossible_alternatives_are_refused(
    two_families: Fit, other: Alternative, offender: str
) -> None:
    with pytest.raises(ScenarioError, match=offender):
        allocate(two_families, replace(PLAIN, alternatives=(other,)))


def test_the_figure_has_a_row_a_plan_and_survives_the_file(
    two_families: Fit, tmp_path: Path
) -> None:
    names = ["<b>$x", "twenty"]
    others = tuple(Alternative(n, tokens_per_param=10.0 + 10 * i) for i, n in enumerate(names))
    plan = allocate(two_families, replace(PLAIN, alternatives=others))
    plan.save(tmp_path / "p.json")
    loss, regret = plot_alternatives(load_plan(tmp_path / "p.json")).axes
    labels = [text.get_text() for text in loss.get_yticklabels()]
    assert labels == ["recommended", r"<b>\$x", "twenty"]
    shown = loss.collections[1].get_offsets()
    assert_allclose(shown[:, 0], plan.alternatives["loss"])
    assert_allclose(regret.collections[1].get_offsets()[:, 0], plan.alternatives["regret"])


@pytest.fixture(scope="module")
def shaped(make_fit: Callable[..., Fit]) -> Fit:
    return make_fit("depth-width", SHAPED, width=0.1)


def test_no_shape_near_the_best_size_is_better(shaped: Fit) -> None:
    scenario = Scenario(
        compute_budget=1e22,
        risk=Risk("cvar", 0.8),
        family="web",
        shape=ShapeLimits(width_multiple=256, layer_multiple=4),
    )
    plan = allocate(shaped, scenario)
    shape = plan.shape
    assert shape.n_layer % 4 == 0
    assert shape.d_model % 256 == 0
    # The runs count 12·n_layer·d_model² parameters and no others.
    params = 12 * shape.n_layer * shape.d_model**2
    assert_allclose(plan.recommended.params, params, rtol=1e-3)
    assert_allclose(6 * plan.recommended.params * plan.recommended.tokens, 1e22, rtol=1e-6)
    made = problem_from_fit(shaped, scenario, 0)
    best = least_risk(made)
    assert plan.risk.value >= float(made.risk(best.log_params)) - 1e-9
    for n_layer in range(4, 129, 4):
        for d_model in range(256, 8193, 256):
            size = np.log(12.0 * n_layer * d_model**2)
            if abs(size - best.log_params) < 0.3:
                data = float(made.log_tokens(np.array([size]))[0])
                losses = made.draws.loss_run(size, data, data, np.log(d_model / n_layer))
                assert made.risk_of(losses) >= plan.risk.value - 1e-7
    assert shape.penalty.mean >= 0


def test_limits_on_shapes_are_kept_or_refused(shaped: Fit, two_families: Fit) -> None:
    shallow = allocate(
        shaped, Scenario(compute_budget=1e22, family="web", shape=ShapeLimits(max_layers=10))
    )
    assert shallow.shape.n_layer <= 10
    free = allocate(shaped, Scenario(compute_budget=1e22, family="web"))
    assert free.risk.value <= shallow.risk.value
    with pytest.raises(ScenarioError, match=r"\[shape\]"):
        allocate(
            shaped,
            Scenario(
                compute_budget=1e22, family="web", shape=ShapeLimits(max_layers=2, max_width=64)
            ),
        )
    with pytest.raises(ScenarioError, match="'chinchilla'"):
        allocate(two_families, replace(PLAIN, shape=ShapeLimits()))


def test_a_law_of_depth_and_width_is_read_at_the_shape_of_the_plan(
    make_fit: Callable[..., Fit],
) -> None:
    truth = TRUTH | {"W": 20.0, "L": 2.0, "alpha_W": 0.5, "alpha_L": 0.5}
    fit = make_fit("gemstones", truth, width=1e-9)
    plan = allocate(
        fit, Scenario(compute_budget=1e22, family="web", shape=ShapeLimits(width_multiple=128))
    )
    shape, split = plan.shape, plan.recommended
    exact = (
        truth["floor"]
        + truth["W"] * shape.d_model**-0.5
        + truth["L"] * shape.n_layer**-0.5
        + truth["A"] * split.params ** -truth["alpha_N"]
        + truth["B"] * split.tokens ** -truth["alpha_D"]
    )
    assert_allclose(plan.loss.q50, exact, rtol=3e-3)
