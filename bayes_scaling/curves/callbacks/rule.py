"""Stopping rule of a callback: arguments that all callbacks share."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from bayes_scaling.curves.fitting.fit_options import FitOptions
from bayes_scaling.curves.stopping.utility import Utility
from bayes_scaling.curves.stopping.verdict import Verdict
from bayes_scaling.curves.stopping.watching import Watch
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["Rule"]

_FITTING = tuple(FitOptions.__annotations__)


@dataclass(frozen=True)
class Rule:
    """Arguments of a callback, refused before training begins rather than hours later.

    Parameters
    ----------
    end : float, optional
        Planned end in steps; that of the trainer by default.
    every : int
        Logged points from one verdict to the next. Training waits for a verdict: a fraction of a
        second, a few seconds where the curve is fitted from the prior again.
    patience : int
        Number of verdicts in a row that must say stop.
    callback : callable, optional
        Called with every verdict.
    utility, reference, seed
        As for :func:`monitor`.
    fitting : dict
        As for :func:`fit_curve`: ``laws``, ``schedule``, ``population``, ``particles``.

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
    callback: Callable[[Verdict], object] | None = None
    utility: Utility | None = None
    reference: float | None = None
    seed: int = 0
    fitting: FitOptions = field(default_factory=FitOptions)

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
        return Watch(float(end), self.utility, self.reference, self.seed, self.fitting)
