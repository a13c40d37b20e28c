"""Sampling, the fit and its diagnostics."""

from bayes_scaling.inference.fitting import Fit, fit, load_fit

__all__ = ["Fit", "fit", "load_fit"]
