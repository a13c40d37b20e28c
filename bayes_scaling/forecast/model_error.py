"""Draws of a law's error beyond the data of a family."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling._random import Stream, generator
from bayes_scaling.forecast.families import values_of
from bayes_scaling.inference import Fit
from bayes_scaling.model import Discrepancy, Extent

__all__ = ["ModelError", "model_error"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ModelError:
    """The discrepancy of one family, draw by draw.

    Attributes
    ----------
    discrepancy : Discrepancy
        How it grows, and what runs share.
    extent : Extent
        Where the family's runs lie; all runs if it has none.
    scale : xarray.DataArray
        Its scale, dims (chain, draw).
    common : (chain, draw) array
        The standard normal that all runs of the family share.
    """

    discrepancy: Discrepancy
    extent: Extent
    scale: xr.DataArray
    common: Floats

    def at_points(self, rows: pd.DataFrame, own: Floats) -> xr.DataArray:
        """Error in log loss of one run at each row, dims (chain, draw, point).

        Parameters
        ----------
        rows : pandas.DataFrame
            params, tokens, flops; the index becomes the coordinate.
        own : (chain, draw, point) array
            Standard normal that each run has to itself.
        """
        logs = [np.log(rows[name].to_numpy(np.float64)) for name in ("params", "tokens", "flops")]
        growth = self.discrepancy.growth(self.extent.distance(*logs))
        unit = self._unit(self.common[..., None], own)
        coords = {"chain": self.scale["chain"], "draw": self.scale["draw"]}
        return xr.DataArray(
            self.scale.values[..., None] * growth * unit,
            dims=("chain", "draw", "point"),
            coords=coords | {"point": rows.index.to_numpy()},
        )

    def at_one(self, distance: Floats | float, own: Floats) -> Floats:
        """Error of one run at a distance, with what it has to itself given, dims (sample,)."""
        unit = self._unit(self.common.ravel(), own)
        error: Floats = self.scale.values.ravel() * self.discrepancy.growth(distance) * unit
        return error

    def _unit(self, common: Floats, own: Floats) -> Floats:
        """Standard normal errors of which runs share a part."""
        alike = self.discrepancy.shared
        unit: Floats = np.sqrt(alike) * common + np.sqrt(1 - alike) * own
        return unit


def model_error(fit: Fit, family: str, seed: int) -> ModelError:
    """The discrepancy of a family, seen or not.

    Parameters
    ----------
    fit : Fit
        A fit that has one.
    family : str
        The family; one that was not fitted is drawn from the population.
    seed : int
        Two forecasts with one seed share what the runs of a family share.
    """
    known = fit.spec.discrepancy
    if known is None:
        raise ValueError("the fit has no discrepancy")
    rng = generator(Stream.FAMILY_DISCREPANCY, seed, family)
    if family in fit.families:
        scale = fit.posterior["discrepancy"].sel(family=family, drop=True)
        rows = fit.runs[fit.runs["family"] == family]
    else:
        sigma = values_of(fit, family, seed)[fit.spec.noise_parameter.name]
        z = rng.normal(size=sigma.shape)
        scale = sigma.copy(data=np.exp(known.log_scale(np.log(sigma.values)) + known.spread * z))
        rows = fit.runs
    scale = scale.transpose("chain", "draw")
    return ModelError(known, Extent.of(rows), scale, rng.normal(size=scale.shape))
