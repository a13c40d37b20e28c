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
    # Points first: a step of the filter is then a few operations on rows that lie together.
    rows = residuals.T
    white = noise.white_sd**2 / counts[:, None]
    stays = np.exp(-np.diff(log_t)[:, None] / noise.length_scale)
    whole = _variances(white, stays, noise.ar1_sd**2)
    left = white / whole
    gain = 1.0 - left
    kept, taken = stays * left[:-1], stays * gain[:-1] * rows[:-1]
    mean = np.zeros(rows.shape)
    for before, factor, term, after in zip(mean[:-1], kept, taken, mean[1:], strict=True):
        np.multiply(before, factor, after)
        np.add(after, term, after)
    innovation = rows - mean
    logs = -0.5 * (np.log(2.0 * np.pi * whole) + innovation**2 / whole).sum(axis=0)
    state = Ar1State(mean[-1] + gain[-1] * innovation[-1], gain[-1] * white[-1])
    return logs, state


def _variances(white: Floats, stays: Floats, total: Floats) -> Floats:
    """Return the variances of the innovations, dims (point, particle).

    Of the AR(1) process v·w / (v + w) is left after a point with white noise w, which is
    w - w² / (v + w): the variance of the next innovation is a constant less another over this one.
    """
    squares = stays**2
    constant = squares * white[:-1] + total * (1.0 - squares) + white[1:]
    factor = squares * white[:-1] ** 2
    whole = np.empty(white.shape)
    np.add(total, white[0], whole[0])
    for before, most, less, after in zip(whole[:-1], constant, factor, whole[1:], strict=True):
        np.divide(less, before, after)
        np.subtract(most, after, after)
    return whole
