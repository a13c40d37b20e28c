"""Stages, their estimates and seconds, and where they are shown."""

import logging
import os
import pty
import re
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

from bayes_scaling.cli.progress_options import with_progress
from bayes_scaling.core import progress_display
from bayes_scaling.core.progress import LOGGER, Progress
from bayes_scaling.core.progress_display import display_here, in_words
from bayes_scaling.errors import FitError


class Clock:
    """Time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(time, "perf_counter", found)
    return found


def test_seconds_of_nested_stages_add_up_to_the_whole(clock: Clock) -> None:
    progress = Progress()
    with progress.stage("other") as whole:
        clock.now += 1
        for took in (3, 5):
            with progress.stage("sampling"):
                clock.now += took
        with progress.stage("groups"), progress.stage("writing"):
            clock.now += 2
        assert [(one.stage, one.seconds) for one in whole.seconds] == [
            ("sampling", 8.0),
            ("writing", 2.0),
            ("groups", 0.0),
        ]
    found = {one.stage: one.seconds for one in progress.seconds}
    assert found == {"sampling": 8.0, "writing": 2.0, "groups": 0.0, "other": 1.0}


def test_time_left_is_that_of_the_later_steps(clock: Clock) -> None:
    with Progress().stage("other", total=8) as fits:
        assert fits.left is None
        clock.now += 20  # the first one compiles
        fits.advance()
        assert fits.left == 7 * 20
        for _ in range(2):
            clock.now += 4
            fits.advance()
        assert fits.left == 5 * 4
        clock.now += 3
        assert fits.left == 5 * 4 - 3
        clock.now += 1000
        assert fits.left is None


def test_a_new_total_moves_the_time_left(clock: Clock) -> None:
    with Progress().stage("sampling", total=100) as stage:
        clock.now += 10
        stage.update(50)
        assert stage.left == 10
        stage.update(50, total=450)
        assert stage.left == 80


def test_an_error_ends_its_stages() -> None:
    progress = Progress()
    with pytest.raises(KeyboardInterrupt), progress.stage("one"), progress.stage("two"):
        raise KeyboardInterrupt
    assert [one.stage for one in progress.seconds] == ["two", "one"]


def test_a_function_takes_beginnings_and_tenths() -> None:
    said: list[str] = []
    progress = Progress.of(said.append)
    with progress.stage("sampling", "drawing", 6400, "draws") as stage:
        for done in range(0, 6401, 16):
            stage.update(done)
    with progress.stage("other", "fitting", 3, "fits") as stage:
        progress.say("a word")
        for _ in range(3):
            stage.advance()
    assert said[:2] == ["drawing", "drawing: 640 of 6400 draws"]
    assert len(said) == 1 + 10 + 1 + 1 + 3
    assert said[-1] == "fitting: 3 of 3 fits"


def test_the_option() -> None:
    progress = Progress()
    assert Progress.of(progress) is progress
    with pytest.raises(FitError):
        Progress.of(1)  # type: ignore[arg-type]


def test_everything_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    at_debug = caplog.at_level(logging.DEBUG, "bayes_scaling")
    with at_debug, Progress().stage("sampling", "drawing", 2) as stage:
        stage.advance()
    levels = [record.levelname for record in caplog.records]
    assert levels == ["INFO", "DEBUG", "INFO"]
    assert {record.name for record in caplog.records} == {"bayes_scaling"}


@pytest.fixture
def at_level() -> Iterator[None]:
    yield
    LOGGER.setLevel(logging.NOTSET)
    LOGGER.disabled = False
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("at_level")
def test_the_logger_silences_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert display_here() is not None
    LOGGER.setLevel(logging.WARNING)
    assert display_here() is None
    LOGGER.setLevel(logging.DEBUG)
    assert display_here() is not None
    LOGGER.disabled = True
    assert display_here() is None
    LOGGER.disabled = False
    logging.disable(logging.INFO)
    assert display_here() is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (3599.7, "1 h 0 min"), (90000, "25 h 0 min")],
)
def test_times_in_words(seconds: float, text: str) -> None:
    assert in_words(seconds) == text


PROGRAM = textwrap.dedent("""
    import os, sys, time
    from bayes_scaling.core import progress_display
    from bayes_scaling.core.progress import Progress
    progress_display._DELAY = 0.0
    progress = Progress.of(True)
    bar = progress._display if sys.stderr.isatty() and os.environ["TERM"] != "dumb" else None
    with progress.stage("other", "fitting laws", 4, "fits") as fits:
        while bar and not bar._live:
            time.sleep(0.01)
        for _ in range(4):
            time.sleep(0.02)
            fits.advance()
            if bar:
                bar._live.refresh()
            print("result")
    assert ("rich" in sys.modules) == bool(bar)
