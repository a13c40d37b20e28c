"""Assembly of curves from the tracks of any log."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.progress import Progress
from bayes_scaling.curves.caveat_list import Caveats
from bayes_scaling.curves.curve import Curve, Curves
from bayes_scaling.curves.importers.import_options import ORDER, listed
from bayes_scaling.curves.importers.joining import joined
from bayes_scaling.curves.importers.log_source import Roles
from bayes_scaling.curves.importers.tracks import Floats, Track
from bayes_scaling.errors import DataError

__all__ = ["assemble"]


def assemble(
    read: Iterable[Track],
    roles: Roles,
    source: str,
    caveats: Caveats,
    *,
    join: bool,
    progress: Progress,
) -> Curves:
    """Assemble the tracks that have points to curves, segments of one run joined."""
    tracks, axis, metric = list(read), roles.axis, roles.metric
    _check_placed(tracks, roles, source)
    full = [track for track in tracks if _has_points(track)]
    unplaced = [track.run for track in tracks if not _has_points(track) and _at_one_place(track)]
    bare = [t.run for t in tracks if not _has_points(t) and t.run not in unplaced]
    if not full:
        raise DataError(
            f"{source} has no finite {metric!r} after the first {axis}; another column or tag may "
            "be meant by metric= or t="
        )
    if len(full) > 1 and all(len(track.t) == 1 for track in full):
        raise DataError(
            f"{source} has one point for each of {len(full)} runs, which makes no curves; "
            "bs.load_runs reads a table of finished runs, and run= names the column of runs"
        )
    if bare:
        text = f"left out for want of a finite {metric!r}: {listed(bare)}"
        caveats.add("runs-left-out", text, runs=bare, metric=metric)
    if unplaced:
        caveats.add(
            "runs-left-out",
            f"left out, since every {metric!r} of theirs is at {axis} 0: {listed(unplaced)}; "
            f"t={ORDER!r} counts points as they were logged",
            runs=unplaced,
            t=0.0,
        )
    if join:
        full = joined(full, caveats)
    if any(t.seconds is not None and not np.all(np.diff(t.seconds) >= 0) for t in full):
        caveats.add("unread-times", "the times go back within a run and were not read")
        full = [replace(track, seconds=None) for track in full]
    with progress.stage("checking curves", "checking curves", len(full), "runs") as stage:
        curves = tuple(
            Curve.of(
                track.run,
                track.t,
                track.loss,
                axis=axis,
                lr=track.lr,
                seconds=_since_first(track),
                metric=metric,
                source=source,
                blanks=track.blanks,
            )
            for track in stage.each(full)
        )
    return Curves(curves, source, tuple(caveats))


def _check_placed(tracks: Sequence[Track], roles: Roles, source: str) -> None:
    """Refuse a log in which every run has all of its points at one place."""
    known = [track for track in tracks if len(track.t)]
    if known and all(_at_one_place(track) for track in known):
        raise DataError(
            f"{source} has every {roles.metric!r} at {roles.axis} {known[0].t[0]:g}: it was logged "
            f"without a {roles.axis}; t={ORDER!r} (on the shell --t {ORDER}) counts the points of "
            "each run in the order in which they were logged, and another name says what places "
            "them"
        )


def _at_one_place(track: Track) -> bool:
    return len(track.t) > 1 and bool(np.all(track.t == track.t[0]))


def _points(track: Track) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(track.loss) & (track.t != 0), dtype=np.bool_)


def _has_points(track: Track) -> bool:
    return bool(_points(track).any())


def _since_first(track: Track) -> Floats | None:
    if track.seconds is None:
        return None
    first = track.seconds[_points(track)][0]
    return np.asarray(track.seconds - first, dtype=np.float64)
