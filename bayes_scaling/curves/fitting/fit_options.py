"""Keywords of a fit of a curve, which functions that fit one pass on."""

from collections.abc import Sequence
from typing import TypedDict

from bayes_scaling.curves.fitting.curve_population import CurvePopulation
from bayes_scaling.curves.schedule import Schedule
from bayes_scaling.laws import Law

__all__ = ["FitOptions"]


class FitOptions(TypedDict, total=False):
    """Keywords of :func:`bayes_scaling.curves.fit_curve` that other functions pass on."""

    laws: Sequence[str | Law] | str | Law | None
    schedule: Schedule | None
    population: CurvePopulation | None
    particles: int
