"""CSV export of a chart of Weights & Biases: a column for each run, or group, and metric."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayes_scaling.curves.importers.blanks import lost_in_blanks
from bayes_scaling.curves.importers.import_options import listed
from bayes_scaling.curves.importers.log_source import Log, Names, Roles
from bayes_scaling.curves.importers.log_table import numbers
from bayes_scaling.curves.importers.tracks import Track, aligned, counted
from bayes_scaling.curves.importers.wandb_runs_table import is_runs_table, not_curves
from bayes_scaling.errors import DataError
from bayes_scaling.runs.reading.raw_table import RawTable

__all__ = ["WandbChart"]

_BETWEEN = " - "
_TWINS = ("__MIN", "__MAX")
_GROUP = "Group: "


class WandbChart:
    """Chart whose first column is its axis, and the others "RUN - METRIC"."""

    def __init__(self, log: Log) -> None:
        self._table, self._caveats = log.table, log.caveats
        if not _is_chart(self._table.names):
            if is_runs_table(self._table.names):
                raise not_curves(self._table)
            raise DataError(
                f"{self._table.source} is no chart of Weights & Biases, whose columns are the axis "
                f"and then 'RUN - METRIC'; its columns are {listed(self._table.names)}"
            )
        self._axis, *others = self._table.names
        self._columns: dict[str, dict[str, str]] = {}
        for name in others:
            if not name.endswith(_TWINS):
                # A metric holds no " - " of its own as a rule; a name of a run may.
                run, metric = name.rsplit(_BETWEEN, 1)
                self._columns.setdefault(run, {})[metric] = name
        if not self._columns:
            raise DataError(
                f"{self._table.source} has no column of a metric; there are "
                f"{listed(self._table.names)}"
            )

    @staticmethod
    def recognises(log: Log) -> bool:
        """Return whether the log is an export of Weights & Biases."""
        return _is_chart(log.table.names) or is_runs_table(log.table.names)

    def names(self) -> Names:
        """Return the metrics of all runs, and the axis of the chart."""
        metrics = list(dict.fromkeys(metric for of in self._columns.values() for metric in of))
        own_runs = "names its runs in its header, as a chart of Weights & Biases does"
        return Names(self._table.source, "metric", metrics, (self._axis,), own_runs)

    def tracks(self, roles: Roles) -> list[Track]:
        """Read the points of every run that has the loss."""
        wanted = [name for name in (roles.metric, roles.t, roles.lr) if name is not None]
        taken = [of[name] for of in self._columns.values() for name in wanted if name in of]
        raw = self._table.take([self._axis, *taken])
        tracks = [
            self._track(raw, run, roles) for run, of in self._columns.items() if roles.metric in of
        ]
        return self._ungrouped(tracks)

    def _track(self, raw: RawTable, run: str, roles: Roles) -> Track:
        of, t = self._columns[run], roles.t
        if t is not None and t != self._axis and t not in of:
            raise DataError(f"{raw.places.source} has no {t!r} for run {run!r}, which t= asks for")
        rows = counted(len(raw.frame))
        positions, placed = (rows, rows > 0) if t is None else numbers(raw, of.get(t, self._axis))
        losses, logged = numbers(raw, of[roles.metric])
        blanks = 0
        if len(self._table.names) == 2:
            # Where a chart shows one run's loss alone, nothing else accounts for a row.
            others = raw.frame[[self._axis]]
            lost = placed & lost_in_blanks(others, logged, {run: np.arange(len(logged))})
            logged, blanks = logged | lost, int(lost.sum())
        missing = np.flatnonzero(logged & ~placed)
        if len(missing):
            raise DataError(f"{raw.places.full(int(missing[0]))}: there is a loss and no {t!r}")
        rates = None
        if roles.lr is not None and roles.lr in of:
            values, held = numbers(raw, of[roles.lr])
            both = held & placed
            rates = aligned(positions[both], values[both], positions[logged])
        at = positions[logged] if t is not None else counted(int(logged.sum()))
        return Track(run, at, losses[logged], rates, blanks=blanks)

    def _ungrouped(self, tracks: list[Track]) -> list[Track]:
        """Return tracks of groups under the plain names of the groups."""
        grouped = [track.run for track in tracks if track.run.startswith(_GROUP)]
        if not grouped:
            return tracks
        self._caveats.add(
            "group-means",
            f"means over the runs of a group, as the chart shows them: {listed(grouped)}; where "
            "its runs end at different steps, they jump",
            groups=grouped,
        )
        plain = {track.run: track.run.removeprefix(_GROUP) for track in tracks}
        if len(set(plain.values())) < len(plain):
            return tracks
        return [replace(track, run=plain[track.run]) for track in tracks]


def _is_chart(names: Sequence[str]) -> bool:
    return len(names) > 1 and all(_BETWEEN in name for name in names[1:])
