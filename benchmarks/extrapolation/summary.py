"""Averages of results: runs of a family, families of a root, roots of equal weight."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.extrapolation.cases import ALL
from benchmarks.extrapolation.methods import BOOTSTRAP, METHODS
from benchmarks.extrapolation.results import KEY, SCORES

BY = ["ratio", "method"]
QUALITY = {"r_hat": "max", "ess": "min", "divergences": "max", "seconds": "median"}


def order(names: Sequence[str]) -> list[str]:
    """Sort methods as the list of methods has them; others come last."""
    known = list(METHODS)
    return sorted(names, key=lambda name: (name not in known, name in known and known.index(name)))


def scored(results: pd.DataFrame, *, few: bool = False) -> pd.DataFrame:
    """Return rows that have a score, of all runs of a root or of samples of few."""
    kept = (results["sample"] != ALL) if few else (results["sample"] == ALL)
    rows = results[kept & results["error"].notna()]
    return rows.assign(absolute=rows["error"].abs())


def by_root(rows: pd.DataFrame) -> pd.DataFrame:
    """Average over runs of each family, then over families of each root.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of :func:`scored`.

    Returns
    -------
    pandas.DataFrame
        Index ratio, method, root.
    """
    columns = [*SCORES, "absolute"]
    families = rows.groupby([*BY, "root", "family"])[columns].mean()
    return families.groupby([*BY, "root"]).mean()


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Average over roots.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of :func:`scored`.

    Returns
    -------
    pandas.DataFrame
        Index ratio, method. Macro averages, ``roots`` (how many the method applies to),
        ``lowest`` (coverage of the 90% interval on the root where it is least), ``geo_interval``
        and ``geo_absolute`` (geometric means), the worst quality of a fit, its median seconds.
    """
    roots = by_root(rows)
    groups = roots.groupby(BY)
    macro = groups.mean()
    macro.insert(0, "roots", groups.size())
    macro["lowest"] = groups["in_90"].min()
    for name in ("interval", "absolute"):
        macro[f"geo_{name}"] = np.exp(np.log(roots[name]).groupby(BY).mean())
    return macro.join(rows.drop_duplicates([*KEY, "family"]).groupby(BY).agg(QUALITY))


def over_others(rows: pd.DataFrame, score: str) -> pd.DataFrame:
    """Divide a score by that of others on the same root.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of :func:`scored`.
    score : {"interval", "crps", "absolute"}
        Which.

    Returns
    -------
    pandas.DataFrame
        Index ratio, method, root; columns bootstrap (Huber with bootstrap) and best (of the other
        baselines, the best in this score); NaN where there is none.
    """
    table = by_root(rows).pivot_table(score, ["ratio", "root"], "method")
    none = pd.Series(np.nan, index=table.index)
    found = {}
    for name in table:
        others = [m for m in table if m in METHODS and METHODS[m].baseline and m != name]
        best = table[others].min(axis=1) if others else none
        others_score = {"bootstrap": table.get(BOOTSTRAP, none), "best": best}
        found[name] = pd.DataFrame(
            {key: table[name] / value for key, value in others_score.items()}
        )
    joined = pd.concat(found, names=["method"]).reorder_levels([*BY, "root"])
    return joined[joined.index.isin(by_root(rows).index)].sort_index()


def against(rows: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return geometric means of :func:`over_others` over roots, index ratio, method."""
    return np.exp(np.log(over_others(rows, score)).groupby(BY).mean())


def reasons(results: pd.DataFrame) -> pd.DataFrame:
    """Return where a method gave no forecast: ratio, method, family, reason."""
    rows = results[(results["error"].isna()) & (results["sample"] == ALL)]
    return rows[[*BY, "root", "family", "reason"]].drop_duplicates(ignore_index=True)
