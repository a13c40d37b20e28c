"""What finished runs tell of a run in progress: exponents alike, up to partial pooling."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import softmax

from bayes_scaling.core.display import brief
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.curves.cleaning.anomalies import cleaned
from bayes_scaling.curves.curve import Curve
from bayes_scaling.curves.fitting import ar1_noise as noise
from bayes_scaling.curves.fitting.binning import Thinned, thinned
from bayes_scaling.curves.fitting.curve_model import Home, Model
from bayes_scaling.curves.fitting.particles import Gaussian, sample
from bayes_scaling.curves.schedule import Schedule, warmed
from bayes_scaling.errors import DataError
from bayes_scaling.inference.settings import Progress, progress_callback
from bayes_scaling.laws import Law, get
from bayes_scaling.laws.training_curves import DEFAULT_CURVES

__all__ = ["CurvePopulation", "OneLawPopulation", "learn"]

Floats = NDArray[np.float64]

_PARTICLES = 1000
_KEPT = 500
"""Particles of a curve that stand for it while the population is sampled."""
_ROUNDS = 4
_WIDER = 1.5
"""Times the sd of the population, from which the particles of the next round are drawn."""
_SPREADS = 0.5
"""Median between runs of the sd of the log of their scatter."""
_LEVEL = 0.5
"""sd of the log of the level of a new run, about its present loss."""
_DRAWS = {"draws": 1000, "tune": 1000, "chains": 4}
_RHAT = 1.02
_FEWEST = 3
_UNSURE = 0.5
"""sd of the log of how much runs differ: no spread of 0, which no cloud of particles can show."""


@dataclass(frozen=True, eq=False)
class OneLawPopulation:
    """One law's parameters over runs, natural logs, at the end of each run's plan.

    Attributes
    ----------
    law : Law
        The law.
    names : tuple of str
        Its parameters, and those of the scatter.
    mean : (parameter,) array
        Of a new run.
    covariance : (parameter, parameter) array
        Of a new run: what is not known of the population, and what runs differ by. Parameters of
        loss are relative to the run's own level.
    draws : xarray.Dataset
        ``mu`` and ``tau`` (chain, draw, parameter), from NUTS.
    r_hat : float
        The largest.
    weight : float
        Mean probability of the law over the runs.
    """

    law: Law
    names: tuple[str, ...]
    mean: Floats
    covariance: Floats
    draws: xr.Dataset
    r_hat: float
    weight: float

    def model(self, home: Home) -> Model:
        """The law for a new run, whose level is known by its present loss, roughly."""
        shared = np.array(
            [float(p.of_loss) for p in self.law.parameters] + [0.0] * len(noise.NAMES)
        )
        covariance = self.covariance + _LEVEL**2 * np.outer(shared, shared)
        return Model(self.law, home, Gaussian(self.mean, np.linalg.cholesky(covariance)))


@dataclass(frozen=True, eq=False, repr=False)
class CurvePopulation:
    """What finished runs have in common.

    Attributes
    ----------
    parts : tuple of OneLawPopulation
        By law.
    runs : tuple of str
        Whose curves it was learned from.
    """

    parts: tuple[OneLawPopulation, ...]
    runs: tuple[str, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes it less sure than it looks."""
        said = [
            f"The population of law {part.law.name!r} has not mixed (R-hat {part.r_hat:.3f})."
            for part in self.parts
            if not part.r_hat <= _RHAT
        ]
        return tuple(said)

    def __repr__(self) -> str:
        lines = [f"CurvePopulation of {len(self.runs)} runs"]
        for part in self.parts:
            sd = np.sqrt(np.diag(part.covariance))
            told = ", ".join(
                f"{name} {math.exp(mean):.3g} (x/÷ {math.exp(s):.2f})"
                for name, mean, s in zip(part.names, part.mean, sd, strict=True)
            )
            lines.append(f"{part.law.name} ({part.weight:.0%}): {told}")
        return brief("\n".join([*lines, *self.warnings]))


