"""Figures of a plan show its numbers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.decisions import Limits, Plan, Scenario, allocate
from bayes_scaling.errors import ScenarioError
from bayes_scaling.plots import loss_surface, plot_contours, plot_forecast, plot_regret
from tests.report.conftest import TRUTH


def _named(axes, label):
    return next(line for line in axes.lines if line.get_label() == label)


def test_the_surface_is_the_law(fit):
    params, tokens = np.array([1e8, 1e9, 1e10]), np.array([2e9, 2e10])
    truth = TRUTH["chinchilla"]
    curve = (
        truth["floor"]
        + truth["A"] * params[None, :] ** -truth["alpha_N"]
        + truth["B"] * tokens[:, None] ** -truth["alpha_D"]
    )
    assert_allclose(loss_surface(fit, "web", params, tokens), curve, rtol=2e-3)


def test_contours_have_the_plan_its_budget_and_the_optimum_of_each_draw(fit, plan):
    axes = plot_contours(fit, plan).axes[0]
    star = _named(axes, "recommended")
    chosen = plan.recommended
    assert_allclose(star.get_xydata(), [[chosen.params, chosen.tokens]])
    budget = next(line for line in axes.lines if str(line.get_label()).startswith("C ="))
    assert_allclose(6 * np.prod(budget.get_xydata(), axis=1), 1e23)
    cloud = _named(axes, "best of each draw").get_xydata()
    drawn = plan.draws[["params", "tokens"]].to_dataarray().to_numpy().reshape(2, -1).T
    assert_allclose(cloud, drawn[:: len(drawn) // 400])
    runs = fit.runs[fit.runs["family"] == "web"]
    assert_allclose(_named(axes, "fitted runs").get_xydata(), runs[["params", "tokens"]])


def test_a_plan_from_a_file_has_intervals_in_place_of_draws(fit, plan):
    axes = plot_contours(fit, plan.to_dict()).axes[0]
    found = plan.optimum
    lines = next(c for c in axes.containers if c.get_label() == "optimum, 90%").lines[2]
    across, along = (line.get_segments()[0] for line in lines)
    assert_allclose(across[:, 0], [found.params.q05, found.params.q95])
    assert_allclose(along[:, 1], [found.tokens.q05, found.tokens.q95])


@pytest.mark.parametrize(("law", "family"), [("product", "web"), ("chinchilla", "new")])
def test_a_law_without_optimum_and_an_unseen_family_have_contours(make_fit, law, family):
    fit = make_fit(law=law)
    wanted = Scenario(
        compute_budget=1e22,
        family=family,
        limits=Limits(min_params=1e8, max_params=1e11, min_tokens=1e9, max_tokens=1e13),
    )
    axes = plot_contours(fit, allocate(fit, wanted)).axes[0]
    assert any(line.get_label() == "recommended" for line in axes.lines)


def test_the_curve_of_regret_is_that_of_the_draws(plan):
    figure = plot_regret(plan)
    axes = figure.axes[0]
    curve = axes.lines[0]
    regret = plan.draws["regret"].to_numpy().ravel()
    assert_allclose(curve.get_xdata(), np.sort(regret))
    at = plan.regret.q95
    assert_allclose(np.interp(at, curve.get_xdata(), curve.get_ydata()), 0.05, atol=2e-3)
    assert_allclose(regret.mean(), plan.regret.mean)
    assert (regret >= 0).all()
    with pytest.raises(ScenarioError, match="holds no draws"):
        plot_regret(Plan.from_dict(plan.to_dict()))


def test_the_target_of_a_plan_is_drawn_in_its_forecast(fit, plan):
    axes = plot_forecast(fit, "web", plans=[plan]).axes[0]
    assert _named(axes, "target loss").get_ydata()[0] == 2.05
    aimless = plot_forecast(fit, "web").axes[0]
    assert "target loss" not in [line.get_label() for line in aimless.lines]
