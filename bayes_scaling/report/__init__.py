"""Figures of a fit, and reports as self-contained HTML or JSON."""

from bayes_scaling.report.content import report_content
from bayes_scaling.report.frontier import forecast_data
from bayes_scaling.report.html import render_html, write_json, write_report
from bayes_scaling.report.pdf import write_pdf
from bayes_scaling.report.plots import plot_allocation, plot_forecast
from bayes_scaling.report.plots_backtest import plot_backtest, plot_pit
from bayes_scaling.report.plots_curves import plot_curve
from bayes_scaling.report.plots_decisions import (
    plot_alternatives,
    plot_frontier,
    plot_marginal,
    plot_shapes,
)
from bayes_scaling.report.plots_fit import (
    plot_exponents,
    plot_predictive,
    plot_prior_predictive,
    plot_residuals,
)
from bayes_scaling.report.plots_plan import loss_surface, plot_contours, plot_regret
from bayes_scaling.report.plots_sampler import plot_energy, plot_ranks, plot_trace
from bayes_scaling.report.results import load_result

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
