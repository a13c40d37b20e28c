"""Training curves: read logs, forecast a run from its beginning, stop it in time."""

from bayes_scaling.curves.curve import Curve, Curves, Flag
from bayes_scaling.curves.curve_fit import CurveFit, fit_curve
from bayes_scaling.curves.curve_population import CurvePopulation, learn
from bayes_scaling.curves.finished import finished_runs
from bayes_scaling.curves.importers import load_curves
from bayes_scaling.curves.monitor import Verdict, judge, monitor
from bayes_scaling.curves.schedule import Schedule
from bayes_scaling.curves.utility import Stakes
from bayes_scaling.curves.watching import Watch, watch

__all__ = [
    "Curve",
    "CurveFit",
    "CurvePopulation",
    "Curves",
    "Flag",
    "Schedule",
    "Stakes",
    "Verdict",
    "Watch",
    "finished_runs",
    "fit_curve",
    "judge",
    "learn",
    "load_curves",
    "monitor",
    "watch",
]
