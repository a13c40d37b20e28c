"""Stopping rule of a callback: arguments that all callbacks share."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bayes_scaling.core.old_names import old_names
from bayes_scaling.curves.fitting.curve_population import CurvePopulation
from bayes_scaling.curves.fitting.fit_options import FitOptions
from bayes_scaling.curves.schedule import Schedule
from bayes_scaling.curves.stopping.utility import Utility
from bayes_scaling.curves.stopping.verdict import Verdict
from bayes_scaling.curves.stopping.watching import Watch
from bayes_scaling.errors import ScenarioError
from bayes_scaling.laws import Law
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["Rule"]


@old_names(told="callback", stakes="utility")
@dataclass(frozen=True, kw_only=True)
class Rule:
    """Stopping rule, whose arguments are refused before training begins rather than hours later.

    Parameters
    ----------
    end : float, optional
        Planned end in steps; that of the trainer by default.
    every : int
        Logged points from one verdict to the next. Training waits for a verdict: a fraction of a
        second, a few seconds where the curve is fitted from the prior again.
    patience : int
        Number of verdicts in a row that must say stop. A divergence, or a loss that is no number,
        stops at once.
    callback : callable, optional
        Called with every verdict.
    utility, reference, seed
        As for :func:`monitor`; the cost is that of a step.
    laws, schedule, population, particles
        As for :func:`fit_curve`. Without a schedule none is passed, whatever the trainer's
        scheduler: the laws then know nothing of a cool-down to come, and may stop a run that it
        would have paid to cool down.

    Raises
    ------
    ScenarioError
        If a number is out of range.
    """

    end: float | None = None
    every: int = 1
    patience: int = 2
    callback: Callable[[Verdict], object] | None = None
    utility: Utility | None = None
    reference: float | None = None
    seed: int = 0
    laws: Sequence[str | Law] | str | Law | None = None
    schedule: Schedule | None = None
    population: CurvePopulation | None = None
    particles: int | None = None

    def __post_init__(self) -> None:
        for name in ("every", "patience"):
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise ScenarioError(f"{name} is {count!r}, a whole number of 1 or more is needed")
        for name in ("end", "reference"):
            value = getattr(self, name)
            if value is not None:
                in_unit(name, value, "", "1000")

    def watch(self, planned: float) -> Watch:
        """Return what judges a run.

        Parameters
        ----------
        planned : float
            Steps that the trainer plans; not finite, or below 1, if it does not know.

        Raises
        ------
        ScenarioError
            If the end is neither given nor planned.
        """
        end = planned if self.end is None else self.end
        if not (math.isfinite(end) and end > 0):
            raise ScenarioError("the trainer does not know how many steps it plans; give end=")
        fitting = FitOptions(laws=self.laws, schedule=self.schedule, population=self.population)
        if self.particles is not None:
            fitting["particles"] = self.particles
        return Watch(float(end), self.utility, self.reference, self.seed, fitting)