def learn(
    curves: Sequence[Curve],
    *,
    laws: Sequence[str | Law] | None = None,
    schedules: Mapping[str, Schedule] | None = None,
    seed: int = 0,
    progress: bool | Progress = True,
) -> CurvePopulation:
    """Learn from finished runs what a run in progress will be like.

    Each curve is fitted by particles under wide priors; the population's centre and spread are then
    sampled by NUTS, a curve's likelihood being the mean of the population's density over its
    particles, relative to the prior they were drawn under (Hogg, Myers and Bovy 2010, Eq. 9). The
    particles are drawn anew under what was found, widened, and the population sampled again.

    Parameters
    ----------
    curves : sequence of Curve
        Of finished runs; each is taken to end where it does.
    laws : sequence of str or Law, optional
        As for :func:`fit_curve`.
    schedules : mapping of str to Schedule, optional
        Learning rates by run.
    seed : int
        Random seed.
    progress : bool or callable
        Whether to report progress on standard error, or a callback that takes each message.

    Returns
    -------
    CurvePopulation

    Raises
    ------
    DataError
        If there are fewer than three curves that did not diverge, or a law reads learning rates
        and a run has no schedule.
    """
    callback = progress_callback(progress)
    given = laws or (DEFAULT_CURVES if schedules is None else ("curve-annealed",))
    clean = [(curve, cleaned(curve, (schedules or {}).get(curve.run))) for curve in curves]
    used = [part.curve for _, part in clean if not part.diverged]
    if len(used) < _FEWEST:
        raise DataError(
            f"{len(used)} finished curves are given; {_FEWEST} or more are needed to learn from"
        )
    data = [thinned(warmed(curve, (schedules or {}).get(curve.run))) for curve in used]
    homes = [
        Home.at_end(one, curve.t[-1], (schedules or {}).get(curve.run))
        for one, curve in zip(data, used, strict=True)
    ]
    found = []
    evidence = []
    for law in map(get, given):
        callback(f"learning {law.name} from {len(used)} curves")
        part, logs = _one_law(law, data, homes, seed)
        found.append(part)
        evidence.append(logs)
    shares = softmax(np.stack(evidence), axis=0).mean(axis=1)
    parts = tuple(
        OneLawPopulation(**{**vars(part), "weight": float(share)})
        for part, share in zip(found, shares, strict=True)
    )
    return CurvePopulation(parts, tuple(curve.run for curve in used))


def _one_law(
    law: Law, data: list[Thinned], homes: list[Home], seed: int
) -> tuple[OneLawPopulation, Floats]:
    models = [Model.of(law, home, one) for home, one in zip(homes, data, strict=True)]
    first = models[0].prior
    spread = np.array([p.prior.spread for p in law.parameters] + [_SPREADS] * len(noise.NAMES))
    wide = [model.prior for model in models]
    for turn in range(_ROUNDS):
        clouds = [
            sample(
                Model(law, model.home, prior).target(one),
                _PARTICLES,
                generator(Stream.CURVE_POPULATION, seed, law.name, turn, place),
            )
            for place, (model, prior, one) in enumerate(zip(models, wide, data, strict=True))
        ]
        points = np.stack([cloud.points[:: _PARTICLES // _KEPT] for cloud in clouds])
        known = np.stack(
            [
                prior.log_density(cloud) + prior.constant
                for prior, cloud in zip(wide, points, strict=True)
            ]
        )
        draws = _sampled(first, spread, points, known, seed)
        mu, tau = (draws[name].values.reshape(-1, len(first.mean)) for name in ("mu", "tau"))
        covariance = np.cov(mu.T) + np.diag((tau**2).mean(axis=0))
        mean = mu.mean(axis=0)
        wide = [Gaussian(mean, _WIDER * np.linalg.cholesky(covariance))] * len(data)
    part = OneLawPopulation(
        law, models[0].names, mean, covariance, draws, _r_hat(draws), weight=1.0
    )
    return part, np.array([cloud.log_evidence for cloud in clouds])


def _sampled(
    prior: Gaussian, spread: Floats, points: Floats, known: Floats, seed: int
) -> xr.Dataset:
    """Centre and spread of the population, by NUTS."""
    import pymc as pm
    import pytensor.tensor as pt

    names = [f"p{i}" for i in range(len(prior.mean))]
    with pm.Model(coords={"parameter": names}):
        mu = pm.Normal("mu", prior.mean, np.diag(prior.chol), dims="parameter")
        tau = pm.LogNormal("tau", np.log(spread), _UNSURE, dims="parameter")
        z = (points - mu) / tau
        density = (
            -0.5 * (z**2).sum(axis=-1) - pt.log(tau).sum() - 0.5 * len(names) * np.log(2 * np.pi)
        )
        pm.Potential("curves", pm.math.logsumexp(density - known, axis=1).sum())
        tree = pm.sample(**_DRAWS, nuts_sampler="nutpie", random_seed=seed, progressbar=False)
    dataset: xr.Dataset = tree["posterior"].to_dataset()
    return dataset


def _r_hat(draws: xr.Dataset) -> float:
    import arviz as az

    return max(float(value.max()) for value in az.rhat(draws).values())
