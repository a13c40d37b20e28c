"""Fitting a law to a table of runs, and what comes of it."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd
import xarray as xr

from bayes_scaling.errors import DataError
from bayes_scaling.inference import storage
from bayes_scaling.inference.cautions import cautions
from bayes_scaling.inference.rolling import rolling_steps
from bayes_scaling.inference.sampler import (
    Progress,
    SamplerSettings,
    compile_model,
    sample_well,
    silent,
)
from bayes_scaling.inference.tree import assemble
from bayes_scaling.laws import DEFAULT, Law, Prior
from bayes_scaling.model import Noise, Pooling, Population, Spec, arrays, specify
from bayes_scaling.runs import load_runs

if TYPE_CHECKING:
    from bayes_scaling.forecast.prediction import Forecast
    from bayes_scaling.inference.diagnosis import Diagnosis

__all__ = ["Fit", "fit", "load_fit"]

_FEWEST_RUNS = 3
"""Level and one slope need two runs, and a third says something about the noise."""


@dataclass(frozen=True, eq=False, repr=False)
class Fit:
    """A posterior, with everything that made it.

    Attributes
    ----------
    dt : xarray.DataTree
        ArviZ groups; parameters have dims (chain, draw, family), losses (chain, draw, run).
    """

    dt: xr.DataTree

    @cached_property
    def spec(self) -> Spec:
        """The model: law, priors, pooling, reference point."""
        return Spec.from_json(self.dt.attrs["spec"])

    @property
    def law(self) -> Law:
        """The law, with the priors that were in force."""
        return self.spec.law

    @property
    def families(self) -> tuple[str, ...]:
        """The fitted families."""
        return self.spec.families

    @property
    def count(self) -> str:
        """What N counts: "params" (all parameters) or "params_nonemb" (without embeddings)."""
        return str(self.dt.attrs["count"])

    @property
    def posterior(self) -> xr.Dataset:
        """Draws of the parameters at the reference point."""
        return self.dt["posterior"].to_dataset()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was doubtful about the data or the design, in words."""
        return tuple(json.loads(self.dt.attrs["warnings"]))

    @cached_property
    def runs(self) -> pd.DataFrame:
        """The fitted runs: params, tokens, flops, family, run, loss (nats)."""
        constants = self.dt["constant_data"].to_dataset()
        by_run = [str(name) for name, value in constants.items() if value.dims == ("run",)]
        table = constants[by_run].to_dataframe()[by_run]
        table["loss"] = self.dt["observed_data"]["loss"].to_numpy()
        return table.reset_index()

    @cached_property
    def targets(self) -> pd.DataFrame:
        """Runs marked ``role = target``: not fitted, kept to judge forecasts."""
        table: pd.DataFrame = self.dt["held_out"].to_dataset().to_dataframe()
        return table.reset_index(drop=True)

    def summary(self, ci_prob: float = 0.9) -> pd.DataFrame:
        """Posterior of every parameter, with its diagnostics beside it.

        Parameters
        ----------
        ci_prob : float
            Probability of the equal-tailed interval.

        Returns
        -------
        pandas.DataFrame
            One row a parameter: mean, sd, median, interval, ess_bulk, ess_tail, r_hat,
            ``contraction`` (1 - posterior over prior variance of its log), ``source`` ("data", or
            "mostly prior" where that is below 0.5) and ``status`` ("ok", or what is wrong).
        """
        from bayes_scaling.inference.parameters import parameter_table

        return parameter_table(self.dt, ci_prob)

    def correlations(self) -> pd.DataFrame:
        """Posterior correlations of the law's parameters, pair by pair, the strongest first.

        Returns
        -------
        pandas.DataFrame
            Columns family, first, second, correlation (of the logs of the two parameters).
        """
        from bayes_scaling.inference.information import correlations

        return correlations(self.dt, self.law.names)

    def diagnose(self) -> "Diagnosis":
        """Convergence, fit and prior sensitivity, with a verdict and what to do."""
        from bayes_scaling.inference.diagnosis import diagnose

        return diagnose(self)

    def predict(self, configs: Any = None, **where: Any) -> "Forecast":
        """Forecast losses; see :func:`bayes_scaling.forecast.predict`."""
        from bayes_scaling.forecast.prediction import predict

        return predict(self, configs, **where)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the fit as NetCDF, whole or not at all.

        Raises
        ------
        FileError
            If the file cannot be written.
        """
        return storage.save(self.dt, path)

    def __repr__(self) -> str:
        sizes = self.dt["posterior"].sizes
        return (
            f"<Fit of {self.law.name!r} to {len(self.runs)} runs, {len(self.families)} "
            f"families, N = {self.count}: {sizes['chain']} chains of {sizes['draw']} draws>"
        )

    def _repr_html_(self) -> str:
        import html

        table = self.summary().to_html(float_format="{:.4g}".format)
        doubts = "".join(f"<li>{html.escape(text)}</li>" for text in self.warnings)
        return f"<p>{html.escape(repr(self))}</p>{table}<ul>{doubts}</ul>"


def fit(
    runs: Any,
    law: str | Law = DEFAULT,
    *,
    seed: int = 0,
    prior: Literal["population", "weak"] | Population = "population",
    pooling: Pooling | Mapping[str, Pooling] = "partial",
    noise: Noise = "student-t",
    priors: Mapping[str, Prior] | None = None,
    draws: int = 1000,
    tune: int = 600,
    chains: int = 4,
    cores: int = 0,
    target_accept: float = 0.95,
    progress: bool | Progress = True,
) -> Fit:
    """Fit a law to runs, families partially pooled.

    Parameters
    ----------
    runs : Runs, pandas.DataFrame or path
        The table of runs. Rows with ``role = target`` are kept out of the fit.
    law : str or Law
        The law; ``bayes-scaling laws`` lists them.
    seed : int
        Seed of everything random.
    prior : {"population", "weak"} or Population
        Priors learned from many real families, and with them the law's error beyond the data,
        where they are known for the law; the law's own wide ones; or a population of yours.
    pooling : {"partial", "shared", "none"} or mapping
        Over families, for all parameters or by parameter.
    noise : {"student-t", "normal"}
        Distribution of log loss about the curve.
    priors : mapping of str to Prior, optional
        Replaces single priors.
    draws, tune, chains, cores, target_accept
        See :class:`bayes_scaling.inference.sampler.SamplerSettings`.
    progress : bool or callable
        Whether to say on standard error what is going on, or who to tell.

    Returns
    -------
    Fit

    Raises
    ------
    DataError
        If rows are unusable or too few.
    LawError, FitError
        If the law, its priors or the sampler's settings are.
    """
    settings = SamplerSettings(draws, tune, chains, cores, target_accept, seed)
    table = load_runs(runs)
    rows = table.fit_rows()
    if len(rows) < _FEWEST_RUNS:
        raise DataError(
            f"{table.source} has {len(rows)} run{'s' * (len(rows) != 1)} to fit; "
            f"{_FEWEST_RUNS} or more are needed"
        )
    spec = specify(rows, law, pooling=pooling, noise=noise, prior=prior, priors=priors)
    design = arrays(spec, rows)
    say = _speaker(progress)
    sampled = sample_well(compile_model(spec, design, say), settings, say)
    steps = {}
    if spec.discrepancy:
        say("forecasting each family's larger runs from its smaller ones")
        steps = {str(f): rolling_steps(spec.law, own) for f, own in rows.groupby("family")}
    say("computing predictions and likelihoods")
    messages = cautions(table, rows, spec)
    return Fit(
        assemble(
            spec=spec,
            design=design,
            sampled=sampled,
            settings=settings,
            runs=table,
            messages=messages,
            steps=steps,
        )
    )


def load_fit(path: str | PathLike[str]) -> Fit:
    """Read a fit that :meth:`Fit.save` wrote.

    Raises
    ------
    FileError
        If the file cannot be read, is truncated, or is not a fit.
    """
    return Fit(storage.load(path))


def _speaker(progress: bool | Progress) -> Progress:
    if callable(progress):
        return progress
    if not progress:
        return silent
    return lambda sentence: print(f"bayes_scaling: {sentence} …", file=sys.stderr)  # noqa: T201
