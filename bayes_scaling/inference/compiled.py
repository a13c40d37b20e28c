"""Models that are ready to be sampled, and draws from them."""

from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.core.progress import Progress
from bayes_scaling.density.compiled_density import Density, compile_density
from bayes_scaling.errors import NotTraceableError
from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.inference.start import constrained, starting_point, unconstrained
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from bayes_scaling.model.frame import Design, ReferenceFrame
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

    @property
    def components(self) -> NDArray[np.int64] | None:
        """Component of each draw of a chain; None where the posterior is no mixture."""
        if "component" not in self.stats:
            return None
        found: NDArray[np.int64] = self.stats["component"].isel(chain=0).to_numpy().astype(np.int64)
        return found


@dataclass(frozen=True)
class Compiled:
    """A model of a table of runs, which can be sampled repeatedly.

    Attributes
    ----------
    spec, frame, design : Spec, ReferenceFrame, Design
        The model and the runs.
    coordinates : FamilyCoordinates or None
        Coordinates of the sampler.
    point : dict of str to array
        Where chains start, by free variable: near the mode. Tuning spreads them; random starts
        leave chains stuck in families of few runs.
    density : Density or None
        The log density; None where the graph of PyMC is sampled.
    seconds : float
        Time of compilation, in seconds.
    """

    spec: Spec
    frame: ReferenceFrame
    design: Design
    coordinates: FamilyCoordinates | None
    point: dict[str, NDArray[np.float64]]
    density: Density | None
    seconds: float

    def sample(
        self, settings: SamplerSettings, progress: Progress | None = None, why: str = ""
    ) -> Sampled:
        """Draw from the posterior.

        Parameters
        ----------
        settings : SamplerSettings
            Chains, draws, seed. Under ``max_seconds`` there may be fewer draws than they ask for.
        progress : Progress, optional
            Where to say how far it is.
        why : str
            Why it is sampled again, for a person.

        Raises
        ------
        FitError
            If the sampler cannot go on.
        """
        progress = progress or Progress()
        density = self.density
        text = f"{why}sampling {settings.chains} chains of {settings.tune} + {settings.draws} draws"
        if density is None:
            from bayes_scaling.inference.pymc_sampling import sample_graph

            draws, stats, seconds = sample_graph(self, settings, progress, text)
            stopped = draws.sizes["draw"] < settings.draws
            return Sampled(draws, stats, self.seconds, seconds, stopped=stopped)
        with progress.stage("importing libraries"):
            from bayes_scaling.inference.nutpie_sampling import DensityModel, sample_density

        total = settings.chains * (settings.tune + settings.draws)
        start = unconstrained(self.spec, self.frame, self.coordinates, self.point)
        with progress.stage("sampling", text, total, "draws") as stage:
            positions, stats = sample_density(
                DensityModel.of(density.scaled(start)), settings, stage.update
            )
            draws = constrained(self.spec, self.frame, self.coordinates, positions)
        draws = draws.assign_coords(chain=stats["chain"], draw=stats["draw"])
        stopped = draws.sizes["draw"] < settings.draws
        return Sampled(draws, stats, self.seconds, stage.elapsed, stopped=stopped)


def compile_model(
    spec: Spec,
    frame: ReferenceFrame,
    design: Design,
    progress: Progress | None = None,
    *,
    sampler: str = "nutpie",
) -> Compiled:
    """Make a model ready to be sampled: its density compiled, its starting point found.

    Parameters
    ----------
    spec : Spec
        The model.
    frame : ReferenceFrame
        Of the runs.
    design : Design
        The runs.
    progress : Progress, optional
        Where to say how far it is.
    sampler : {"nutpie", "pymc"}
        "pymc" samples the graph of PyMC, and so is what a law is that cannot be traced.
    """
    progress = progress or Progress()
    coordinates = FamilyCoordinates.of(spec, frame, design)
    with progress.stage("starting point", "fitting each family by least squares"):
        point = starting_point(spec, frame, design)
    with progress.stage("compiling", "compiling the model") as stage:
        density = None
        if sampler == "nutpie":
            try:
                density = compile_density(spec, frame, design, coordinates)
            except NotTraceableError as error:
                progress.say(f"{error}: it is sampled as PyMC has it, which takes longer")
    return Compiled(spec, frame, design, coordinates, point, density, stage.elapsed)
