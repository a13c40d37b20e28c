"""Training curves: read logs, forecast a run from its beginning, stop it in time."""

from bayes_scaling.curves.curve import Curve, Curves, Flag
from bayes_scaling.curves.fit import CurveFit, fit_curve
from bayes_scaling.curves.schedule import Schedule

__all__ = ["Curve", "CurveFit", "Curves", "Flag", "Schedule", "fit_curve"]
