from . import errors, laws
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
from .inference import Fit, fit, load_fit
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
    "allocate",
    "backtest",
    "best_shape",
    "budget_frontier",
    "compare",
    "datasets",
    "errors",
    "fit",
    "fit_curve",
    "identifiability",
    "laws",
    "load_curves",
    "load_fit",
    "load_result",
    "load_runs",
    "load_scenario",
    "log_to_mlflow",
    "marginal",
    "monitor",
    "next_runs",
    "predict",
    "schema",
    "score",
    "simulate",
    "tables",
    "write_report",
    "write_tables",
    "write_zarr",
]
