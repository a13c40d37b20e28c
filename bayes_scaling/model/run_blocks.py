"""Distribution of each run's log loss by draw, block by block, so that memory stays bounded."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.model.frame import Design
from bayes_scaling.model.spec import Spec

__all__ = ["Block", "flat", "run_blocks"]

Floats = NDArray[np.float64]

_VALUES = 1 << 16
"""Draws times runs of a block, which stay in the processor's cache."""
_FEWEST_RUNS = 64
"""Runs of a block where there are as many: fewer are spread too thinly over memory."""


@dataclass(frozen=True)
class Block:
    """Some runs of one family at some draws.

    Attributes
    ----------
    place : tuple
        Index of the block in an array of dims (draw, run), chains one after the other.
    mean : (draw, run) array
        Log of the noise-free loss.
    scale : (draw, run) or (draw, 1) array
        Scale of the noise on log loss, known standard errors included.
    nu : (draw, 1) array or None
        Degrees of freedom of the noise; None where it is normal.
    """

    place: tuple[slice, slice | NDArray[np.int64]]
    mean: Floats
    scale: Floats
    nu: Floats | None

    @property
    def runs(self) -> slice | NDArray[np.int64]:
        """The runs, as an index along their axis."""
        return self.place[1]


def flat(draws: xr.DataArray) -> Floats:
    """Draws of a parameter, dims (draw, ...), chains one after the other."""
    values = draws.transpose("chain", "draw", ...).to_numpy()
    result: Floats = values.reshape(-1, *values.shape[2:])
    return result


def run_blocks(spec: Spec, design: Design, draws: xr.Dataset) -> Iterator[Block]:
    """Compute the distribution of the runs of a design given draws of the parameters.

    Parameters
    ----------
    spec, design : Spec, Design
        The model and the runs.
    draws : xarray.Dataset
        As :func:`bayes_scaling.model.hierarchy.named`.

    Yields
    ------
    Block
        Family by family; every run at every draw stands in one of them.
    """
    values = {n: flat(draws[n]) for n in (*spec.law.names, spec.noise_parameter.name)}
    nu = flat(draws["nu"])[:, None] if spec.noise == "student-t" else None
    count = draws.sizes["chain"] * draws.sizes["draw"]
    for index, runs in _runs_of_families(design):
        for some in _parts(runs, max(_VALUES // count, 1)):
            x = {name: value[some] for name, value in design.inputs.items()}
            se = design.relative_se[some]
            step = max(_VALUES // len(se), 1)
            for low in range(0, count, step):
                at = slice(low, low + step)
                here = {name: value[at, index : index + 1] for name, value in values.items()}
                sigma = here.pop(spec.noise_parameter.name)
                here |= {name: centre[index] for name, centre in design.centres.items()}
                scale = (sigma**2 + (se**2 if se.any() else 0.0)) ** 0.5
                mean = np.broadcast_to(spec.law.log_curve(x, here), (len(sigma), len(se)))
                yield Block((at, some), mean, scale, None if nu is None else nu[at])


def _runs_of_families(design: Design) -> Iterator[tuple[int, NDArray[np.int64]]]:
    order = np.argsort(design.family, kind="stable")
    found, first = np.unique(design.family[order], return_index=True)
    yield from zip(found.tolist(), np.split(order, first[1:]), strict=True)


def _parts(runs: NDArray[np.int64], most: int) -> Iterator[slice | NDArray[np.int64]]:
    """Pieces of some runs, as slices where they stand one after the other, which is faster."""
    most = max(most, _FEWEST_RUNS)
    for low in range(0, len(runs), most):
        part = runs[low : low + most]
        together = int(part[-1]) - int(part[0]) == len(part) - 1
        yield slice(int(part[0]), int(part[-1]) + 1) if together else part
