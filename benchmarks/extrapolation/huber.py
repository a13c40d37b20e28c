"""Power laws with a floor by the Huber loss, as Hoffmann et al. 2022 fit them, many at once.

Section 3.3 there: log L is the log-sum-exp of a floor and one power law for each input, the Huber
loss of its errors is minimised from a grid of starting points, and the best fit is kept. Here all
starts, and all resamples of a bootstrap, are searched together by iteratively reweighted
Levenberg-Marquardt steps, which descend to the minima of the same loss. Exponents are kept from
falling below 0: where N and D move in step the least loss would otherwise be that of laws in which
the loss explodes beyond the data.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DELTA = 1e-3
"""Where the loss turns from quadratic to linear."""
EXPONENTS = (0.0, 0.5, 1.0, 1.5, 2.0)
AMPLITUDES = (0.0, 5.0, 10.0, 15.0, 20.0, 25.0)
FLOORS = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""The grid of the paper: exponents, logs of amplitudes, log of the floor."""
FIRST, SECOND = (400, 15), (20, 400)
"""How many of the best starting points go on, and for how many steps, in two rounds."""
RESAMPLED_STEPS = 200
TOLERANCE = 1e-9


@dataclass(frozen=True)
class PowerLaws:
    """Fitted laws: log L = log(exp(floor) + sum over inputs of exp(amplitude - exponent x)).

    Parameters
    ----------
    theta : (fit, 2·input + 1) array
        Amplitudes at the middle of the inputs, exponents, log of the floor.
    middle : (input,) array
        Means of the logs of the inputs of the fitted runs.
    loss : (fit,) array
        Huber loss of each.
    """

    theta: Floats
    middle: Floats
    loss: Floats

    def log_loss(self, logs: Floats) -> Floats:
        """Return log losses, dims (fit, run), at logs of inputs, dims (input, run)."""
        terms = _terms(self.theta, logs - self.middle[:, None])
        result: Floats = np.logaddexp.reduce(terms, axis=1)
        return result


def fit(logs: Floats, log_loss: Floats) -> PowerLaws:
    """Fit one law to runs, from the best of the grid of starting points.

    Parameters
    ----------
    logs : (input, run) array
        Logs of the inputs.
    log_loss : (run,) array
        Logs of the losses.
    """
    middle = logs.mean(axis=1)
    search = _Search(logs - middle[:, None], log_loss, np.ones((1, len(log_loss))))
    theta = _grid(middle)
    for kept, steps in (FIRST, SECOND):
        best = np.argsort(search.lost(theta), kind="stable")[:kept]
        theta = search.run(theta[best], steps)
    lost = search.lost(theta)
    least = [int(lost.argmin())]
    return PowerLaws(theta[least], middle, lost[least])


def resampled(first: PowerLaws, logs: Floats, log_loss: Floats, counts: Floats) -> PowerLaws:
    """Fit resamples of the runs, each starting from the fit of all.

    Parameters
    ----------
    first : PowerLaws
        The fit of all runs.
    logs, log_loss : arrays
        The runs, as of :func:`fit`.
    counts : (resample, run) array
        How often each run is drawn.
    """
    search = _Search(logs - first.middle[:, None], log_loss, counts)
    theta = search.run(np.repeat(first.theta, len(counts), axis=0), RESAMPLED_STEPS)
    return PowerLaws(theta, first.middle, search.lost(theta))


def _grid(middle: Floats) -> Floats:
    k = len(middle)
    raw = np.array(list(product(*[AMPLITUDES] * k, *[EXPONENTS] * k, FLOORS)))
    raw[:, :k] -= raw[:, k : 2 * k] * middle
    return raw


def _terms(theta: Floats, x: Floats) -> Floats:
    """Logs of the terms, dims (fit, term, run); the floor is the last."""
    k = len(x)
    powers = theta[:, :k, None] - theta[:, k : 2 * k, None] * x
    floor = np.broadcast_to(theta[:, 2 * k, None, None], (len(theta), 1, x.shape[1]))
    return np.concatenate([powers, floor], axis=1)


@dataclass(frozen=True)
class _Search:
    """Descent of the Huber loss of runs (or resamples of them) for many laws at once."""

    x: Floats
    y: Floats
    counts: Floats

    def lost(self, theta: Floats) -> Floats:
        off = np.abs(np.logaddexp.reduce(_terms(theta, self.x), axis=1) - self.y)
        each = np.where(off < DELTA, 0.5 * off**2, DELTA * (off - 0.5 * DELTA))
        return np.asarray((self.counts * each).sum(axis=1))

    def run(self, theta: Floats, steps: int) -> Floats:
        """Return where at most so many steps lead, each of which lowers the loss or is undone."""
        theta, lost = theta.copy(), self.lost(theta)
        damping = np.full(len(theta), 1e-2)
        moving = np.ones(len(theta), bool)
        for _ in range(steps):
            at = np.flatnonzero(moving)
            if not len(at):
                break
            part = self._of(at)
            tried = self._legal(theta[at] + part.step(theta[at], damping[at]))
            found = part.lost(tried)
            better = found < lost[at]
            small = np.abs(lost[at] - found) <= TOLERANCE * lost[at]
            moving[at] = ~(small & better) & (damping[at] < 1e8)
            theta[at[better]], lost[at[better]] = tried[better], found[better]
            damping[at] = np.where(better, damping[at] / 5.0, damping[at] * 4.0).clip(1e-10)
        return theta

    def _legal(self, theta: Floats) -> Floats:
        k = len(self.x)
        theta[:, k : 2 * k] = np.maximum(theta[:, k : 2 * k], 0.0)
        return theta

    def _of(self, at: NDArray[np.intp]) -> "_Search":
        if len(self.counts) == 1:
            return self
        return _Search(self.x, self.y, self.counts[at])

    def step(self, theta: Floats, damping: Floats) -> Floats:
        """Return a damped Gauss-Newton step of the reweighted least squares."""
        k = len(self.x)
        terms = _terms(theta, self.x)
        curve = np.logaddexp.reduce(terms, axis=1)
        share = np.exp(terms - curve[:, None])
        slopes = np.concatenate([share[:, :k], -share[:, :k] * self.x, share[:, k:]], axis=1)
        off = curve - self.y
        weight = self.counts * np.minimum(1.0, DELTA / np.maximum(np.abs(off), 1e-300))
        weighted = slopes * weight[:, None]
        gradient = (weighted @ off[..., None])[..., 0]
        # An exponent at its bound that would fall further stays there.
        held = (theta <= 0.0) & (gradient > 0.0)
        held[:, :k] = held[:, 2 * k :] = False
        gradient, weighted = np.where(held, 0.0, gradient), weighted * ~held[..., None]
        curvature = weighted @ slopes.transpose(0, 2, 1)
        diagonal = np.einsum("sii->si", curvature)
        ridge = damping[:, None] * diagonal + 1e-12 * diagonal.max(axis=1, keepdims=True) + 1e-300
        added = np.eye(theta.shape[1]) * ridge[:, None]
        return np.asarray(-np.linalg.solve(curvature + added, gradient[..., None])[..., 0])
