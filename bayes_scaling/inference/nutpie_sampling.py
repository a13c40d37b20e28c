"""NUTS by nutpie, of a compiled density; imported where a fit begins."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.core.deferred_import import deferred_import
from bayes_scaling.density.compiled_density import ScaledDensity
from bayes_scaling.errors import FitError
from bayes_scaling.inference.settings import SamplerSettings

# nutpie imports ArviZ for its own results, which are not asked for here, and that takes as long as
# the rest of a fit.
with deferred_import("arviz"):
    import nutpie
    from nutpie import _lib
    from nutpie.sample import CompiledModel

__all__ = ["DensityModel", "run", "sample_density"]

_NAME, _DIM = "position", "coordinate"
_STATS = (
    "depth",
    "maxdepth_reached",
    "step_size",
    "n_steps",
    "mean_tree_accept",
    "max_energy_error",
    "energy",
    "energy_error",
    "logp",
    "diverging",
)
_THREADS_END = 0.3
"""Seconds in which the threads of a failed sampler end."""
_CORRELATED = 120
"""Coordinates up to which correlations are adapted to; of more they cost more than the density."""


@dataclass(frozen=True)
class DensityModel(CompiledModel):  # type: ignore[misc]
    """A density as nutpie samples it: by the addresses of its callbacks, without Python."""

    density: ScaledDensity

    @classmethod
    def of(cls, density: ScaledDensity) -> "DensityModel":
        """Return the model of a density."""
        return cls(dims={_NAME: (_DIM,)}, density=density)

    @property
    def n_dim(self) -> int:
        """Number of coordinates."""
        return len(self.density.start)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of the position."""
        return {_NAME: (self.n_dim,)}

    @property
    def coords(self) -> dict[str, Any]:
        """Numbers of the coordinates."""
        return {_DIM: np.arange(self.n_dim)}

    def _make_sampler(self, settings: Any, init_mean: Any, cores: int, *options: Any) -> Any:  # noqa: ARG002
        size, module, data = self.n_dim, self.density.module, self.density.data.ctypes.data
        dims, sizes = {_NAME: (_DIM,)}, {_DIM: size}
        model = _lib.PyMcModel(
            _lib.LogpFunc(module.density_callback.address, data, self),
            _lib.ExpandFunc(size, size, module.position_callback.address, data, self),
            _lib.PyVariable.new_variables([_NAME], ["float64"], [(size,)], sizes, dims),
            size,
            sizes,
            self.coords,
            lambda _seed: self.density.start.copy(),
            None,
        )
        return _lib.PySampler.from_pymc(settings, cores, model, *options)


def sample_density(
    model: DensityModel, settings: SamplerSettings, done: Callable[[float], None]
) -> tuple[NDArray[np.float64], xr.Dataset]:
    """Sample a density.

    Parameters
    ----------
    model : DensityModel
        The density.
    settings : SamplerSettings
        Chains, draws, seed.
    done : callable
        Callback that takes the number of draws so far.

    Returns
    -------
    positions : (chain, draw, coordinate) array
        As many draws of each chain as the shortest has.
    stats : xarray.Dataset
        Statistics of the same draws.

    Raises
    ------
    FitError
        If the sampler cannot go on.
    """
    trace = run(model, settings, done, return_raw_trace=True)
    return _arrays(*trace.get_arrow_trace())


def run(
    model: CompiledModel, settings: SamplerSettings, done: Callable[[int], None], **options: Any
) -> Any:
    """Run nutpie, until the time is up where there is a limit.

    Parameters
    ----------
    model : nutpie.CompiledModel
        The model.
    settings : SamplerSettings
        Chains, draws, seed, limit of time.
    done : callable
        Callback that takes the number of draws so far.
    **options
        Further ones of :func:`nutpie.sample`.

    Raises
    ------
    FitError
        If the sampler cannot go on.
    """
    limit = settings.max_seconds
    sampler = nutpie.sample(
        model,
        draws=settings.draws,
        tune=settings.tune,
        chains=settings.chains,
        # Under a limit chains run side by side, or some would have no draws.
        cores=settings.chains if limit else settings.workers,
        seed=settings.seed,
        adaptation="low_rank" if model.n_dim <= _CORRELATED else "diag",
        target_accept=settings.target_accept,
        save_warmup=False,
        progress_bar=False,
        progress_callback=lambda chains: done(sum(chain.finished_draws for chain in chains)),
        progress_rate=200,
        blocking=False,
        **options,
    )
    try:
        return _waited(sampler, limit)
    except RuntimeError as error:
        sampler.cancel()
        # Its other threads end soon after, and crash the process if the interpreter ends before.
        time.sleep(_THREADS_END)
        reason = str(error).splitlines()[0]
        raise FitError(f"the sampler could not go on: {reason}") from error
    except KeyboardInterrupt:
        sampler.cancel()
        raise


def _waited(sampler: Any, limit: float | None) -> Any:
    try:
        return sampler.wait(timeout=limit)
    except TimeoutError:
        return sampler.abort()  # which gives the draws so far


def _arrays(draws: Any, stats: Any) -> tuple[NDArray[np.float64], xr.Dataset]:
    """Draws after tuning of each chain, cut to the shortest, and their statistics."""
    tuning = [_column(batch, "tuning") for batch in stats]
    first = [int(flags.sum()) for flags in tuning]
    keep = min(len(flags) - count for flags, count in zip(tuning, first, strict=True))

    def kept(batches: Any, name: str) -> NDArray[Any]:
        parts = [_column(batch, name) for batch in batches]
        return np.stack([p[place : place + keep] for p, place in zip(parts, first, strict=True)])

    coords = {"chain": np.arange(len(draws)), "draw": np.arange(keep)}
    found = {name: (("chain", "draw"), kept(stats, name)) for name in _STATS}
    return kept(draws, _NAME), xr.Dataset(found, coords=coords)


def _column(batch: Any, name: str) -> NDArray[Any]:
    """A column of an Arrow batch as an array, draws along the first axis."""
    column = pyarrow.array(batch.column(name))
    values = column.flatten() if hasattr(column, "flatten") else column
    whole: NDArray[Any] = values.to_numpy(zero_copy_only=False)
    return whole.reshape(len(column), -1) if name == _NAME else whole
