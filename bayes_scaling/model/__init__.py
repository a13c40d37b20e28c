"""Runs and a law to a hierarchical model, and the population it describes."""

from bayes_scaling.model.design import arrays, specify
from bayes_scaling.model.discrepancy import Discrepancy, Extent
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.input_table import input_table, input_values, stated_inputs, unstated
from bayes_scaling.model.population import Population, population
from bayes_scaling.model.simulation import simulate
from bayes_scaling.model.spec import Noise, Pooling, Spec
from bayes_scaling.model.typical import fill_typical, typical, typical_caveats

__all__ = [
    "Design",
    "Discrepancy",
    "Extent",
    "Noise",
    "Pooling",
    "Population",
    "ReferenceFrame",
    "Spec",
    "arrays",
    "fill_typical",
    "input_table",
    "input_values",
    "population",
    "simulate",
    "specify",
    "stated_inputs",
    "typical",
    "typical_caveats",
    "unstated",
]
