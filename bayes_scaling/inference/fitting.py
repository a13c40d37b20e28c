"""Fitting a law to a table of runs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from bayes_scaling.core.old_names import old_names
from bayes_scaling.core.progress import OTHER, Progress, ProgressOption
from bayes_scaling.errors import DataError, LawError
from bayes_scaling.inference.data_caveats import data_caveats
from bayes_scaling.inference.fit_result import Fit
from bayes_scaling.inference.mixture import sample_fit
from bayes_scaling.inference.settings import SETTINGS, SamplerSettings
from bayes_scaling.inference.time_limit import time_limit
from bayes_scaling.inference.tree import assemble
from bayes_scaling.laws import DEFAULT, Law, Prior, get
from bayes_scaling.laws.check_law import check_law
from bayes_scaling.model import (
    Noise,
    Pooling,
    Population,
    ReferenceFrame,
    Spec,
    arrays,
    specify,
)
from bayes_scaling.runs import Runs, load_runs

if TYPE_CHECKING:
    import pymc as pm

__all__ = ["Procedure", "build_model", "fit"]

_FEWEST_RUNS = 3
"""Two runs determine a level and one slope; a third informs the noise."""


@old_names(carry_out="run")
@dataclass(frozen=True)
class Procedure:
    """How to fit tables of runs; parameters as of :func:`fit`."""

    law: Law
    prior: Literal["population", "weak"] | Population = "population"
    pooling: Pooling | Literal["auto"] | Mapping[str, Pooling] = "auto"
    noise: Noise = "student-t"
    priors: Mapping[str, Prior] = field(default_factory=dict)
    settings: SamplerSettings = field(default_factory=SamplerSettings)

    @classmethod
    def of(cls, law: str | Law = DEFAULT, **options: Any) -> "Procedure":
        """Return the procedure of the options of :func:`fit`.

        Raises
        ------
        LawError, FitError
            If the law or a setting of the sampler is not legal.
        """
        sampler = {name: options.pop(name) for name in SETTINGS if name in options}
        priors = options.pop("priors", None) or {}
        if not isinstance(priors, Mapping):
            raise LawError(
                f"priors are {priors!r}; a mapping is needed, like "
                "{'floor': Prior(median, sd, spread)}"
            )
        law = get(law)
        check_law(law)
        return cls(law, priors=dict(priors), settings=SamplerSettings(**sampler), **options)

    def specify(self, rows: pd.DataFrame) -> tuple[Spec, ReferenceFrame]:
        """Return the model of a table of runs, and its reference frame."""
        return specify(
            rows,
            self.law,
            pooling=self.pooling,
            noise=self.noise,
            prior=self.prior,
            priors=self.priors,
        )

    def run(self, table: Runs, progress: ProgressOption = False) -> Fit:
        """Fit one table of runs.

        Parameters
        ----------
        table : Runs
            The runs.
        progress : bool, callable or Progress
            As of :func:`fit`.

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
        shown = Progress.of(progress)
        rows = _rows_of(table)
        with shown.stage(OTHER, f"fitting {self.law.name} to {len(rows)} runs") as stage:
            spec, frame = self.specify(rows)
            design = arrays(spec, frame, rows)
            sampled = sample_fit(spec, frame, design, self.settings, shown)
            with shown.stage("groups", "computing predictions and likelihoods"):
                tree = assemble(
                    spec=spec,
                    frame=frame,
                    design=design,
                    sampled=sampled,
                    settings=self.settings,
                    runs=table,
                    caveats=(*data_caveats(table, rows, spec), *time_limit(self.settings, sampled)),
                )
        tree.attrs["seconds"] = json.dumps([entry.to_dict() for entry in stage.seconds])
        return Fit(tree, self.law)


def _rows_of(table: Runs) -> pd.DataFrame:
    rows = table.fit_rows()
    if len(rows) < _FEWEST_RUNS:
        raise DataError(
            f"{table.source} has {len(rows)} run{'s' * (len(rows) != 1)} to fit; "
            f"{_FEWEST_RUNS} or more are needed"
        )
    return rows


