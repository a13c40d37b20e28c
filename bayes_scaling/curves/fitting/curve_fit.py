"""Posterior of a curve: laws averaged by their evidence, and the forecast."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.core.arguments import check_seed, needs, shown, whole_number
from bayes_scaling.core.caveat import Caveat, deprecated_texts
from bayes_scaling.core.draw_summary import CENTRAL, quantiles_of
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.curves.curve import WANTED, Curve
from bayes_scaling.curves.fitting.binning import BinnedCurve, binned
from bayes_scaling.curves.fitting.curve_law_posterior import LawPosterior
from bayes_scaling.curves.fitting.curve_model import Model, ReferenceFrame
from bayes_scaling.curves.fitting.curve_population import CurvePopulation
from bayes_scaling.curves.fitting.particles import sample, updated
from bayes_scaling.curves.schedule import Schedule, warmed
from bayes_scaling.errors import DataError, FitError
from bayes_scaling.laws import Law, get
from bayes_scaling.laws.training_curves import DEFAULT_CURVES

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

__all__ = ["FEWEST", "CurveFit", "fit_curve"]

Floats = NDArray[np.float64]

_PARTICLES = 2000
FEWEST = 4
"""Fewest points of a curve that is fitted."""
_STUCK, _COUNTS = 0.02, 0.05
"""Acceptance rate below which particles have not mixed; weight from which a law counts."""
_LOST = 0.02
"""Effective fraction of particles below which new points disagree with them."""
_GROWN = 2.0
"""Factor on the t of the last fit from the prior beyond which the reference frame is too far."""


@dataclass(frozen=True, eq=False, repr=False)
class CurveFit:
    """Posterior of a curve seen so far, averaged over laws.

    Attributes
    ----------
    curve : Curve
        Curve as logged.
    data : BinnedCurve
        Curve as fitted.
    parts : tuple of LawPosterior
        Posterior under each law.
    seed : int
        Random seed.
    began : float
        Last point of the curve when it was last fitted from the prior.
    prior_caveats : tuple of Caveat
        Caveats of the population that was its prior.
    """

    curve: Curve
    data: BinnedCurve
    parts: tuple[LawPosterior, ...]
    seed: int
    began: float
    prior_caveats: tuple[Caveat, ...] = ()

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Caveats on the forecast."""
        weights = self.weights
        stuck = [
            Caveat(
                code="stuck-particles",
                severity="warning",
                subject=part.model.law.name,
                text=f"Particles of law {part.model.law.name!r} hardly moved (accepted "
                f"{part.particles.accepted:.0%}): its part of the forecast is rough.",
                data={"accepted": part.particles.accepted},
            )
            for part in self.parts
            if part.particles.accepted < _STUCK and weights[part.model.law.name] > _COUNTS
        ]
        return (*self.prior_caveats, *stuck)

    warnings = deprecated_texts("warnings")

    @property
    def weights(self) -> dict[str, float]:
        """Posterior probability of each law."""
        logs = [p.particles.log_evidence + math.log(p.prior_weight) for p in self.parts]
        weights = np.exp(logs - np.logaddexp.reduce(logs)).tolist()
        return dict(zip([part.model.law.name for part in self.parts], weights, strict=True))

    @property
    def scheduled(self) -> bool:
        """Whether a law of it reads the learning rates of the plan."""
        return any("lr_sum" in part.model.law.inputs for part in self.parts)

    def posterior(self, law: str | None = None) -> "xr.Dataset":
        """Return parameters under a law, the most probable by default, dims (chain, draw).

        Amplitudes are the loss at the reference point, ``attrs["reference_t"]``.
        """
        import xarray as xr

        weights = self.weights
        name = law or max(weights, key=lambda one: weights[one])
        part = next((p for p in self.parts if p.model.law.name == name), None)
        if part is None:
            raise FitError(f"law {name!r} is not in the fit; it has {', '.join(weights)}")
        unit = np.exp(part.model.frame.log_loss)
        of_loss = {p.name for p in part.model.law.parameters if p.of_loss}
        values = part.model.values(part.particles.points)
        data = {
            key: (("chain", "draw"), value.T * (unit if key in of_loss else 1.0))
            for key, value in values.items()
        }
        reference = float(np.exp(part.model.frame.log_t))
        return xr.Dataset(data, attrs={"law": name, "reference_t": reference})

    def forecast(
        self, t: ArrayLike, kind: Literal["run", "curve"] = "run", *, seed: int | None = None
    ) -> Floats:
        """Draw the loss further on, one path of the curve a draw.

        Parameters
        ----------
        t : (point,) array-like
            Steps or tokens, in order, from the last point on.
        kind : {"run", "curve"}
            "run": the loss to be logged, with AR(1) and white noise. "curve": the law's.
        seed : int, optional
            Random seed; that of the fit by default.

        Returns
        -------
        (draw, point) array
            Losses, as many draws as there are particles of a law.

        Raises
        ------
        DataError
            If positions go back or lie before the last point.
        """
        at = np.atleast_1d(np.asarray(t, np.float64))
        if not (np.all(np.isfinite(at)) and np.all(np.diff(at) >= 0) and at[0] >= self.curve.t[-1]):
            raise DataError(
                f"a forecast needs positions that do not go back, from {self.curve.t[-1]:g} on, "
                f"the end of the curve of {self.curve.run!r}"
            )
        rng = generator(Stream.CURVE_FORECAST, self.seed if seed is None else seed)
        draws = []
        for part, points in self._mixture(rng):
            curve = part.model.log_curve(points, part.model.inputs(at))
            draws.append(
                curve if kind == "curve" else curve + part.deviations(points, self.data, at, rng)
            )
        losses: Floats = np.exp(np.concatenate(draws))
        return losses

    def floor(self) -> Floats:
        """Draw the loss that the run would end at, were it to go on for ever."""
        return np.concatenate(
            [
                part.model.values(points)["floor"][:, 0] * np.exp(part.model.frame.log_loss)
                for part, points in self._mixture(generator(Stream.CURVE_FLOOR, self.seed))
            ]
        )

    def _mixture(self, rng: np.random.Generator) -> Iterator[tuple[LawPosterior, Floats]]:
        """Draw particles of each law by its weight."""
        size = len(self.parts[0].particles.points)
        counts = rng.multinomial(size, np.array(list(self.weights.values())))
        for part, count in zip(self.parts, counts, strict=True):
            yield part, part.particles.points[rng.permutation(size)[:count]]

    def log_density(self, t: float, loss: float) -> float:
        """Return the log predictive density of the loss logged at a later point."""
        densities = [part.density(self.data, t, loss) for part in self.parts]
        weights = np.array(list(self.weights.values()))
        return float(np.log(max(weights @ np.array(densities), 1e-300)) - np.log(loss))

    def updated(self, curve: Curve) -> "CurveFit":
        """Return the posterior after more of the curve has come.

        Particles are reweighted; they are sampled from the prior again where the new points
        disagree with them, or the curve has grown too far beyond its reference frame.

        Parameters
        ----------
        curve : Curve
            The whole curve.
        """
        data = binned(warmed(curve, self.parts[0].model.frame.schedule))
        rng = generator(Stream.CURVE_UPDATE, self.seed, len(curve))
        parts = []
        for part in self.parts:
            particles = updated(part.particles, part.model.target(data), rng)
            parts.append(replace(part, particles=particles))
        weights = self.weights
        best = max(range(len(parts)), key=lambda i: weights[parts[i].model.law.name])
        if parts[best].particles.effective < _LOST or curve.t[-1] > _GROWN * self.began:
            return self._anew(curve, data)
        return replace(self, curve=curve, data=data, parts=tuple(parts))

    def _anew(self, curve: Curve, data: BinnedCurve) -> "CurveFit":
        """Sample from the prior again; the reference frame stays where it was."""
        parts = []
        for part in self.parts:
            rng = generator(Stream.CURVE_PARTICLES, self.seed, part.model.law.name)
            size = len(part.particles.points)
            parts.append(replace(part, particles=sample(part.model.target(data), size, rng)))
        return replace(self, curve=curve, data=data, parts=tuple(parts), began=float(curve.t[-1]))

    def summary(self) -> "pd.DataFrame":
        """Return the weight of each law, and quantiles of its parameters."""
        import pandas as pd

        rows = []
        for name, weight in self.weights.items():
            draws = self.posterior(name)
            for key, values in draws.items():
                quantiles = quantiles_of(np.ravel(values), CENTRAL)
                rows.append({"law": name, "weight": weight, "parameter": key, **quantiles})
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        weights = ", ".join(f"{name} {weight:.0%}" for name, weight in self.weights.items())
        binned = "".join(f" {caveat.text}" for caveat in self.data.caveats)
        return f"CurveFit of {self.curve!r}; {weights}.{binned}"


