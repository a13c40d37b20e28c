"""Draws of the law's discrepancy beyond the data of one family."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.inference import Fit
from bayes_scaling.model import Discrepancy, Extent

__all__ = ["SIZES", "FamilyDiscrepancy", "family_discrepancy"]

Floats = NDArray[np.float64]

SIZES = ("params", "tokens", "flops")


@dataclass(frozen=True)
class FamilyDiscrepancy:
    """The discrepancy of one family, draw by draw.

    Attributes
    ----------
    population : Discrepancy
        The discrepancy of the law: its growth, and the correlation between runs.
    extent : Extent
        Extent of the family's runs; of all runs if it has none.
    scale : (sample,) array
        Scale of the discrepancy, log loss.
    common : (sample,) array
        Standard normal that is common to all runs of the family.
    """

    population: Discrepancy
    extent: Extent
    scale: Floats
    common: Floats

    def distance(self, x: Mapping[str, Floats]) -> Floats:
        """Compute the distance of points beyond the runs, from the natural logs of their sizes."""
        distance: Floats = self.extent.distance(*(x[name] for name in SIZES))
        return distance

    def errors(self, distance: Floats | float, own: Floats | float) -> Floats:
        """Errors in log loss of runs, dims (..., sample).

        Parameters
        ----------
        distance : (..., 1 or sample) array or float
            From the data, as :meth:`Extent.distance` gives it.
        own : (..., sample) array or float
            Standard normal that a run has to itself.
        """
        shared = self.population.shared
        unit = np.sqrt(shared) * self.common + np.sqrt(1 - shared) * own
        errors: Floats = self.scale * self.population.growth(distance) * unit
        return errors

    def own_sd(self, distance: Floats | float) -> Floats:
        """Sd of what a run has to itself, dims (..., sample)."""
        sd: Floats = (
            self.scale * self.population.growth(distance) * np.sqrt(1 - self.population.shared)
        )
        return sd

    def thinned(self, step: int) -> "FamilyDiscrepancy":
        """Return every ``step``-th draw."""
        return replace(self, scale=self.scale[::step], common=self.common[::step])


def family_discrepancy(
    fit: Fit, family: str, sigma: Floats, extent: Extent, seed: int
) -> FamilyDiscrepancy | None:
    """The discrepancy of a family, fitted or not; None where the fit has none.

    Parameters
    ----------
    fit : Fit
        The fit.
    family : str
        The family; the scale of one that was not fitted is drawn from the population.
    sigma : (sample,) array
        Scale of its noise.
    extent : Extent
        Where its runs lie.
    seed : int
        Random seed.
    """
    population = fit.spec.discrepancy
    if population is None:
        return None
    rng = generator(Stream.FAMILY_DISCREPANCY, seed, family)
    if family in fit.families:
        sampled = fit.posterior["discrepancy"].sel(family=family, drop=True)
        scale = sampled.transpose("chain", "draw").to_numpy().ravel()
    else:
        z = rng.normal(size=sigma.size)
        scale = np.exp(population.log_scale(np.log(sigma)) + population.spread * z)
    return FamilyDiscrepancy(population, extent, scale, rng.normal(size=scale.size))
