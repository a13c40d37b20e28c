"""NUTS on the graph of PyMC, which defines the model."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from bayes_scaling.core.progress import Progress, Stage
from bayes_scaling.errors import FitError
from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.model.build import build
from bayes_scaling.model.nodes import nodes

if TYPE_CHECKING:
    from bayes_scaling.inference.compiled import Compiled

__all__ = ["sample_graph"]


def sample_graph(
    compiled: "Compiled", settings: SamplerSettings, progress: Progress, text: str
) -> tuple[xr.Dataset, xr.Dataset, float]:
    """Draw from the posterior of the PyMC model.

    Parameters
    ----------
    compiled : Compiled
        The model, its runs and starting point.
    settings : SamplerSettings
        Chains, draws, seed; ``sampler`` says whose NUTS.
    progress : Progress
        Where to say how far it is.
    text : str
        What is sampled and why, for a person.

    Returns
    -------
    draws, stats : xarray.Dataset
        Free variables, and statistics of the sampler.
    seconds : float
        Time to sample.
    """
    with progress.stage("compiling", "compiling the PyMC model"):
        graph = build(compiled.spec, compiled.frame, compiled.design, compiled.coordinates)
        model = graph if settings.sampler == "pymc" else _nutpie_model(graph, compiled.point)
    total = settings.chains * (settings.tune + settings.draws)
    with progress.stage("sampling", text, total, "draws") as stage:
        if settings.sampler == "pymc":
            tree = _by_pymc(model, compiled.point, settings, stage)
        else:
            from bayes_scaling.inference.nutpie_sampling import run

            tree = run(model, settings, stage.update)
    names = [node.name for node in nodes(compiled.spec)]
    draws, stats = tree["posterior"].to_dataset()[names], tree["sample_stats"].to_dataset()
    complete = _complete(draws)
    return draws.isel(draw=complete), stats.isel(draw=complete), stage.elapsed


def _nutpie_model(graph: Any, point: dict[str, Any]) -> Any:
    import nutpie

    return nutpie.compile_pymc_model(graph, initial_points=point, jitter_rvs=set())


def _by_pymc(model: Any, point: dict[str, Any], settings: SamplerSettings, stage: Stage) -> Any:
    import pymc as pm

    counting = _Counting(stage, settings.max_seconds)
    try:
        with model:
            tree = pm.sample(
                draws=settings.draws,
                tune=settings.tune,
                chains=settings.chains,
                # Under a limit chains run side by side, or some would have no draws.
                cores=settings.chains if settings.max_seconds else settings.workers,
                random_seed=settings.seed,
                initvals=point,
                nuts={"target_accept": settings.target_accept},
                init="adapt_diag",
                progressbar=False,
                quiet=True,
                callback=counting,
                compute_convergence_checks=False,
            )
    except ValueError as error:
        if not counting.time_is_up:
            raise
        text = f"in {settings.max_seconds:.3g} s of max_seconds chains were not tuned"
        raise FitError(f"{text}; give it more") from error
    if stage.done < (stage.total or 0) and not counting.time_is_up:
        raise KeyboardInterrupt  # it was the user, and PyMC has caught it
    return tree


@dataclass
class _Counting:
    """Callback of PyMC that counts draws, and ends sampling when the time is up."""

    stage: Stage
    limit: float | None
    began: float = 0.0
    time_is_up: bool = False

    def __call__(self, **_: Any) -> None:
        # PyMC compiles before the first draw, and that is not counted.
        self.began = self.began or time.perf_counter()
        self.stage.advance()
        if self.limit is not None and time.perf_counter() - self.began > self.limit:
            self.time_is_up = True
            raise KeyboardInterrupt  # PyMC returns the draws so far


def _complete(draws: xr.Dataset) -> slice:
    """The draws that every chain has: those that are missing are no numbers."""
    known = [
        np.isfinite(value.values).reshape(*value.shape[:2], -1).all(axis=-1)
        for value in draws.transpose("chain", "draw", ...).values()
    ]
    return slice(int(np.all(known, axis=(0, 1)).sum()))
