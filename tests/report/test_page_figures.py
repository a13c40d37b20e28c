"""Figures of a page: what they show, and that their words stay text."""

from collections.abc import Callable
from functools import partial
from xml.etree import ElementTree

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from numpy.testing import assert_allclose

from bayes_scaling import plots
from bayes_scaling.decisions import Plan, budget_frontier, marginal
from bayes_scaling.inference import Fit
from bayes_scaling.inference.convergence import energy_fraction
from bayes_scaling.plots import style
from bayes_scaling.plots.chain_agreement import chain_ranks, smoothed
from bayes_scaling.plots.number_format import plain_number
from bayes_scaling.plots.style import to_svg

SVG = "{http://www.w3.org/2000/svg}"


def plots_of(fit: Fit, plan: Plan) -> dict[str, Callable[[], Figure]]:
    of_fit = (
        plots.plot_exponents,
        plots.plot_prior_predictive,
        plots.plot_residuals,
        plots.plot_predictive,
        plots.plot_ranks,
        plots.plot_energy,
    )
    gains = marginal(fit, 1e9, 2e10, family="web")
    frontier = budget_frontier(fit, plan.scenario, factors=[0.5, 1.0, 2.0])
    return {plot.__name__: partial(plot, fit) for plot in of_fit} | {
        "forecast": partial(plots.plot_forecast, fit, points=8, plans=[plan]),
        "allocation": partial(plots.plot_allocation, plan),
        "contours": partial(plots.plot_contours, fit, plan),
        "marginal": partial(plots.plot_marginal, gains),
        "frontier": partial(plots.plot_frontier, frontier),
    }


def test_figures_are_xml_with_all_their_words(fit: Fit, plan: Plan) -> None:
    for name, plot in plots_of(fit, plan).items():
        figure = plot()
        tree = ElementTree.fromstring(to_svg(figure))  # noqa: S314
        words = {text.text for text in tree.iter(f"{SVG}text")}
        assert tree.tag == f"{SVG}svg"
        expected = {panel.get_xlabel() for panel in figure.axes if panel.axison}
        for panel in figure.axes:
            expected.update(panel.get_title(loc="left").split("\n"))
        for legend in figure.findobj(Legend):
            expected.update(text.get_text() for text in legend.get_texts())
        assert expected - {""} <= words, name


def test_an_svg_is_the_same_each_time(fit: Fit) -> None:
    assert to_svg(plots.plot_residuals(fit)) == to_svg(plots.plot_residuals(fit))


def test_no_word_is_set_as_mathematics(fit: Fit, plan: Plan) -> None:
    # A page may have hundreds of labels, and each would be parsed.
    for name, plot in plots_of(fit, plan).items():
        figure = plot()
        figure.draw_without_rendering()
        words = [text.get_text() for text in figure.findobj(Text)]
        assert not [text for text in words if text.replace(r"\$", "").count("$") > 1], name


@given(st.floats(-12, 24), st.floats(0.05, 12), st.sampled_from([(1.0,), (1.0, 2.0, 5.0)]))
def test_log_axes_have_ticks_at_their_multiples(
    start: float, decades: float, multiples: tuple[float, ...]
) -> None:
    axes = style.new_figure().subplots()
    axes.set_xlim(10**start, 10 ** (start + decades))
    style.log_axis(axes.xaxis, plain_number, multiples)
    assert axes.get_xscale() == "log"
    assert not len(axes.xaxis.get_minorticklocs())
    low, high = axes.get_xlim()
    ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
    assert len(ticks) >= 2
    if 2 < decades < 4:
        digits = [tick / 10 ** np.floor(np.log10(tick) + 1e-9) for tick in ticks]
        assert set(np.round(digits, 6)) == set(multiples)


def test_ranks_are_drawn_chain_by_chain(fit: Fit) -> None:
    family = fit.families[0]
    figure = plots.plot_ranks(fit, ["floor"], families=[family])
    (axes,) = figure.axes
    expected = chain_ranks(fit.posterior["floor"].sel(family=family).to_numpy(), 0.01)
    for line, excess in zip(axes.lines, expected.excess, strict=False):
        np.testing.assert_array_equal(line.get_xdata(), expected.at)
        np.testing.assert_array_equal(line.get_ydata(), excess)
    low, high = axes.get_ylim()
    assert low == -high
    assert high >= np.abs(expected.excess).max()


def test_intervals_of_exponents_are_quantiles_by_family(fit: Fit) -> None:
    axes = plots.plot_exponents(fit).axes[0]
    known = [fit.dt["prior"]["alpha_N"], *[fit.posterior["alpha_N"]] * 2]
    ends = [(0.05, 0.95), (0.05, 0.95), (0.25, 0.75)]
    for drawn, values, levels in zip(axes.collections, known, ends, strict=True):
        assert isinstance(drawn, LineCollection)
        for y, segment in enumerate(drawn.get_segments()[: len(fit.families)]):
            own = values.sel(family=fit.families[y]).quantile(levels).to_numpy()
            assert_allclose(segment, np.column_stack([own, [y, y]]))
    assert axes.get_yticklabels()[0].get_text() == fit.families[0]


def test_energies_are_those_of_the_sampler(fit: Fit) -> None:
    left, right = plots.plot_energy(fit).axes
    energy = fit.dt["sample_stats"]["energy"].to_numpy()
    # Arrays in another order of memory add up in another order.
    assert_allclose(left.lines[0].get_xdata(), energy_fraction(energy), rtol=1e-12)
    np.testing.assert_array_equal(left.lines[0].get_ydata(), np.arange(len(energy)))
    for line, values in zip(right.lines, (energy - energy.mean(), np.diff(energy)), strict=True):
        for drawn, known in zip(line.get_data(), smoothed(values.ravel()), strict=True):
            assert_allclose(drawn, known, rtol=1e-9, atol=1e-12)
    assert right.get_ylim()[0] == 0


@pytest.mark.parametrize("apart", [0.0, 0.1, 1.0])
def test_agreement_of_chains_is_that_of_arviz(apart: float) -> None:
    draws = np.random.default_rng(3).normal(size=(4, 200))
    draws[1] += apart
    found = chain_ranks(draws, 0.01)
    relative = array_stats.compute_ranks(draws, axis=(0, 1), relative=True)
    p_value, between, within = array_stats.mchain_uniformity_test(relative)
    assert_allclose(found.p_value, p_value, atol=1e-8)
    expected = (between > 0) & (within[:, None] > 0) & (p_value < 0.01)
    np.testing.assert_array_equal(found.suspicious, expected.T)
    assert found.suspicious.any() == (apart == 1.0)
    at, excess = array_stats.ecdf(relative, axis=-1, npoints=200, pit=True)[:2]
    assert_allclose(found.at, np.asarray(at)[0])
    assert_allclose(found.excess, excess, atol=1e-12)


def test_ranks_of_one_chain_are_tested_against_nothing() -> None:
    found = chain_ranks(np.arange(10.0)[None], 0.01)
    assert np.isnan(found.p_value)
    assert not found.suspicious.any()


def test_a_smoothed_density_is_one_and_knows_constants() -> None:
    draws = np.random.default_rng(1).normal(3.0, 2.0, 4000)
    at, density = smoothed(draws)
    assert_allclose(density.sum() * (at[1] - at[0]), 1.0)
    assert_allclose(density, np.exp(-0.5 * ((at - 3) / 2) ** 2) / np.sqrt(8 * np.pi), atol=0.02)
    assert smoothed(np.ones(9))[1].tolist() == [0.0, 0.0]
