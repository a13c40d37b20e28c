"""Figures: their data are those of the fit, and nothing leaks into pyplot."""

import numpy as np
import pandas as pd
import pytest

from bayes_scaling.decisions import Risk, Scenario, allocate
from bayes_scaling.errors import DataError, ScenarioError
from bayes_scaling.plots import (
    forecast_data,
    plot_allocation,
    plot_backtest,
    plot_energy,
    plot_exponents,
    plot_forecast,
    plot_pit,
    plot_predictive,
    plot_prior_predictive,
    plot_ranks,
    plot_residuals,
    plot_trace,
)
from bayes_scaling.plots.style import label, save_figure, to_svg
from tests.conftest import backtest_of


def lines(axes, text):
    return [line for line in axes.lines if line.get_label() == text]


def test_forecast_line_is_the_median_of_predict(fit):
    axes = plot_forecast(fit, "web", points=12).axes[0]
    (line,) = lines(axes, "forecast, median")
    x, y = line.get_data()
    table = forecast_data(fit, "web", x)
    again = fit.predict(params=table["params"], tokens=table["tokens"], family="web")
    np.testing.assert_allclose(y, again.to_frame()["q50"])
    largest = fit.runs.loc[fit.runs["family"] == "web", "flops"].max()
    assert x[-1] == pytest.approx(100 * largest)
    (end,) = lines(axes, "end of the data")
    assert end.get_xdata()[0] == largest


def test_forecast_shows_runs_and_held_out(fit):
    axes = plot_forecast(fit, "code").axes[0]
    (runs,) = lines(axes, "fitted runs")
    own = fit.runs[fit.runs["family"] == "code"]
    np.testing.assert_allclose(runs.get_ydata(), own["loss"])
    (held_out,) = lines(axes, "held-out runs")
    targets = fit.targets[fit.targets["family"] == "code"]
    np.testing.assert_allclose(held_out.get_xdata(), targets["flops"])


def test_forecast_has_a_panel_for_each_family(fit, plan):
    figure = plot_forecast(fit, points=8, plans=[plan])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["web", "code"]
    marked = [axes for axes in figure.axes if axes.containers]
    assert [axes.get_title(loc="left") for axes in marked] == ["web"]


@pytest.mark.parametrize("measure", ["miss", "regret"])
def test_probabilities_and_regrets_are_not_drawn_as_losses(fit, measure):
    risk = Risk(measure)
    plan = allocate(fit, Scenario(compute_budget=1e22, risk=risk, family="web", target_loss=2.3))
    axes = plot_allocation(plan).axes[0]
    assert np.all(np.isfinite([*axes.get_xlim(), *axes.get_ylim()]))
    assert not lines(axes, str(risk))


def test_allocation_shows_the_curve_and_the_choice(plan):
    axes = plot_allocation(plan).axes[0]
    np.testing.assert_allclose(
        lines(axes, "expected loss in the worst 10% of cases")[0].get_ydata(),
        plan.curve["risk"].to_numpy(),
    )
    chosen = lines(axes, "recommended size")[0].get_xdata()[0]
    assert chosen == plan.recommended.params


def test_allocation_needs_a_curve(plan):
    with pytest.raises(ScenarioError, match="no curve"):
        plot_allocation(plan.to_dict() | {"curve": []})
    with pytest.raises(ScenarioError, match="not a plan"):
        plot_allocation({})


def test_residuals_are_observed_over_predicted(fit):
    axes = plot_residuals(fit).axes[0]
    drawn = np.concatenate([line.get_ydata() for line in axes.lines[1:]])
    replicated = fit.dt["posterior_predictive"]["loss"].median(("chain", "draw"))
    expected = 100 * (fit.runs["loss"].to_numpy() / replicated.to_numpy() - 1)
    np.testing.assert_allclose(drawn, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "plot",
    [plot_exponents, plot_residuals, plot_predictive, plot_ranks, plot_trace, plot_energy],
)
def test_every_figure_draws_and_none_stays_in_pyplot(fit, plot):
    from matplotlib import pyplot as plt

    before = plt.get_fignums()
    figure = plot(fit)
    assert to_svg(figure).startswith("<svg")
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    "plot", [plot_forecast, plot_exponents, plot_residuals, plot_ranks, plot_trace]
)
def test_names_are_never_read_as_mathematics(hostile, plot):
    assert "数据" in to_svg(plot(hostile))


