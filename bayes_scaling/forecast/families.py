"""Parameters of a family, seen or not."""

import zlib
from typing import Any

import numpy as np
import xarray as xr

from bayes_scaling.errors import FitError
from bayes_scaling.inference import Fit
from bayes_scaling.model import hierarchy

__all__ = ["check_seed", "values_of"]


def check_seed(seed: Any) -> None:
    """Refuse what is not a seed.

    Raises
    ------
    FitError
        If it is not a whole number of 0 or more.
    """
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not (whole and seed >= 0):
        raise FitError(f"seed is {seed!r}, a whole number of 0 or more is needed")


def values_of(fit: Fit, family: str, seed: int) -> dict[str, xr.DataArray]:
    """Parameter draws of a family, seen or not, at the reference point, dims (chain, draw)."""
    check_seed(seed)
    posterior = fit.posterior
    if family in fit.families:
        return hierarchy.family_values(fit.spec, posterior, family)
    rng = np.random.default_rng([seed, zlib.crc32(family.encode())])
    return hierarchy.new_family(fit.spec, posterior, rng)
