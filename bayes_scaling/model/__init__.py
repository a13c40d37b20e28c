"""Runs and a law to a hierarchical model, and the population it describes."""

from bayes_scaling.model.design import Design, arrays, specify
from bayes_scaling.model.inputs import input_table, unstated
from bayes_scaling.model.simulation import simulate
from bayes_scaling.model.spec import Noise, Pooling, Spec

__all__ = [
    "Design",
    "Noise",
    "Pooling",
    "Spec",
    "arrays",
    "input_table",
    "simulate",
    "specify",
    "unstated",
]
