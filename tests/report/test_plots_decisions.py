"""Figures of decisions show the numbers of the decision."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.decisions import Compute, Fixed, Scenario, best_shape, budget_frontier, marginal
from bayes_scaling.inference import Fit
from bayes_scaling.plots import plot_frontier, plot_marginal, plot_shapes
from tests.conftest import TRUTH, handmade

DEVICES = Compute(Fixed(1e15), Fixed(0.4), Fixed(2 / 3600))


@pytest.fixture(scope="module")
def plain() -> Fit:
    return handmade(width=0.05)


def test_the_frontier_shows_what_budgets_buy_and_the_target_needs(plain: Fit) -> None:
    scenario = Scenario(compute_budget=1e22, family="web", target_loss=2.1)
    found = budget_frontier(plain, scenario, factors=np.geomspace(0.1, 100, 7).tolist())
    loss, size = plot_frontier(found).axes
    median = next(line for line in loss.lines if line.get_label() == "median")
    assert_allclose(median.get_data(), (found.table["budget"], found.table["q50"]))
    marks = {text.get_text(): text.xy for text in loss.texts}
    expected = {f"{p:.0%}": (b, 2.1) for p, b in found.needed.items() if b is not None}
    # Labels that would cover each other are left out, the first and the last never.
    assert marks.items() <= expected.items()
    assert {min(expected), max(expected)} <= set(marks)
    places = np.log([place for place, _ in marks.values()])
    assert np.diff(places).min() > 0.1 * np.log(1000)
    ticks = [line.get_xdata()[0] for line in loss.lines if line.get_marker() == "|"]
    assert_allclose(ticks, [place for place, _ in expected.values()])
    recommended = next(line for line in size.lines if line.get_label() == "recommended")
    assert_allclose(recommended.get_ydata(), found.table["params"])
    aimless = budget_frontier(
        plain, Scenario(compute_budget=1e22, family="web"), factors=[1.0, 2.0]
    )
    assert not plot_frontier(aimless).axes[0].texts


def test_gains_are_drawn_per_cost_with_what_pays(plain: Fit) -> None:
    scenario = Scenario(family="web", compute=DEVICES, value_per_nat=1e8)
    found = marginal(plain, 1e9, 2e10, scenario=scenario, doublings=3)
    loss, gain = plot_marginal(found).axes
    assert_allclose(gain.lines[-1].get_ydata(), [1e-8, 1e-8])
    assert len(loss.containers) == 3
    for line, (_, rows) in zip(
        gain.lines, found.doublings.groupby("factor", sort=False), strict=False
    ):
        assert_allclose(line.get_ydata(), rows["gain_per_cost"])
    free = plot_marginal(marginal(plain, 1e9, 2e10, family="web")).axes[1]
    assert len(free.lines) == 3


def test_shapes_are_drawn_by_depth() -> None:
    fit = handmade("depth-width", TRUTH | {"aspect": 64.0, "curvature": 0.3}, width=0.1)
    found = best_shape(fit, 1e9, family="web")
    axes = plot_shapes(found).axes[0]
    mean = next(line for line in axes.lines if line.get_label() == "mean")
    # Of two widths at one depth the better one is drawn.
    best = 100 * found.table.groupby("n_layer")["penalty_mean"].min()
    assert_allclose(mean.get_xdata(), best.index)
    assert_allclose(mean.get_ydata(), best)
    assert math.isclose(axes.get_ylim()[0], 0)
