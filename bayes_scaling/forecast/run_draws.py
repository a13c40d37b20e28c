"""What a new run has to itself, draw by draw: one source for forecasts, plans and scores.

The numbers of a run depend on the seed, its family and which run of the family it is, and on
nothing else: the first point of a forecast has those of every plan of a decision, so the two agree.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling._random import Stream, generator
from bayes_scaling.inference import Fit
from bayes_scaling.model import hierarchy

__all__ = ["own_errors", "run_noise"]

Floats = NDArray[np.float64]


def run_noise(
    fit: Fit, family: str, sigma: xr.DataArray, seed: int, *, runs: int = 1
) -> xr.DataArray:
    """Noise in log loss of new runs of a family, dims (chain, draw, run).

    Parameters
    ----------
    fit : Fit
        The fit.
    family : str
        Whose runs.
    sigma : xarray.DataArray
        Scale of the family's noise, dims (chain, draw).
    seed : int
        Of the random numbers.
    runs : int
        How many; the first ones are the same for any number.
    """
    scale = sigma.transpose("chain", "draw")
    each = [
        hierarchy.noise(
            fit.spec, fit.posterior, scale, generator(Stream.RUN_NOISE, seed, family, run)
        )
        for run in range(runs)
    ]
    return xr.concat(each, dim="run").transpose("chain", "draw", "run")


def own_errors(family: str, shape: tuple[int, ...], seed: int, *, runs: int = 1) -> Floats:
    """What the law's error has that is a run's own, standard normal, dims (*shape, run).

    Parameters
    ----------
    family : str
        Whose runs.
    shape : tuple of int
        Chains and draws.
    seed, runs
        As :func:`run_noise`.
    """
    each = [
        generator(Stream.RUN_DISCREPANCY, seed, family, run).normal(size=shape)
        for run in range(runs)
    ]
    return np.stack(each, axis=-1)
