"""What of a curve is not the curve: outliers, spikes, dips, levels and divergence, with names."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.curves.cleaning.segments import Segments, Unfinished, segmented
from bayes_scaling.curves.curve import Curve, Flag
from bayes_scaling.curves.schedule import Schedule
from bayes_scaling.errors import DataError

__all__ = ["Cleaned", "Excursion", "cleaned"]

Ints = NDArray[np.int64]

_FEWEST = 8
_RUN = 3
"""Points in a row on one side of the curve that are a spike or a dip, and not outliers."""
_TAIL = 3
_RISES, _LOWER = 0.6, 0.02
"""Share of pairs of points, of which the later is higher less those of which it is lower, from
which a metric rises; log loss by which it may fall at first."""


@dataclass(frozen=True)
class Excursion:
    """What goes on at the last point of a curve, where it is not on its curve.

    Attributes
    ----------
    kind : {"spike", "dip", "level-shift", "diverged", "not finite"}
        What it is, by the probabilities.
    since, points : float, int
        Where it began, and how many points it has.
    loss_before, loss_farthest, loss_now : float or None
        Of the curve where it began, the farthest from that, and the last; None if no number.
    returns, level, diverged : float
        Probability that the loss comes back to its curve, stays at another level, has diverged.
    wait_until : float or None
        Where that is decided if nothing changes until then; None if it is decided.
    """

    kind: str
    since: float
    points: int
    loss_before: float | None
    loss_farthest: float | None
    loss_now: float | None
    returns: float
    level: float
    diverged: float
    wait_until: float | None


@dataclass(frozen=True)
class Cleaned:
    """A curve without what a law cannot explain.

    Attributes
    ----------
    curve : Curve
        What a law is fitted to: without outliers and excursions, and with the points before a step
        moved to the level after it.
    logged : Curve
        As it was logged.
    flags : tuple of Flag
        What was left out or moved, and why.
    loss : float
        Loss now: the last one, or where that is an outlier the curve there.
    excursion : Excursion or None
        What goes on at the last point.
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
        """Where it is decided what a spike or dip under way is; None if there is none."""
        return None if self.excursion is None else self.excursion.wait_until


def cleaned(curve: Curve, schedule: Schedule | None = None) -> Cleaned:
    """Name what of a curve is not the curve, and leave it out.

    Parameters
    ----------
    curve : Curve
        As logged.
    schedule : Schedule, optional
        Learning rates, where the curve has none: a step where they jump is no other level.

    Returns
    -------
    Cleaned

    Raises
    ------
    DataError
        If the metric rises from its start, which no loss does.
    """
    last = float(curve.loss[-1])
    gone = curve.lost[curve.lost > curve.t[-1]]
    if len(gone) >= _TAIL:
        said = "the loss is no number, and does not come back"
        ends = float(gone.min()), float(gone.max())
        flag = Flag(curve.run, "diverged", *ends, len(gone), said, last, None, 1.0)
        what = Excursion(
            "not finite", ends[0], len(gone), last, None, None, 0.0, 0.0, 1.0, None
        )  # fmt: skip
        return Cleaned(curve, curve, (flag,), last, what)
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
    """Refuse a metric that rises from the start, such as an accuracy.

    Raises
    ------
    DataError
        If it does.
    """
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
        kind,
        float(curve.t[open_.at]),
        len(y),
        float(np.exp(before)),
        float(np.exp(y[farthest])),
        float(curve.loss[-1]),
        what.returns,
        what.level,
        what.diverged,
        what.wait_until if kind in ("spike", "dip") else None,
    )


def _kind(open_: Unfinished, *, step: bool) -> str:
    if step:
        return "level-shift"
    if open_.recovery.likely == "diverged":
        return "diverged"
    return "spike" if open_.height > 0 else "dip"


def _flag(
    curve: Curve,
    code: str,
    at: Ints,
    meaning: str,
    *,
    losses: tuple[float | None, float | None],
    probability: float | None = None,
) -> Flag:
    ends = float(curve.t[at[0]]), float(curve.t[at[-1]])
    return Flag(curve.run, code, *ends, len(at), meaning, *losses, probability)


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
    """A flag for each spike and dip that has passed, and one for all outliers."""
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
