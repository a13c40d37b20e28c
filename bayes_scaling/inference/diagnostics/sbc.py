"""Simulation-based calibration: whether posteriors of simulated runs hold their truth as they say.

Talts et al. 2018 (arXiv:1804.06788): a parameter drawn from the prior, and runs simulated with it,
rank it uniformly among the draws of their posterior. Säilynoja et al. 2025 (arXiv:2502.03279): the
same where it matters for one fit, with the parameter drawn from its posterior and the simulated
runs added to the real ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import xarray as xr

from bayes_scaling.core.display import brief
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.errors import FitError
from bayes_scaling.inference.compiled import Compiled, compile_model
from bayes_scaling.inference.fit_result import Fit
from bayes_scaling.inference.fitting import Procedure
from bayes_scaling.inference.sampler import LONGER, sample_well
from bayes_scaling.inference.settings import Progress, SamplerSettings, progress_callback
from bayes_scaling.laws import DEFAULT, Law
from bayes_scaling.model import Spec, hierarchy
from bayes_scaling.model.design import arrays
from bayes_scaling.model.frame import Design
from bayes_scaling.model.run_noise import standard_draws
from bayes_scaling.runs import load_runs

__all__ = ["Calibration", "posterior_sbc", "sbc"]

_SETTINGS = SamplerSettings(draws=250, tune=400, chains=4, target_accept=0.95)
_RHAT_MAX = 1.03
"""Ranks among a thousand draws do not see what the stricter bound of a fit would."""
_FEWEST = 10
_LIKELIHOOD = "log_likelihood"
_SUSPECT = 0.01


@dataclass(frozen=True, eq=False, repr=False)
class Calibration:
    """Ranks of true values among posterior draws.

    Attributes
    ----------
    dt : xarray.DataTree
        Group ``prior_sbc``: by parameter the share of posterior draws below the true value, dims
        (sample) or (sample, family), and that of the log likelihood. ``az.plot_ecdf_pit`` reads
        it.
    kind : {"prior", "posterior"}
        Where true values were drawn from.
    unmixed : int
        Replications whose chains had an R-hat above 1.03, or divergences, however long they were
        sampled.
    """

    dt: xr.DataTree
    kind: Literal["prior", "posterior"]
    unmixed: int

    @property
    def replications(self) -> int:
        """How often runs were simulated and fitted."""
        return int(self.dt["prior_sbc"].sizes["sample"])

    def table(self) -> pd.DataFrame:
        """Test of uniformity of every quantity.

        Returns
        -------
        pandas.DataFrame
            Index: quantity. ``p`` (of uniform ranks, ``pot_c`` of arviz-stats), ``mean`` (a half;
            below it posteriors lie too high) and ``spread`` (sd of ranks over that of a uniform;
            above 1 posteriors are too narrow).
        """
        rows = {}
        for label, ranks in _by_label(self.dt["prior_sbc"].to_dataset()):
            p, _, _ = ranks.azstats.uniformity_test(dim="sample")
            rows[label] = {
                "p": float(p),
                "mean": float(ranks.mean()),
                "spread": float(ranks.std()) * np.sqrt(12.0),
            }
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("quantity")

    @property
    def p(self) -> float:
        """The least p of all quantities, times their number (Bonferroni), at most 1."""
        table = self.table()
        return min(1.0, float(table["p"].min()) * len(table))

    @property
    def verdict(self) -> str:
        """What the ranks say, in a sentence."""
        table = self.table()
        worst = str(table["p"].idxmin())
        said = (
            f"In {self.replications} simulated tables the true values rank as they should among "
            f"posterior draws (least p of {len(table)} quantities, corrected for their number: "
            f"{self.p:.2g}, {worst})."
        )
        if self.p < _SUSPECT:
            row = table.loc[worst]
            lies = "too narrow" if row["spread"] > 1 else "too wide"
            said = (
                f"In {self.replications} simulated tables the true values of {worst} do not rank "
                f"as they should among posterior draws (p = {self.p:.2g} after correction): mean "
                f"rank {row['mean']:.2f} instead of 0.50, posteriors {lies} by a factor of "
                f"{row['spread']:.2f}. Do not trust intervals of this model."
            )
        if self.unmixed:
            said += f" {self.unmixed} of them did not mix."
        return said

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        rows = self.table().reset_index().to_dict(orient="records")
        ranks = self.dt["prior_sbc"].to_dataset()
        return {
            "schema": "bayes_scaling.sbc/1",
            "kind": self.kind,
            "replications": self.replications,
            "unmixed": self.unmixed,
            "p": self.p,
            "verdict": self.verdict,
            "quantities": [{str(k): v for k, v in row.items()} for row in rows],
            "ranks": {label: values.values.tolist() for label, values in _by_label(ranks)},
        }

    def __str__(self) -> str:
        table = self.table().sort_values("p").to_string(float_format="{:.3g}".format)
        return f"{table}\n{self.verdict}"

    def __repr__(self) -> str:
        return brief(str(self))


def _by_label(ranks: xr.Dataset) -> list[tuple[str, xr.DataArray]]:
    found = []
    for name, value in ranks.items():
        if "family" not in value.dims:
            found.append((str(name), value))
            continue
        found += [
            (f"{name}[{family}]", value.sel(family=family, drop=True))
            for family in value["family"].values
        ]
    return found


def sbc(
    runs: Any,
    law: str | Law = DEFAULT,
    *,
    replications: int = 100,
    seed: int = 0,
    longer: Sequence[int] = LONGER,
    progress: bool | Progress = True,
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
        Seed of everything.
    longer : sequence of int
        Draws of further rounds where chains have not mixed, in units of the first.
    progress : bool or callable
        Whether to report progress on standard error, or a callback that takes each message.
    **options
        prior, pooling, noise, priors, and the sampler's settings, as
        :func:`bayes_scaling.inference.fit` has them.

    Returns
    -------
    Calibration

    Raises
    ------
    DataError, LawError, FitError
        As a fit of the table would.
    """
    _check(replications)
    callback = progress_callback(progress)
    procedure = Procedure.of(law, seed=seed, **options)
    rows = load_runs(runs).with_inputs(procedure.law.own_inputs).fit_rows()
    spec, frame = procedure.specify(rows)
    design = arrays(spec, frame, rows)
    rng = generator(Stream.PRIOR_SBC, seed)
    truths = hierarchy.prior_draws(spec, frame, replications, rng)
    compiled = compile_model(spec, frame, design, callback)
    return _calibrate(compiled, design, truths, rng, callback=callback, longer=longer)


