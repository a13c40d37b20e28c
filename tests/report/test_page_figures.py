"""Figures of a page: the same as matplotlib's, made without it."""

from collections.abc import Callable
from functools import partial
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from arviz_stats.base import array_stats
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.testing import assert_allclose

from bayes_scaling import plots
from bayes_scaling.decisions import Plan, budget_frontier, marginal
from bayes_scaling.inference import Fit
from bayes_scaling.plots.chain_agreement import chain_ranks, smoothed
from bayes_scaling.plots.drawing.svg_axis import SvgAxis
from bayes_scaling.plots.drawing.svg_figure import SvgFigure
from bayes_scaling.plots.style import for_a_page
from bayes_scaling.report import write_report
from tests.report.conftest import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


def for_page(plot: Callable[[], Any]) -> SvgFigure:
    with for_a_page():
        figure = plot()
    assert isinstance(figure, SvgFigure)
    return figure


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


def data_of(line: Any) -> Any:
    return np.column_stack([line.get_xdata(), line.get_ydata()]).astype(float)


def test_figures_of_a_page_are_those_of_matplotlib(fit: Fit, plan: Plan) -> None:
    for name, plot in plots_of(fit, plan).items():
        known, found = plot(), for_page(plot)
        # What it is all laid out for, in points.
        assert_allclose([found.width, found.height], 72 * known.get_size_inches())
        assert len(found.axes) == len(known.axes), name
        for theirs, ours in zip(known.axes, found.axes, strict=True):
            if not ours.shown:
                continue
            assert_allclose(ours.get_xlim(), theirs.get_xlim(), rtol=1e-9, err_msg=name)
            assert_allclose(ours.get_ylim(), theirs.get_ylim(), rtol=1e-9, err_msg=name)
            assert ours.title == theirs.get_title(loc="left")
            assert ours.xaxis.label == theirs.get_xlabel()
            assert ours.yaxis.label == theirs.get_ylabel()
            scales = ours.xaxis.scale, ours.yaxis.scale
            assert scales == (theirs.get_xscale(), theirs.get_yscale())
            labels = theirs.get_legend_handles_labels()[1]
            assert ours.get_legend_handles_labels()[1] == labels
            drawn = [data_of(line) for line in ours.lines]
            bars = {part for each in theirs.containers for part in each.get_children()}
            for line in theirs.lines:
                if line.get_transform() == theirs.transData and line not in bars:
                    assert any(np.array_equal(data_of(line), other) for other in drawn), name
        legends = [text.get_text() for each in known.legends for text in each.texts]
        assert found.named[1] == legends


def test_figures_of_a_page_are_xml_with_all_their_words(fit: Fit, plan: Plan) -> None:
    for plot in plots_of(fit, plan).values():
        figure = for_page(plot)
        tree = ElementTree.fromstring(figure.to_svg())  # noqa: S314
        words = {text.text for text in tree.iter(f"{SVG}text")}
        titles = {line for panel in figure.axes for line in panel.title.split("\n") if line}
        assert titles | set(figure.named[1]) <= words
        names = [element.get("id") for element in tree.iter() if element.get("id")]
        used = {value for e in tree.iter() for value in e.attrib.values() if "url(" in value}
        assert used == {f"url(#{name})" for name in names}
        numbers = "".join(e.get("points", "") + e.get("d", "") for e in tree.iter())
        assert "nan" not in numbers
        assert "inf" not in numbers


def test_names_stay_text(hostile: Fit) -> None:
    svg = for_page(partial(plots.plot_ranks, hostile)).to_svg()
    tree = ElementTree.fromstring(svg)  # noqa: S314
    words = [text.text for text in tree.iter(f"{SVG}text")]
    assert HOSTILE in words


def test_a_report_needs_no_matplotlib(fit: Fit, plan: Plan, tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    for name in ("matplotlib", "arviz_plots"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    page = write_report(tmp_path / "r.html", fit, plan).read_text(encoding="utf-8")
    assert page.count("data:image/svg+xml") > 8


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4))
def test_ticks_lie_where_matplotlib_places_them(low: float, span: float) -> None:
    axis = SvgAxis()
    axis.stated = [low, low + span]
    expected = MaxNLocator(9, steps=[1, 2, 2.5, 5, 10], min_n_ticks=2).tick_values(low, low + span)
    inside = expected[(expected >= low) & (expected <= low + span)]
    found = np.array([at for at, _ in axis.ticks(9)])
    edge = 1e-6 * span
    found = found[(found > low + edge) & (found < low + span - edge)]
    inside = inside[(inside > low + edge) & (inside < low + span - edge)]
    assert_allclose(found, inside, atol=edge)


def test_log_ticks() -> None:
    axis = SvgAxis()
    axis.scale, axis.stated = "log", [0.8, 300.0]
    assert axis.ticks(9) == [(1.0, "1"), (10.0, "10"), (100.0, "100")]
    axis.subs = (1.0, 5.0)
    assert [at for at, _ in axis.ticks(9)] == [1.0, 5.0, 10.0, 50.0, 100.0]
    axis.stated = [1e10, 1e25]
    assert [words for _, words in axis.ticks(4)] == ["10¹²", "10¹⁶", "10²⁰", "10²⁴"]
    axis.stated = [1.5, 8.0]
    assert [words for _, words in axis.minor_ticks() if words] == ["2", "3", "4", "6"]


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
