"""Sampling a model with nutpie, and what came of it."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import xarray as xr

from bayes_scaling.errors import FitError
from bayes_scaling.inference.start import starting_point
from bayes_scaling.model.design import Design
from bayes_scaling.model.spec import Spec

__all__ = [
    "ESS_MIN",
    "RHAT_MAX",
    "Compiled",
    "Sampled",
    "SamplerSettings",
    "compile_model",
    "sample_well",
    "silent",
]

RHAT_MAX = 1.01
ESS_MIN = 400
"""Thresholds of Vehtari et al. 2021, for chains to count as mixed."""
_LONGER = (4, 16)
"""Draws of the second and third round, in units of the first."""
_CAREFUL = 0.99
"""Acceptance that further rounds are tuned to."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class SamplerSettings:
    """How to sample.

    Parameters
    ----------
    draws : int
        Draws kept from each chain.
    tune : int
        Tuning draws of each chain, discarded.
    chains : int
        Independent chains; 2 or more, or convergence cannot be judged.
    cores : int
        Chains sampled at a time.
    target_accept : float
        Acceptance the step size is tuned to, between 0 and 1.
    seed : int
        Seed of everything random in the fit.

    Raises
    ------
    FitError
        If a number is out of range.
    """

    draws: int = 1000
    tune: int = 600
    chains: int = 4
    cores: int = 0
    target_accept: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        for name, least in (("draws", 50), ("tune", 100), ("chains", 2), ("seed", 0), ("cores", 0)):
            value = getattr(self, name)
            whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
            if not (whole and least <= value < 2**63):
                raise FitError(
                    f"{name} is {value!r}, a whole number from {least} to 2^63 - 1 is needed"
                )
        if not 0 < self.target_accept < 1:
            raise FitError(f"target_accept is {self.target_accept!r}, between 0 and 1 is needed")

    @property
    def workers(self) -> int:
        """Chains sampled at a time: ``cores``, or as many as the machine has and chains need."""
        return min(self.chains, self.cores or os.process_cpu_count() or 1)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain values."""
        return asdict(self) | {"sampler": "nutpie", "adaptation": "low_rank"}


@dataclass(frozen=True)
class Sampled:
    """Draws of the model's free variables, with sampler statistics and timings in seconds.

    ``thin``: one in so many draws was kept; the statistics are of all of them.
    """

    draws: xr.Dataset
    stats: xr.Dataset
    compile_seconds: float
    sample_seconds: float
    thin: int = 1


@dataclass(frozen=True)
class Compiled:
    """A compiled model: sampled as often as wanted, on other runs without compiling again.

    Attributes
    ----------
    spec : Spec
        The model; its priors and families stay what they are.
    model : nutpie.CompiledModel
        The compiled density.
    seconds : float
        What compiling took.
    """

    spec: Spec
    model: Any
    seconds: float

    def with_runs(self, design: Design) -> "Compiled":
        """The same model conditioned on other runs of the same families."""
        data = {f"x_{name}": value for name, value in design.inputs.items()}
        model = self.model.with_data(
            **data,
            family_index=design.family,
            relative_se=design.relative_se,
            observed_log_loss=design.log_loss,
        )
        return replace(self, model=model, seconds=0.0)

    def sample(self, settings: SamplerSettings, progress: Progress | None = None) -> Sampled:
        """Draw from the posterior.

        Parameters
        ----------
        settings : SamplerSettings
            Chains, draws, seed.
        progress : callable, optional
            Called with one sentence now and then.

        Returns
        -------
        Sampled

        Raises
        ------
        FitError
            If the sampler cannot start or go on.
        """
        import nutpie

        say = progress or silent
        say(f"sampling {settings.chains} chains of {settings.tune} + {settings.draws} draws")
        began = time.perf_counter()
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
                progress_callback=_Milestones(settings, say),
                progress_rate=500,
            )
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise FitError(f"the sampler could not go on: {reason}") from error
        return Sampled(
            draws=tree["posterior"].to_dataset(),
            stats=tree["sample_stats"].to_dataset(),
            compile_seconds=self.seconds,
            sample_seconds=time.perf_counter() - began,
        )


def sample_well(
    compiled: Compiled, settings: SamplerSettings, progress: Progress | None = None
) -> Sampled:
    """Sample, and sample longer where the chains have not mixed or have diverged.

    Each further round takes more draws, smaller steps and longer tuning, and keeps as many draws
    as were asked for by thinning, so that a harder posterior costs time and not disk. The last
    round is returned whether or not it mixed; the diagnosis says.

    Parameters
    ----------
    compiled : Compiled
        The model.
    settings : SamplerSettings
        Of the first round.
    progress : callable, optional
        Called with one sentence now and then.

    Returns
    -------
    Sampled
        With the time of all rounds.
    """
    say = progress or silent
    sampled = compiled.sample(settings, say)
    spent = sampled.sample_seconds
    for times in _LONGER:
        doubt = _doubt(sampled)
        if not doubt:
            break
        say(f"{doubt}: sampling {times} times longer")
        longer = replace(
            settings,
            draws=times * settings.draws,
            tune=2 * settings.tune,
            target_accept=max(settings.target_accept, _CAREFUL),
        )
        whole = compiled.sample(longer, say)
        spent += whole.sample_seconds
        sampled = replace(whole, draws=_thinned(whole.draws, times), thin=times)
    return replace(sampled, sample_seconds=spent)


def _thinned(draws: xr.Dataset, times: int) -> xr.Dataset:
    kept = draws.isel(draw=slice(times - 1, None, times))
    return kept.assign_coords(draw=np.arange(kept.sizes["draw"]))


def _doubt(sampled: Sampled) -> str:
    """What is wrong with the draws, or nothing."""
    import arviz as az

    diverged = int(sampled.stats["diverging"].sum())
    if diverged:
        return f"{diverged} draws diverged"
    # Of the parameters and their logs: R-hat of folded draws is not the same for both.
    logs = {f"exp_{name}": np.exp(v) for name, v in sampled.draws.items() if name != "tau"}
    draws = sampled.draws.assign(logs)
    sizes = draws.sizes
    # Half the draws at most can be asked for where few are wanted at all.
    enough = min(ESS_MIN, sizes["chain"] * sizes["draw"] // 2)
    rhat = max(float(value.max()) for value in az.rhat(draws).values())
    ess = min(
        float(value.min())
        for method in ("bulk", "tail")
        for value in az.ess(draws, method=method).values()
    )
    # Written so that a NaN is doubtful too.
    if not rhat <= RHAT_MAX:
        return f"R-hat is {rhat:.3f}"
    return "" if ess >= enough else f"{ess:.0f} effective draws"


def compile_model(spec: Spec, design: Design, progress: Progress | None = None) -> Compiled:
    """Compile the posterior density of a specified model and its gradient.

    Parameters
    ----------
    spec : Spec
        The model.
    design : Design
        The runs; they also give the starting point.
    progress : callable, optional
        Called with one sentence.
    """
    import nutpie

    from bayes_scaling.model.build import build

    say = progress or silent
    say("compiling the model, which takes about half a minute")
    began = time.perf_counter()
    start = starting_point(spec, design)
    # All chains start near the mode and tuning spreads them: random starts leave chains stuck in
    # families of few runs.
    model = nutpie.compile_pymc_model(build(spec, design), initial_points=start, jitter_rvs=set())
    return Compiled(spec, model, time.perf_counter() - began)


class _Milestones:
    """Says each fifth of the draws as it is reached."""

    def __init__(self, settings: SamplerSettings, say: Progress) -> None:
        self.total = settings.chains * (settings.tune + settings.draws)
        self.say = say
        self.said = 0

    def __call__(self, chains: list[Any]) -> None:
        done = sum(chain.finished_draws for chain in chains)
        fifth = int(5 * done / self.total)
        if self.said < fifth < 5:
            self.said = fifth
            self.say(f"sampled {20 * fifth}% of the draws")


def silent(sentence: str) -> None:
    """Say nothing."""
