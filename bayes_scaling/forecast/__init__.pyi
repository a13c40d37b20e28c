from .evaluation.backtest_laws import backtest
from .evaluation.backtest_result import Backtest
from .evaluation.compare_laws import compare
from .evaluation.comparison_result import Comparison
from .evaluation.model_average import ModelAverage
from .evaluation.outcomes import score
from .forecast_result import Forecast
from .prediction import predict

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
