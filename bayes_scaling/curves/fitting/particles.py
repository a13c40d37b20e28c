"""Tempered sequential Monte Carlo for posteriors of a handful of parameters.

A curve has a dozen points or so after binning and five to twelve parameters, on ridges that are
narrow and bent, and it must be fitted again within a second when a point comes. NUTS answers this
after compiling a graph for each law; particles go from the prior to the posterior by tempering
(Del Moral, Doucet and Jasra 2006), come with the evidence that laws are averaged by, and take a
new point as a change of weights (Chopin 2002).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

__all__ = ["Gaussian", "Particles", "Target", "sample", "updated"]

Floats = NDArray[np.float64]
Likelihood = Callable[[Floats], Floats]
"""Log likelihood of points, (particle, parameter) to (particle,)."""

_ZERO = -1e10
_LEAST = 0.5
"""Effective fraction of particles at which they are resampled."""
_MOVES, _LAST = 12, 24
"""Moves after each tempering step, and after the last one."""
_LATE = 6
"""Moves by which it is judged whether particles move, once the length of steps has settled."""
_WANTED = 0.25
"""Acceptance rate that the length of steps is adapted to."""


@dataclass(frozen=True)
class Gaussian:
    """Normal prior: its mean, and the lower Cholesky factor of its covariance."""

    mean: Floats
    chol: Floats

    @classmethod
    def independent(cls, mean: Floats, sd: Floats) -> "Gaussian":
        """Return a prior without correlations."""
        return cls(np.asarray(mean, np.float64), np.diag(np.asarray(sd, np.float64)))

    @property
    def constant(self) -> float:
        """Log of the normalising constant, which :meth:`log_density` leaves out."""
        count = self.mean.size
        return float(-np.log(np.diag(self.chol)).sum() - 0.5 * count * np.log(2.0 * np.pi))

    def draw(self, size: int, rng: np.random.Generator) -> Floats:
        """Draw points, dims (particle, parameter)."""
        points: Floats = self.mean + rng.normal(size=(size, self.mean.size)) @ self.chol.T
        return points

    def log_density(self, points: Floats) -> Floats:
        """Return the log density of points, up to its constant."""
        z = np.linalg.solve(self.chol, (points - self.mean).T)
        density: Floats = -0.5 * (z**2).sum(axis=0)
        return density


@dataclass(frozen=True)
class Target:
    """Density to be sampled: a prior, and the log likelihood of points."""

    prior: Gaussian
    likelihood: Likelihood

    def logs(self, points: Floats) -> Floats:
        """Return the log likelihood of points; zero likelihood where a law cannot be computed."""
        values = self.likelihood(points)
        return np.where(np.isfinite(values), values, _ZERO)


@dataclass(frozen=True)
class Particles:
    """Equally likely points of a posterior.

    Attributes
    ----------
    points : (particle, parameter) array
        Positions.
    log_likelihood : (particle,) array
        Log likelihood of each.
    log_evidence : float
        Log marginal likelihood of the data.
    effective : float
        Effective fraction of particles before they were last resampled.
    accepted : float
        Acceptance rate of the last moves.
    """

    points: Floats
    log_likelihood: Floats
    log_evidence: float
    effective: float = 1.0
    accepted: float = 1.0


def sample(target: Target, size: int, rng: np.random.Generator) -> Particles:
    """Sample a posterior by so many particles, tempered from the prior."""
    points = target.prior.draw(size, rng)
    here = Particles(points, target.logs(points), 0.0)
    power = 0.0
    while power < 1.0:
        step = _step(here.log_likelihood, 1.0 - power)
        power += step
        here = _resampled(here, step * here.log_likelihood, rng)
        moves = _LAST if power >= 1.0 else _MOVES
        here = _moved(here, target, power, moves, rng)
    return here


def updated(known: Particles, target: Target, rng: np.random.Generator) -> Particles:
    """Update a posterior to all data, old and new, by importance weights and moves.

    The ``effective`` fraction of the result says whether the new data agree with the old: far below
    a tenth it is better to sample from the prior again.
    """
    after = target.logs(known.points)
    gain = after - known.log_likelihood
    here = _resampled(replace(known, log_likelihood=after), gain, rng)
    return _moved(here, target, 1.0, _MOVES, rng)


def _effective(log_weights: Floats) -> float:
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights**2).sum() / weights.size)


def _step(log_likelihood: Floats, most: float) -> float:
    """Return the largest step in the power that leaves enough effective particles."""
    if _effective(most * log_likelihood) >= _LEAST:
        return most
    # So small a step leaves all weights equal, even those of zero likelihood.
    log_step = brentq(
        lambda at: _effective(np.exp(at) * log_likelihood) - _LEAST, -60.0, np.log(most), xtol=1e-3
    )
    return float(min(np.exp(log_step), most))


def _resampled(here: Particles, log_weights: Floats, rng: np.random.Generator) -> Particles:
    """Resample particles by their weights, systematically."""
    top = float(log_weights.max())
    weights = np.exp(log_weights - top)
    evidence = here.log_evidence + top + float(np.log(weights.mean()))
    places = (rng.uniform() + np.arange(weights.size)) / weights.size
    chosen = np.searchsorted(np.cumsum(weights / weights.sum()), places)
    chosen = np.minimum(chosen, weights.size - 1)
    return Particles(
        here.points[chosen], here.log_likelihood[chosen], evidence, _effective(log_weights)
    )


def _moved(
    here: Particles, target: Target, power: float, moves: int, rng: np.random.Generator
) -> Particles:
    """Move all particles by Metropolis steps along differences of two (ter Braak 2006)."""
    points, logs = here.points.copy(), here.log_likelihood.copy()
    before = target.prior.log_density(points)
    size, count = points.shape
    scale = 2.38 / np.sqrt(2.0 * count)
    jitter = 1e-3 * points.std(axis=0)
    rates = []
    for _ in range(moves):
        one, other = rng.integers(size, size=(2, size))
        # Steps of many lengths: ridges are long and thin.
        length = scale * np.exp(rng.normal(size=(size, 1)) - 1.0)
        proposed = points + length * (points[one] - points[other])
        proposed += jitter * rng.normal(size=points.shape)
        found, after = target.logs(proposed), target.prior.log_density(proposed)
        gain = power * (found - logs) + after - before
        taken = np.log(rng.uniform(size=size)) < gain
        points[taken], logs[taken], before[taken] = proposed[taken], found[taken], after[taken]
        rates.append(float(taken.mean()))
        scale *= np.exp(0.6 * (rates[-1] - _WANTED))
    accepted = float(np.mean(rates[-_LATE:]))
    return replace(here, points=points, log_likelihood=logs, accepted=accepted)