def fit(
    runs: Any,
    law: str | Law = DEFAULT,
    *,
    seed: int = 0,
    prior: Literal["population", "weak"] | Population = "population",
    pooling: Pooling | Literal["auto"] | Mapping[str, Pooling] = "auto",
    noise: Noise = "student-t",
    priors: Mapping[str, Prior] | None = None,
    draws: int = 1000,
    tune: int = 600,
    chains: int = 4,
    cores: int = 0,
    target_accept: float = 0.95,
    max_seconds: float | None = None,
    sampler: Literal["nutpie", "pymc"] = "nutpie",
    progress: ProgressOption = True,
) -> Fit:
    """Fit a law to runs by MCMC, families partially pooled.

    Parameters
    ----------
    runs : Runs, pandas.DataFrame or path
        The table of runs. Rows with ``role = target`` are kept out of the fit.
    law : str or Law
        The law; ``bayes-scaling laws`` lists them.
    seed : int
        Random seed.
    prior : {"population", "weak"} or Population
        Priors learned from many real families, and with them the law's error beyond the data,
        where they are known for the law; the law's own wide ones; or a population of yours.
    pooling : {"auto", "partial", "shared", "none"} or mapping
        Over families, for all parameters or by parameter. "auto": partial, but none where each
        family has more than 20 runs and a prior learned from other families.
    noise : {"student-t", "normal"}
        Distribution of log loss about the curve.
    priors : mapping of str to Prior, optional
        Priors that replace those of single parameters.
    draws, tune, chains, cores, target_accept, max_seconds, sampler
        See :class:`bayes_scaling.inference.sampler.SamplerSettings`.
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. See :mod:`bayes_scaling.core.progress`.

    Returns
    -------
    Fit

    Raises
    ------
    DataError
        If rows are unusable or too few.
    LawError, FitError
        If the law, its priors or the sampler's settings are.

    Examples
    --------
    >>> fit = bs.fit("runs.csv", "chinchilla", seed=1)  # doctest: +SKIP
    >>> fit.summary()  # doctest: +SKIP
    """
    procedure = Procedure.of(
        law,
        prior=prior,
        pooling=pooling,
        noise=noise,
        priors=priors,
        draws=draws,
        tune=tune,
        chains=chains,
        cores=cores,
        target_accept=target_accept,
        max_seconds=max_seconds,
        sampler=sampler,
        seed=seed,
    )
    shown = Progress.of(progress)
    with shown.stage("reading", "reading and checking the runs"):
        table = load_runs(runs).with_inputs(procedure.law.own_inputs)
    return procedure.run(table, shown)


def build_model(
    runs: Any,
    law: str | Law = DEFAULT,
    *,
    prior: Literal["population", "weak"] | Population = "population",
    pooling: Pooling | Literal["auto"] | Mapping[str, Pooling] = "auto",
    noise: Noise = "student-t",
    priors: Mapping[str, Prior] | None = None,
    quadratic: bool = False,
) -> "pm.Model":
    """Build the PyMC model that :func:`fit` samples, to inspect, extend or sample it yourself.

    Parameters
    ----------
    runs, law, prior, pooling, noise, priors
        As of :func:`fit`.
    quadratic : bool
        With a population that has a share of draws with a quadratic in log sizes the posterior is a
        mixture of two: whether to build the model of those draws, and not that of the others.

    Returns
    -------
    pymc.Model
        Free variables ``mu``, ``tau``, ``theta`` and ``log_excess_nu``, in the terms in which
        priors hold: where priors are learned, at the middle of each family's runs and in units of
        its typical loss. Named parameters (``alpha_N``, ``alpha_N_population``, ``alpha_N_spread``,
        ``nu``) are deterministic variables in the terms of :attr:`Fit.posterior`: at the
        reference point that the data ``reference_<input>`` state, in the unit of the loss. The
        observed variable is ``log_loss``.

    Raises
    ------
    DataError
        If rows are unusable or too few.
    LawError
        If the law or its priors are, or a parameter has the name of another variable.

    Examples
    --------
    >>> import bayes_scaling as bs
    >>> model = bs.build_model(bs.datasets.load("byte_lm"), "chinchilla", prior="weak")
    >>> [variable.name for variable in model.free_RVs]
    ['mu', 'tau', 'theta', 'log_excess_nu']
    >>> "alpha_N" in model.named_vars
    True
    """
    from bayes_scaling.model.build import build
    from bayes_scaling.model.family_coordinates import FamilyCoordinates

    procedure = Procedure.of(law, prior=prior, pooling=pooling, noise=noise, priors=priors)
    rows = _rows_of(load_runs(runs).with_inputs(procedure.law.own_inputs))
    mixture, frame = procedure.specify(rows)
    spec = mixture.components[-1 if quadratic else 0][0]
    design = arrays(spec, frame, rows)
    coordinates = FamilyCoordinates.of(spec, frame, design)
    return build(spec, frame, design, coordinates, named=True)
