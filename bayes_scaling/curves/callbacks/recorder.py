"""Recorder of callbacks: points of a run as it trains, judged as they come."""

import logging
import math
from collections.abc import Iterable

from bayes_scaling.curves.callbacks.rule import Rule
from bayes_scaling.curves.curve import Curve
from bayes_scaling.curves.curve_flag import Flag
from bayes_scaling.curves.fitting.curve_fit import FEWEST
from bayes_scaling.curves.stopping.verdict import LoggedLoss, Verdict
from bayes_scaling.errors import DataError

__all__ = ["Point", "Recorder"]

_LOG = logging.getLogger(__name__)
_RUN = "run"

Point = tuple[float, float, float | None]
"""Step, loss and learning rate."""


class Recorder:
    """Curve of one run in training, and the last verdict on it.

    Parameters
    ----------
    rule : Rule
        When to judge and to stop.
    planned : float
        Steps the trainer plans; not finite, or below 1, if it does not know.
    metric : str
        What the loss is called.
    before : iterable of Point
        Logged before the run was resumed; not judged.

    Attributes
    ----------
    points : list of Point
        As logged, without losses that are no number.
    verdict : Verdict or None
        The last one.

    Raises
    ------
    ScenarioError
        If the end is neither given nor planned.
    """

    def __init__(
        self, rule: Rule, planned: float, metric: str, before: Iterable[Point] = ()
    ) -> None:
        self.metric = metric
        self.points = [point for point in before if point[0] > 0 and math.isfinite(point[1])]
        self.verdict: Verdict | None = None
        self._rule, self._watch = rule, rule.watch(planned)
        self._waiting = self._stops = 0
        self._logged: set[str] = set()

    def seen(self, t: float, loss: float, lr: float | None = None) -> bool:
        """Record a loss and a learning rate logged at a step, and return whether to stop.

        Before the first step, or again at the last one, it is left out; no number is divergence.
        """
        if t <= 0 or (self.points and self.points[-1][0] == t):
            return False
        if not math.isfinite(loss):
            return self._judged(self._no_number(t))
        self.points.append((float(t), float(loss), lr))
        self._waiting += 1
        if self._waiting < self._rule.every or len(self.points) < FEWEST or t > self._watch.end:
            return False
        self._waiting = 0
        try:
            verdict = self._watch.judge(self.curve())
        except Exception as error:
            # A wrong argument shows at the first verdict. What is wrong with the losses, or with
            # a later verdict, must not end a run that may have trained for days.
            if self.verdict is None and not isinstance(error, DataError):
                raise
            self._warn(f"There is no verdict on the run: {error}")
            return False
        return self._judged(verdict)

    def curve(self) -> Curve:
        """Return the run so far."""
        t, loss, rates = zip(*self.points, strict=True)
        lr = None if None in rates else rates
        return Curve.of(_RUN, t, loss, lr=lr, metric=self.metric, source="trainer")

    def missing(self, names: Iterable[str]) -> None:
        """Warn that the loss is not logged where it should be, and what is."""
        known = ", ".join(map(repr, sorted(names))) or "nothing"
        self._warn(
            f"The run is not judged: no {self.metric!r} is logged; there is {known}.", "none"
        )

    def _judged(self, verdict: Verdict) -> bool:
        """Keep a verdict, and return whether it is enough to stop."""
        self.verdict = verdict
        self._stops = self._stops + 1 if verdict.advice == "stop" else 0
        stops = verdict.diverged or self._stops >= self._rule.patience
        if stops:
            self._warn(str(verdict).split("\n", 1)[0])
        if self._rule.callback is not None:
            self._rule.callback(verdict)
        return stops

    def _no_number(self, t: float) -> Verdict:
        """Return the verdict on a loss that no curve holds."""
        meaning = "the loss is no number: stopped"
        flag = Flag(run=_RUN, code="not finite", first=t, last=t, points=1, meaning=meaning)
        return Verdict.without_forecast(
            run=_RUN,
            metric=self.metric,
            axis="step",
            t=float(t),
            end=self._watch.end,
            loss=self.points[-1][1] if self.points else None,
            excursion=None,
            diverged=True,
            flags=[flag],
            points=[LoggedLoss(t=at, loss=loss) for at, loss, _ in self.points],
        )

    def _warn(self, text: str, kind: str | None = None) -> None:
        """Log a warning, once a run: the same text, or another of its kind."""
        if (kind or text) not in self._logged:
            self._logged.add(kind or text)
            _LOG.warning(text)
