"""Figures of fits, forecasts, decisions and training curves."""

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
from bayes_scaling.plots.forecast_plots import plot_forecast
from bayes_scaling.plots.plan_plots import loss_surface, plot_allocation, plot_contours, plot_regret
from bayes_scaling.plots.sampler_plots import plot_energy, plot_ranks, plot_trace

__all__ = [
    "forecast_data",
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
]
