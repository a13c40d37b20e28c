"""The posterior of a curve: laws, averaged by how well they explain it, and what comes next."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.special import softmax

from bayes_scaling.core.arguments import check_seed, needs, shown, whole_number
from bayes_scaling.core.draw_summary import CENTRAL, quantiles_of
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.curves.curve import WANTED, Curve
from bayes_scaling.curves.fitting.binning import Thinned, thinned
from bayes_scaling.curves.fitting.curve_law_posterior import OneLaw
from bayes_scaling.curves.fitting.curve_model import Home, Model
from bayes_scaling.curves.fitting.curve_population import CurvePopulation
from bayes_scaling.curves.fitting.particles import sample, updated
from bayes_scaling.curves.schedule import Schedule, warmed
from bayes_scaling.errors import DataError, FitError
from bayes_scaling.laws import Law, get
from bayes_scaling.laws.training_curves import DEFAULT_CURVES

__all__ = ["FEWEST", "CurveFit", "fit_curve"]

Floats = NDArray[np.float64]

_PARTICLES = 2000
FEWEST = 4
"""Points that a curve must have."""
_STUCK, _COUNTS = 0.02, 0.05
"""Share of accepted moves below which particles have not mixed; weight from which a law counts."""
_LOST = 0.02
"""Effective share of particles below which new points are a surprise and all begins anew."""
_GROWN = 2.0
"""Times the t of the last full fit from which all begins anew: home has moved."""


@dataclass(frozen=True, eq=False, repr=False)
class CurveFit:
    """What is believed of a curve, seen so far.

    Attributes
    ----------
    curve : Curve
        As logged.
    data : Thinned
        As fitted.
    parts : tuple of OneLaw
        By law.
    seed : int
        Of the particles.
    began : float
        Where the curve ended when it was last fitted from nothing.
    learned : tuple of str
        What is doubtful about the population that was its prior.
    """

    curve: Curve
    data: Thinned
    parts: tuple[OneLaw, ...]
    seed: int
    began: float
    learned: tuple[str, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes it less sure than it looks."""
        weights = self.weights
        stuck = [
            f"Particles of law {name!r} hardly moved (accepted {accepted:.0%}): its part of the "
            "forecast is rough."
            for name, accepted in (
                (part.model.law.name, part.particles.accepted) for part in self.parts
            )
            if accepted < _STUCK and weights[name] > _COUNTS
        ]
        return (*self.learned, *stuck)

    @property
    def weights(self) -> dict[str, float]:
        """Posterior probability of each law."""
        evidence = [p.particles.log_evidence + math.log(p.share) for p in self.parts]
        shares = softmax(np.array(evidence)).tolist()
        return dict(zip([part.model.law.name for part in self.parts], shares, strict=True))

    @property
    def scheduled(self) -> bool:
        """Whether a law of it knows the learning rates of the plan."""
        return any("lr_sum" in part.model.law.inputs for part in self.parts)

    def posterior(self, law: str | None = None) -> xr.Dataset:
        """Parameters under a law, the most probable if none is named, dims (chain, draw).

        Amplitudes are the loss at the reference point, ``attrs["reference_t"]``.
        """
        weights = self.weights
        name = law or max(weights, key=lambda one: weights[one])
        part = next((p for p in self.parts if p.model.law.name == name), None)
        if part is None:
            raise FitError(f"law {name!r} is not in the fit; it has {', '.join(weights)}")
        unit = np.exp(part.model.home.log_loss)
        of_loss = {p.name for p in part.model.law.parameters if p.of_loss}
        values = part.model.values(part.particles.points)
        data = {
            key: (("chain", "draw"), value.T * (unit if key in of_loss else 1.0))
            for key, value in values.items()
        }
        reference = float(np.exp(part.model.home.log_t))
        return xr.Dataset(data, attrs={"law": name, "reference_t": reference})

    def forecast(
        self, t: ArrayLike, kind: Literal["run", "curve"] = "run", *, seed: int | None = None
    ) -> Floats:
        """Draws of the loss further on, one path of the curve a draw.

        Parameters
        ----------
        t : (point,) array-like
            Steps or tokens, in order, from the last point on.
        kind : {"run", "curve"}
            "run": as it will be logged, with the deviation that lasts from the last point on,
            and the noise of a point. "curve": the law's.
        seed : int, optional
            Of which particles and which deviations; that of the fit if not given.

        Returns
        -------
        (draw, point) array
            As many draws as there are particles of a law.

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
        size = len(self.parts[0].particles.points)
        shares = np.array(list(self.weights.values()))
        counts = rng.multinomial(size, shares)
        draws = []
        for part, count in zip(self.parts, counts, strict=True):
            chosen = rng.permutation(size)[:count]
            points = part.particles.points[chosen]
            curve = part.model.log_curve(points, part.model.inputs(at))
            draws.append(
                curve if kind == "curve" else curve + part.deviations(points, self.data, at, rng)
            )
        losses: Floats = np.exp(np.concatenate(draws))
        return losses

    def floor(self) -> Floats:
        """Draws of what the loss would end at, were the run to go on for ever."""
        rng = generator(Stream.CURVE_FLOOR, self.seed)
        size = len(self.parts[0].particles.points)
        counts = rng.multinomial(size, np.array(list(self.weights.values())))
        draws = [
            part.model.values(part.particles.points[rng.permutation(size)[:count]])["floor"][:, 0]
            * np.exp(part.model.home.log_loss)
            for part, count in zip(self.parts, counts, strict=True)
        ]
        return np.concatenate(draws)

    def log_density(self, t: float, loss: float) -> float:
        """Log predictive density of the loss logged at a later point, per unit of loss."""
        densities = [part.density(self.data, t, loss) for part in self.parts]
        shares = np.array(list(self.weights.values()))
        return float(np.log(max(shares @ np.array(densities), 1e-300)) - np.log(loss))

    def updated(self, curve: Curve) -> "CurveFit":
        """The same after more of the curve has come: a change of weights, or anew if it must be.

        Parameters
        ----------
        curve : Curve
            All of it.
        """
        data = thinned(warmed(curve, self.parts[0].model.home.schedule))
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

    def _anew(self, curve: Curve, data: Thinned) -> "CurveFit":
        """From the priors on; home, and with it a prior of its own, stays where it was."""
        parts = []
        for part in self.parts:
            rng = generator(Stream.CURVE_PARTICLES, self.seed, part.model.law.name)
            size = len(part.particles.points)
            parts.append(replace(part, particles=sample(part.model.target(data), size, rng)))
        return replace(self, curve=curve, data=data, parts=tuple(parts), began=float(curve.t[-1]))

    def summary(self) -> pd.DataFrame:
        """Weight of each law, and quantiles of its floor and exponents."""
        rows = []
        for name, weight in self.weights.items():
            draws = self.posterior(name)
            for key, values in draws.items():
                quantiles = quantiles_of(np.ravel(values), CENTRAL)
                rows.append({"law": name, "weight": weight, "parameter": key, **quantiles})
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in self.weights.items())
        said = f" {self.data.said}" if self.data.said else ""
        return f"CurveFit of {self.curve!r}; {shares}.{said}"


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
    """Fit laws to one curve, each by particles, and weigh them by their evidence.

    Parameters
    ----------
    curve : Curve
        The curve so far.
    laws : str, Law or sequence of them, optional
        Laws of curves; a power law with a floor, M4, a broken power law and double descent if not
        given, and where a schedule is given the law of learning rates alone.
    schedule : Schedule, optional
        Learning rates to the planned end.
    population : CurvePopulation, optional
        What finished runs have in common, from :func:`learn`: takes the place of the laws and of
        their wide priors.
    end : float, optional
        Planned end; what a population needs, that of the schedule if not given.
    particles : int
        How many, of each law.
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
    data = thinned(warmed(curve, schedule))
    if population is None:
        models = _models(data, laws, schedule)
        shares = [1.0] * len(models)
    else:
        last = end or (schedule.end if schedule else None)
        if last is None:
            raise DataError("with a population the planned end of the run is needed")
        home = Home.at_end(data, last, schedule)
        models = [part.model(home) for part in population.parts]
        shares = [part.weight for part in population.parts]
    parts = []
    for model, share in zip(models, shares, strict=True):
        rng = generator(Stream.CURVE_PARTICLES, seed, model.law.name)
        parts.append(OneLaw(model, sample(model.target(data), count, rng), share))
    learned = population.warnings if population else ()
    return CurveFit(curve, data, tuple(parts), seed, float(curve.t[-1]), learned)


def _models(
    data: Thinned, laws: Sequence[str | Law] | str | Law | None, schedule: Schedule | None
) -> list[Model]:
    """Laws with their own priors, in the middle of the curve."""
    given: Any = laws
    if given is None:
        given = DEFAULT_CURVES if schedule is None else ("curve-annealed",)
    elif isinstance(given, str | Law):
        given = (given,)
    home = Home.of(data, schedule)
    return [Model.of(get(law), home, data) for law in given]
