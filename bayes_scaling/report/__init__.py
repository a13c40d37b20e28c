"""Figures of a fit, and reports as self-contained HTML or JSON."""

from bayes_scaling.plots.backtest_plots import plot_backtest, plot_pit
from bayes_scaling.plots.curve_plots import plot_curve
from bayes_scaling.plots.decision_plots import (
    plot_alternatives,
    plot_frontier,
    plot_marginal,
    plot_shapes,
)
from bayes_scaling.plots.fit_plots import (
    plot_exponents,
    plot_predictive,
    plot_prior_predictive,
    plot_residuals,
)
from bayes_scaling.plots.forecast_path import forecast_data
from bayes_scaling.plots.loss_contours import loss_surface, plot_contours, plot_regret
from bayes_scaling.plots.plan_and_forecast import plot_allocation, plot_forecast
from bayes_scaling.plots.sampler_plots import plot_energy, plot_ranks, plot_trace
from bayes_scaling.report.content import report_content
from bayes_scaling.report.html import render_html, write_json, write_report
from bayes_scaling.report.pdf import write_pdf
from bayes_scaling.results.kinds import load_result

__all__ = [
    "forecast_data",
    "load_result",
    "loss_surface",
    "plot_allocation",
    "plot_alternatives",
    "plot_backtest",
    "plot_contours",
    "plot_curve",
    "plot_energy",
    "plot_exponents",
    "plot_forecast",
    "plot_frontier",
    "plot_marginal",
    "plot_pit",
    "plot_predictive",
    "plot_prior_predictive",
    "plot_ranks",
    "plot_regret",
    "plot_residuals",
    "plot_shapes",
    "plot_trace",
    "render_html",
    "report_content",
    "write_json",
    "write_pdf",
    "write_report",
]
