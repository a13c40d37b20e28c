"""Tempered sequential Monte Carlo for posteriors of a handful of parameters.

A curve has a dozen points or so after binning and five to twelve parameters, on ridges that are
narrow and bent, and it must be fitted again within a second when a point comes. NUTS answers this
after compiling a graph for each law; particles go from the prior to the posterior by tempering
(Del Moral, Doucet and Jasra 2006), come with the evidence that laws are averaged by, and take a
new point as a change of weights (Chopin 2002). All states that chains pass through are particles of
the next step, so that no evaluation is wasted (Dau and Chopin 2022).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

__all__ = ["Gaussian", "Particles", "Target", "sample", "updated"]

Floats = NDArray[np.float64]
Likelihood = Callable[[Floats], Floats]
"""Log likelihood of points, (particle, parameter) to (particle,)."""

_ZERO = -1e10
_CHAINS, _FEWEST = 1 / 4, 64
"""Chains for each particle that is wanted, and how many there are at least."""
_LEAST = 0.5
"""Effective fraction of particles at which they are resampled."""
_MOVES, _LAST = 20, 80
"""Moves of a chain after each tempering step, and after the last one: few long chains find thin
ridges that many short ones miss."""
_RENEWED, _AGAIN = 1 / 4, 12
"""Chains for each particle of an update, and their moves: it begins at the posterior."""
_TOLERANCE = 1e-3
"""Of the log of a tempering step."""
_REGULAR = 1e-12
"""Added to variances, so that particles that are all alike have a covariance."""
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

    def standardised(self, points: Floats) -> Floats:
        """Return points as independent deviations from the mean."""
        away: Floats = (points - self.mean) @ self._inverse.T
        return away

    @cached_property
    def _inverse(self) -> Floats:
        return np.linalg.inv(self.chol)

    def log_density(self, points: Floats) -> Floats:
        """Return the log density of points, up to its constant."""
        density: Floats = -0.5 * (self.standardised(points) ** 2).sum(axis=1)
        return density


class Space:
    """Coordinates in which particles move; here, those of the prior."""

    def forward(self, points: Floats) -> Floats:
        """Return the coordinates of points."""
        return points

    def backward(self, coordinates: Floats) -> tuple[Floats, Floats]:
        """Return points, and the log determinant of the map from coordinates to them."""
        return coordinates, np.zeros(len(coordinates))


@dataclass(frozen=True)
class Target:
    """Density to be sampled: a prior, the log likelihood of points, and coordinates to move in."""

    prior: Gaussian
    likelihood: Likelihood
    space: Space = field(default_factory=Space)

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
    chains = min(max(round(_CHAINS * size), _FEWEST), size)
    points = target.prior.draw(max(chains * _MOVES, size), rng)
    here = Particles(points, target.logs(points), 0.0)
    power = 0.0
    while power < 1.0:
        step = _step(here.log_likelihood, 1.0 - power)
        power = 1.0 if step >= 1.0 - power else power + step
        last = power >= 1.0
        every = _spread(_LAST, size, chains) if last else range(1, _MOVES + 1)
        weights = step * here.log_likelihood
        here = _moved(here, target, weights, rng, power=power, chains=chains, kept=every)
    return replace(here, points=here.points[:size], log_likelihood=here.log_likelihood[:size])


def updated(known: Particles, target: Target, rng: np.random.Generator) -> Particles:
    """Update a posterior to all data, old and new, by importance weights and moves.

    The ``effective`` fraction of the result says whether the new data agree with the old: far below
    a tenth it is better to sample from the prior again.
    """
    size = len(known.points)
    chains = math.ceil(_RENEWED * size)
    after = target.logs(known.points)
    gain = after - known.log_likelihood
    here = replace(known, log_likelihood=after)
    every = _spread(_AGAIN, size, chains)
    here = _moved(here, target, gain, rng, power=1.0, chains=chains, kept=every)
    return replace(here, points=here.points[:size], log_likelihood=here.log_likelihood[:size])


def _spread(moves: int, size: int, chains: int) -> range:
    """Return the moves, evenly spread up to the last, after which chains give so many points."""
    states = math.ceil(size / chains)
    gap = moves // states
    return range(moves - (states - 1) * gap, moves + 1, gap)


def _effective(log_weights: Floats) -> float:
    weights = np.exp(log_weights - log_weights.max())
    return float(weights.sum() ** 2 / (weights**2).sum() / weights.size)


def _step(log_likelihood: Floats, most: float) -> float:
    """Return the largest step in the power that leaves enough effective particles."""
    if _effective(most * log_likelihood) >= _LEAST:
        return most
    # So small a step leaves all weights equal, even those of zero likelihood.
    low, high = -60.0, float(np.log(most))
    while high - low > _TOLERANCE:
        middle = (low + high) / 2.0
        if _effective(np.exp(middle) * log_likelihood) >= _LEAST:
            low = middle
        else:
            high = middle
    return float(np.exp(low))


def _resampled(
    here: Particles, log_weights: Floats, size: int, rng: np.random.Generator
) -> Particles:
    """Resample so many particles by their weights, systematically."""
    top = float(log_weights.max())
    weights = np.exp(log_weights - top)
    evidence = here.log_evidence + top + float(np.log(weights.mean()))
    places = (rng.uniform() + np.arange(size)) / size
    chosen = np.searchsorted(np.cumsum(weights / weights.sum()), places)
    chosen = np.minimum(chosen, weights.size - 1)
    return Particles(
        here.points[chosen], here.log_likelihood[chosen], evidence, _effective(log_weights)
    )


def _fitted(coordinates: Floats, log_weights: Floats) -> Gaussian:
    """Return the normal distribution with the moments of weighted particles."""
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    mean = weights @ coordinates
    away = coordinates - mean
    covariance = away.T @ (away * weights[:, None])
    return Gaussian(mean, np.linalg.cholesky(covariance + _REGULAR * np.eye(len(mean))))


def _renewed(here: Floats, normal: Gaussian, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Propose points by an autoregression that leaves a normal distribution invariant (Neal 1998).

    Returns them, and the log ratio of its densities there and here, which acceptance takes off.
    """
    before = normal.standardised(here)
    stays = rng.uniform(size=(len(here), 1))
    after = stays * before + np.sqrt(1.0 - stays**2) * rng.normal(size=here.shape)
    ratio = 0.5 * ((before**2).sum(axis=1) - (after**2).sum(axis=1))
    return normal.mean + after @ normal.chol.T, ratio


