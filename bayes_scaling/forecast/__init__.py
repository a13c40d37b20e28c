"""Forecasts of loss, and how well they would have done."""

from bayes_scaling.forecast.evaluation.backtest_laws import backtest
from bayes_scaling.forecast.evaluation.backtest_result import Backtest
from bayes_scaling.forecast.evaluation.compare_laws import compare
from bayes_scaling.forecast.evaluation.comparison_result import Comparison
from bayes_scaling.forecast.evaluation.model_average import ModelAverage
from bayes_scaling.forecast.evaluation.outcomes import score
from bayes_scaling.forecast.forecast_result import Forecast
from bayes_scaling.forecast.prediction import predict

__all__ = [
    "Backtest",
    "Comparison",
    "Forecast",
    "ModelAverage",
    "backtest",
    "compare",
    "predict",
    "score",
]
