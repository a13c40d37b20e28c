"""Segments of one run, which a training that is restarted under new names leaves behind."""

import re
from collections.abc import Sequence

import numpy as np

from bayes_scaling.curves.caveat_list import Caveats
from bayes_scaling.curves.importers.tracks import Floats, Track

__all__ = ["joined"]

_OVERLAP = 0.2
"""Fraction of what is known already that a segment may log again. A run that falls back to a
checkpoint repeats little; runs of a sweep repeat everything."""


def joined(tracks: Sequence[Track], caveats: Caveats) -> list[Track]:
    """Join segments whose names differ in one number and that continue each other."""
    by_pattern: dict[str, list[Track]] = {}
    for track in tracks:
        by_pattern.setdefault(re.sub("[0-9]+", "#", track.run), []).append(track)
    made: list[Track] = []
    for group in by_pattern.values():
        ordered = _numbered(group)
        if ordered is None or not _continue(ordered):
            made.extend(group)
            continue
        name = _common(ordered[0].run, ordered[1].run)
        if name in {track.run for track in tracks}:
            name = ordered[0].run
        made.append(_concatenated(name, ordered))
        caveats.add(
            "joined-segments",
            f"{len(ordered)} segments, {ordered[0].run!r} to {ordered[-1].run!r}, continue each "
            f"other and were joined as {name!r}; join=False keeps them apart",
            segments=len(ordered),
            run=name,
        )
    return made


def _numbers(name: str) -> list[int]:
    # Longer digit strings are no counters, and Python would not read thousands of digits.
    return [int(digits[-18:]) for digits in re.findall("[0-9]+", name)]


def _numbered(group: Sequence[Track]) -> list[Track] | None:
    """Sort a group by the one number in which its names differ, if there is one."""
    numbers = np.array([_numbers(track.run) for track in group], dtype=np.float64)
    varying = [] if len(group) < 2 else [i for i, v in enumerate(numbers.T) if len(set(v)) > 1]
    if len(varying) != 1 or len(set(numbers[:, varying[0]])) < len(group):
        return None
    return [group[i] for i in np.argsort(numbers[:, varying[0]], kind="stable")]


def _continue(segments: Sequence[Track]) -> bool:
    if np.median([len(segment.t) for segment in segments]) < 2:
        return False  # rather the ends of runs of different lengths
    start, end = float(segments[0].t.min()), float(segments[0].t.max())
    for segment in segments[1:]:
        first = float(segment.t.min())
        if first <= start or end - first > _OVERLAP * (end - start):
            return False
        end = max(end, float(segment.t.max()))
    return True


def _common(first: str, second: str) -> str:
    """Return what two names have in common without the number in which they differ."""
    parts = [re.split("([0-9]+)", name) for name in (first, second)]
    same = [a for a, b in zip(*parts, strict=True) if a == b]
    return "".join(same).strip(" -_./#") or first


def _concatenated(name: str, segments: Sequence[Track]) -> Track:
    def whole(parts: Sequence[Floats | None]) -> Floats | None:
        known = [part for part in parts if part is not None]
        return np.concatenate(known) if len(known) == len(parts) else None

    return Track(
        name,
        np.concatenate([segment.t for segment in segments]),
        np.concatenate([segment.loss for segment in segments]),
        whole([segment.lr for segment in segments]),
        whole([segment.seconds for segment in segments]),
        sum(segment.blanks for segment in segments),
    )