def test_settings_of_the_user_are_left_alone(fit):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    plot_residuals(fit)
    assert dict(mpl.rcParams) == before


def test_unknown_family_or_parameter(fit):
    with pytest.raises(DataError, match="no family 'x'"):
        plot_forecast(fit, "x")
    with pytest.raises(DataError, match="'zeta'"):
        plot_ranks(fit, ["zeta"])
    with pytest.raises(DataError, match="'y'"):
        plot_trace(fit, families=["y"])


def test_labels_are_short_and_printable():
    assert label("a\nb\x00") == "a�b�"
    assert len(label("x" * 100)) == 48
    assert label("$x$") == r"\$x\$"


def test_prior_predictive_shows_every_observed_loss(fit):
    axes = plot_prior_predictive(fit).axes[0]
    drawn = axes.lines[0].get_ydata()
    np.testing.assert_allclose(np.sort(drawn), np.sort(fit.runs["loss"]))
    wide, narrow = (collection.get_segments() for collection in axes.collections)
    assert all(w[0][1] < n[0][1] < n[1][1] < w[1][1] for w, n in zip(wide, narrow, strict=True))


@pytest.fixture
def tested():
    """Two laws, two families, two classes of distance."""
    rng = np.random.default_rng(0)
    size = 40
    error = 0.02 * rng.normal(size=size)
    points = pd.DataFrame(
        {
            "law": np.repeat(["one", "other"], size // 2),
            "ratio": 8.0,
            "family": np.tile(["web", "code"], size // 2),
            "extrapolation": np.resize([np.log10(3), np.log10(3), 1, 1], size),
            "log_error": error,
            "are": np.abs(error),
            "width": 0.07,
            "crps": 0.01,
            "interval_score": 0.07,
            "inside_50": np.abs(error) < 0.01,
            "inside_90": np.abs(error) < 0.03,
            "pit": rng.uniform(size=size),
        }
    )
    return backtest_of(points)


def test_backtest_curves_are_the_scores_by_distance(tested):
    coverage, error, width = plot_backtest(tested).axes
    classes = tested.by_distance()
    for law, rows in classes.groupby("law"):
        (line,) = lines(coverage, f"{law}, 90%")
        np.testing.assert_allclose(line.get_ydata(), rows["coverage_90"])
        np.testing.assert_allclose(line.get_xdata(), np.sqrt(rows["low"] * rows["high"]))
        (line,) = lines(error, law)
        np.testing.assert_allclose(line.get_ydata(), 100 * rows["are"])
        (line,) = lines(width, law)
        np.testing.assert_allclose(line.get_ydata(), 100 * np.expm1(0.07))
    assert [text.get_text() for text in coverage.get_xticklabels()] == ["2–4×", "8–16×"]


def test_pit_bars_average_to_one(tested):
    for axes in plot_pit(tested).axes:
        heights = [bar.get_height() for bar in axes.patches if bar.get_width() < 0.2]
        assert np.mean(heights) == pytest.approx(1)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_figures_are_written_by_suffix(tested, tmp_path, suffix):
    path = save_figure(plot_pit(tested), tmp_path / f"pit.{suffix}")
    start = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[suffix]
    assert path.read_bytes().startswith(start)


def test_former_names_of_figures_warn_and_work():
    from bayes_scaling import plots, report

    for name in plots.__all__:
        with pytest.warns(DeprecationWarning, match=f"bayes_scaling.plots.{name}"):
            assert getattr(report, name) is getattr(plots, name)
    with pytest.raises(AttributeError, match="plot_nothing"):
        report.plot_nothing  # noqa: B018
