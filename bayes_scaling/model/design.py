"""From the table of runs to centred arrays, and to a specification of the model."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import pandas as pd

from bayes_scaling import laws
from bayes_scaling.errors import LawError
from bayes_scaling.laws import Law, Prior
from bayes_scaling.laws.log_quadratic import curvature_names, log_quadratic
from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.input_table import input_table
from bayes_scaling.model.population import LEARNED_SPREAD_SD, Population, population
from bayes_scaling.model.spec import NOISE, SPREAD_SD, Noise, Pooling, Spec, pooling_by_parameter

__all__ = ["arrays", "specify"]


def specify(
    table: pd.DataFrame,
    law: str | Law = "chinchilla",
    *,
    pooling: Pooling | Literal["auto"] | Mapping[str, Pooling] = "partial",
    noise: Noise = "student-t",
    prior: Literal["population", "weak"] | Population = "weak",
    priors: Mapping[str, Prior] | None = None,
) -> tuple[Spec, ReferenceFrame]:
    """Specify the hierarchical model of a table of runs.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows to fit, in canonical columns.
    law : str or Law
        The law of the mean.
    pooling : {"auto", "partial", "shared", "none"} or mapping
        For all parameters (see :func:`bayes_scaling.model.spec.pooling_by_parameter`), or by
        parameter (those not named are "partial").
    noise : {"student-t", "normal"}
        Distribution of log loss about the curve.
    prior : {"population", "weak"} or Population
        Priors learned from real families, with the law's error beyond the data, where they are
        known for the law; those of the law itself; or a population of your own.
    priors : mapping of str to Prior, optional
        Replaces single priors; ``sigma`` is the noise scale.

    Returns
    -------
    Spec
        The model.
    ReferenceFrame
        Reference point and unit of its parameters, for this table.

    Raises
    ------
    LawError
        If the law, a prior, the pooling or the noise is unknown.
    DataError
        If the table lacks a column that the law reads.

    Examples
    --------
    >>> from bayes_scaling.model import specify
    >>> spec, frame = specify(bs.load_runs("runs.csv").fit_rows(), "chinchilla")
    >>> spec.families
    ('web', 'code')
    """
    if noise not in get_args(Noise):
        raise LawError(f"noise is {noise!r}; it can be {', '.join(get_args(Noise))}")
    replaced = dict(priors or {})
    sigma = replaced.pop(NOISE.name, NOISE.prior)
    if not isinstance(sigma, Prior):
        raise LawError(f"the prior of 'sigma' is {sigma!r}; write Prior(median, sd, spread)")
    law = laws.get(law)
    known = _population(prior, law)
    if known:
        law = known.applied(law)
    pooled = pooling_by_parameter(
        law, pooling, table["family"].value_counts().tolist(), learned=known is not None
    )
    share = 0.0
    if known and known.curvature:
        law, share = log_quadratic(law, known.curvature.sd), known.curvature.share
        # Nothing is known of how families of one table resemble each other in it.
        pooled |= dict.fromkeys(curvature_names(law), "none")
    law = law.with_priors(replaced)
    families = tuple(dict.fromkeys(table["family"]))
    middle = input_table(law, table).map(math.log).groupby(table["family"]).mean()
    middle = middle.loc[list(families)]
    typical = np.log(table["loss"]).groupby(table["family"]).mean()
    for name, other in law.shared_reference.items():
        middle[name] = middle[other]
    spec = Spec(
        law=law,
        families=families,
        pooling=pooled,
        noise=noise,
        noise_parameter=replace(NOISE, prior=sigma),
        spread_sd=LEARNED_SPREAD_SD if known else SPREAD_SD,
        prior="weak" if known is None else "population" if prior == "population" else "own",
        discrepancy=known.discrepancy if known else None,
        curvature_share=share,
    )
    frame = ReferenceFrame(
        reference={name: float(middle[name].mean()) for name in law.inputs},
        centres={name: tuple(map(float, middle[name])) for name in law.inputs},
        loss_scale=float(np.exp(np.log(table["loss"]).mean())),
        loss_scales=tuple(map(float, np.exp(typical.loc[list(families)]))),
        own=known is not None and not (law.fixed_reference or law.unit_dependent),
    )
    return spec, frame


def _population(prior: str | Population, law: Law) -> Population | None:
    if isinstance(prior, Population):
        if prior.law != law.name:
            raise LawError(f"the population given is of law {prior.law!r}, not of {law.name!r}")
        return prior
    if not (isinstance(prior, str) and prior in ("population", "weak")):
        raise LawError(f"prior is {prior!r}; it can be population, weak, or a Population")
    # A law that comes with priors of its own keeps them.
    registered = laws.available().get(law.name)
    return population(law.name) if prior == "population" and law == registered else None


def arrays(spec: Spec, frame: ReferenceFrame, table: pd.DataFrame) -> Design:
    """Return the runs as arrays: log inputs relative to the reference point, and log losses.

    Parameters
    ----------
    spec : Spec
        Its families must include every family of the table.
    frame : ReferenceFrame
        Reference point of the inputs.
    table : pandas.DataFrame
        Rows in canonical columns, values positive and finite.

    Examples
    --------
    >>> from bayes_scaling.model import arrays, specify
    >>> rows = bs.load_runs("runs.csv").fit_rows()
    >>> arrays(*specify(rows, "chinchilla"), rows).log_loss.shape
    (40,)
    """
    index = {family: i for i, family in enumerate(spec.families)}
    family = np.array([index[name] for name in table["family"]], dtype=np.int64)
    inputs = input_table(spec.law, table)
    loss = table["loss"].to_numpy(dtype=np.float64)
    se = (
        table["loss_se"].fillna(0.0).to_numpy(dtype=np.float64)
        if "loss_se" in table
        else np.zeros(len(table))
    )
    return Design(
        inputs={
            name: np.log(inputs[name].to_numpy()) - frame.reference[name]
            for name in spec.law.inputs
        },
        family=family,
        log_loss=np.log(loss),
        relative_se=se / loss,
        run=_labels(table),
        centres=frame.centre_values(spec.law),
    )


def _labels(table: pd.DataFrame) -> tuple[str, ...]:
    """Names of the runs, with their place added where a name stands more than once."""
    names = [str(name) for name in table.get("run", table.index)]
    if len(set(names)) == len(names):
        return tuple(names)
    return tuple(f"{name}#{place}" for place, name in enumerate(names))
