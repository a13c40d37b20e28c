"""Runs and a law to a hierarchical model, and the population it describes."""

import warnings
from typing import Any

from bayes_scaling.core.caveat import texts
from bayes_scaling.model.design import arrays, specify
from bayes_scaling.model.discrepancy import Discrepancy, Extent
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.input_table import input_table, input_values, stated_inputs, unstated
from bayes_scaling.model.population import Curvature, Population, population
from bayes_scaling.model.simulation import simulate
from bayes_scaling.model.spec import Noise, Pooling, Spec
from bayes_scaling.model.typical import fill_typical, typical, typical_caveats

__all__ = [
    "Curvature",
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


def __getattr__(name: str) -> Any:
    """Return ``typical_notes``, the texts of ``typical_caveats`` in version 0.1."""
    if name != "typical_notes":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    text = "bayes_scaling.model.typical_notes is deprecated; use typical_caveats"
    warnings.warn(text, DeprecationWarning, stacklevel=2)
    return lambda *args, **keywords: list(texts(typical_caveats(*args, **keywords)))
