"""What callbacks share: points of a run as it trains, and the rule asked as they come."""

import logging
import math
from collections.abc import Iterable

from bayes_scaling.curves.callbacks.rule import Rule
from bayes_scaling.curves.curve import Curve, Flag
from bayes_scaling.curves.fitting.curve_fit import FEWEST
from bayes_scaling.curves.stopping.monitor import Verdict
from bayes_scaling.errors import DataError

__all__ = ["Point", "Recorder"]

_LOG = logging.getLogger(__name__)
_RUN = "run"

Point = tuple[float, float, float | None]
"""Step, loss and learning rate."""


class Recorder:
    """The curve of one run in training, and the last verdict on it.

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
        self._said: set[str] = set()

    def seen(self, t: float, loss: float, lr: float | None = None) -> bool:
        """Whether to stop, now that a loss was logged.

        Parameters
        ----------
        t : float
            Step; one before the first step, or another point of the last one, is left out.
        loss : float
            Loss; one that is no number is divergence.
        lr : float, optional
            Learning rate.
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
            self._say(f"There is no verdict on the run: {error}")
            return False
        return self._judged(verdict)

    def curve(self) -> Curve:
        """All of the run so far."""
        t, loss, rates = zip(*self.points, strict=True)
        lr = None if None in rates else rates
        return Curve.of(_RUN, t, loss, lr=lr, metric=self.metric, source="trainer")

    def missing(self, names: Iterable[str]) -> None:
        """Say that the loss is not there where it was to be, and what is."""
        known = ", ".join(map(repr, sorted(names))) or "nothing"
        self._say(f"The run is not judged: no {self.metric!r} is logged; there is {known}.", "none")

    def _judged(self, verdict: Verdict) -> bool:
        """Keep and tell a verdict; whether it is enough to stop."""
        self.verdict = verdict
        self._stops = self._stops + 1 if verdict.advice == "stop" else 0
        stops = bool(verdict.content["diverged"]) or self._stops >= self._rule.patience
        if stops:
            self._say(str(verdict).split("\n", 1)[0])
        if self._rule.told is not None:
            self._rule.told(verdict)
        return stops

    def _no_number(self, t: float) -> Verdict:
        """The verdict on a loss that no curve holds."""
        flag = Flag(_RUN, "not finite", float(t), float(t), 1, "the loss is no number: stopped")
        content = {
            "run": _RUN,
            "metric": self.metric,
            "axis": "step",
            "t": float(t),
            "end": self._watch.end,
            "loss": self.points[-1][1] if self.points else None,
            "excursion": None,
            "diverged": True,
            "flags": [vars(flag)],
            "warnings": [],
        }
        return Verdict("stop", content)

    def _say(self, text: str, kind: str | None = None) -> None:
        """Log something, once a run: the same text, or another of its kind."""
        if (kind or text) not in self._said:
            self._said.add(kind or text)
            _LOG.warning(text)
