"""Tables of runs with a known truth, for tests and for planning a sweep."""

from collections.abc import Mapping
from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling import laws
from bayes_scaling.core.arguments import is_number, needs, shown
from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.errors import DataError, LawError
from bayes_scaling.laws import Law
from bayes_scaling.model.input_table import input_table

__all__ = ["simulate"]

Truth = Mapping[str, float] | Mapping[str, Mapping[str, float]]


def simulate(
    law: str | Law,
    design: pd.DataFrame,
    truth: Truth,
    *,
    noise: float = 0.005,
    nu: float | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Simulate the runs of a law with known parameters.

    Parameters
    ----------
    law : str or Law
        The true law.
    design : pandas.DataFrame
        One row per run: ``params`` (parameters), ``tokens`` (tokens) and optionally ``flops``
        (FLOP; 6·N·D if absent), ``unique_tokens`` (tokens; all fresh if absent), ``family``,
        ``run``, and what else the law reads.
    truth : mapping
        Parameter values in published units (amplitudes at N = D = 1), for all families, or one
        such mapping by family.
    noise : float
        Scale of the noise on log loss; 0.005 is half a percent of the loss.
    nu : float, optional
        Degrees of freedom of Student-t noise; normal if absent.
    seed : int
        Seed of the noise.

    Returns
    -------
    pandas.DataFrame
        The design with ``flops``, ``family``, ``run`` and ``loss`` (nats/token), the noise-free
        ``loss_curve``, and index as given.

    Raises
    ------
    DataError
        If the design lacks a column, a value is not positive, or the noise is negative.
    LawError
        If the truth lacks a parameter.

    Examples
    --------
    >>> design = pd.DataFrame({"params": [1e8, 1e9], "tokens": [1e10, 1e10]})
    >>> truth = {"floor": 1.7, "A": 400.0, "alpha_N": 0.34, "B": 410.0, "alpha_D": 0.28}
    >>> bs.simulate("chinchilla", design, truth, noise=0.0)["loss"].round(3).tolist()
    [3.112, 2.698]
    """
    law = laws.get(law)
    needs(design, pd.DataFrame, "design", "a DataFrame of params and tokens is needed", DataError)
    wanted = "a mapping of parameters to values is needed, or one such by family"
    needs(truth, Mapping, "truth", wanted, LawError)
    table = _complete(design, noise)
    values = _values_by_row(law, table["family"], truth)
    inputs = input_table(law, table)
    curve = law.loss({name: inputs[name].to_numpy() for name in law.inputs}, values)
    rng = generator(Stream.SIMULATED_RUNS, seed)
    standard = rng.normal(size=len(table)) if nu is None else rng.standard_t(nu, size=len(table))
    return table.assign(loss=curve * np.exp(noise * standard), loss_curve=curve)


def _complete(design: pd.DataFrame, noise: float) -> pd.DataFrame:
    if not (is_number(noise) and 0 <= noise < np.inf):
        raise DataError(f"noise is {shown(noise)}, a scale of 0 or more is needed")
    for column in ("params", "tokens"):
        if column not in design:
            raise DataError(f"the design has no column {column!r}")
        if not (design[column] > 0).all():
            raise DataError(f"column {column!r} of the design must be above 0 in every row")
    table = design.astype({"params": np.float64, "tokens": np.float64})
    if "flops" not in table:
        table["flops"] = 6.0 * table["params"] * table["tokens"]
    if "family" not in table:
        table["family"] = "all"
    if "run" not in table:
        table["run"] = [f"run{i}" for i in range(len(table))]
    return table


def _values_by_row(
    law: Law, family: "pd.Series[str]", truth: Truth
) -> dict[str, NDArray[np.float64]]:
    by_family: dict[str, Mapping[str, float]] = {}
    for name in dict.fromkeys(family):
        own = truth.get(name)
        by_family[name] = own if isinstance(own, Mapping) else cast("Mapping[str, float]", truth)
        lacking = [parameter for parameter in law.names if parameter not in by_family[name]]
        if lacking:
            raise LawError(
                f"the truth of family {name!r} has no {lacking[0]!r}; "
                f"law {law.name!r} needs {', '.join(law.names)}"
            )
        for parameter in law.names:
            value = by_family[name][parameter]
            if not (is_number(value) and value > 0):
                raise LawError(
                    f"{parameter!r} of the truth is {shown(value)}, a number above 0 is needed"
                )
    return {
        parameter: np.array([float(by_family[name][parameter]) for name in family])
        for parameter in law.names
    }
