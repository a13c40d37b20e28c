"""Noise of a curve about its law: white noise of each point, and an AR(1) process.

Log losses are the law's, plus white noise of each point, plus a stationary AR(1) process in the log
of t (Ornstein and Uhlenbeck 1930), which stands for deviations that last and for the discrepancy
between law and curve. Together they are a state-space model with one state, and the likelihood of a
curve is a Kalman filter (Särkkä 2013, Theorem 4.2).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["NAMES", "Ar1State", "NoiseParameters", "kalman_filter"]

Floats = NDArray[np.float64]

NAMES = ("white_sd", "ar1_sd", "length_scale")
"""sd of the white noise of one point; sd of the AR(1) process, and its length scale in log t."""


@dataclass(frozen=True)
class NoiseParameters:
    """Parameters of the noise of particles, dims (particle,).

    Attributes
    ----------
    white_sd, ar1_sd : (particle,) array
        Standard deviations, log loss.
    length_scale : (particle,) array
        Distance in log t over which the autocorrelation falls by a factor of e.
    """

    white_sd: Floats
    ar1_sd: Floats
    length_scale: Floats


@dataclass(frozen=True)
class Ar1State:
    """Filtered mean and variance of the AR(1) process at the last point, dims (particle,)."""

    mean: Floats
    variance: Floats


def kalman_filter(
    residuals: Floats, log_t: Floats, counts: Floats, noise: NoiseParameters
) -> tuple[Floats, Ar1State]:
    """Compute the log likelihood of residuals, and the state of the AR(1) process after them.

    Residuals are of log loss, dims (particle, point), at ``log_t``, growing; each is a mean over
    ``counts`` logged points, which divide the variance of its white noise.
    """
    total = noise.ar1_sd**2
    mean, variance = np.zeros(len(residuals)), total.copy()
    white = noise.white_sd[:, None] ** 2 / counts
    kept = np.exp(-np.diff(log_t) / noise.length_scale[:, None])
    logs = np.zeros(len(residuals))
    for at in range(residuals.shape[1]):
        if at:
            stays = kept[:, at - 1]
            mean = stays * mean
            variance = stays**2 * variance + total * (1.0 - stays**2)
        whole = variance + white[:, at]
        innovation = residuals[:, at] - mean
        logs -= 0.5 * (np.log(2.0 * np.pi * whole) + innovation**2 / whole)
        gain = variance / whole
        mean = mean + gain * innovation
        variance = (1.0 - gain) * variance
    return logs, Ar1State(mean, variance)
