"""How points of a curve scatter about its law: each by itself, and together.

Log losses are the law's, plus noise of each point (white), plus a wandering that neighbouring
points share: a stationary AR(1) process in the log of t (Ornstein and Uhlenbeck 1930), which stands
for deviations that last and for what the law gets wrong. Together they are a state-space model with
one state, and the likelihood of a curve is a Kalman filter (Särkkä 2013, Theorem 4.2).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NAMES", "Scatter", "filtered"]

Floats = NDArray[np.float64]

NAMES = ("white", "wander", "memory")
"""sd of the noise of one logged point; sd of the wandering; its length in natural logs of t."""


@dataclass(frozen=True)
class Scatter:
    """Scatter of particles, dims (particle,).

    Attributes
    ----------
    white, wander : (particle,) array
        Standard deviations, log loss.
    memory : (particle,) array
        Log of t over which the wandering forgets, by a factor of e.
    """

    white: Floats
    wander: Floats
    memory: Floats


@dataclass(frozen=True)
class Wandering:
    """What is known of the wandering at the last point, dims (particle,)."""

    mean: Floats
    variance: Floats


def filtered(
    residuals: Floats, log_t: Floats, counts: Floats, scatter: Scatter
) -> tuple[Floats, Wandering]:
    """Log likelihood of residuals, and the wandering after them.

    Parameters
    ----------
    residuals : (particle, point) array
        Log loss less that of the law.
    log_t : (point,) array
        Where, natural log, growing.
    counts : (point,) array
        Logged points behind each one; their mean has so much less white noise.
    scatter : Scatter
        Of each particle.

    Returns
    -------
    log_likelihood : (particle,) array
    wandering : Wandering
    """
    total = scatter.wander**2
    mean, variance = np.zeros(len(residuals)), total.copy()
    white = scatter.white[:, None] ** 2 / counts
    kept = np.exp(-np.diff(log_t) / scatter.memory[:, None])
    logs = np.zeros(len(residuals))
    for at in range(residuals.shape[1]):
        if at:
            stays = kept[:, at - 1]
            mean = stays * mean
            variance = stays**2 * variance + total * (1.0 - stays**2)
        whole = variance + white[:, at]
        surprise = residuals[:, at] - mean
        logs -= 0.5 * (np.log(2.0 * np.pi * whole) + surprise**2 / whole)
        gain = variance / whole
        mean = mean + gain * surprise
        variance = (1.0 - gain) * variance
    return logs, Wandering(mean, variance)
