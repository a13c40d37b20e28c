"""The random numbers of new runs: one source for forecasts, plans and scores.

The numbers of a run depend on the seed, its family and which run of the family it is, and on
nothing else: the first point of a forecast has those of every plan of a decision, so the two agree.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.model import Noise
from bayes_scaling.model.run_noise import standard_draws

__all__ = ["RunNumbers"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RunNumbers:
    """Standardised random numbers of the runs of a family, dims (sample,).

    Attributes
    ----------
    family : str
        Whose runs.
    seed : int
        Of the numbers.
    size : int
        Draws of the posterior.
    noise : {"student-t", "normal"}
        Distribution of the noise.
    nu : (size,) array or None
        Its degrees of freedom.
    step : int
        One in so many draws is used.
    """

    family: str
    seed: int
    size: int
    noise: Noise
    nu: Floats | None
    step: int = 1

    def noise_of(self, run: int) -> Floats:
        """Noise of a run in units of its scale."""
        rng = generator(Stream.RUN_NOISE, self.seed, self.family, run)
        return standard_draws(self.noise, self.nu, (self.size,), rng)[:: self.step]

    def discrepancy_of(self, run: int) -> Floats:
        """The part of the law's discrepancy that a run has to itself, standard normal."""
        rng = generator(Stream.RUN_DISCREPANCY, self.seed, self.family, run)
        return rng.normal(size=self.size)[:: self.step]

    def thinned(self, step: int) -> "RunNumbers":
        """Return every ``step``-th draw."""
        return replace(self, step=self.step * step)
