"""Sampling, the fit and its diagnostics."""

from bayes_scaling.inference.fit import Fit, fit, load_fit

__all__ = ["Fit", "fit", "load_fit"]