def fit_curve(
    curve: Curve,
    *,
    laws: Sequence[str | Law] | str | Law | None = None,
    schedule: Schedule | None = None,
    population: CurvePopulation | None = None,
    end: float | None = None,
    particles: int = _PARTICLES,
    seed: int = 0,
) -> CurveFit:
    """Fit laws to a curve by tempered sequential Monte Carlo, weighted by their evidence.

    Parameters
    ----------
    curve : Curve
        Curve so far.
    laws : str, Law or sequence of them, optional
        Laws of curves. By default a power law with a floor, M4, a broken power law and double
        descent; with a schedule, the law of learning rates alone.
    schedule : Schedule, optional
        Learning rates to the planned end.
    population : CurvePopulation, optional
        Prior learned from finished runs by :func:`learn`, in place of the laws and their wide
        priors.
    end : float, optional
        Planned end, which a population needs; that of the schedule by default.
    particles : int
        Number of particles of each law.
    seed : int
        Random seed.

    Returns
    -------
    CurveFit

    Raises
    ------
    DataError
        If the curve has fewer than four points, or a law lacks what it reads.
    FitError
        If a number is out of range.

    Examples
    --------
    >>> curve = bs.load_curves("curve.csv", t="step").curves[0]
    >>> fit = bs.fit_curve(curve, laws=("curve-power", "curve-m4"), particles=200)
    >>> sorted(fit.weights)
    ['curve-m4', 'curve-power']
    >>> fit.forecast([6000, 10_000]).shape
    (200, 2)
    """
    needs(curve, Curve, "curve", WANTED, DataError)
    check_seed(seed)
    if len(curve) < FEWEST:
        raise DataError(
            f"curve {curve.run!r} has {len(curve)} points; {FEWEST} or more are needed to fit it"
        )
    count = whole_number(particles)
    if count is None or not 100 <= count <= 100_000:
        raise FitError(
            f"particles is {shown(particles)}, a whole number from 100 to 100000 is needed"
        )
    data = binned(warmed(curve, schedule))
    if population is None:
        models = _models(data, laws, schedule)
        weights = [1.0] * len(models)
    else:
        last = end or (schedule.end if schedule else None)
        if last is None:
            raise DataError("with a population the planned end of the run is needed")
        frame = ReferenceFrame.at_end(data, last, schedule)
        models = [part.model(frame) for part in population.parts]
        weights = [part.weight for part in population.parts]
    parts = []
    for model, weight in zip(models, weights, strict=True):
        rng = generator(Stream.CURVE_PARTICLES, seed, model.law.name)
        parts.append(LawPosterior(model, sample(model.target(data), count, rng), weight))
    prior_caveats = population.caveats if population else ()
    return CurveFit(curve, data, tuple(parts), seed, float(curve.t[-1]), prior_caveats)


def _models(
    data: BinnedCurve, laws: Sequence[str | Law] | str | Law | None, schedule: Schedule | None
) -> list[Model]:
    """Return laws with their own priors, in the middle of the curve."""
    wanted: Sequence[str | Law] = (laws,) if isinstance(laws, str | Law) else laws or ()
    if laws is None:
        wanted = DEFAULT_CURVES if schedule is None else ("curve-annealed",)
    frame = ReferenceFrame.of(data, schedule)
    return [Model.of(get(law), frame, data) for law in wanted]
