"""Forecasts of loss, and how well they would have done."""

from bayes_scaling.forecast.averaging import ModelAverage
from bayes_scaling.forecast.backtesting import Backtest, backtest
from bayes_scaling.forecast.comparison import Comparison, compare
from bayes_scaling.forecast.outcomes import score
from bayes_scaling.forecast.prediction import predict
from bayes_scaling.forecast.result import Forecast

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
