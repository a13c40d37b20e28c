"""Run-to-run noise on log loss about the curve: its draws, its density, its PyMC variable."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.model.spec import Noise

__all__ = ["bounded", "log_density", "observe", "standard_draws"]

Floats = NDArray[np.float64]
_LOG_2_PI = float(np.log(2.0 * np.pi))


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


def log_density(noise: Noise, nu: Any, error: Any, scale: Any) -> Any:
    """Log density of errors on log loss; parameters as of :func:`standard_draws`."""
    square = (error / scale) ** 2
    if noise == "normal":
        return -0.5 * square - 0.5 * _LOG_2_PI - np.log(scale)
    tails = 0.5 * (nu + 1.0) * np.log1p(square / nu)
    return _log_t_height(nu) - tails - np.log(scale)


def _log_t_height(nu: Any) -> Any:
    """Log density of Student's t distribution at its middle.

    Γ((ν + 1) / 2) / Γ(ν / 2) by Stirling's series of its log, at an argument that its recurrence
    raises until the series is exact: importing SciPy costs more than everything else in reading a
    fit, and the derivative of arithmetic is known.
    """
    half = 0.5 * nu
    ratio: Any = 1.0
    for step in range(_SHIFT):
        ratio = ratio * ((half + step) / (half + (step + 0.5)))
    far = half + _SHIFT
    series: Any = 0.0
    for coefficient in reversed(_STIRLING):
        series = series / (far * far) + coefficient
    return np.log(ratio) + 0.5 * (np.log(far) - np.log(half) - _LOG_2_PI) + series / far


_SHIFT = 12
_STIRLING = (-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432, 691 / 180224)
"""Coefficients of the series of log Γ(x + 1/2) - log Γ(x) - log(x) / 2 in odd powers of 1/x."""


def observe(noise: Noise, nu: Any, mean: Any, scale: Any, log_loss: Any) -> Any:
    """Observed log losses as the variable ``log_loss`` of the PyMC model in whose context it is."""
    import pymc as pm

    if noise == "normal":
        return pm.Normal("log_loss", mean, scale, observed=log_loss, dims="run")
    return pm.StudentT("log_loss", nu=nu, mu=mean, sigma=scale, observed=log_loss, dims="run")
