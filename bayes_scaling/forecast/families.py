"""Parameters of a family, seen or not."""

import xarray as xr

from bayes_scaling._given import check_seed
from bayes_scaling._random import Stream, generator
from bayes_scaling.inference import Fit
from bayes_scaling.model import hierarchy

__all__ = ["values_of"]


def values_of(fit: Fit, family: str, seed: int) -> dict[str, xr.DataArray]:
    """Parameter draws of a family, seen or not, at the reference point, dims (chain, draw)."""
    check_seed(seed)
    posterior = fit.posterior
    if family in fit.families:
        return hierarchy.family_values(fit.spec, posterior, family)
    rng = generator(Stream.NEW_FAMILY, seed, family)
    return hierarchy.new_family(fit.spec, fit.frame, posterior, rng)
