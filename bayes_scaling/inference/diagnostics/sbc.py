"""Simulation-based calibration: ranks of true values in posteriors of simulated runs.

Talts et al. 2018 (arXiv:1804.06788): a parameter drawn from the prior, and runs simulated with it,
rank it uniformly among the draws of their posterior. Säilynoja et al. 2025 (arXiv:2502.03279): the
same where it matters for one fit, with the parameter drawn from its posterior and the simulated
runs added to the real ones.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import xarray as xr

from bayes_scaling.core.progress import OTHER, Progress, ProgressOption
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.errors import FitError
from bayes_scaling.inference.compiled import Compiled, compile_model
from bayes_scaling.inference.diagnostics.calibration import Calibration
from bayes_scaling.inference.diagnostics.information import components_of
from bayes_scaling.inference.fit_result import Fit
from bayes_scaling.inference.fitting import Procedure
from bayes_scaling.inference.sampler import LONGER, sample_well
from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.laws import DEFAULT, Law
from bayes_scaling.model import Spec, hierarchy
from bayes_scaling.model.design import arrays
from bayes_scaling.model.frame import Design
from bayes_scaling.model.run_noise import standard_draws
from bayes_scaling.runs import load_runs

__all__ = ["posterior_sbc", "sbc"]

_SETTINGS = SamplerSettings(draws=250, tune=400, chains=4, target_accept=0.95)
_RHAT_MAX = 1.03
"""Ranks among a thousand draws do not see what the stricter bound of a fit would."""
_FEWEST = 10
_LIKELIHOOD = "log_likelihood"


def sbc(
    runs: Any,
    law: str | Law = DEFAULT,
    *,
    replications: int = 100,
    seed: int = 0,
    longer: Sequence[int] = LONGER,
    progress: ProgressOption = True,
    **options: Any,
) -> Calibration:
    """Calibrate a model on the configurations of a table: true values from its prior.

    Parameters
    ----------
    runs : Runs, pandas.DataFrame or path
        Its configurations, families and typical loss are used; the losses are simulated.
    law : str or Law
        The law.
    replications : int
        How often; 10 or more.
    seed : int
        Random seed.
    longer : sequence of int
        Draws of further rounds where chains have not mixed, in units of the first.
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. See :mod:`bayes_scaling.core.progress`.
    **options
        prior, pooling, noise, priors and max_seconds, as :func:`bayes_scaling.inference.fit` has
        them; the limit is of each replication.

    Returns
    -------
    Calibration

    Raises
    ------
    DataError, LawError, FitError
        As a fit of the table would.
    """
    _check(replications)
    shown = Progress.of(progress)
    procedure = Procedure.of(law, seed=seed, **options)
    rows = load_runs(runs).with_inputs(procedure.law.own_inputs).fit_rows()
    mixture, frame = procedure.specify(rows)
    spec = _law_alone(mixture)
    design = arrays(spec, frame, rows)
    rng = generator(Stream.PRIOR_SBC, seed)
    truths = hierarchy.prior_draws(spec, frame, replications, rng)
    compiled = compile_model(spec, frame, design, shown)
    settings = replace(_SETTINGS, max_seconds=procedure.settings.max_seconds)
    return _calibrate(compiled, design, truths, rng, settings, progress=shown, longer=longer)


def posterior_sbc(
    fit: Fit,
    *,
    replications: int = 50,
    seed: int = 0,
    longer: Sequence[int] = LONGER,
    max_seconds: float | None = None,
    progress: ProgressOption = True,
) -> Calibration:
    """Calibrate a fit where it stands: true values from its posterior, runs added to its own.

    Parameters
    ----------
    fit : Fit
        The fit.
    replications : int
        How often; 10 or more. Each takes a few seconds.
    seed : int
        Random seed.
    longer : sequence of int
        Draws of further rounds where chains have not mixed, in units of the first.
    max_seconds : float, optional
        Time to sample of each replication; those that have not converged by then are counted.
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. See :mod:`bayes_scaling.core.progress`.

    Returns
    -------
    Calibration

    Raises
    ------
    FitError
        If there are fewer than 10 replications.
    """
    _check(replications)
    shown = Progress.of(progress)
    settings = replace(_SETTINGS, max_seconds=max_seconds)
    spec = _law_alone(fit.spec)
    design = arrays(spec, fit.frame, fit.runs)
    rng = generator(Stream.POSTERIOR_SBC, seed)
    flat = fit.posterior.stack(sample=("chain", "draw"))
    of_law = np.flatnonzero(components_of(fit.dt, flat.sizes["sample"]) == 0)
    chosen = rng.choice(of_law, replications, replace=replications > of_law.size)
    truths = flat.isel(sample=chosen).drop_vars(["sample", "chain", "draw"])
    truths = truths.rename(sample="draw").assign_coords(draw=np.arange(replications))
    truths = truths.expand_dims(chain=[0])
    compiled = compile_model(spec, fit.frame, design, shown)
    return _calibrate(
        compiled, design, truths, rng, settings, progress=shown, longer=longer, real=design
    )


def _law_alone(spec: Spec) -> Spec:
    """The component of a mixture that is the law itself: what is calibrated."""
    return spec.components[0][0]


def _check(replications: int) -> None:
    if not isinstance(replications, int | np.integer) or replications < _FEWEST:
        raise FitError(
            f"replications is {replications!r}, a whole number of {_FEWEST} or more is needed"
        )


def _calibrate(
    compiled: Compiled,
    design: Design,
    truths: xr.Dataset,
    rng: np.random.Generator,
    settings: SamplerSettings,
    *,
    progress: Progress,
    longer: Sequence[int],
    real: Design | None = None,
) -> Calibration:
    """Rank every true value in the posterior of runs simulated with it."""
    spec, ranks, not_converged = compiled.spec, [], 0
    count = truths.sizes["draw"]
    with progress.stage(OTHER, "fitting simulated runs", count, "tables") as stage:
        for number in range(count):
            truth = truths.isel(draw=[number])
            simulated = _simulated(spec, design, truth, rng)
            seen = simulated if real is None else _together(real, simulated)
            seeded = replace(settings, seed=int(rng.integers(2**31)))
            model = compile_model(spec, compiled.frame, seen)
            sampled = sample_well(model, seeded, progress, rhat_max=_RHAT_MAX, longer=longer)
            not_converged += not sampled.converged
            draws = hierarchy.named(spec, compiled.frame, sampled.draws)
            ranks.append(_ranks(spec, seen, truth, draws, rng))
            stage.advance()
    whole = xr.concat(ranks, dim="sample")
    kind: Literal["prior", "posterior"] = "prior" if real is None else "posterior"
    return Calibration.of(whole, kind, not_converged)


def _simulated(spec: Spec, design: Design, truth: xr.Dataset, rng: np.random.Generator) -> Design:
    """Simulate losses of the same runs from the likelihood."""
    mean = hierarchy.log_mean(spec, design, truth)
    scale = hierarchy.noise_scale(spec, design, truth)
    nu = truth["nu"].values[..., None] if spec.noise == "student-t" else None
    standard = standard_draws(spec.noise, nu, mean.shape, rng)
    return replace(design, log_loss=(mean + scale * standard).values.ravel())


def _together(one: Design, other: Design) -> Design:
    inputs = {name: np.concatenate([one.inputs[name], other.inputs[name]]) for name in one.inputs}
    return Design(
        inputs=inputs,
        family=np.concatenate([one.family, other.family]),
        log_loss=np.concatenate([one.log_loss, other.log_loss]),
        relative_se=np.concatenate([one.relative_se, other.relative_se]),
        run=(*one.run, *(f"{name} again" for name in other.run)),
        centres=one.centres,
    )


def _ranks(
    spec: Spec, design: Design, truth: xr.Dataset, draws: xr.Dataset, rng: np.random.Generator
) -> xr.Dataset:
    """Fraction of posterior draws below the true value, made continuous by a uniform number."""

    def likelihood(values: xr.Dataset) -> xr.DataArray:
        return hierarchy.log_likelihood(spec, design, values).sum("run")

    # The density of the data finds faults that no parameter shows (Modrák et al. 2023).
    theirs = draws.assign({_LIKELIHOOD: likelihood(draws)})
    true = truth.assign({_LIKELIHOOD: likelihood(truth)}).isel(chain=0, draw=0, drop=True)
    count = draws.sizes["chain"] * draws.sizes["draw"]
    found = {}
    for name, value in theirs.items():
        below = (value < true[name]).sum(("chain", "draw"))
        found[name] = (below + rng.random(below.shape)) / (count + 1)
    return xr.Dataset(found)
