"""What the errors of a law are, learned from forecasts of real families and what came of them."""

import math
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, logit, logsumexp
from scipy.stats import norm

from bayes_scaling.model import Discrepancy

Floats = NDArray[np.float64]

SHARED = 0.6
"""Correlation between the errors of runs of a family: densities of single runs do not tell it."""
KERNEL = 3e-4
"""Sd that smooths the density of a draw, log loss: far below the noise of any study."""
START = np.array([math.log(0.004), 0.4, math.log(0.7), math.log(0.5), logit(0.15)])
START_SD = np.array([1.0, 0.4, 0.5, 0.5, 1.5])
"""Weak priors of log level, noise power, log power, log spread and logit share."""


@dataclass(frozen=True)
class Ahead:
    """Forecasts of a family's runs beyond those fitted, draw by draw.

    Attributes
    ----------
    root : str
        Its root.
    ratio : float
        Its largest compute over the largest that was fitted.
    log_loss, distance : (run,) array
        What came of them, and how far they lie beyond the fitted runs, natural log.
    curves : (component, run, draw) array
        Log of the curve by the law, and by the law with its quadratic.
    sigma, nu : (component, draw) array
        Noise of the family.
    """

    root: str
    ratio: float
    log_loss: Floats
    distance: Floats
    curves: Floats
    sigma: Floats
    nu: Floats

    @property
    def thinned(self) -> "Ahead":
        """Every fourth draw: enough for densities of hundreds of runs."""
        curves, sigma, nu = (value[..., ::4] for value in (self.curves, self.sigma, self.nu))
        return replace(self, curves=curves, sigma=sigma, nu=nu)


@dataclass(frozen=True)
class Errors:
    """What is learned of a law's errors: discrepancy, and share of the quadratic."""

    level: float
    noise_power: float
    power: float
    spread: float
    share: float

    @classmethod
    def of(cls, v: Floats) -> "Errors":
        """From unbounded numbers."""
        level, power, spread = np.exp(v[[0, 2, 3]])
        return cls(level, v[1], power, spread, expit(v[4]))

    @property
    def rounded(self) -> "Errors":
        """Four digits after the point."""
        return Errors(*(round(float(number), 4) for number in astuple(self)))

    @property
    def discrepancy(self) -> Discrepancy:
        """The discrepancy."""
        return Discrepancy(self.level, self.noise_power, self.power, SHARED, self.spread)


@dataclass(frozen=True)
class Scorer:
    """Predictive densities of what came of forecasts, the same random numbers for any errors."""

    ahead: tuple[Ahead, ...]
    noise: tuple[Floats, ...]
    scale: tuple[Floats, ...]

    @classmethod
    def of(cls, ahead: Iterable[Ahead]) -> "Scorer":
        """Draw the random numbers."""
        rng, ahead = np.random.default_rng(0), tuple(each.thinned for each in ahead)
        noise = []
        for each in ahead:
            t = np.clip(rng.standard_t(each.nu[:, None, :], each.curves.shape), -20, 20)
            noise.append(each.sigma[:, None, :] * t)
        scale = [rng.normal(size=each.sigma.shape) for each in ahead]
        return cls(ahead, tuple(noise), tuple(scale))

    def log_density(self, errors: Errors) -> Floats:
        """Mean log predictive density of the runs of each forecast."""
        return np.array([self._one(i, errors) for i in range(len(self.ahead))])

    def _one(self, i: int, errors: Errors) -> float:
        each, shares = self.ahead[i], np.log([1.0 - errors.share, errors.share])
        log_scale = errors.discrepancy.log_scale(np.log(each.sigma)) + errors.spread * self.scale[i]
        growth = errors.discrepancy.growth(each.distance)
        variance = (np.exp(log_scale)[:, None, :] * growth[None, :, None]) ** 2 + KERNEL**2
        left = each.log_loss[None, :, None] - each.curves - self.noise[i]
        density = -0.5 * (left**2 / variance + np.log(2 * np.pi * variance))
        by_part = logsumexp(density, axis=2) - math.log(density.shape[2])
        return float(logsumexp(by_part + shares[:, None], axis=0).mean())

    def macro(self, errors: Errors, without: str | None = None) -> float:
        """Mean over roots, each that of its families and distances."""
        roots = [each.root for each in self.ahead]
        found = pd.Series(self.log_density(errors)).groupby(roots).mean()
        return float(found.drop(without, errors="ignore").mean() if without else found.mean())


def as_searched(errors: Errors) -> Errors:
    """The errors themselves."""
    return errors


def learn_errors(
    scorer: Scorer, without: str | None = None, way: Callable[[Errors], Errors] = as_searched
) -> Errors:
    """The errors under which the runs of all roots but one have the highest predictive density.

    So few roots do not tell them well: the spread of the scale contains how well the level is
    known, and the share is its mean, by the normal approximation at the mode. A way changes errors
    before they are scored, to hold some of them fixed.
    """
    roots = {each.root for each in scorer.ahead} - {without}

    def lost(v: Floats) -> float:
        away = (v - START) / START_SD
        # A root counts as three runs: what its families and distances share is one error.
        return 0.5 * float(away @ away) - 3 * len(roots) * scorer.macro(way(Errors.of(v)), without)

    simplex = np.vstack([START, START + 0.5 * np.diag(START_SD)])
    options = {"initial_simplex": simplex, "xatol": 0.02, "fatol": 0.01, "maxiter": 400}
    mode = minimize(lost, START, method="Nelder-Mead", options=options).x
    sd = np.sqrt(np.diag(np.linalg.inv(_curvature(lost, mode))))
    known = Errors.of(mode)
    share = expit(mode[4] + sd[4] * norm.ppf((np.arange(101) + 0.5) / 101)).mean()
    return way(replace(known, spread=math.hypot(known.spread, sd[0]), share=share)).rounded


def _curvature(lost: Callable[[Floats], float], mode: Floats) -> Floats:
    """Second derivatives at the mode, by central differences over a tenth of the prior's sd."""
    steps = np.diag(0.1 * START_SD)
    found = np.empty(steps.shape)
    for i, one in enumerate(steps):
        for j, other in enumerate(steps[: i + 1]):
            ends = [lost(mode + a * one + b * other) for a in (1, -1) for b in (1, -1)]
            both = one.sum() * other.sum()
            found[i, j] = found[j, i] = (ends[0] - ends[1] - ends[2] + ends[3]) / (4 * both)
    return found
