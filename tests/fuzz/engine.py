"""Reads altered inputs one by one and says what must not happen.

An input is either refused by one sentence of a :class:`BayesScalingError` (or an error of usage of
the command line), or accepted with finite numbers. Everything else is a finding: another exception,
a warning, an error of several lines, more than a few seconds, files half written. Input ``i`` of a
run with seed ``S`` is that of seed ``S + i``, so ``--seed (S + i) --inputs 1`` makes it again.
"""

import hashlib
import math
import signal
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import click

from bayes_scaling.errors import BayesScalingError

__all__ = ["Finding", "Made", "Summary", "Target", "UnsoundError", "finite", "fuzz"]

SLOW, STUCK = 5.0, 60.0
"""Seconds of processor and of wall clock after which reading one input is a hang."""
_LONGEST = 1500
"""Letters of an error."""


class UnsoundError(AssertionError):
    """What was accepted holds what it must not hold."""


class _Hang(BaseException):
    """Not an Exception, so that nothing on the way takes it for an error of its own."""


@dataclass(frozen=True)
class Made:
    """An altered input: name of its file, and content."""

    name: str
    data: bytes


@dataclass(frozen=True)
class Target:
    """Something that reads what strangers write.

    Attributes
    ----------
    name : str
        As ``--target`` names it.
    make : callable
        An altered input from a generator.
    read : callable
        Reads the file at a path as a user would; may write into its folder below ``out``.
    """

    name: str
    make: Callable[[Random], Made]
    read: Callable[[Path], object]
    work: float = 0.0
    """Seconds of processor that an input as it should be may take, beyond those of a hang."""


@dataclass(frozen=True)
class Finding:
    """An input that was neither refused nor taken as it should be."""

    target: str
    seed: int
    what: str
    trace: str
    made: Made

    def __str__(self) -> str:
        return f"{self.target} --seed {self.seed} --inputs 1: {self.what}"


@dataclass
class Summary:
    """What became of the inputs of one target."""

    target: str
    inputs: int = 0
    refused: int = 0
    accepted: int = 0
    slowest: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.target:<14}{self.inputs:>7} inputs {self.refused:>7} refused in one sentence "
            f"{self.accepted:>7} accepted {len(self.findings):>4} findings "
            f"(slowest {self.slowest:.1f} s)"
        )


def fuzz(
    target: Target,
    *,
    seed: int = 0,
    inputs: int | None = None,
    seconds: float = math.inf,
    folder: Path | None = None,
) -> Summary:
    """Read altered inputs until there were enough or the time is over.

    Parameters
    ----------
    target : Target
        What reads them.
    seed : int
        Of the first input; the next one has the next.
    inputs : int, optional
        How many; without it as many as fit into ``seconds``.
    seconds : float
        After which no other input is begun.
    folder : pathlib.Path, optional
        Where inputs with findings are kept.
    """
    summary = Summary(target.name)
    end = time.monotonic() + seconds
    while time.monotonic() < end and (inputs is None or summary.inputs < inputs):
        _one(target, seed + summary.inputs, summary, folder)
    return summary


def _one(target: Target, seed: int, summary: Summary, keep: Path | None) -> None:
    made = target.make(_generator(target.name, seed))
    summary.inputs += 1
    began = time.process_time()
    try:
        with tempfile.TemporaryDirectory() as name:
            accepted = _read(target, made, Path(name))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever comes is what is looked for
        what = f"{type(error).__name__}: {str(error)[:300]!r}"
        trace = "".join(traceback.format_exception(error))
        finding = Finding(target.name, seed, what, trace, made)
        summary.findings.append(finding)
        if keep is not None:
            _keep(finding, keep)
    else:
        summary.accepted += accepted
        summary.refused += not accepted
    summary.slowest = max(summary.slowest, time.process_time() - began)


def _generator(name: str, seed: int) -> Random:
    digest = hashlib.sha256(f"{name}/{seed}".encode()).digest()
    return Random(int.from_bytes(digest))  # noqa: S311 - no secret


def _read(target: Target, made: Made, folder: Path) -> bool:
    """Whether the input is accepted; what must not happen is raised."""
    path = folder / made.name
    path.write_bytes(made.data)
    out = folder / "out"
    out.mkdir()
    accepted = True
    with _limited(SLOW + target.work), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            target.read(path)
        except BayesScalingError as error:
            accepted = False
            _check_message(str(error))
        except click.ClickException as error:
            accepted = False
            _check_message(error.format_message())
    left = [file.name for file in folder.rglob(".*")]
    if left:
        raise UnsoundError(f"left {left[0]}")
    if path.read_bytes() != made.data:
        raise UnsoundError("the input was changed")
    return accepted


def _check_message(text: str) -> None:
    if not text.strip() or "\n" in text or "Traceback" in text or len(text) > _LONGEST:
        raise UnsoundError(f"an error of {len(text)} letters, or several lines: {text[:200]!r}")


@contextmanager
def _limited(slow: float) -> Iterator[None]:
    """Break off after some seconds of processor time, or a minute."""

    def stop(number: int, _frame: object) -> None:
        raise _Hang(f"more than {slow if number == signal.SIGPROF else STUCK:g} s")

    before = {number: signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, slow)
    signal.setitimer(signal.ITIMER_REAL, STUCK)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _keep(finding: Finding, folder: Path) -> None:
    place = folder / f"{finding.target}-{finding.seed}"
    place.mkdir(parents=True, exist_ok=True)
    (place / finding.made.name).write_bytes(finding.made.data)
    (place / "trace.txt").write_text(finding.trace, "utf-8", "backslashreplace")


def finite(value: Any, where: str = "") -> None:
    """See that nested plain values hold no NaN and no infinity.

    Raises
    ------
    UnsoundError
        Naming the first place that does.
    """
    if isinstance(value, Mapping):
        for key, item in value.items():
            finite(item, f"{where}.{key}")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            finite(item, f"{where}[{place}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise UnsoundError(f"{where or 'it'} is {value}")
