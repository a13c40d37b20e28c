"""Sampling, the fit and its diagnostics."""

from bayes_scaling.inference.fitting import Procedure, fit
from bayes_scaling.inference.result import Fit, load_fit

__all__ = ["Fit", "Procedure", "fit", "load_fit"]
