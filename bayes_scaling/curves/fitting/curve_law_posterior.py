"""What one law makes of a curve."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.curves.fitting.binning import Thinned
from bayes_scaling.curves.fitting.curve_model import Model
from bayes_scaling.curves.fitting.particles import Particles

__all__ = ["OneLaw"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class OneLaw:
    """What one law makes of a curve, and how probable it was before.

    Attributes
    ----------
    model : Model
        The law with its prior.
    particles : Particles
        Its posterior.
    share : float
        Weight of the law before the curve was seen.
    """

    model: Model
    particles: Particles
    share: float = 1.0

    def deviations(
        self, points: Floats, data: Thinned, at: Floats, rng: np.random.Generator
    ) -> Floats:
        """Paths of the correlated deviation from the last point on, with the noise of a point.

        Parameters
        ----------
        points : (draw, parameter) array
            Some of the particles.
        data : Thinned
            The curve so far.
        at : (point,) array
            Steps or tokens, in order.
        rng : numpy.random.Generator
            Source of randomness.

        Returns
        -------
        (draw, point) array
            In log loss.
        """
        _, wandering = self.model.filtered(points, data)
        scatter = self.model.scatter(points)
        here = wandering.mean + np.sqrt(wandering.variance) * rng.normal(size=len(points))
        last, columns = float(data.log_t[-1]), []
        for log_t in np.log(at):
            stays = np.exp(-(log_t - last) / scatter.memory)
            spread = scatter.wander * np.sqrt(1.0 - stays**2)
            here, last = stays * here + spread * rng.normal(size=len(points)), float(log_t)
            columns.append(here + scatter.white * rng.normal(size=len(points)))
        return np.stack(columns, axis=1)

    def density(self, data: Thinned, t: float, loss: float) -> float:
        """Predictive density of the log loss logged at a later point."""
        points = self.particles.points
        curve = self.model.log_curve(points, self.model.inputs([t]))[:, 0]
        _, wandering = self.model.filtered(points, data)
        scatter = self.model.scatter(points)
        stays = np.exp(-(np.log(t) - data.log_t[-1]) / scatter.memory)
        variance = stays**2 * wandering.variance + scatter.wander**2 * (1.0 - stays**2)
        variance = variance + scatter.white**2
        away = np.log(loss) - curve - stays * wandering.mean
        each = np.exp(-0.5 * away**2 / variance) / np.sqrt(2.0 * np.pi * variance)
        return float(each.mean())
