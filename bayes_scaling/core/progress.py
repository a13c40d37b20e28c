"""Progress of long work: stages, time left, seconds by stage, and a log of it all.

One :class:`Progress` goes through all that a call does. A room opens a stage around what takes long
and says how far it is:

>>> progress = Progress.of(False)
>>> with progress.stage("fits", "fitting 2 laws", total=2, unit="fits") as fits:
...     for law in ("chinchilla", "product"):
...         with progress.stage("sampling", f"sampling {law}", total=6400, unit="draws") as draws:
...             draws.update(3200)
...             draws.update(6400)
...         fits.advance()
>>> [entry.stage for entry in progress.seconds]
['sampling', 'fits']

A sampler that starts again for longer opens another stage of the same name, whose text says why:
the time left is then that of the new round, and the seconds of all rounds are one sum.

Everything goes to the logger ``bayes_scaling`` too: beginnings and ends of stages with the level
INFO, steps of a tenth with DEBUG. A logger that is switched off, or whose own level is above INFO,
shows no bar either.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Protocol

from bayes_scaling.core.arguments import shown
from bayes_scaling.core.records import Record, about
from bayes_scaling.errors import FitError

__all__ = ["LOGGER", "OTHER", "Display", "Progress", "ProgressOption", "Seconds", "Stage"]

LOGGER = logging.getLogger("bayes_scaling")
LOGGER.addHandler(logging.NullHandler())

OTHER = "other"
"""Name of stages that hold others, and so of what is in none of these."""
_NEAR = 0.1
"""Seconds between two marks of a rate, so that quick steps do not fill the memory."""
_MESSAGES = 10
"""Messages about a stage whose steps are counted."""


class Seconds(Record, frozen=True, kw_only=True):
    """What a stage took, without the stages inside it: those of a call add up to its whole."""

    stage: Annotated[str, about("Name of the stage.")]
    seconds: Annotated[float, about("Wall-clock time.", "s", ge=0, le=1e12)]


class Stage:
    """A stage that is under way; made by :meth:`Progress.stage`.

    Attributes
    ----------
    name : str
        What its seconds are kept under.
    text : str
        What is going on, for a person.
    total, done : float or None, float
        How many steps there are, if that is known, and how many are done.
    unit : str
        What is counted: "draws", "fits".
    """

    def __init__(self, name: str, text: str, total: float | None, unit: str) -> None:
        self.name, self.text, self.total, self.unit = name, text or name, total, unit
        self.done = 0.0
        self.began = time.perf_counter()
        self.ended: float | None = None
        self.spent: dict[str, float] = {}
        self.on_change: Callable[[Stage], None] = lambda _stage: None
        self._marks = deque([(self.began, 0.0)])

    def resume(self, done: float) -> None:
        """Say how many steps were done before this one began to count them."""
        self._marks = deque([(time.perf_counter(), done)])
        self.update(done)

    def advance(self, steps: float = 1) -> None:
        """Say that so many more steps are done."""
        self.update(self.done + steps)

    def update(self, done: float, total: float | None = None) -> None:
        """Say how many steps are done, and of how many if that has changed."""
        now = time.perf_counter()
        self.done, self.total = done, self.total if total is None else total
        if now - self._marks[-1][0] >= _NEAR or len(self._marks) == 1:
            self._marks.append((now, done))
        # The rate is that of the later half: a first fit compiles, and the first draws are slow.
        while len(self._marks) > 2 and self._marks[1][1] <= done / 2:
            self._marks.popleft()
        self.on_change(self)

    def each[Item](self, items: Iterable[Item]) -> Iterator[Item]:
        """Give items one by one; each is a step, done when the next one is asked for."""
        for item in items:
            yield item
            self.advance()

    @property
    def elapsed(self) -> float:
        """Seconds since it began, until it ended."""
        return (time.perf_counter() if self.ended is None else self.ended) - self.began

    @property
    def left(self) -> float | None:
        """Estimate of the seconds left; None where nothing tells, or it was too low."""
        (first, before), (last, done) = self._marks[0], self._marks[-1]
        if self.total is None or done <= before:
            return None
        seconds_a_step = (last - first) / (done - before)
        left = seconds_a_step * (self.total - done) - (time.perf_counter() - last)
        return left if left > 0 else None

    @property
    def count(self) -> str:
        """How many steps are done, as in "3 of 8 fits"; empty where they are not counted."""
        if self.total is None:
            return ""
        return f"{self.done:.0f} of {self.total:.0f} {self.unit}".strip()

    @property
    def seconds(self) -> tuple[Seconds, ...]:
        """Seconds of the stages inside it that have ended, by name."""
        return _records(self.spent)


class Display(Protocol):
    """Shows stages to a person; made by :mod:`bayes_scaling.core.progress_display`."""

    def begin(self, stage: Stage) -> None:
        """Show a stage, inside those that are shown."""

    def change(self, stage: Stage, *, tenth: bool) -> None:
        """Show what is done of a stage; ``tenth`` tells whether a further tenth of it is."""

    def end(self, stage: Stage) -> None:
        """Take the innermost stage away."""

    def say(self, text: str) -> None:
        """Show one message."""


type ProgressOption = bool | Callable[[str], None] | Progress
"""Values of the option ``progress`` of functions that take long."""


class Progress:
    """Progress of one call, through all that it does.

    Parameters
    ----------
    display : Display, optional
        Where it is shown; nowhere by default.
    """

    def __init__(self, display: Display | None = None) -> None:
        self._display = display
        self._open: list[Stage] = []
        self._spent: dict[str, float] = {}

    @classmethod
    def of(cls, option: ProgressOption) -> "Progress":
        """Return the progress that the option ``progress`` of a function asks for.

        Parameters
        ----------
        option : bool, callable or Progress
            True: a bar with the time left where standard error is a terminal, a line of text in
            Jupyter, nothing elsewhere. A function takes each message as text, wherever it runs.

        Raises
        ------
        FitError
            If it is none of these.
        """
        from bayes_scaling.core.progress_display import TextDisplay, display_here

        if isinstance(option, Progress):
            return option
        if callable(option):
            return cls(TextDisplay(option))
        if not isinstance(option, bool):
            raise FitError(f"progress is {shown(option)}; True, False or a function is needed")
        return cls(display_here() if option else None)

    @contextmanager
    def stage(
        self, name: str, text: str = "", total: float | None = None, unit: str = ""
    ) -> Iterator[Stage]:
        """Show and time a stage, inside those that are open.

        Parameters
        ----------
        name : str
            What its seconds are kept under; those of stages of one name are added.
        text : str
            What is going on, for a person; the name by default.
        total : float, optional
            How many steps it has, if that is known.
        unit : str
            What is counted: "draws", "fits".
        """
        stage = Stage(name, text, total, unit)
        tenths = _Tenths()

        def change(changed: Stage) -> None:
            tenth = tenths.another(changed)
            if tenth:
                LOGGER.debug("%s: %s", changed.text, changed.count)
            if self._display:
                self._display.change(changed, tenth=tenth)

        stage.on_change = change
        LOGGER.info("%s", stage.text)
        self._open.append(stage)
        if self._display:
            self._display.begin(stage)
        try:
            yield stage
        finally:
            self._end(stage)

    def _end(self, stage: Stage) -> None:
        elapsed = stage.elapsed
        stage.ended = stage.began + elapsed
        LOGGER.info("%s: %.3g s", stage.text, elapsed)
        self._open.remove(stage)
        within = self._open[-1].spent if self._open else self._spent
        own = elapsed - sum(stage.spent.values())
        for name, seconds in (*stage.spent.items(), (stage.name, own)):
            within[name] = within.get(name, 0.0) + seconds
        if self._display:
            self._display.end(stage)

    def say(self, text: str) -> None:
        """Show one message, beside the stages."""
        LOGGER.info("%s", text)
        if self._display:
            self._display.say(text)

    @property
    def seconds(self) -> tuple[Seconds, ...]:
        """Seconds of all stages that have ended, by name, in the order in which they first did."""
        return _records(self._spent)


class _Tenths:
    """Tells each further tenth of a stage, or each step where there are fewer than ten."""

    def __init__(self) -> None:
        self.told = 0

    def another(self, stage: Stage) -> bool:
        if not stage.total:
            return False
        parts = min(stage.total, _MESSAGES)
        reached = int(stage.done * parts / stage.total)
        self.told, before = max(reached, self.told), self.told
        return reached > before


def _records(spent: Mapping[str, float]) -> tuple[Seconds, ...]:
    return tuple(Seconds(stage=name, seconds=max(value, 0.0)) for name, value in spent.items())
