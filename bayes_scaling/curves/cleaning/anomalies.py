"""Anomalies of a curve: outliers, spikes, dips, level shifts and divergence."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.records import Record, about
from bayes_scaling.curves.cleaning.segments import Segments, Unfinished, segmented
from bayes_scaling.curves.curve import Curve
from bayes_scaling.curves.curve_flag import Flag, FlagCode
from bayes_scaling.curves.schedule import Schedule
from bayes_scaling.errors import DataError

__all__ = ["Cleaned", "Excursion", "cleaned"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Probability = Annotated[float, about("Probability.", "probability", ge=0, le=1 + 1e-6)]

_FEWEST = 8
_RUN = 3
"""Points in a row on one side of the curve that are a spike or a dip, and not outliers."""
_TAIL = 3
_RISES, _LOWER = 0.6, 0.02
"""Fraction of pairs of points, of which the later is higher less those of which it is lower, from
which a metric rises; log loss by which it may fall at first."""


class Excursion(Record, frozen=True, kw_only=True):
    """State of a run whose last point is not on its curve."""

    kind: Annotated[
        Literal["spike", "dip", "level-shift", "diverged", "not finite"],
        about("What it is, by the probabilities."),
    ]
    since: Annotated[float, about("First point of it.", "axis")]
    points: Annotated[int, about("Number of points.", ge=1)]
    loss_before: Annotated[float | None, about("Loss of the curve where it began.", "loss")]
    loss_farthest: Annotated[float | None, about("Loss farthest from that.", "loss")]
    loss_now: Annotated[float | None, about("Last logged loss.", "loss")]
    returns: Annotated[Probability, about("That the loss comes back to its curve.", "probability")]
    level: Annotated[Probability, about("That it stays at another level.", "probability")]
    diverged: Annotated[Probability, about("That the run has diverged.", "probability")]
    wait_until: Annotated[
        float | None,
        about("Where this is decided if nothing changes; null if it is.", "axis"),
    ]


@dataclass(frozen=True)
class Cleaned:
    """Curve without its anomalies, which no law explains.

    Attributes
    ----------
    curve : Curve
        Curve to fit: without outliers and excursions, and with the points before a step moved to
        the level after it.
    logged : Curve
        Curve as it was logged.
    flags : tuple of Flag
        Points that were left out or moved, and why.
    loss : float
        Loss now: the last one, or where that is an outlier the curve there.
    excursion : Excursion or None
        Excursion under way at the last point.
    """

    curve: Curve
    logged: Curve
    flags: tuple[Flag, ...]
    loss: float
    excursion: Excursion | None = None

    @property
    def diverged(self) -> bool:
        """Whether the loss went up and will not come back."""
        return self.excursion is not None and self.excursion.kind in ("diverged", "not finite")

    @property
    def waits_until(self) -> float | None:
        """Position where a spike or dip under way is decided; None if there is none."""
        return None if self.excursion is None else self.excursion.wait_until


def cleaned(curve: Curve, schedule: Schedule | None = None) -> Cleaned:
    """Find the anomalies of a curve, and leave them out.

    A schedule gives learning rates where the curve has none: a step where they jump is no other
    level. A metric that rises from its start, which no loss does, is refused.
    """
    last = float(curve.loss[-1])
    gone = curve.lost[curve.lost > curve.t[-1]]
    if len(gone) >= _TAIL:
        return _not_finite(curve, gone, last)
    if len(curve) < _FEWEST:
        return Cleaned(curve, curve, (), last)
    refuse_rising(curve)
    rates = curve.lr
    if rates is None and schedule is not None:
        rates = np.interp(curve.t, schedule.t, schedule.lr)
    found = segmented(curve.t, curve.loss, rates)
    excursion = _excursion(curve, found)
    flags = [
        *(
            []
            if excursion is None or excursion.kind == "level-shift"
            else [_open(curve, excursion)]
        ),
        *_passed(curve, found, excursion),
        *_steps(curve, found, excursion),
    ]
    moved = np.zeros(len(curve))
    for step in found.steps:
        moved[: step.at] += step.after - step.before
    fitted = replace(curve, loss=curve.loss * np.exp(moved)).where(~found.out)
    ends_off = found.out[-1] and found.unfinished is None
    loss = float(np.exp(found.base[-1])) if ends_off else last
    return Cleaned(fitted, curve, tuple(flags), loss, excursion)


def refuse_rising(curve: Curve) -> None:
    """Refuse a metric that rises from the start, such as an accuracy."""
    places = np.linspace(0, len(curve), min(len(curve), 40) + 1).astype(int)
    y = np.array([np.median(part) for part in np.split(np.log(curve.loss), places[1:-1])])
    later, earlier = np.tril_indices(len(y), -1)
    rises = float(np.sign(y[later] - y[earlier]).mean())
    if rises > _RISES and y.min() > y[0] - _LOWER and y[-1] > y[0] + _LOWER:
        raise DataError(
            f"{curve.metric!r} of run {curve.run!r} rises from {curve.loss[0]:.4g} to "
            f"{curve.loss[-1]:.4g} from its start on, as an accuracy does and no loss; name the "
            "column of the loss by metric= (on the shell --metric)"
        )


def _excursion(curve: Curve, found: Segments) -> Excursion | None:
    open_ = found.unfinished
    if open_ is None:
        return None
    y = np.log(curve.loss[open_.at :])
    before = open_.before
    away = y - before
    farthest = int((away if open_.height > 0 else -away).argmax())
    what = open_.recovery
    step = any(step.at == open_.at for step in found.steps)
    kind = _kind(open_, step=step)
    return Excursion(
        kind=kind,
        since=float(curve.t[open_.at]),
        points=len(y),
        loss_before=float(np.exp(before)),
        loss_farthest=float(np.exp(y[farthest])),
        loss_now=float(curve.loss[-1]),
        returns=what.returns,
        level=what.level,
        diverged=what.diverged,
        wait_until=what.wait_until if kind in ("spike", "dip") else None,
    )


def _not_finite(curve: Curve, gone: Floats, last: float) -> Cleaned:
    """Return a curve whose losses are no numbers any more."""
    first = float(gone.min())
    flag = Flag(
        run=curve.run,
        code="diverged",
        first=first,
        last=float(gone.max()),
        points=len(gone),
        meaning="the loss is no number, and does not come back",
        loss_from=last,
        probability=1.0,
    )
    excursion = Excursion(
        kind="not finite",
        since=first,
        points=len(gone),
        loss_before=last,
        loss_farthest=None,
        loss_now=None,
        returns=0.0,
        level=0.0,
        diverged=1.0,
        wait_until=None,
    )
    return Cleaned(curve, curve, (flag,), last, excursion)


def _kind(open_: Unfinished, *, step: bool) -> Literal["spike", "dip", "level-shift", "diverged"]:
    if step:
        return "level-shift"
    if open_.recovery.likely == "diverged":
        return "diverged"
    return "spike" if open_.height > 0 else "dip"


def _flag(
    curve: Curve,
    code: FlagCode,
    at: Ints,
    meaning: str,
    *,
    losses: tuple[float | None, float | None],
    probability: float | None = None,
) -> Flag:
    return Flag(
        run=curve.run,
        code=code,
        first=float(curve.t[at[0]]),
        last=float(curve.t[at[-1]]),
        points=len(at),
        meaning=meaning,
        loss_from=losses[0],
        loss_to=losses[1],
        probability=probability,
    )


def _open(curve: Curve, what: Excursion) -> Flag:
    meaning = {
        "diverged": "the loss left its curve, and has not come back: left out",
        "spike": "the loss is above its curve, and may come back: left out",
        "dip": "the loss is below its curve, and may come back: left out",
    }[what.kind]
    return _flag(
        curve,
        what.kind,
        np.flatnonzero(curve.t >= what.since),
        meaning,
        losses=(what.loss_before, what.loss_farthest),
        probability=what.diverged if what.kind == "diverged" else what.returns,
    )


def _passed(curve: Curve, found: Segments, excursion: Excursion | None) -> list[Flag]:
    """Return a flag for each spike and dip that has passed, and one for all outliers."""
    y = np.log(curve.loss)
    at = np.flatnonzero(found.out)
    if excursion is not None and excursion.kind != "level-shift":
        at = at[curve.t[at] < excursion.since]
    flags: list[Flag] = []
    single: list[int] = []
    for group in np.split(at, np.flatnonzero(np.diff(at) > 1) + 1):
        if len(group) < _RUN:
            single.extend(group.tolist())
            continue
        away = y[group] - found.base[group]
        above = bool(np.median(away) > 0)
        farthest = float(curve.loss[group[int(np.abs(away).argmax())]])
        flags.append(
            _flag(
                curve,
                "spike" if above else "dip",
                group,
                f"the loss was {'above' if above else 'below'} its curve, and came back: left out",
                losses=(float(np.exp(found.base[group[0]])), farthest),
            )
        )
    if single:
        # Typical is the one whose distance from the curve is the median of all.
        away = np.abs(y[single] - found.base[single])
        typical = single[int(np.argsort(away)[len(away) // 2])]
        losses = float(np.exp(found.base[typical])), float(curve.loss[typical])
        meaning = "single points far off the curve: left out"
        flags.append(_flag(curve, "outliers", np.array(single), meaning, losses=losses))
    return flags


def _steps(curve: Curve, found: Segments, excursion: Excursion | None) -> list[Flag]:
    flags = []
    for step in found.steps:
        before, after = float(np.exp(step.before)), float(np.exp(step.after))
        last = excursion is not None and excursion.since == curve.t[step.at]
        flags.append(
            _flag(
                curve,
                "level-shift",
                np.arange(step.at, len(curve)),
                "the loss stepped to another level, as after a change of data: the points before "
                f"are moved by {after - before:+.4g} for the fit",
                losses=(before, after),
                probability=excursion.level if last and excursion is not None else None,
            )
        )
    return flags
