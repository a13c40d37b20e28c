"""Logs that keep every tag on its own, by step: TensorBoard and MLflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.curves.curve import Axis, Curves
from bayes_scaling.curves.importers.finishing import finish
from bayes_scaling.curves.importers.import_options import Asked, given
from bayes_scaling.curves.importers.names import axis_of, pick_lr, pick_metric
from bayes_scaling.curves.importers.tracks import COUNTED, Track, aligned
from bayes_scaling.errors import DataError

__all__ = ["Picked", "Series", "curves_of_series", "pick", "track"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Series:
    """One tag of one run, in the order in which it was logged.

    Attributes
    ----------
    step, value, seconds : (point,) array
        Steps, values, and wall-clock since 1970.
    """

    step: Floats
    value: Floats
    seconds: Floats


@dataclass(frozen=True, slots=True)
class Picked:
    """Which tags of a source are read.

    Attributes
    ----------
    metric : str
        The loss.
    t : str or None
        A tag that counts tokens or steps; None is the step that every value is logged with.
    lr : str or None
        Learning rate.
    axis : {"step", "tokens"}
        What positions count.
    counted : bool
        Whether points are counted as they were logged, whatever step they were logged with.
    notes : tuple of str
        What was guessed.
    """

    metric: str
    t: str | None
    lr: str | None
    axis: Axis
    counted: bool
    notes: tuple[str, ...]


def pick(asked: Asked, tags: Sequence[str], source: str, word: str) -> Picked:
    """Which tags to read.

    Parameters
    ----------
    asked : Asked
        What the caller says.
    tags : sequence of str
        All tags of all runs.
    source, word : str
        What to call the source and a tag in messages.

    Raises
    ------
    DataError
        If a tag is absent or ambiguous, or a column of runs is asked for.
    """
    if asked.run is not None:
        raise DataError(f"{source} keeps its runs apart by itself; leave run= out")
    notes: list[str] = []
    metric = pick_metric(asked.metric, tags, source, word, notes)
    t: str | None = None
    axis: Axis = "step"
    counted = asked.counts(tags)
    if counted:
        notes.append(COUNTED)
    elif asked.t not in {None, "step"}:
        t = given("t", str(asked.t), tags, source, word)
        axis = axis_of(t, notes)
    lr = pick_lr(asked.lr, tags, source, word, notes)
    return Picked(metric, t, lr, axis, counted, tuple(notes))


def track(run: str, series: Mapping[str, Series], picked: Picked, source: str) -> Track:
    """Points of one run.

    Parameters
    ----------
    run : str
        Its name.
    series : mapping of str to Series
        By tag.
    picked : Picked
        Which are read.
    source : str
        What to call the source.

    Raises
    ------
    DataError
        If the run has the loss and not the tag of positions.
    """
    none = Series(*(np.empty(0) for _ in range(3)))
    loss = series.get(picked.metric, none)
    if picked.counted:
        return _counted(run, loss, None if picked.lr is None else series.get(picked.lr))
    at = loss.step
    if picked.t is not None and len(at):
        if picked.t not in series:
            raise DataError(f"{source} has no {picked.t!r} for run {run!r}, which t= asks for")
        counted = series[picked.t]
        at = aligned(counted.step, counted.value, loss.step)
    lr = None
    if picked.lr is not None and picked.lr in series:
        rate = series[picked.lr]
        lr = aligned(rate.step, rate.value, loss.step)
    return Track(run, at, loss.value, lr, loss.seconds)


def _counted(run: str, loss: Series, rate: Series | None) -> Track:
    """Points in the order of their times, counted from 1."""
    order = np.argsort(loss.seconds, kind="stable")
    seconds = loss.seconds[order]
    # Steps say nothing here, so a rate belongs to the loss that was logged at its time.
    lr = None if rate is None else aligned(rate.seconds, rate.value, seconds)
    return Track(run, np.arange(1.0, len(order) + 1.0), loss.value[order], lr, seconds)


def curves_of_series(
    runs: Mapping[str, Mapping[str, Series]],
    asked: Asked,
    source: str,
    word: str,
    notes: Sequence[str] = (),
) -> Curves:
    """Curves of runs whose tags have all been read.

    Parameters
    ----------
    runs : mapping
        Series by run and tag.
    asked, source, word
        As :func:`pick`.
    notes : sequence of str
        What has been found already.

    Raises
    ------
    DataError
        As :func:`pick`, :func:`track` and :func:`~bayes_scaling.curves.importers.finishing.finish`.
    """
    tags = list(dict.fromkeys(tag for series in runs.values() for tag in series))
    picked = pick(asked, tags, source, word)
    tracks = [track(run, series, picked, source) for run, series in runs.items()]
    return finish(
        tracks,
        axis=picked.axis,
        metric=picked.metric,
        source=source,
        notes=(*notes, *picked.notes),
        join=asked.join,
    )