def posterior_sbc(
    fit: Fit,
    *,
    replications: int = 50,
    seed: int = 0,
    longer: Sequence[int] = LONGER,
    progress: bool | Progress = True,
) -> Calibration:
    """Calibrate a fit where it stands: true values from its posterior, runs added to its own.

    Parameters
    ----------
    fit : Fit
        The fit.
    replications : int
        How often; 10 or more. Each takes a few seconds.
    seed : int
        Seed of everything.
    longer : sequence of int
        Draws of further rounds where chains have not mixed, in units of the first.
    progress : bool or callable
        Whether to report progress on standard error, or a callback that takes each message.

    Returns
    -------
    Calibration

    Raises
    ------
    FitError
        If there are fewer than 10 replications.
    """
    _check(replications)
    callback = progress_callback(progress)
    design = arrays(fit.spec, fit.frame, fit.runs)
    rng = generator(Stream.POSTERIOR_SBC, seed)
    flat = fit.posterior.stack(sample=("chain", "draw"))
    picked = rng.choice(flat.sizes["sample"], replications, replace=False)
    truths = flat.isel(sample=picked).drop_vars(["sample", "chain", "draw"])
    truths = truths.rename(sample="draw").assign_coords(draw=np.arange(replications))
    truths = truths.expand_dims(chain=[0])
    compiled = compile_model(fit.spec, fit.frame, design, callback)
    return _calibrate(compiled, design, truths, rng, callback=callback, longer=longer, real=design)


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
    *,
    callback: Progress,
    longer: Sequence[int],
    real: Design | None = None,
) -> Calibration:
    """Ranks of every truth in the posterior of runs simulated with it."""
    spec, ranks, unmixed = compiled.spec, [], 0
    count = truths.sizes["draw"]
    for number in range(count):
        truth = truths.isel(draw=[number])
        simulated = _simulated(spec, design, truth, rng)
        seen = simulated if real is None else _together(real, simulated)
        settings = replace(_SETTINGS, seed=int(rng.integers(2**31)))
        sampled = sample_well(compiled.with_runs(seen), settings, rhat_max=_RHAT_MAX, longer=longer)
        unmixed += not sampled.converged
        draws = hierarchy.named(spec, compiled.frame, sampled.draws)
        ranks.append(_ranks(spec, seen, truth, draws, rng))
        done = number + 1
        if done == count or (10 * done) // count > (10 * number) // count:
            callback(f"{done} of {count} simulated tables fitted")
    whole = xr.concat(ranks, dim="sample")
    kind: Literal["prior", "posterior"] = "prior" if real is None else "posterior"
    return Calibration(xr.DataTree.from_dict({"prior_sbc": whole}), kind, unmixed)


def _simulated(spec: Spec, design: Design, truth: xr.Dataset, rng: np.random.Generator) -> Design:
    """The same runs with losses drawn from the likelihood."""
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
    )


def _ranks(
    spec: Spec, design: Design, truth: xr.Dataset, draws: xr.Dataset, rng: np.random.Generator
) -> xr.Dataset:
    """Share of posterior draws below the truth, made continuous by a uniform number."""

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
