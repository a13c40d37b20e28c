"""Forecasts of loss, and how well they would have done."""

from bayes_scaling.forecast.backtest import Backtest, backtest
from bayes_scaling.forecast.predict import Forecast, predict

__all__ = ["Backtest", "Forecast", "backtest", "predict"]
