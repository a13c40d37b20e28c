"""Model averaging: mixtures of the forecasts of several fits."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.core.caveat import Caveat, unique
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.errors import FitError
from bayes_scaling.forecast.forecast_result import Forecast
from bayes_scaling.forecast.prediction import configs_of, predict
from bayes_scaling.inference import Fit

__all__ = ["ModelAverage", "stacking_weights"]

Floats = NDArray[np.float64]

_STEPS = 2000
_TINY = 1e-6
"""Weight below which a fit is left out of an average."""


@dataclass(frozen=True, eq=False)
class ModelAverage:
    """Fits of the same losses and the weight of each.

    Attributes
    ----------
    fits : mapping of str to Fit
        By name.
    weights : mapping of str to float
        At least 0, and 1 in sum.

    Raises
    ------
    FitError
        If names differ, or weights are not such.
    """

    fits: Mapping[str, Fit]
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        if not self.fits or set(self.fits) != set(self.weights):
            raise FitError(
                f"weights are for {', '.join(map(repr, self.weights)) or 'none'}; "
                f"the fits are {', '.join(map(repr, self.fits)) or 'none'}"
            )
        values = np.array(list(self.weights.values()), dtype=np.float64)
        if not (np.isfinite(values).all() and (values >= 0).all() and abs(values.sum() - 1) < 1e-6):
            raise FitError(f"weights are {dict(self.weights)}; at least 0 and 1 in sum is needed")
        units = {fit.loss_unit() for fit in self.fits.values()}
        if len(units) > 1:
            raise FitError(f"the fits have losses in {' and in '.join(sorted(units))}")
        for name in ("fits", "weights"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def predict(self, configs: Any = None, *, seed: int = 0, **where: Any) -> Forecast:
        """Forecast by a mixture of the fits.

        Every draw is from one fit at all points, so that correlations between points are kept.

        Parameters
        ----------
        configs, **where
            As :func:`bayes_scaling.forecast.predict`.
        seed : int
            Random seed of the forecasts and of the selection of draws.

        Returns
        -------
        Forecast
            With as many chains and draws as the first fit of any weight.
        """
        used = {name: weight for name, weight in self.weights.items() if weight > _TINY}
        if configs is None:
            # An input of one law's own is no input of another.
            accept = where.pop("accept", ())
            configs = configs_of([fit.law for fit in self.fits.values()], where)
            where = {"accept": accept}
        parts = {name: predict(self.fits[name], configs, seed=seed, **where) for name in used}
        first = next(iter(parts.values()))
        chains, draws = first.draws.sizes["chain"], first.draws.sizes["draw"]
        rng = generator(Stream.AVERAGE, seed)
        counts = _counts(list(used.values()), chains * draws)
        mixed = xr.concat(
            [
                _some(part.draws, count, rng)
                for part, count in zip(parts.values(), counts, strict=True)
            ],
            dim="sample",
        )
        order = rng.permutation(chains * draws)
        whole = xr.Dataset(
            {
                name: (
                    ("chain", "draw", "point"),
                    mixed[name].to_numpy()[order].reshape(chains, draws, -1),
                )
                for name in mixed.data_vars
            },
            coords={"chain": range(chains), "draw": range(draws), "point": first.draws["point"]},
        )
        weights = ", ".join(f"{name!r} {weight:.0%}" for name, weight in used.items())
        average = Caveat(
            code="model-average",
            severity="note",
            text=f"Average of {len(used)} fits: {weights}.",
            data={**used},
        )
        caveats = (average, *unique(c for part in parts.values() for c in part.caveats))
        return Forecast(whole, first.configs, first.points, caveats, first.loss_unit)


def _counts(weights: list[float], total: int) -> list[int]:
    """Whole numbers in proportion to weights, ``total`` in sum."""
    ends = np.rint(np.cumsum(weights) / np.sum(weights) * total).astype(int)
    return [int(count) for count in np.diff(ends, prepend=0)]


def _some(draws: xr.Dataset, count: int, rng: np.random.Generator) -> xr.Dataset:
    """So many draws, each as often as any other or once more, dims (sample, point)."""
    flat = draws.stack(sample=("chain", "draw")).transpose("sample", "point")
    size = flat.sizes["sample"]
    whole, rest = divmod(count, size)
    chosen = np.concatenate(
        [np.tile(np.arange(size), whole), rng.choice(size, rest, replace=False)]
    )
    return flat.isel(sample=chosen).reset_index("sample", drop=True)


def stacking_weights(densities: Floats, point_weights: Floats | None = None) -> Floats:
    """Compute weights of a mixture that maximise the log score of points.

    Yao et al. 2018, Eq. 4 (arXiv:1704.02030), by expectation maximisation: the objective is
    concave, and every step raises it.

    Parameters
    ----------
    densities : (point, model) array
        Log predictive densities.
    point_weights : (point,) array, optional
        Weight of each point; equal by default.

    Returns
    -------
    (model,) array
        At least 0, and 1 in sum.

    Examples
    --------
    >>> stacking_weights(np.log([[0.9, 0.1], [0.8, 0.2]])).round(3).tolist()
    [1.0, 0.0]
    """
    points, models = densities.shape
    counts = np.ones(points) if point_weights is None else np.asarray(point_weights)
    scaled = np.exp(densities - densities.max(axis=1, keepdims=True))
    weights = np.full(models, 1.0 / models)
    for _ in range(_STEPS):
        responsibilities = scaled * weights
        responsibilities /= responsibilities.sum(axis=1, keepdims=True)
        weights = counts @ responsibilities / counts.sum()
    return np.asarray(weights / weights.sum())
