"""Compiled models, which are sampled on other runs without compiling again."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import xarray as xr

from bayes_scaling.core.progress import Progress, Stage
from bayes_scaling.errors import FitError
from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.inference.start import starting_point, unconstrained
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.nodes import data_of
from bayes_scaling.model.spec import Spec

__all__ = ["Compiled", "Sampled", "compile_model"]


@dataclass(frozen=True)
class Sampled:
    """Draws of the model's free variables, with sampler statistics and timings in seconds.

    ``thin``: one in so many draws was kept; the statistics are of all of them. ``converged``:
    whether the chains have, by :func:`bayes_scaling.inference.sampler.sample_well`. ``stopped``:
    whether ``max_seconds`` ended it, so that there may be fewer draws than asked for.
    """

    draws: xr.Dataset
    stats: xr.Dataset
    compile_seconds: float
    sample_seconds: float
    thin: int = 1
    converged: bool = True
    stopped: bool = False


@dataclass(frozen=True)
class Compiled:
    """A compiled model, which can be sampled repeatedly and conditioned on other runs.

    Attributes
    ----------
    spec : Spec
        The model; its priors and families stay what they are.
    frame : ReferenceFrame
        Of the runs that it is conditioned on.
    coordinates : FamilyCoordinates or None
        Coordinates of the sampler; compiled in, and so those of the first runs.
    model : nutpie.CompiledModel
        The compiled density.
    seconds : float
        Time of compilation, in seconds.
    """

    spec: Spec
    frame: ReferenceFrame
    coordinates: FamilyCoordinates | None
    model: Any
    seconds: float

    def accepts(self, spec: Spec, frame: ReferenceFrame) -> bool:
        """Return whether another model differs in the data of :func:`data_of` only."""
        return self.spec.same_density(spec) and self.frame.own == frame.own

    def with_runs(self, design: Design, frame: ReferenceFrame | None = None) -> "Compiled":
        """Return the same model conditioned on other runs of the same families.

        Parameters
        ----------
        design : Design
            The runs.
        frame : ReferenceFrame, optional
            Of their table, which this model accepts; the present one if not given.
        """
        frame = frame or self.frame
        # Data that the density does not read are no argument of the compiled function.
        read = {variable.name for variable in self.model.shared_var_keys}
        every = data_of(self.spec, frame, design)
        data = {name: value for name, value in every.items() if name in read}
        point = starting_point(self.spec, frame, design)
        start = unconstrained(self.spec, frame, self.coordinates, point)
        model = replace(self.model.with_data(**data), initial_point_func=lambda _seed: start)
        return replace(self, frame=frame, model=model, seconds=0.0)

    def sample(self, settings: SamplerSettings, progress: Progress | None = None) -> Sampled:
        """Draw from the posterior.

        Parameters
        ----------
        settings : SamplerSettings
            Chains, draws, seed.
        progress : Progress, optional
            Where to say how far it is.
        """
        progress = progress or Progress()
        with progress.stage("importing libraries"):
            import nutpie
        text = f"sampling {settings.chains} chains of {settings.tune} + {settings.draws} draws"
        total = settings.chains * (settings.tune + settings.draws)
        with progress.stage("sampling", text, total, "draws") as stage:
            try:
                tree = nutpie.sample(
                    self.model,
                    draws=settings.draws,
                    tune=settings.tune,
                    chains=settings.chains,
                    cores=settings.workers,
                    seed=settings.seed,
                    adaptation="low_rank",
                    target_accept=settings.target_accept,
                    save_warmup=False,
                    progress_bar=False,
                    progress_callback=_counting(stage),
                    progress_rate=500,
                )
            except (RuntimeError, ValueError) as error:
                reason = str(error).splitlines()[0]
                raise FitError(f"the sampler could not go on: {reason}") from error
        return Sampled(
            draws=tree["posterior"].to_dataset(),
            stats=tree["sample_stats"].to_dataset(),
            compile_seconds=self.seconds,
            sample_seconds=stage.elapsed,
        )


def compile_model(
    spec: Spec, frame: ReferenceFrame, design: Design, progress: Progress | None = None
) -> Compiled:
    """Compile the posterior density of a specified model and its gradient.

    Parameters
    ----------
    spec : Spec
        The model.
    frame : ReferenceFrame
        Of the runs.
    design : Design
        The runs; they also give the starting point.
    progress : Progress, optional
        Where to say how far it is.
    """
    progress = progress or Progress()
    with progress.stage("importing libraries"):
        import nutpie

        from bayes_scaling.model.build import build

    with progress.stage("compiling", "compiling the model") as stage:
        coordinates = FamilyCoordinates.of(spec, frame)
        start = starting_point(spec, frame, design)
        # All chains start near the mode and tuning spreads them: random starts leave chains stuck
        # in families of few runs.
        graph = build(spec, frame, design, coordinates)
        model = nutpie.compile_pymc_model(graph, initial_points=start, jitter_rvs=set())
    return Compiled(spec, frame, coordinates, model, stage.elapsed)


def _counting(stage: Stage) -> Callable[[list[Any]], None]:
    """Return the callback of the sampler that counts draws of all chains."""
    return lambda chains: stage.update(sum(chain.finished_draws for chain in chains))
