"""Displays of progress: a bar in a terminal, a line in Jupyter, text for a function."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bayes_scaling.core.progress import LOGGER, Display, Stage

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

__all__ = ["BarDisplay", "NotebookDisplay", "TextDisplay", "display_here", "in_words", "write_line"]

_DELAY = 1.0
"""Seconds before anything is shown: what is quick shows no bar, nor imports what draws it."""
_FRAMES = 5
"""Frames a second; a notebook, whose file holds what is shown, takes half as many."""
_WIDTH = 24
"""Of a bar, in characters."""


def display_here() -> Display | None:
    """Return the display that suits where standard error goes; None where nobody watches."""
    # The level of its own alone: that of the root, which it has otherwise, is WARNING by default.
    own = LOGGER.level or logging.INFO
    if LOGGER.disabled or own > logging.INFO or LOGGER.manager.disable >= logging.INFO:
        return None
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if getattr(shell, "kernel", None) is not None:
        return NotebookDisplay()
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    return TextDisplay(write_line) if os.environ.get("TERM") == "dumb" else BarDisplay()


def in_words(seconds: float) -> str:
    """Return a time as text, in its two largest units.

    Examples
    --------
    >>> [in_words(seconds) for seconds in (4.2, 75.0, 3900.0)]
    ['4 s', '1 min 15 s', '1 h 5 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def write_line(text: str) -> None:
    """Write a message to standard error."""
    print(f"bayes_scaling: {text} …", file=sys.stderr)  # noqa: T201


def _times(stage: Stage) -> str:
    left = stage.left
    return in_words(stage.elapsed) + ("" if left is None else f", about {in_words(left)} left")


def _shown(stages: Iterable[Stage]) -> list[Stage]:
    """The stages to show: those of several steps, and the innermost."""
    every = list(stages)
    return [stage for stage in every if (stage.total or 0) > 1 or stage is every[-1]]


class TextDisplay:
    """Messages for a function: beginnings of stages, and each tenth of those that are counted.

    Parameters
    ----------
    write : callable
        Takes one message.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def begin(self, stage: Stage) -> None:
        """Tell what begins."""
        self._write(stage.text)

    def change(self, stage: Stage, *, tenth: bool) -> None:
        """Tell how much is done."""
        if tenth:
            self._write(f"{stage.text}: {stage.count}")

    def end(self, stage: Stage) -> None:
        """Tell nothing: what comes next says that it ended."""

    def say(self, text: str) -> None:
        """Tell it."""
        self._write(text)


class NotebookDisplay:
    """Lines of text below a cell of a notebook, one a stage, replaced as they change."""

    def __init__(self) -> None:
        self._open: list[Stage] = []
        self._handle: Any = None
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, stage: Stage) -> None:
        """Add a line."""
        self._open.append(stage)
        if self._thread is None:
            self._ended.clear()
            self._thread = threading.Thread(target=self._follow, daemon=True)
            self._thread.start()

    def change(self, stage: Stage, *, tenth: bool) -> None:
        """Nothing: each frame reads the stages."""

    def end(self, stage: Stage) -> None:
        """Take the line away; that of the outermost stage stays and says how long it took."""
        self._open.remove(stage)
        if self._open or self._thread is None:
            return
        self._ended.set()
        self._thread.join()
        self._thread = None
        if self._handle is not None:
            self._write(f"{stage.text}: done in {in_words(stage.elapsed)}")
            self._handle = None

    def say(self, text: str) -> None:
        """Print a message; it stays."""
        print(text)  # noqa: T201

    def _follow(self) -> None:
        pause = _DELAY
        while not self._ended.wait(pause):
            pause = 2 / _FRAMES
            self._write("\n".join(_line(depth, s) for depth, s in enumerate(_shown(self._open))))

    def _write(self, text: str) -> None:
        from IPython.display import display

        content = {"text/plain": text}
        if self._handle is None:
            self._handle = display(content, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(content, raw=True)


def _line(depth: int, stage: Stage) -> str:
    count = f" ({stage.count})" if stage.count else ""
    return f"{'  ' * depth}{stage.text}{count}: {_times(stage)}"


class BarDisplay:
    """Bars on standard error, one an open stage, which are gone when the work is done."""

    def __init__(self) -> None:
        self._open: list[Stage] = []
        self._live: Live | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def begin(self, stage: Stage) -> None:
        """Add a bar."""
        with self._lock:
            self._open.append(stage)
            if self._timer is None:
                self._timer = threading.Timer(_DELAY, self._start)
                self._timer.daemon = True
                self._timer.start()

    def change(self, stage: Stage, *, tenth: bool) -> None:
        """Nothing: each frame reads the stages."""

    def end(self, stage: Stage) -> None:
        """Take the bar away."""
        with self._lock:
            self._open.remove(stage)
            if self._open:
                return
            if self._timer is not None:
                self._timer.cancel()
            live, self._timer, self._live = self._live, None, None
        if live is not None:
            live.stop()

    def say(self, text: str) -> None:
        """Print a message above the bars; it stays."""
        with self._lock:
            if self._live is None:
                write_line(text)
            else:
                self._live.console.print(text, markup=False, highlight=False)

    def _start(self) -> None:
        from rich.console import Console
        from rich.live import Live

        with self._lock:
            if not self._open or self._live is not None:
                return
            # Output that goes to a file is not drawn above the bars, that is, on standard error.
            visible = sys.stdout is not None and sys.stdout.isatty()
            self._live = Live(
                get_renderable=self._table,
                console=Console(stderr=True),
                refresh_per_second=_FRAMES,
                transient=True,
                redirect_stdout=visible,
            )
            self._live.start(refresh=True)

    def _table(self) -> "Table":
        from rich.progress_bar import ProgressBar
        from rich.table import Column, Table
        from rich.text import Text

        # Where the terminal is narrow the text alone gives way, and is cut rather than wrapped.
        fixed = [Column(no_wrap=True) for _ in range(3)]
        table = Table.grid(Column(), *fixed, padding=(0, 1))
        for depth, stage in enumerate(_shown(self._open)):
            bar = ProgressBar(stage.total, stage.done, pulse=stage.total is None, width=_WIDTH)
            text = Text("  " * depth + stage.text, no_wrap=True, overflow="ellipsis")
            table.add_row(text, bar, stage.count, _times(stage))
        return table
