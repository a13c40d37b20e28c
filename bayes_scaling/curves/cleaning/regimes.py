"""Regimes of the points of a curve, by a multi-process Kalman filter.

The log loss is a local linear trend in the log of t, with noise. At each point the run may leave
that trend: by one wrong point (an outlier), by an excursion whose losses follow each other but no
trend (a spike), or by a displacement after which it goes on in parallel (a level, which may be
temporary or stay). Each combination of regimes is a hypothesis with a Kalman filter of its own; the
most probable few are kept (Harrison and Stevens 1976). The path of the best one labels all points
with hindsight: a spike that has passed is one excursion, whatever it looked like on its way.
"""

from dataclasses import dataclass, replace

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


@dataclass(frozen=True)
class _Beam:
    """Hypotheses.

    Log weight, regime, where it began, mean and covariance of (trend, slope, displacement), which
    hypothesis before it came from, and how it labels the point.
    """

    weight: Floats
    regime: Ints
    since: Ints
    mean: Floats
    cov: Floats
    parent: Ints
    label: Ints

    def where(self, chosen: NDArray[np.bool_] | Ints) -> "_Beam":
        return _Beam(*(getattr(self, name)[chosen] for name in self.__dataclass_fields__))


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
    for i in range(1, len(x)):
        beam = _advanced(beam, i, float(x[i] - x[i - 1]), y, float(sd[i]))
        beams.append(beam)
    weights = np.exp(beam.weight - np.logaddexp.reduce(beam.weight))
    probabilities = np.bincount(beam.regime, weights, minlength=3)
    labels, became = np.zeros(len(x), np.int64), np.zeros(len(x), np.bool_)
    trend = np.empty(len(x))
    at = int(beam.weight.argmax())
    for i in range(len(x) - 1, -1, -1):
        label = int(beams[i].label[at])
        labels[i], became[i] = max(label, ON), label < 0
        trend[i] = beams[i].mean[at, 0]
        at = int(beams[i].parent[at])
    return Regimes(labels, became, trend, probabilities)


def _begun(y: float, sd: float) -> _Beam:
    """Return the hypotheses of the first point: on the trend, or an outlier."""
    cov = np.zeros((2, 3, 3))
    cov[:, 0, 0] = sd**2, _HEIGHT**2
    cov[:, 1, 1] = _SLOPE**2
    none = np.zeros(2, np.int64)
    return _Beam(
        np.log([1.0 - _OUTLIER, _OUTLIER]),
        none,
        np.array([0, -1]),
        np.array([[y, _FALLS, 0.0]] * 2),
        cov,
        none,
        np.array([ON, OUTLIER]),
    )


def _advanced(beam: _Beam, i: int, gap: float, y: Floats, sd: float) -> _Beam:
    """Return all hypotheses after one more point, those that agree on its regime merged."""
    before = replace(_predicted(beam, gap), parent=np.arange(len(beam.weight)))
    on, excursion, level = (before.where(before.regime == kind) for kind in (ON, EXCURSION, LEVEL))
    here, last = float(y[i]), float(y[i - 1])
    back = _undisplaced(level)
    settled = _displaced(excursion)
    branches = [
        _seen(on, 1.0 - _OUTLIER - _EXCURSION - _LEVEL, here, sd, (ON, ON)),
        _missed(on, _OUTLIER, here, sd, (ON, OUTLIER)),
        _missed(replace(on, since=on.since * 0 + i), _EXCURSION, here, sd, (EXCURSION, EXCURSION)),
        _seen(_displaced(replace(on, since=on.since * 0 + i)), _LEVEL, here, sd, (LEVEL, LEVEL)),
        _followed(excursion, 1.0 - _ENDS - _SETTLES, here - last),
        _seen(replace(excursion, since=excursion.since * 0 + i), _ENDS, here, sd, (ON, ON)),
        _seen(replace(settled, since=excursion.since * 0 + i), _SETTLES, here, sd, (LEVEL, LEVEL)),
        _seen(level, 1.0 - _OUTLIER - _RETURNS - _STAYS, here, sd, (LEVEL, LEVEL)),
        _missed(level, _OUTLIER, here, sd, (LEVEL, OUTLIER)),
        _seen(replace(back, since=level.since * 0 + i), _RETURNS, here, sd, (ON, ON)),
        _seen(replace(_merged(level), since=level.since * 0 + i), _STAYS, here, sd, (ON, -1)),
    ]
    whole = _Beam(
        *(
            np.concatenate([getattr(one, name) for one in branches])
            for name in _Beam.__dataclass_fields__
        )
    )
    order = np.argsort(-whole.weight, kind="stable")[: 4 * _KEPT]
    whole = whole.where(order)
    key = whole.since * 4 + whole.regime
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    top = float(whole.weight[0])
    total = np.bincount(inverse, np.exp(whole.weight - top))
    merged = replace(whole.where(first), weight=np.log(np.maximum(total, _TINY)) + top)
    return merged.where(np.argsort(-merged.weight, kind="stable")[:_KEPT])


