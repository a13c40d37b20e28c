"""Training curves: read logs, forecast a run from its beginning, stop it in time."""

from bayes_scaling.curves.cleaning import finished_runs
from bayes_scaling.curves.curve import Curve, Curves
from bayes_scaling.curves.curve_flag import Flag
from bayes_scaling.curves.fitting import CurveFit, CurvePopulation, fit_curve, learn
from bayes_scaling.curves.importers import load_curves
from bayes_scaling.curves.schedule import Schedule
from bayes_scaling.curves.stopping import Stakes, Utility, Verdict, Watch, judge, monitor, watch

__all__ = [
    "Curve",
    "CurveFit",
    "CurvePopulation",
    "Curves",
    "Flag",
    "Schedule",
    "Stakes",
    "Utility",
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
