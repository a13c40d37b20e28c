"""Posteriors of training curves by tempered sequential Monte Carlo, and priors from past runs."""

from bayes_scaling.curves.fitting.curve_fit import CurveFit, fit_curve
from bayes_scaling.curves.fitting.curve_population import CurvePopulation, learn

__all__ = ["CurveFit", "CurvePopulation", "fit_curve", "learn"]
