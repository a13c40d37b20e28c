"""Sampling, the fit and its diagnostics."""

from bayes_scaling.inference.fit_result import Fit, load_fit
from bayes_scaling.inference.fitting import Procedure, build_model, fit

__all__ = ["Fit", "Procedure", "build_model", "fit", "load_fit"]
