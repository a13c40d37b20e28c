"""Posterior contraction of parameters, and their posterior correlations."""

from itertools import combinations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.laws import ops

__all__ = ["MOSTLY_PRIOR", "components_of", "contraction", "correlations", "labels"]

MOSTLY_PRIOR = 0.5
"""Contraction below which a parameter is called mostly prior: its log sd shrank by under 30%."""


def contraction(dt: xr.DataTree) -> "pd.Series[float]":
    """Compute the posterior contraction of every parameter, on its log.

    1 - var(posterior) / var(prior) (Schad, Betancourt and Vasishth 2021, Section 4.3): 1 where
    the runs decide, near 0 where the posterior is the prior. A spread or a population median may
    be little contracted however many runs there are, if there are few families.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree, with groups posterior and prior.

    Returns
    -------
    pandas.Series
        Index: ``name[family]`` or ``name``.
    """
    posterior, prior = dt["posterior"].to_dataset(), dt["prior"].to_dataset()
    found: dict[str, float] = {}
    for key in posterior.data_vars:
        name = str(key)
        if name not in prior:
            continue
        after = ops.log(posterior[name]).var(("chain", "draw"))
        before = ops.log(prior[name]).var(("chain", "draw"))
        ratio: xr.DataArray = 1.0 - after / before
        found |= dict(zip(labels(posterior[name]), map(float, ratio.to_numpy().flat), strict=True))
    return pd.Series(found, dtype=np.float64)


def components_of(dt: xr.DataTree, draws: int) -> NDArray[np.int64]:
    """Return the component of each draw, chain after chain; 0 where the posterior is no mixture.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree.
    draws : int
        Draws of all chains.
    """
    stats = dt["sample_stats"].to_dataset()
    if "component" not in stats:
        return np.zeros(draws, dtype=np.int64)
    found: NDArray[np.int64] = stats["component"].transpose("chain", "draw").to_numpy().ravel()
    return found.astype(np.int64)


def labels(draws: xr.DataArray) -> list[str]:
    """Names of the parameters in a variable of a fit: ``name[family]`` or ``name``."""
    if "family" not in draws.dims:
        return [str(draws.name)]
    return [f"{draws.name}[{family}]" for family in draws["family"].to_numpy()]


def correlations(dt: xr.DataTree, names: tuple[str, ...]) -> pd.DataFrame:
    """Compute posterior correlations of the logs of a law's parameters, by family.

    Parameters
    ----------
    dt : xarray.DataTree
        A fit's tree.
    names : tuple of str
        The law's parameters.

    Returns
    -------
    pandas.DataFrame
        Columns family, first, second, correlation; the strongest first.
    """
    posterior = dt["posterior"].to_dataset()
    rows = []
    for family in posterior["family"].to_numpy():
        own = posterior.sel(family=family)
        logs = np.stack([np.log(own[name].to_numpy().ravel()) for name in names])
        # A parameter that does not vary (a prior of no width) correlates with none.
        with np.errstate(invalid="ignore", divide="ignore"):
            matrix = np.nan_to_num(np.atleast_2d(np.corrcoef(logs)))
        rows += [
            (str(family), names[i], names[j], float(matrix[i, j]))
            for i, j in combinations(range(len(names)), 2)
        ]
    table = pd.DataFrame(rows, columns=pd.Index(["family", "first", "second", "correlation"]))
    order = table["correlation"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[order].reset_index(drop=True)
