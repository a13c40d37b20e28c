"""When a callback judges, and when it stops: arguments that all of them share."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bayes_scaling.curves.schedule import Schedule
from bayes_scaling.curves.stopping.monitor import Verdict
from bayes_scaling.curves.stopping.utility import Stakes
from bayes_scaling.curves.stopping.watching import Watch
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["Rule"]

_FITTING = ("laws", "population", "particles")


@dataclass(frozen=True)
class Rule:
    """Arguments of a callback, refused before training begins rather than hours later.

    Parameters
    ----------
    end : float, optional
        Planned end in steps; what the trainer plans if not given.
    every : int
        Logged points from one verdict to the next. Training waits for a verdict: a fraction of a
        second, a few seconds where the curve is fitted from nothing again.
    patience : int
        Verdicts in a row that must say stop.
    told : callable, optional
        Called with every verdict.
    stakes, reference, schedule, seed
        As for :func:`monitor`.
    fitting : dict
        ``laws``, ``population`` and ``particles``, as for :func:`fit_curve`.

    Raises
    ------
    ScenarioError
        If a number is out of range.
    TypeError
        If there is no such argument of a fit.
    """

    end: float | None = None
    every: int = 1
    patience: int = 2
    told: Callable[[Verdict], None] | None = None
    stakes: Stakes | None = None
    reference: float | None = None
    schedule: Schedule | None = None
    seed: int = 0
    fitting: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("every", "patience"):
            count = getattr(self, name)
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise ScenarioError(f"{name} is {count!r}, a whole number of 1 or more is needed")
        for name in ("end", "reference"):
            value = getattr(self, name)
            if value is not None:
                in_unit(name, value, "", "1000")
        unknown = sorted(set(self.fitting) - set(_FITTING))
        if unknown:
            raise TypeError(
                f"unexpected keyword argument {unknown[0]!r}; those of a fit are "
                f"{', '.join(_FITTING)}"
            )

    def watch(self, planned: float) -> Watch:
        """What judges a run.

        Parameters
        ----------
        planned : float
            Steps the trainer plans; not finite, or below 1, if it does not know.

        Raises
        ------
        ScenarioError
            If the end is neither given nor planned.
        """
        end = planned if self.end is None else self.end
        if not (math.isfinite(end) and end > 0):
            raise ScenarioError("the trainer does not know how many steps it plans; give end=")
        fitting = dict(self.fitting)
        if self.schedule is not None:
            fitting["schedule"] = self.schedule
        return Watch(float(end), self.stakes, self.reference, self.seed, fitting)
