"""NUTS on the graph of PyMC, which defines the model."""

from typing import TYPE_CHECKING, Any

import xarray as xr

from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.model.build import build
from bayes_scaling.model.nodes import nodes

if TYPE_CHECKING:
    from bayes_scaling.inference.compiled import Compiled

__all__ = ["sample_graph"]


def sample_graph(compiled: "Compiled", settings: SamplerSettings) -> tuple[xr.Dataset, xr.Dataset]:
    """Draw from the posterior of the PyMC model.

    Parameters
    ----------
    compiled : Compiled
        The model, its runs and starting point.
    settings : SamplerSettings
        Chains, draws, seed; ``sampler`` says whose NUTS.

    Returns
    -------
    draws, stats : xarray.Dataset
        Free variables, and statistics of the sampler.
    """
    import pymc as pm

    own = settings.sampler == "pymc"
    options: dict[str, Any] = {"init": "adapt_diag"} if own else {}
    nuts: dict[str, Any] = {"target_accept": settings.target_accept}
    if not own:
        nuts["adaptation"] = "low_rank"
        options["compile_kwargs"] = {"jitter_rvs": set()}
    with build(compiled.spec, compiled.frame, compiled.design, compiled.coordinates):
        tree = pm.sample(
            draws=settings.draws,
            tune=settings.tune,
            chains=settings.chains,
            cores=settings.workers,
            random_seed=settings.seed,
            initvals=compiled.point,
            nuts_sampler=settings.sampler,
            nuts=nuts,
            progressbar=False,
            quiet=True,
            compute_convergence_checks=False,
            **options,
        )
    names = [node.name for node in nodes(compiled.spec)]
    return tree["posterior"].to_dataset()[names], tree["sample_stats"].to_dataset()
