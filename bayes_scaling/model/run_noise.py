"""Run-to-run noise on log loss about the curve: its draws, its density, its PyMC variable."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.model.spec import Noise

__all__ = ["bounded", "log_density", "observe", "standard_draws"]

Floats = NDArray[np.float64]


def standard_draws(
    noise: Noise, nu: ArrayLike | None, shape: tuple[int, ...], rng: np.random.Generator
) -> Floats:
    """Draws in units of the scale.

    Parameters
    ----------
    noise : {"student-t", "normal"}
        The distribution.
    nu : array-like or None
        Degrees of freedom that broadcast with the shape; not read where the noise is normal.
    shape : tuple of int
        Of the draws.
    rng : numpy.random.Generator
        Source of randomness.
    """
    standard = rng.normal(size=shape)
    if noise == "normal":
        return standard
    freedom = np.broadcast_to(np.asarray(nu, dtype=np.float64), shape)
    # A t variate is a normal over the root of an independent chi-square over its degrees.
    ratio = rng.chisquare(freedom)
    ratio /= freedom
    standard /= np.sqrt(ratio, out=ratio)
    return standard


def bounded(draws: Floats) -> Floats:
    """Draws on log loss, within ±1.

    Beyond a factor of e a run has failed, which no law describes; and the mean of exp(t) exists
    only because of this bound.
    """
    return np.clip(draws, -1.0, 1.0)


def log_density(noise: Noise, nu: ArrayLike | None, error: Floats, scale: Floats) -> Floats:
    """Log density of errors on log loss; parameters as of :func:`standard_draws`."""
    z = error / scale
    if noise == "normal":
        normal: Floats = -(z**2) / 2 - np.log(2 * np.pi) / 2 - np.log(scale)
        return normal
    freedom = np.asarray(nu, dtype=np.float64)
    tails = (freedom + 1) / 2 * np.log1p(z * z / freedom)
    result: Floats = _log_t_height(freedom) - tails - np.log(scale)
    return result


def _log_t_height(nu: Floats) -> Floats:
    """Log density of Student's t distribution at its middle.

    Γ((ν + 1) / 2) / Γ(ν / 2) by Stirling's series of its log, at an argument that its recurrence
    raises until the series is exact: importing SciPy costs more than everything else in reading a
    fit.
    """
    half = nu / 2
    ratio = np.ones_like(half)
    for step in range(_SHIFT):
        ratio *= (half + step) / (half + step + 0.5)
    far = half + _SHIFT
    series = np.zeros_like(far)
    for coefficient in reversed(_STIRLING):
        series = series / far**2 + coefficient
    height: Floats = (
        np.log(ratio) + (np.log(far) - np.log(half) - np.log(2 * np.pi)) / 2 + series / far
    )
    return height


_SHIFT = 12
_STIRLING = (-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432, 691 / 180224)
"""Coefficients of the series of log Γ(x + 1/2) - log Γ(x) - log(x) / 2 in odd powers of 1/x."""


def observe(noise: Noise, nu: Any, mean: Any, scale: Any, log_loss: Any) -> Any:
    """Observed log losses as the variable ``log_loss`` of the PyMC model in whose context it is."""
    import pymc as pm

    if noise == "normal":
        return pm.Normal("log_loss", mean, scale, observed=log_loss, dims="run")
    return pm.StudentT("log_loss", nu=nu, mu=mean, sigma=scale, observed=log_loss, dims="run")
