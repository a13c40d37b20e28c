"""Keywords of a fit of a curve, which functions that fit one pass on."""

from collections.abc import Sequence
from typing import TypedDict

from bayes_scaling.curves.fitting.curve_population import CurvePopulation
from bayes_scaling.curves.schedule import Schedule
from bayes_scaling.laws import Law

__all__ = ["FitOptions"]


class FitOptions(TypedDict, total=False):
    """Keywords of :func:`bayes_scaling.curves.fit_curve`.

    Attributes
    ----------
    laws : str, Law or sequence of them
        Laws of curves.
    schedule : Schedule
        Learning rates to the planned end.
    population : CurvePopulation
        Prior from finished runs.
    particles : int
        Number of particles of each law.
    """

    laws: Sequence[str | Law] | str | Law | None
    schedule: Schedule | None
    population: CurvePopulation | None
    particles: int
