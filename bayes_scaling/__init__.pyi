from . import curves, decisions, errors, forecast, inference, laws, model, report, runs
from ._version import __version__
from .curves import Curve, Curves, fit_curve, load_curves, monitor
from .decisions import (
    Alternative,
    Limits,
    Plan,
    Risk,
    Scenario,
    allocate,
    best_shape,
    budget_frontier,
    load_scenario,
    marginal,
    next_runs,
)
from .exports import log_to_mlflow, tables, write_tables, write_zarr
from .forecast import Backtest, Comparison, Forecast, backtest, compare, predict, score
from .inference import Fit, build_model, fit, load_fit
from .laws import Prior
from .model import simulate
from .report import load_result, write_report
from .runs import Runs, datasets, identifiability, load_runs
from .schemas import schema

__all__ = [
    "Alternative",
    "Backtest",
    "Comparison",
    "Curve",
    "Curves",
    "Fit",
    "Forecast",
    "Limits",
    "Plan",
    "Prior",
    "Risk",
    "Runs",
    "Scenario",
    "__version__",
    "allocate",
    "backtest",
    "best_shape",
    "budget_frontier",
    "build_model",
    "compare",
    "curves",
    "datasets",
    "decisions",
    "errors",
    "fit",
    "fit_curve",
    "forecast",
    "identifiability",
    "inference",
    "laws",
    "load_curves",
    "load_fit",
    "load_result",
    "load_runs",
    "load_scenario",
    "log_to_mlflow",
    "marginal",
    "model",
    "monitor",
    "next_runs",
    "predict",
    "report",
    "runs",
    "schema",
    "score",
    "simulate",
    "tables",
    "write_report",
    "write_tables",
    "write_zarr",
]
