"""Figures: their data are those of the fit, and nothing leaks into pyplot."""

import numpy as np
import pytest

from bayes_scaling.errors import DataError, ScenarioError
from bayes_scaling.report import (
    forecast_data,
    plot_allocation,
    plot_energy,
    plot_exponents,
    plot_forecast,
    plot_predictive,
    plot_prior_predictive,
    plot_ranks,
    plot_residuals,
    plot_trace,
)
from bayes_scaling.report.style import label, to_svg


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


def test_allocation_shows_the_curve_and_the_choice(plan):
    axes = plot_allocation(plan).axes[0]
    np.testing.assert_allclose(
        lines(axes, "risk (CVAR 0.9)")[0].get_ydata(), plan.curve["risk"].to_numpy()
    )
    chosen = lines(axes, "recommended size")[0].get_xdata()[0]
    assert chosen == plan.recommended["params"]


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