def _predicted(beam: _Beam, gap: float) -> _Beam:
    step = np.eye(3)
    step[0, 1] = gap
    noise = np.zeros((3, 3))
    bend = _BEND**2
    noise[0, 0] = bend * gap**3 / 3.0 + _WALK**2 * gap
    noise[0, 1] = noise[1, 0] = bend * gap**2 / 2.0
    noise[1, 1] = bend * gap
    return replace(beam, mean=beam.mean @ step.T, cov=step @ beam.cov @ step.T + noise)


def _displaced(beam: _Beam) -> _Beam:
    cov = beam.cov.copy()
    cov[:, 2, 2] = _SHIFT**2
    return replace(beam, cov=cov)


def _undisplaced(beam: _Beam) -> _Beam:
    keep = np.diag([1.0, 1.0, 0.0])
    return replace(beam, mean=beam.mean @ keep, cov=keep @ beam.cov @ keep)


def _merged(beam: _Beam) -> _Beam:
    """Take the displaced level as the trend."""
    add = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    return replace(beam, mean=beam.mean @ add.T, cov=add @ beam.cov @ add.T)


def _labelled(beam: _Beam, gain: Floats, into: tuple[int, int]) -> _Beam:
    same = np.ones_like(beam.regime)
    regime, label = into
    return replace(beam, weight=beam.weight + gain, regime=regime * same, label=label * same)


def _seen(beam: _Beam, prior: float, y: float, sd: float, into: tuple[int, int]) -> _Beam:
    """Update with a point on the trend, or on its displacement."""
    row = np.array([1.0, 0.0, 1.0])
    off = y - beam.mean @ row
    gain = beam.cov @ row
    whole = gain @ row + sd**2
    log = np.log(prior) - 0.5 * (np.log(whole) + off**2 / whole)
    mean = beam.mean + gain * (off / whole)[:, None]
    cov = beam.cov - gain[:, :, None] * gain[:, None, :] / whole[:, None, None]
    return _labelled(replace(beam, mean=mean, cov=cov), log, into)


def _missed(beam: _Beam, prior: float, y: float, sd: float, into: tuple[int, int]) -> _Beam:
    """Weigh a point that holds no information on the trend."""
    off = y - beam.mean[:, 0] - beam.mean[:, 2]
    whole = beam.cov[:, 0, 0] + _HEIGHT**2 + sd**2
    return _labelled(beam, np.log(prior) - 0.5 * (np.log(whole) + off**2 / whole), into)


def _followed(beam: _Beam, prior: float, step: float) -> _Beam:
    """Weigh a further point of an excursion."""
    log = np.log(prior) - np.log(_STEP) - 0.5 * (step / _STEP) ** 2
    return _labelled(beam, np.full(len(beam.weight), log), (EXCURSION, EXCURSION))
