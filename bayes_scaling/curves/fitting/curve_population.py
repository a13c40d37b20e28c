"""Hierarchical prior of curves, learned from finished runs by partial pooling."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.caveat import Caveat, deprecated_texts, texts
from bayes_scaling.core.display import brief
from bayes_scaling.core.progress import Progress, ProgressOption
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.curves.cleaning.anomalies import cleaned
from bayes_scaling.curves.curve import Curve
from bayes_scaling.curves.fitting.ar1_noise import NAMES
from bayes_scaling.curves.fitting.binning import BinnedCurve, binned
from bayes_scaling.curves.fitting.curve_model import Model, ReferenceFrame
from bayes_scaling.curves.fitting.particles import Gaussian, sample
from bayes_scaling.curves.schedule import Schedule, warmed
from bayes_scaling.errors import DataError
from bayes_scaling.laws import Law, get
from bayes_scaling.laws.training_curves import DEFAULT_CURVES

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["CurvePopulation", "LawPopulation", "learn"]

Floats = NDArray[np.float64]

_PARTICLES = 1000
_KEPT = 500
"""Particles of a curve that represent it while the population is sampled."""
_ROUNDS = 4
_WIDER = 1.5
"""Factor on the sd of the population, from which particles of the next round are sampled."""
_SPREADS = 0.5
"""Prior median of the sd between runs of the log of their noise parameters."""
_LEVEL = 0.5
"""sd of the log of the level of a new run, about its present loss."""
_DRAWS = {"draws": 1000, "tune": 1000, "chains": 4}
_RHAT = 1.02
_FEWEST = 3
_UNSURE = 0.5
"""sd of the log of how much runs differ: no spread of 0, which no cloud of particles can show."""


@dataclass(frozen=True, eq=False)
class LawPopulation:
    """One law's parameters over runs, natural logs, at the end of each run's plan.

    Attributes
    ----------
    law : Law
        Law of curves.
    names : tuple of str
        Its parameters, and those of the noise.
    mean : (parameter,) array
        Prior mean of a new run.
    covariance : (parameter, parameter) array
        Prior covariance of a new run: uncertainty of the population, and spread between runs.
        Parameters of loss are relative to the run's own level.
    draws : xarray.Dataset
        ``mu`` and ``tau`` (chain, draw, parameter), from NUTS.
    r_hat : float
        Largest R-hat.
    weight : float
        Mean probability of the law over the runs.
    """

    law: Law
    names: tuple[str, ...]
    mean: Floats
    covariance: Floats
    draws: "xr.Dataset"
    r_hat: float
    weight: float

    def model(self, frame: ReferenceFrame) -> Model:
        """Return the model of a new run, whose level is known roughly from its present loss."""
        of_loss = np.array([float(p.of_loss) for p in self.law.parameters] + [0.0] * len(NAMES))
        covariance = self.covariance + _LEVEL**2 * np.outer(of_loss, of_loss)
        return Model(self.law, frame, Gaussian(self.mean, np.linalg.cholesky(covariance)))


@dataclass(frozen=True, eq=False, repr=False)
class CurvePopulation:
    """Distribution of the parameters of curves over runs.

    Attributes
    ----------
    parts : tuple of LawPopulation
        Population under each law.
    runs : tuple of str
        Runs whose curves it was learned from.
    """

    parts: tuple[LawPopulation, ...]
    runs: tuple[str, ...]

    @property
    def caveats(self) -> tuple[Caveat, ...]:
        """Caveats on the population."""
        return tuple(
            Caveat(
                code="not-converged",
                severity="warning",
                subject=part.law.name,
                text=f"The population of law {part.law.name!r} has not mixed (R-hat "
                f"{part.r_hat:.3f}).",
                data={"r_hat": part.r_hat},
            )
            for part in self.parts
            if not part.r_hat <= _RHAT
        )

    warnings = deprecated_texts("warnings")

    def __repr__(self) -> str:
        lines = [f"CurvePopulation of {len(self.runs)} runs"]
        for part in self.parts:
            sd = np.sqrt(np.diag(part.covariance))
            values = ", ".join(
                f"{name} {math.exp(mean):.3g} (x/÷ {math.exp(s):.2f})"
                for name, mean, s in zip(part.names, part.mean, sd, strict=True)
            )
            lines.append(f"{part.law.name} ({part.weight:.0%}): {values}")
        return brief("\n".join([*lines, *texts(self.caveats)]))


def learn(
    curves: Sequence[Curve],
    *,
    laws: Sequence[str | Law] | None = None,
    schedules: Mapping[str, Schedule] | None = None,
    seed: int = 0,
    progress: ProgressOption = True,
) -> CurvePopulation:
    """Learn a prior for runs in progress from finished runs.

    Each curve is fitted by particles under wide priors; the population's centre and spread are then
    sampled by NUTS, a curve's likelihood being the mean of the population's density over its
    particles, relative to the prior they were sampled under (Hogg, Myers and Bovy 2010, Eq. 9). The
    particles are sampled again under what was found, widened, and the population sampled again.
    A PyMC model is built and compiled each time: six curves and one law took 48 s of one core.

    Parameters
    ----------
    curves : sequence of Curve
        Curves of finished runs; each is taken to end where it does.
    laws : sequence of str or Law, optional
        As for :func:`fit_curve`.
    schedules : mapping of str to Schedule, optional
        Learning rates by run.
    seed : int
        Random seed.
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. See :mod:`bayes_scaling.core.progress`.

    Returns
    -------
    CurvePopulation

    Raises
    ------
    DataError
        If there are fewer than three curves that did not diverge, or a law reads learning rates
        and a run has no schedule.

    Examples
    --------
    >>> curves = bs.load_curves("finished.csv")  # doctest: +SKIP
    >>> population = bs.curves.learn(curves.curves, seed=0)  # doctest: +SKIP
    >>> bs.fit_curve(curve, population=population, end=10_000)  # doctest: +SKIP
    """
    chosen = laws or (DEFAULT_CURVES if schedules is None else ("curve-annealed",))
    clean = [(curve, cleaned(curve, (schedules or {}).get(curve.run))) for curve in curves]
    used = [part.curve for _, part in clean if not part.diverged]
    if len(used) < _FEWEST:
        raise DataError(
            f"{len(used)} finished curves are given; {_FEWEST} or more are needed to learn from"
        )
    data = [binned(warmed(curve, (schedules or {}).get(curve.run))) for curve in used]
    frames = [
        ReferenceFrame.at_end(one, curve.t[-1], (schedules or {}).get(curve.run))
        for one, curve in zip(data, used, strict=True)
    ]
    found = []
    evidence = []
    text = f"learning from {len(used)} curves"
    with Progress.of(progress).stage("learning", text, len(chosen), "laws") as stage:
        for law in map(get, chosen):
            stage.text = f"learning {law.name} from {len(used)} curves"
            part, logs = _one_law(law, data, frames, seed)
            found.append(part)
            evidence.append(logs)
            stage.advance()
    weights = np.exp(evidence - np.logaddexp.reduce(evidence, axis=0)).mean(axis=1)
    parts = tuple(
        LawPopulation(**{**vars(part), "weight": float(weight)})
        for part, weight in zip(found, weights, strict=True)
    )
    return CurvePopulation(parts, tuple(curve.run for curve in used))


def _one_law(
    law: Law, data: list[BinnedCurve], frames: list[ReferenceFrame], seed: int
) -> tuple[LawPopulation, Floats]:
    models = [Model.of(law, frame, one) for frame, one in zip(frames, data, strict=True)]
    first = models[0].prior
    spread = np.array([p.prior.spread for p in law.parameters] + [_SPREADS] * len(NAMES))
    wide = [model.prior for model in models]
    for turn in range(_ROUNDS):
        clouds = [
            sample(
                Model(law, model.frame, prior).target(one),
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
    part = LawPopulation(law, models[0].names, mean, covariance, draws, _r_hat(draws), weight=1.0)
    return part, np.array([cloud.log_evidence for cloud in clouds])


def _sampled(
    prior: Gaussian, spread: Floats, points: Floats, known: Floats, seed: int
) -> "xr.Dataset":
    """Sample the centre and spread of the population by NUTS."""
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


def _r_hat(draws: "xr.Dataset") -> float:
    import arviz as az

    return max(float(value.max()) for value in az.rhat(draws).values())
