"""Tables in long form: one row a point, with columns for the step, the loss, perhaps the run."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.curves.caveat_list import Caveats
from bayes_scaling.curves.curve import Axis
from bayes_scaling.curves.importers.blanks import from_wide, lost_in_blanks
from bayes_scaling.curves.importers.column_roles import clock
from bayes_scaling.curves.importers.import_options import listed
from bayes_scaling.curves.importers.log_source import Log, Names, Roles
from bayes_scaling.curves.importers.log_table import Numbers, Table, numbers
from bayes_scaling.curves.importers.tracks import Floats, Track, aligned
from bayes_scaling.errors import DataError
from bayes_scaling.runs.reading.cells import to_text
from bayes_scaling.runs.reading.raw_table import RawTable

__all__ = ["LongTable"]

Rows = NDArray[np.int64]

_MILLISECONDS = 1e11
"""Times since 1970 beyond this are in milliseconds: as seconds they lie in the year 5138."""


class LongTable:
    """Table with one row a point, of one run or several."""

    def __init__(self, log: Log, table: Table | None = None, name: str | None = None) -> None:
        self._table, self._caveats = table or log.table, log.caveats
        self._name = log.name if name is None else name

    @staticmethod
    def recognises(log: Log) -> bool:
        """Return whether the log is a table; what is none is refused."""
        return bool(log.table.names)

    def names(self) -> Names:
        """Return the columns."""
        return Names(self._table.source, "column", self._table.names)

    def tracks(self, roles: Roles) -> list[Track]:
        """Read the rows of every run that hold a loss."""
        metric, t, lr, run = roles.metric, roles.t, roles.lr, roles.run
        table, caveats = self._table, self._caveats
        time = clock([name for name in table.names if name not in {metric, t, lr}])
        raw = table.take([n for n in dict.fromkeys((metric, t, lr, time, run)) if n is not None])
        loss = numbers(raw, metric)
        runs = _runs(raw, run, self._name)
        seconds = None if time is None else _seconds(raw, time, caveats)
        if t is None:
            runs = {label: _in_time(rows, seconds) for label, rows in runs.items()}
        at = _counted(np.ones_like(loss.held), runs) if t is None else numbers(raw, t)
        lost = self._lost(metric, at, loss, runs)
        loss = Numbers(loss.values, loss.held | lost)
        if t is None:
            at = _counted(loss.held, runs)
        if not loss.held.all():
            without, size = int((~loss.held).sum()), len(loss.held)
            text = f"{without} of {size} rows hold no {metric!r}"
            caveats.add("rows-without-loss", text, without=without, rows=size)
        missing = np.flatnonzero(loss.held & ~at.held)
        if len(missing):
            raise DataError(
                f"{raw.places.full(int(missing[0]))}: there is a {metric!r} and no {t!r}; t= names "
                f"the column of the steps or tokens, one of {listed(table.names)}"
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
            _once(tracks[0], table, roles.axis)
        return tracks

    def _lost(
        self, metric: str, at: Numbers, loss: Numbers, runs: Mapping[str, Rows]
    ) -> NDArray[np.bool_]:
        """Return the rows whose loss is blank because it is no number."""
        none = np.zeros(len(loss.held), dtype=np.bool_)
        if loss.held.all():
            return none
        if from_wide(at.values, runs):
            self._caveats.add(
                "blanks-not-logged",
                f"every run has a row at every place: a blank {metric!r} was taken as one that was "
                "not logged, and not as one that is no number; write nan for those",
            )
            return none
        others = self._table.take([name for name in self._table.names if name != metric]).frame
        others = others.drop(columns=metric, errors="ignore")
        lost = at.held & lost_in_blanks(others, loss.held, runs)
        if lost.any():
            self._caveats.add(
                "blank-losses",
                f"{int(lost.sum())} blank cells of {metric!r} were taken as losses that are no "
                "number, since the rows hold all that rows with a loss hold; leave out rows in "
                "which nothing was logged",
                cells=int(lost.sum()),
            )
        return lost


def _in_time(rows: Rows, seconds: Floats | None) -> Rows:
    """Sort rows by their times, where all have one."""
    if seconds is None or not np.all(np.isfinite(seconds[rows])):
        return rows
    return rows[np.argsort(seconds[rows], kind="stable")]


def _counted(points: NDArray[np.bool_], runs: Mapping[str, Rows]) -> Numbers:
    """Count the points of each run up to each row."""
    places = np.zeros(len(points))
    for rows in runs.values():
        places[rows] = np.cumsum(points[rows])
    return Numbers(places, np.ones(len(places), dtype=np.bool_))


def _runs(raw: RawTable, run: str | None, name: str) -> dict[str, Rows]:
    """Return the rows of every run, runs in the order in which they appear."""
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
    """Return learning rates at the rows ``here`` of a run, which other rows of it may hold."""
    if rates.held[here].all():
        return rates.values[here]
    known = rows[rates.held[rows] & t.held[rows]]
    return aligned(t.values[known], rates.values[known], t.values[here])


def _seconds(raw: RawTable, name: str, caveats: Caveats) -> Floats | None:
    cells = raw.frame[name]
    try:
        if cells.dtype.kind == "M":
            return _since_1970(cells)
        values, _ = numbers(raw, name)
    except DataError:
        try:
            return _since_1970(pd.to_datetime(cells, utc=True, format="ISO8601"))
        except (ValueError, TypeError, OverflowError):
            text = f"the times of column {name!r} were not read"
            caveats.add("unread-times", text, column=name)
            return None
    return values / 1000 if np.nanmax(values, initial=0) > _MILLISECONDS else values


def _since_1970(times: pd.Series) -> Floats:
    # Whatever the unit and time zone of the column.
    utc = pd.to_datetime(times, utc=True)
    since = (utc - pd.Timestamp(0, tz="UTC")).dt.total_seconds()
    return np.asarray(since, dtype=np.float64)


def _once(track: Track, table: Table, axis: Axis) -> None:
    """Refuse rows of many runs that nothing tells apart."""
    if np.all(track.t == track.t[:1]):
        return  # logged without a step, which is another fault
    back = int((np.diff(track.t) <= 0).sum())
    later = np.minimum.accumulate(track.t[::-1])[::-1] if len(track.t) else track.t
    replaced = int((track.t[:-1] >= later[1:]).sum())
    if back and replaced > len(track.t) / 2:
        raise DataError(
            f"{table.source} goes back in its {axis} {back} times and names no run; give run= the "
            f"column that tells runs apart, one of {listed(table.names)}"
        )
