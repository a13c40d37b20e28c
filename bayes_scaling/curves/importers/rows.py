"""Long form: one row a point, with columns for the step, the loss and perhaps the run."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.curves.curve import Axis, Curves
from bayes_scaling.curves.importers.blanks import from_wide, lost_in_blanks
from bayes_scaling.curves.importers.finishing import finish
from bayes_scaling.curves.importers.import_options import Asked, given, listed
from bayes_scaling.curves.importers.metrics_table import Numbers, Table, numbers
from bayes_scaling.curves.importers.names import axis_of, clock, pick_lr, pick_metric, pick_t
from bayes_scaling.curves.importers.tracks import COUNTED, Track, aligned
from bayes_scaling.errors import DataError
from bayes_scaling.runs.columns import column, normalise
from bayes_scaling.runs.reading.cells import to_text
from bayes_scaling.runs.reading.raw_table import RawTable

__all__ = ["curves_of_rows"]

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]

_RUNS = tuple(normalise(name) for name in ("run", "run_name", "run_id", *column("run").aliases))
_MILLISECONDS = 1e11
"""Times since 1970 beyond this are in milliseconds: as seconds they lie in the year 5138."""


def curves_of_rows(table: Table, asked: Asked, name: str) -> Curves:
    """Curves of a table with one row a point.

    Parameters
    ----------
    table : Table
        The table.
    asked : Asked
        What the caller says of it.
    name : str
        What to call the run of a table that names none.

    Raises
    ------
    DataError
        If a column is absent or ambiguous, or a cell is not what it needs to be.
    """
    notes: list[str] = []
    names, source = table.names, table.source
    metric = pick_metric(asked.metric, names, source, "column", notes)
    counted = asked.counts(names)
    t = None
    if not counted:
        t = pick_t(asked.t, [n for n in names if n != metric], source, "column", notes)
    lr = pick_lr(asked.lr, names, source, "column", notes)
    time = clock([n for n in names if n not in {metric, t, lr}])
    axis: Axis = "step" if t is None else axis_of(t, notes)
    run = _run_column(table, asked.run, notes)
    raw = table.take([n for n in dict.fromkeys((metric, t, lr, time, run)) if n is not None])
    loss = numbers(raw, metric)
    runs = _runs(raw, run, name)
    seconds = None if time is None else _seconds(raw, time, notes)
    if counted:
        notes.append(COUNTED)
        runs = {label: _in_time(rows, seconds) for label, rows in runs.items()}
    at = _counted(np.ones_like(loss.held), runs) if t is None else numbers(raw, t)
    lost = _lost(table, metric, at, loss, runs=runs, notes=notes)
    loss = Numbers(loss.values, loss.held | lost)
    if t is None:
        at = _counted(loss.held, runs)
    if not loss.held.all():
        notes.append(f"{int((~loss.held).sum())} of {len(loss.held)} rows hold no {metric!r}")
    missing = np.flatnonzero(loss.held & ~at.held)
    if len(missing):
        raise DataError(
            f"{raw.places.full(int(missing[0]))}: there is a {metric!r} and no {t!r}; t= names the "
            f"column of the steps or tokens, one of {listed(names)}"
        )
    rates = None if lr is None else numbers(raw, lr)
    tracks = []
    for label, rows in runs.items():
        here = rows[loss.held[rows]]
        rate = None if rates is None else _rates(at, rates, rows, here)
        clocked = None if seconds is None else seconds[here]
        blanks = int(lost[here].sum())
        tracks.append(Track(label, at.values[here], loss.values[here], rate, clocked, blanks))
    if run is None:
        _once(tracks[0], source, names, axis)
    return finish(tracks, axis=axis, metric=metric, source=source, notes=notes, join=asked.join)


def _in_time(rows: Rows, seconds: Floats | None) -> Rows:
    """Rows in the order of their times, where all have one."""
    if seconds is None or not np.all(np.isfinite(seconds[rows])):
        return rows
    return rows[np.argsort(seconds[rows], kind="stable")]


def _counted(points: NDArray[np.bool_], runs: Mapping[str, Rows]) -> Numbers:
    """Places of rows as the number of points of the run up to there."""
    places = np.zeros(len(points))
    for rows in runs.values():
        places[rows] = np.cumsum(points[rows])
    return Numbers(places, np.ones(len(places), dtype=np.bool_))


def _lost(
    table: Table,
    metric: str,
    at: Numbers,
    loss: Numbers,
    *,
    runs: Mapping[str, Rows],
    notes: list[str],
) -> NDArray[np.bool_]:
    """Rows whose loss is blank because it is no number."""
    if loss.held.all():
        return np.zeros(len(loss.held), dtype=np.bool_)
    if from_wide(at.values, runs):
        notes.append(
            f"every run has a row at every place: a blank {metric!r} was taken as one that was not "
            "logged, and not as one that is no number; write nan for those"
        )
        return np.zeros(len(loss.held), dtype=np.bool_)
    others = table.take([name for name in table.names if name != metric]).frame
    lost = at.held & lost_in_blanks(others.drop(columns=metric, errors="ignore"), loss.held, runs)
    if lost.any():
        notes.append(
            f"{int(lost.sum())} blank cells of {metric!r} were taken as losses that are no number, "
            "since the rows hold all that rows with a loss hold; leave out rows in which nothing "
            "was logged"
        )
    return lost


def _run_column(table: Table, asked: str | None, notes: list[str]) -> str | None:
    if asked is not None:
        return given("run", asked, table.names, table.source, "column")
    rank = {name: place for place, name in reversed(list(enumerate(_RUNS)))}
    able = sorted(
        (name for name in table.names if normalise(name) in rank), key=lambda n: rank[normalise(n)]
    )
    chosen = next(iter(able), None)
    if len(able) > 1:
        notes.append(f"run={chosen!r} was taken, and not {listed(able[1:])}; run= says which")
    return chosen


def _runs(raw: RawTable, run: str | None, name: str) -> dict[str, Rows]:
    """Rows of every run, runs in the order in which they appear."""
    if run is None:
        return {name: np.arange(len(raw.frame))}
    labels = to_text(raw.frame[run], run, raw.places)
    codes, names = pd.factorize(labels)
    blank = np.flatnonzero((labels == "").to_numpy())
    if len(blank):
        raise DataError(
            f"{raw.places.full(int(blank[0]))}: column {run!r}, which names runs, is "
            "blank; every row needs the name of its run"
        )
    order = np.argsort(codes, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)
    return dict(zip(map(str, names), parts, strict=True))


def _rates(t: Numbers, rates: Numbers, rows: Rows, here: Rows) -> Floats:
    """Learning rates at the points ``here`` of a run, of which all ``rows`` may tell some."""
    if rates.held[here].all():
        return rates.values[here]
    known = rows[rates.held[rows] & t.held[rows]]
    return aligned(t.values[known], rates.values[known], t.values[here])


def _seconds(raw: RawTable, name: str, notes: list[str]) -> Floats | None:
    cells = raw.frame[name]
    try:
        if cells.dtype.kind == "M":
            return _since_1970(cells)
        values, _ = numbers(raw, name)
    except DataError:
        try:
            return _since_1970(pd.to_datetime(cells, utc=True, format="ISO8601"))
        except (ValueError, TypeError, OverflowError):
            notes.append(f"the times of column {name!r} were not read")
            return None
    return values / 1000 if np.nanmax(values, initial=0) > _MILLISECONDS else values


def _since_1970(times: pd.Series) -> Floats:
    # Whatever the unit and time zone of the column.
    utc = pd.to_datetime(times, utc=True)
    since = (utc - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return np.asarray(since, dtype=np.float64)


def _once(track: Track, source: str, names: list[str], axis: Axis) -> None:
    """Refuse rows of many runs that nothing tells apart."""
    if np.all(track.t == track.t[:1]):
        return  # logged without a step, which is another fault
    back = int((np.diff(track.t) <= 0).sum())
    later = np.minimum.accumulate(track.t[::-1])[::-1] if len(track.t) else track.t
    replaced = int((track.t[:-1] >= later[1:]).sum())
    if back and replaced > len(track.t) / 2:
        raise DataError(
            f"{source} goes back in its {axis} {back} times and names no run; give run= the column "
            f"that tells runs apart, one of {listed(names)}"
        )
