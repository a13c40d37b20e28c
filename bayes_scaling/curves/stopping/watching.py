"""Follow a log that is being written, and judge its run again whenever it grows."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Unpack

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.old_names import old_arguments, old_names
from bayes_scaling.core.progress import Progress, ProgressOption, Stage
from bayes_scaling.curves.cleaning.anomalies import cleaned
from bayes_scaling.curves.curve import Curve
from bayes_scaling.curves.fitting.curve_fit import FEWEST, CurveFit
from bayes_scaling.curves.fitting.fit_options import FitOptions
from bayes_scaling.curves.importers import load_curves
from bayes_scaling.curves.importers.import_options import ImportKeywords
from bayes_scaling.curves.stopping.monitor import first_verdict, judge
from bayes_scaling.curves.stopping.utility import Utility
from bayes_scaling.curves.stopping.verdict import Verdict
from bayes_scaling.errors import BayesScalingError, DataError
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["Watch", "watch"]

_LINES = {".csv", ".tsv", ".jsonl", ".ndjson"}
_EVERY = 5.0
_PATIENCE = 2
_TRIES = 5
"""Reads in a row that may fail before the error is raised: files are rewritten in parts."""


@old_names(stakes="utility")
@dataclass
class Watch:
    """Verdict on one run, updated as its curve grows.

    Parameters
    ----------
    end : float
        Planned end, in steps or tokens as the log counts.
    utility : Utility, optional
        Cost of training and value of a lower loss.
    reference : float, optional
        Loss to beat.
    seed : int
        Random seed.
    fitting : dict
        As for :func:`monitor`: ``laws``, ``schedule``, ``population``, ``particles``.

    Raises
    ------
    ScenarioError
        If ``end`` or ``reference`` is no number above 0.

    Examples
    --------
    >>> curve = bs.load_curves("curve.csv", t="step").curves[0]
    >>> watching = Watch(10_000.0, fitting={"laws": "curve-power", "particles": 200})
    >>> [watching.judge(curve.until(t)).t for t in (4000, 5000)]
    [4000.0, 5000.0]
    """

    end: float
    utility: Utility | None = None
    reference: float | None = None
    seed: int = 0
    fitting: FitOptions = field(default_factory=FitOptions)
    _fit: CurveFit | None = None

    def __post_init__(self) -> None:
        in_unit("end", self.end, "", "1e5")
        if self.reference is not None:
            in_unit("reference", self.reference, "", "2.5")

    def judge(self, curve: Curve) -> Verdict:
        """Return the verdict on a curve so far, updated from the last one where there is one.

        Parameters
        ----------
        curve : Curve
            The whole curve.
        """
        clean = cleaned(curve, self.fitting.get("schedule"))
        known = self._fit
        if known is None or clean.diverged or clean.curve.t[-1] < known.curve.t[-1]:
            verdict = first_verdict(
                clean,
                self.end,
                utility=self.utility,
                reference=self.reference,
                seed=self.seed,
                fitting=self.fitting,
            )
            self._fit = verdict.fit
            return verdict
        self._fit = known.updated(clean.curve)
        return judge(
            self._fit, self.end, utility=self.utility, reference=self.reference, clean=clean
        )


@old_arguments(told="callback", noted="on_caveats")
def watch(
    source: str | PathLike[str],
    watching: Watch,
    *,
    callback: Callable[[Verdict], object],
    every: float = _EVERY,
    patience: int = _PATIENCE,
    timeout: float | None = None,
    on_caveats: Callable[[tuple[Caveat, ...]], object] | None = None,
    progress: ProgressOption = True,
    **reading: Unpack[ImportKeywords],
) -> Verdict:
    """Follow a growing log until the run is over or should be stopped.

    Parameters
    ----------
    source : path-like or str
        What :func:`load_curves` reads. Of text a last line without an end is not read yet.
    watching : Watch
        Settings of the verdict.
    callback : callable
        Called with every new verdict.
    every : float
        Seconds between reads of the log.
    patience : int
        Number of verdicts in a row that must say stop.
    timeout : float, optional
        Seconds without a new point after which to end; by default never.
    on_caveats : callable, optional
        Called once with the caveats of the import.
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. The end is the
        planned one. See :mod:`bayes_scaling.core.progress`.
    **reading
        As for :func:`load_curves`: ``metric``, ``t``, ``run``, ``lr``, ``join``, ``format``.

    Returns
    -------
    Verdict
        The last one: its ``advice`` is "stop" if the rule stopped it.

    Raises
    ------
    DataError
        If the log cannot be read several times in a row, holds several runs of which none is
        named, or nothing new comes in time.

    Examples
    --------
    >>> watch("log.csv", Watch(50_000), callback=print)  # doctest: +SKIP
    """
    log = _Log(source, reading, on_caveats)
    with Progress.of(progress).stage("watching", f"watching {source}", watching.end) as stage:
        return _follow(
            log, watching, stage, callback, every=every, patience=patience, timeout=timeout
        )


def _follow(
    log: "_Log",
    watching: Watch,
    stage: Stage,
    callback: Callable[[Verdict], object],
    *,
    every: float,
    patience: int,
    timeout: float | None,
) -> Verdict:
    """Judge the run whenever points come; see :func:`watch`."""
    seen, stops, quiet = 0.0, 0, time.monotonic()
    verdict: Verdict | None = None
    while True:
        curve = log.look()
        if curve is not None and curve.reached > seen and len(curve) >= FEWEST:
            if curve.t[0] > watching.end:
                raise DataError(
                    f"the curve of {curve.run!r} starts at {curve.axis} {curve.t[0]:g}, beyond its "
                    f"planned end {watching.end:g}; give a later end"
                )
            seen = curve.reached
            (stage.resume if verdict is None else stage.update)(seen)
            verdict = watching.judge(curve.until(watching.end))
            callback(verdict)
            # After the verdict: points that came while it was made have not been looked at yet.
            quiet = time.monotonic()
            stops = stops + 1 if verdict.advice == "stop" else 0
            if stops >= patience or verdict.diverged or seen >= watching.end:
                return verdict
        if timeout is not None and time.monotonic() - quiet > timeout:
            if verdict is None:
                raise log.problem or DataError(
                    f"{log.source} holds no curve of {FEWEST} points yet"
                )
            return verdict
        time.sleep(every)


@dataclass
class _Log:
    """Log that is read again and again; ``problem`` is why the last read failed."""

    source: str | PathLike[str]
    reading: ImportKeywords
    on_caveats: Callable[[tuple[Caveat, ...]], object] | None
    problem: BayesScalingError | None = None
    _failed: int = 0

    def look(self) -> Curve | None:
        """Return its one curve; None if it cannot be read now, and perhaps can be later."""
        try:
            with _whole_lines(self.source) as path:
                curves = load_curves(path, progress=False, **self.reading)
            if len(curves) > 1:
                raise DataError(
                    f"{self.source} holds {len(curves)} runs "
                    f"({', '.join(map(repr, curves.names[:4]))} …); a log of one run is needed"
                )
        except BayesScalingError as error:
            self.problem, self._failed = error, self._failed + 1
            if self._failed >= _TRIES:
                raise
            return None
        self.problem, self._failed = None, 0
        if self.on_caveats is not None:
            self.on_caveats(curves.caveats)
            self.on_caveats = None
        return curves.curves[0]


@contextmanager
def _whole_lines(source: str | PathLike[str]) -> Iterator[str | PathLike[str]]:
    """Give a text log without a last line that is still being written."""
    path = Path(source)
    if path.suffix.lower() not in _LINES or not path.is_file():
        yield source
        return
    content = path.read_bytes()
    if content.endswith(b"\n"):
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(content[: content.rfind(b"\n") + 1])
        yield copy
