"""Scaling laws: parameters with priors, and one expression each for every backend."""

from bayes_scaling.laws.broken import broken
from bayes_scaling.laws.closed_forms import ClosedForms
from bayes_scaling.laws.depth_width import with_shape
from bayes_scaling.laws.law import Inputs, Law, Values
from bayes_scaling.laws.parameter import Parameter, Prior
from bayes_scaling.laws.registry import DEFAULT, available, curve_laws, get, register
from bayes_scaling.runs.input_columns import Input

__all__ = [
    "DEFAULT",
    "ClosedForms",
    "Input",
    "Inputs",
    "Law",
    "Parameter",
    "Prior",
    "Values",
    "available",
    "broken",
    "curve_laws",
    "get",
    "register",
    "with_shape",
]