""")


def _run(terminal: bool, **environment: str) -> tuple[str, str]:
    """Standard output and standard error of the program."""
    mine, theirs = pty.openpty()
    try:
        done = subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            stdout=subprocess.PIPE,
            stderr=theirs if terminal else subprocess.PIPE,
            env=os.environ | {"TERM": "xterm", "COLUMNS": "100"} | environment,
            text=True,
        )
        os.close(theirs)
        shown = b""
        while terminal:
            try:
                shown += os.read(mine, 65536)
            except OSError:  # the other end is closed
                break
        out, err = done.communicate(timeout=60)
        assert done.returncode == 0, err or shown
        return out, shown.decode() if terminal else err
    finally:
        os.close(mine)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_shows_a_bar_and_the_time_left() -> None:
    out, err = _run(terminal=True)
    assert out == "result\n" * 4
    assert "fitting laws" in err
    assert "3 of 4 fits" in err
    assert "left" in err
    # Taken away at the end, and the cursor is back.
    assert err.rstrip().endswith(("\x1b[?25h", "\x1b[2K"))


def test_terminals_of_few_abilities() -> None:
    _, err = _run(terminal=True, TERM="dumb")
    assert "\x1b" not in err
    assert err.splitlines()[-1].startswith("bayes_scaling: fitting laws: 4 of 4 fits")
    _, err = _run(terminal=True, NO_COLOR="1")
    assert "fitting laws" in err
    assert not re.search(r"\x1b\[[0-9;]*m", err)


def test_nothing_is_written_where_standard_error_is_no_terminal() -> None:
    assert _run(terminal=False) == ("result\n" * 4, "")


@click.command()
@with_progress
def sleeper(progress: Progress) -> None:
    with progress.stage("sampling", "sampling for a while"), progress.stage("reading"):
        click.echo("result")


def test_verbose_prints_seconds_by_stage_to_standard_error() -> None:
    done = CliRunner().invoke(sleeper, ["-v"])
    assert done.stdout == "result\n"
    lines = done.stderr.splitlines()
    assert "sampling for a while" in lines[1]
    table = {line[:-12].strip(): float(line.split()[-2]) for line in lines if line.endswith(" s")}
    assert set(table) == {"sampling", "reading", "other", "all"}
    assert sum(table.values()) - table["all"] == pytest.approx(table["all"], abs=0.03)


def test_silent_options_print_nothing_else() -> None:
    for options in ([], ["--no-progress"]):
        assert CliRunner().invoke(sleeper, options).stderr == ""
    assert "sampling" in CliRunner().invoke(sleeper, ["-v", "--no-progress"]).stderr


class Shell:
    """A kernel's shell, and its display that can be updated."""

    kernel = object()

    def __init__(self) -> None:
        self.shown: list[str] = []

    def display(self, content: dict[str, str], **_: object) -> "Shell":
        self.update(content)
        return self

    def update(self, content: dict[str, str], **_: object) -> None:
        self.shown.append(content["text/plain"])


def test_a_notebook_shows_lines_that_change(monkeypatch: pytest.MonkeyPatch) -> None:
    shell, module = Shell(), ModuleType("IPython")
    module.get_ipython = lambda: shell  # type: ignore[attr-defined]
    module.display = shell  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.setitem(sys.modules, "IPython.display", shell)
    monkeypatch.setattr(progress_display, "_DELAY", 0.0)
    progress = Progress.of(True)
    with progress.stage("other", "fitting", 4, "fits") as stage, progress.stage("sampling"):
        stage.advance()
        while not any("(1 of 4 fits)" in text for text in shell.shown):
            time.sleep(0.01)
    assert shell.shown[-2].startswith("fitting (1 of 4 fits): ")
    assert shell.shown[-2].splitlines()[1].startswith("  sampling: ")
    assert shell.shown[-1] == "fitting: done in 0 s"
    monkeypatch.setattr(progress_display, "_DELAY", 60.0)
    shell.shown.clear()
    with Progress.of(True).stage("quick"):
        pass
    assert shell.shown == []


def test_each_counts_what_was_given(clock: Clock) -> None:
    with Progress().stage("reading", total=3) as stage:
        done = [(item, stage.done) for item in stage.each("abc")]
        assert done == [("a", 0), ("b", 1), ("c", 2)]
        assert stage.done == 3
    assert clock.now == 0