def _moved(
    known: Particles,
    target: Target,
    log_weights: Floats,
    rng: np.random.Generator,
    *,
    power: float,
    chains: int,
    kept: range,
) -> Particles:
    """Resample chains, move them by Metropolis steps, and return states after the moves kept.

    Steps along differences of two chains (ter Braak 2006), which follow bent ridges, take turns
    with those of a normal distribution, which cross all of the posterior where it is close to one.
    """
    normal = _fitted(target.space.forward(known.points), log_weights)
    here = _resampled(known, log_weights, chains, rng)
    points, logs = here.points, here.log_likelihood
    at = target.space.forward(points)
    before = target.prior.log_density(points) + target.space.backward(at)[1]
    size, count = at.shape
    scale = 2.38 / np.sqrt(2.0 * count)
    jitter = 1e-3 * at.std(axis=0)
    rates, states = [], []
    for move in range(1, kept.stop):
        ratio: Floats | float = 0.0
        if power < 1.0 or move % 2:
            one, other = rng.integers(size, size=(2, size))
            # Steps of many lengths: ridges are long and thin.
            length = scale * np.exp(rng.normal(size=(size, 1)) - 1.0)
            proposed = at + length * (at[one] - at[other]) + jitter * rng.normal(size=at.shape)
        else:
            proposed, ratio = _renewed(at, normal, rng)
        there, volume = target.space.backward(proposed)
        found, after = target.logs(there), target.prior.log_density(there) + volume
        taken = np.log(rng.uniform(size=size)) < power * (found - logs) + after - before - ratio
        at, points = (np.where(taken[:, None], *pair) for pair in ((proposed, at), (there, points)))
        logs, before = np.where(taken, found, logs), np.where(taken, after, before)
        if move in kept:
            states.append((points, logs))
        if move % 2:
            rates.append(float(taken.mean()))
            scale *= np.exp(0.6 * (rates[-1] - _WANTED))
    whole = (np.concatenate(part) for part in zip(*states, strict=True))
    return replace(
        here,
        points=next(whole),
        log_likelihood=next(whole),
        accepted=float(np.mean(rates[-_LATE:])),
    )
