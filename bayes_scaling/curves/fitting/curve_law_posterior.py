"""Posterior of a curve under one law."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.curves.fitting.binning import BinnedCurve
from bayes_scaling.curves.fitting.curve_model import Model
from bayes_scaling.curves.fitting.particles import Particles

__all__ = ["LawPosterior"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LawPosterior:
    """Posterior of a curve under one law, and the prior weight of the law.

    Attributes
    ----------
    model : Model
        Law with its prior.
    particles : Particles
        Posterior.
    prior_weight : float
        Prior probability of the law, up to a constant.
    """

    model: Model
    particles: Particles
    prior_weight: float = 1.0

    def deviations(
        self, points: Floats, data: BinnedCurve, at: Floats, rng: np.random.Generator
    ) -> Floats:
        """Draw paths of the noise of particles from the last point on, in log loss.

        Dims (draw, point): AR(1) process and white noise at positions that do not go back.
        """
        _, state = self.model.filtered(points, data)
        noise = self.model.noise(points)
        here = state.mean + np.sqrt(state.variance) * rng.normal(size=len(points))
        last, columns = float(data.log_t[-1]), []
        for log_t in np.log(at):
            stays = np.exp(-(log_t - last) / noise.length_scale)
            spread = noise.ar1_sd * np.sqrt(1.0 - stays**2)
            here, last = stays * here + spread * rng.normal(size=len(points)), float(log_t)
            columns.append(here + noise.white_sd * rng.normal(size=len(points)))
        return np.stack(columns, axis=1)

    def density(self, data: BinnedCurve, t: float, loss: float) -> float:
        """Return the predictive density of the log loss logged at a later point."""
        points = self.particles.points
        curve = self.model.log_curve(points, self.model.inputs([t]))[:, 0]
        _, state = self.model.filtered(points, data)
        noise = self.model.noise(points)
        stays = np.exp(-(np.log(t) - data.log_t[-1]) / noise.length_scale)
        variance = stays**2 * state.variance + noise.ar1_sd**2 * (1.0 - stays**2)
        variance = variance + noise.white_sd**2
        away = np.log(loss) - curve - stays * state.mean
        each = np.exp(-0.5 * away**2 / variance) / np.sqrt(2.0 * np.pi * variance)
        return float(each.mean())
