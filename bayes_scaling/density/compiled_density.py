"""The log density of a model of a table of runs, with its gradient."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.density.kernel_cache import compiled_module
from bayes_scaling.density.kernel_source import kernel_source
from bayes_scaling.density.traced_model import model_data, trace_model
from bayes_scaling.density.whitening import family_scales
from bayes_scaling.model.family_coordinates import FamilyCoordinates
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.spec import Spec

__all__ = ["Density", "ScaledDensity", "compile_density"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Density:
    """Log density in the coordinates of the sampler.

    Attributes
    ----------
    module : module
        The compiled functions, the same for tables of every size.
    data : (number,) array
        The runs and the priors.
    size : int
        Number of coordinates.
    families : tuple of int
        How many families, coordinates of each, and place of the first.
    """

    module: Any
    data: Floats
    size: int
    families: tuple[int, int, int]

    def __call__(self, position: Floats) -> tuple[float, Floats]:
        """Value and gradient at a position."""
        gradient = np.empty(self.size)
        at = np.ascontiguousarray(position, dtype=np.float64)
        return float(self.module.log_density(at, gradient, self.data)), gradient

    def scaled(self, position: Floats) -> "ScaledDensity":
        """Return the density in units of the scales that families have at a position."""
        number, own, first = self.families
        scales = family_scales(lambda at: self(at)[1], position, (number, own), first)
        block = slice(first, first + number * own)
        start = position.copy()
        moved = np.linalg.solve(scales, position[block].reshape(number, own, 1))
        start[block] = moved.ravel()
        data = np.concatenate([self.data, scales.ravel()])
        data[0] = len(data)
        return ScaledDensity(self.module, data, start)


@dataclass(frozen=True)
class ScaledDensity:
    """What a sampler moves on: near the mode families are standard normal.

    Attributes
    ----------
    module : module
        The compiled functions.
    data : (number,) array
        The runs, the priors and the scales.
    start : (coordinate,) array
        Where chains start.
    """

    module: Any
    data: Floats
    start: Floats


def compile_density(
    spec: Spec, frame: ReferenceFrame, design: Design, coordinates: FamilyCoordinates | None
) -> Density:
    """Return the log density of a model, which the PyMC model of the same specification defines.

    What is compiled depends on the law, the pooling and the noise; the numbers of runs and
    families, their values and the priors are data.

    Parameters
    ----------
    spec, frame, design : Spec, ReferenceFrame, Design
        The model and the runs.
    coordinates : FamilyCoordinates or None
        Coordinates of the sampler.

    Raises
    ------
    LawError
        If the law cannot be traced.
    """
    traced = trace_model(spec, coordinates)
    first, own = len(traced.population_coordinates), len(traced.family_coordinates)
    number = len(spec.families)
    return Density(
        module=compiled_module(kernel_source(traced)),
        data=model_data(spec, frame, design, coordinates).packed,
        size=first + number * own + len(traced.population_after),
        families=(number, own, first),
    )
