"""CSV files that Weights & Biases exports: charts, and the table of runs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from bayes_scaling.curves.curve import Axis, Curves
from bayes_scaling.curves.importers.blanks import lost_in_blanks
from bayes_scaling.curves.importers.finishing import finish
from bayes_scaling.curves.importers.import_options import Asked, listed
from bayes_scaling.curves.importers.metrics_table import Table, numbers
from bayes_scaling.curves.importers.names import axis_of, pick_lr, pick_metric, pick_t
from bayes_scaling.curves.importers.tracks import COUNTED, Track, aligned
from bayes_scaling.errors import DataError
from bayes_scaling.runs.columns import column, normalise
from bayes_scaling.runs.reading.raw_table import RawTable

__all__ = ["curves_of_chart", "is_chart", "refuse_runs_table"]

_BETWEEN = " - "
_TWINS = ("__MIN", "__MAX")
_GROUP = "Group: "
_OF_RUNS = {"State", "Runtime", "Created", "Updated", "Notes", "Tags", "Sweep", "User", "Hostname"}


def is_chart(names: Sequence[str]) -> bool:
    """Whether these are columns of a chart: one of the axis, the others "RUN - METRIC"."""
    return len(names) > 1 and all(_BETWEEN in name for name in names[1:])


def refuse_runs_table(table: Table) -> None:
    """Refuse the table of runs, one row a finished run.

    Raises
    ------
    DataError
        Saying what reads it, and what that needs.
    """
    if "Name" not in table.names or len(_OF_RUNS & set(table.names)) < 3:
        return
    found: dict[str, str] = {}
    for kind, more in (
        ("loss", "avgloss"),
        ("tokens", "tokensseen"),
        ("params", ""),
        ("flops", ""),
    ):
        legal = {normalise(kind), more, *(normalise(a) for a in column(kind).aliases)} - {""}
        for name in table.names:
            leaf = normalise(name.removesuffix("_AVG").removesuffix("_MAX").rsplit("/", 1)[-1])
            if leaf in legal and len(leaf) > 1:
                found.setdefault(kind, name)
    missing = [kind for kind in ("loss", "params", "tokens", "flops") if kind not in found]
    sizes = [kind for kind in missing if kind != "loss"]
    lacks = [*(["loss"] if "loss" in missing else []), *(sizes if len(sizes) > 1 else [])]
    short = f" once columns for {' or '.join(lacks)} are added" if lacks else ""
    pairs = ", ".join(f"{kind!r}: {name!r}" for kind, name in found.items()) or "..."
    raise DataError(
        f"{table.source} is a table of finished runs, one row a run, and holds no curves; "
        f"bs.load_runs(path, columns={{{pairs}}}) reads such{short} (it needs the loss and two of "
        "params, tokens and flops)"
    )


def curves_of_chart(table: Table, asked: Asked) -> Curves:
    """Curves of the export of a chart: a column for each run and metric.

    Parameters
    ----------
    table : Table
        The table.
    asked : Asked
        What the caller says of it.

    Raises
    ------
    DataError
        If the metric is ambiguous, or the axis of the chart is no step.
    """
    if asked.run is not None:
        raise DataError(
            f"{table.source} names its runs in its header, as a chart of Weights & Biases does; "
            "leave run= out"
        )
    notes: list[str] = []
    by_run = _columns(table)
    metrics = list(dict.fromkeys(metric for of in by_run.values() for metric in of))
    metric = pick_metric(asked.metric, metrics, table.source, "metric", notes)
    counted = asked.counts([table.names[0], *metrics])
    if counted:
        notes.append(COUNTED)
    others = [name for name in metrics if name != metric]
    t = None if counted else _axis(table, asked.t, others, notes)
    lr = pick_lr(asked.lr, metrics, table.source, "metric", notes)
    wanted = [name for name in (metric, t, lr) if name is not None]
    taken = [of[name] for of in by_run.values() for name in wanted if name in of]
    raw = table.take([table.names[0], *taken])
    # Where a chart shows one run's loss alone, nothing else accounts for a row.
    alone = len(table.names) == 2
    tracks = [
        _track(raw, run, (metric, t, lr), of, alone=alone)
        for run, of in by_run.items()
        if metric in of
    ]
    axis: Axis = "step" if t is None else axis_of(t, notes)
    if counted:
        tracks = [replace(track, t=np.arange(1.0, len(track.t) + 1.0)) for track in tracks]
    return finish(
        _named(tracks, notes),
        axis=axis,
        metric=metric,
        source=table.source,
        notes=notes,
        join=asked.join,
    )


def _columns(table: Table) -> dict[str, dict[str, str]]:
    """Column of every metric of every run."""
    by_run: dict[str, dict[str, str]] = {}
    for name in table.names[1:]:
        if not name.endswith(_TWINS):
            # A metric holds no " - " of its own as a rule; a name of a run may.
            run, metric = name.rsplit(_BETWEEN, 1)
            by_run.setdefault(run, {})[metric] = name
    if not by_run:
        raise DataError(
            f"{table.source} has no column of a metric; there are {listed(table.names)}"
        )
    return by_run


def _axis(table: Table, asked: str | None, metrics: list[str], notes: list[str]) -> str:
    first = table.names[0]
    if asked is None:
        try:
            return pick_t(None, [first], table.source, "column", [])
        except DataError:
            pass  # a chart over time: steps may be among the metrics
    return pick_t(asked, [first, *metrics], table.source, "metric", notes)


def _track(
    raw: RawTable,
    run: str,
    wanted: tuple[str, str | None, str | None],
    of: dict[str, str],
    *,
    alone: bool,
) -> Track:
    metric, t, lr = wanted
    axis = str(raw.frame.columns[0])
    if t is not None and t != axis and t not in of:
        raise DataError(f"{raw.places.source} has no {t!r} for run {run!r}, which t= asks for")
    rows = np.arange(1.0, len(raw.frame) + 1.0)
    positions, placed = (rows, rows > 0) if t is None else numbers(raw, of.get(t, axis))
    losses, logged = numbers(raw, of[metric])
    lost = np.zeros(len(logged), dtype=np.bool_)
    if alone:
        others = raw.frame[[axis]]
        lost = placed & lost_in_blanks(others, logged, {run: np.arange(len(logged))})
        logged = logged | lost
    missing = np.flatnonzero(logged & ~placed)
    if len(missing):
        raise DataError(f"{raw.places.full(int(missing[0]))}: there is a loss and no {t!r}")
    rates = None
    if lr is not None and lr in of:
        values, held = numbers(raw, of[lr])
        both = held & placed
        rates = aligned(positions[both], values[both], positions[logged])
    return Track(run, positions[logged], losses[logged], rates, blanks=int(lost.sum()))


def _named(tracks: Sequence[Track], notes: list[str]) -> list[Track]:
    """Tracks of groups under the plain names of the groups."""
    grouped = [track.run for track in tracks if track.run.startswith(_GROUP)]
    if not grouped:
        return list(tracks)
    notes.append(
        f"means over the runs of a group, as the chart shows them: {listed(grouped)}; where its "
        "runs end at different steps, they jump"
    )
    plain = {track.run: track.run.removeprefix(_GROUP) for track in tracks}
    names = plain if len(set(plain.values())) == len(plain) else {run: run for run in plain}
    return [replace(track, run=names[track.run]) for track in tracks]
