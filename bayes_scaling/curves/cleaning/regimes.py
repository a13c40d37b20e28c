"""Regimes of the points of a curve, by a multi-process Kalman filter.

The log loss is a local linear trend in the log of t, with noise. At each point the run may leave
that trend: by one wrong point (an outlier), by an excursion whose losses follow each other but no
trend (a spike), or by a displacement after which it goes on in parallel (a level, which may be
temporary or stay). Each combination of regimes is a hypothesis with a Kalman filter of its own; the
most probable few are kept (Harrison and Stevens 1976). The path of the best one labels all points
with hindsight: a spike that has passed is one excursion, whatever it looked like on its way.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["EXCURSION", "LEVEL", "ON", "OUTLIER", "Regimes", "regimes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ON, EXCURSION, LEVEL, OUTLIER = 0, 1, 2, 3
"""On the trend; in an excursion; at another level; one wrong point."""

_KEPT = 16
"""Hypotheses that are kept."""
_OUTLIER, _EXCURSION, _LEVEL = 0.01, 1e-3, 3e-3
"""Probability of each at a point."""
_ENDS, _SETTLES = 0.1, 0.01
"""Probability at a point that an excursion returns to the trend, and that it becomes a level."""
_RETURNS, _STAYS = 0.003, 0.003
"""Probability at a point that a level is left for the old trend, and that it is the trend now."""
_HEIGHT, _SHIFT, _STEP = 0.5, 0.2, 0.2
"""sd in log loss: of outliers and excursions, of levels, from one point of an excursion to the
next."""
_FALLS, _SLOPE = -0.2, 0.4
"""Mean and sd of the slope of the trend at the start, log loss over log t."""
_BEND, _WALK = 0.3, 0.015
"""sd by which the slope changes, and by which the level walks, over a factor e in t. With these no
step is seen in 150 public curves of language models, cool-downs among them, but where their rate
was lowered at once; one of .12 nats is seen in an even log of 40 points or more."""
_TINY = 1e-300


class _Change(NamedTuple):
    """What one point may do to a hypothesis: from a regime into another, and its label."""

    before: int
    probability: float
    after: int
    label: int


_CHANGES = (
    _Change(ON, 1.0 - _OUTLIER - _EXCURSION - _LEVEL, ON, ON),
    _Change(ON, _OUTLIER, ON, OUTLIER),
    _Change(ON, _EXCURSION, EXCURSION, EXCURSION),
    _Change(ON, _LEVEL, LEVEL, LEVEL),
    _Change(EXCURSION, 1.0 - _ENDS - _SETTLES, EXCURSION, EXCURSION),
    _Change(EXCURSION, _ENDS, ON, ON),
    _Change(EXCURSION, _SETTLES, LEVEL, LEVEL),
    _Change(LEVEL, 1.0 - _OUTLIER - _RETURNS - _STAYS, LEVEL, LEVEL),
    _Change(LEVEL, _OUTLIER, LEVEL, OUTLIER),
    _Change(LEVEL, _RETURNS, ON, ON),
    _Change(LEVEL, _STAYS, ON, -1),
)
_LEFT, _FOLLOWED, _SETTLED, _RETURNED, _BECAME = 3, 4, 6, 9, 10
"""Places of changes that more than the table tells of: to a level from the trend, a further point
of an excursion, a level from it, back from a level, and a level that is the trend now."""
_BEFORE, _AFTER, _LABEL = (
    np.array([getattr(change, name) for change in _CHANGES])
    for name in ("before", "after", "label")
)
_LOG_PROBABILITY = np.log([change.probability for change in _CHANGES])
_BEGINS = _BEFORE != _AFTER
_SEEN = (_LABEL != OUTLIER) & (_AFTER != EXCURSION)
"""Where the point tells of the trend, or of its displacement."""

_M, _S, _D, _MM, _MS, _MD, _SS, _SD, _DD = range(9)
"""Rows of a state: level of the trend, slope, displacement, and their covariances."""
_TREND = np.isin(range(9), (_M, _S, _MM, _MS, _SS))[:, None]
"""Rows that have nothing of the displacement."""
_ONE, _OTHER = np.triu_indices(3)


@dataclass(frozen=True)
class Regimes:
    """Most probable regime of each point.

    Attributes
    ----------
    labels : (point,) array
        ON, EXCURSION, LEVEL or OUTLIER.
    became : (point,) array of bool
        Where a level that began before is the trend from this point on.
    trend : (point,) array
        Log loss of the trend at each point, from the points before.
    probabilities : (3,) array
        Of ON, EXCURSION and LEVEL at the last point.
    """

    labels: Ints
    became: NDArray[np.bool_]
    trend: Floats
    probabilities: Floats


class _Beam(NamedTuple):
    """Hypotheses.

    Log weight, regime, where it began, state, dims (row, hypothesis), which hypothesis before it
    came from, and how it labels the point.
    """

    weight: Floats
    regime: Ints
    since: Ints
    state: Floats
    parent: Ints
    label: Ints


def regimes(x: Floats, y: Floats, sd: Floats) -> Regimes:
    """Label the points of a curve.

    Parameters
    ----------
    x, y : (point,) array
        Logs of t and of the loss; x grows.
    sd : (point,) array
        Of the noise of each point, log loss.
    """
    beam = _begun(y[0], sd[0])
    beams = [beam]
    gaps, losses, sds = np.diff(x).tolist(), y.tolist(), sd.tolist()
    for i in range(1, len(x)):
        beam = _advanced(beam, i, gaps[i - 1], (losses[i - 1], losses[i]), sds[i])
        beams.append(beam)
    weights = np.exp(beam.weight - np.logaddexp.reduce(beam.weight))
    probabilities = np.bincount(beam.regime, weights, minlength=3)
    labels, became = np.zeros(len(x), np.int64), np.zeros(len(x), np.bool_)
    trend = np.empty(len(x))
    at = int(beam.weight.argmax())
    for i in range(len(x) - 1, -1, -1):
        label = int(beams[i].label[at])
        labels[i], became[i] = max(label, ON), label < 0
        trend[i] = beams[i].state[_M, at]
        at = int(beams[i].parent[at])
    return Regimes(labels, became, trend, probabilities)


def _begun(y: float, sd: float) -> _Beam:
    """Return the hypotheses of the first point: on the trend, or an outlier."""
    state = np.zeros((9, 2))
    state[_M], state[_S] = y, _FALLS
    state[_MM], state[_SS] = (sd**2, _HEIGHT**2), _SLOPE**2
    none = np.zeros(2, np.int64)
    weight = np.log([1.0 - _OUTLIER, _OUTLIER])
    return _Beam(weight, none, np.array([0, -1]), state, none, np.array([ON, OUTLIER]))


def _advanced(beam: _Beam, i: int, gap: float, losses: tuple[float, float], sd: float) -> _Beam:
    """Return all hypotheses after one more point, those that agree on its regime merged."""
    last, here = losses
    change, parent = _branches(beam.regime)
    state = _changed(_predicted(beam.state, gap)[:, parent], change)
    # Of the point with the level of the trend, its slope, and the displacement.
    gain = np.stack([state[_MM] + state[_MD], state[_MS] + state[_SD], state[_MD] + state[_DD]])
    off, seen = here - state[_M] - state[_D], _SEEN[change]
    whole = np.where(seen, gain[0] + gain[2], state[_MM] + _HEIGHT**2) + sd**2
    miss = np.log(whole) + off**2 / whole
    miss[change == _FOLLOWED] = 2.0 * np.log(_STEP) + ((here - last) / _STEP) ** 2
    weight = beam.weight[parent] + _LOG_PROBABILITY[change] - 0.5 * miss
    since = np.where(_BEGINS[change], i, beam.since[parent])
    kept, weight = _merged(weight, since * 4 + _AFTER[change])
    change, whole, gain = change[kept], whole[kept], gain[:, kept] * seen[kept]
    state = state[:, kept]
    state[:_MM] += gain * (off[kept] / whole)
    state[_MM:] -= gain[_ONE] * gain[_OTHER] / whole
    return _Beam(weight, _AFTER[change], since[kept], state, parent[kept], _LABEL[change])


def _branches(regime: Ints) -> tuple[Ints, Ints]:
    """Return every change of every hypothesis, and which hypothesis it is of."""
    places = [np.flatnonzero(regime == kind) for kind in (ON, EXCURSION, LEVEL)]
    parents = [places[change.before] for change in _CHANGES]
    change = np.repeat(np.arange(len(_CHANGES)), [len(part) for part in parents])
    return change, np.concatenate(parents)


def _merged(weight: Floats, key: Ints) -> tuple[Ints, Floats]:
    """Return the best of those that share a key, and the log of their whole weight, best first."""
    order = np.argsort(-weight, kind="stable")[: 4 * _KEPT]
    grouped = order[np.argsort(key[order], kind="stable")]
    first = np.flatnonzero(np.diff(key[grouped], prepend=-1))
    top = weight[order[0]]
    total = np.add.reduceat(np.exp(weight[grouped] - top), first)
    total = np.log(np.maximum(total, _TINY)) + top
    best = np.argsort(-total, kind="stable")[:_KEPT]
    return grouped[first[best]], total[best]


def _predicted(state: Floats, gap: float) -> Floats:
    """Return states at the next point."""
    moves = np.eye(9)
    moves[_M, _S] = moves[_MS, _SS] = moves[_MD, _SD] = gap
    moves[_MM, _MS], moves[_MM, _SS] = 2.0 * gap, gap**2
    after: Floats = moves @ state
    bend = _BEND**2
    after[_MM] += bend * gap**3 / 3.0 + _WALK**2 * gap
    after[_MS] += bend * gap**2 / 2.0
    after[_SS] += bend * gap
    return after


def _changed(state: Floats, change: Ints) -> Floats:
    """Displace the trend where a level begins, and take back displacements where one ends."""
    state[_DD, (change == _LEFT) | (change == _SETTLED)] = _SHIFT**2
    ends, became = change >= _RETURNED, change == _BECAME
    if ends[-1]:
        state[_M] += np.where(became, state[_D], 0.0)
        state[_MM] += np.where(became, 2.0 * state[_MD] + state[_DD], 0.0)
        state[_MS] += np.where(became, state[_SD], 0.0)
        state[:, ends] *= _TREND
    return state
