"""Typical values of a family's runs in inputs that a configuration need not state."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from bayes_scaling.core.caveat import Caveat, Datum
from bayes_scaling.laws import Law
from bayes_scaling.laws.law_inputs import typical_at, typical_inputs
from bayes_scaling.model.input_table import input_values

__all__ = ["fill_typical", "typical", "typical_caveats"]


def typical(law: Law, runs: pd.DataFrame, family: str) -> dict[str, float]:
    """Compute the typical inputs of a family's runs, or of all runs where it has none.

    Parameters
    ----------
    law : Law
        The law; inputs that have an optimal value are left out.
    runs : pandas.DataFrame
        The fitted runs in canonical columns.
    family : str
        The family.

    Returns
    -------
    dict of str to float
        By input, natural log of its geometric mean over its power law in the sizes:
        ``levels`` of :func:`bayes_scaling.laws.law_inputs.inputs_at`.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> from bayes_scaling.model import typical
    >>> levels = typical(laws.get("gemstones"), pd.read_csv("runs.csv"), "web")
    >>> sorted(levels)
    ['d_model', 'n_layer']
    """
    levels: dict[str, float] = {}
    entries = typical_inputs(law)
    if not entries:
        return levels
    own = runs[runs["family"] == family]
    rows = own if len(own) else runs
    for name, entry in entries.items():
        grown = [power * np.log(rows[of]) for of, power in entry.grows.items()]
        level = np.log(input_values(entry, rows)) - sum(grown)
        levels[name] = float(level.mean())
    return levels


def typical_caveats(law: Law, runs: pd.DataFrame, families: Iterable[str]) -> list[Caveat]:
    """Return caveats on the inputs that a forecast or plan of sizes alone takes from the runs.

    Parameters
    ----------
    law : Law
        The law.
    runs : pandas.DataFrame
        The fitted runs in canonical columns.
    families : iterable of str
        The families of the forecast.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> from bayes_scaling.model import typical_caveats
    >>> runs = pd.read_csv("runs.csv")
    >>> [c.subject for c in typical_caveats(laws.get("kaplan-steps"), runs, ["web"])]
    ['step', 'batch_tokens']
    """
    by_family = {family: typical(law, runs, family) for family in families}
    found = []
    for name, entry in typical_inputs(law).items():
        values = {family: float(np.exp(levels[name])) for family, levels in by_family.items()}
        how = ", ".join(f"{value:.4g} ({family})" for family, value in values.items())
        if entry.grows:
            how = f"as at that size, growing with {' and '.join(entry.grows)}"
        text = f"{name} is typical of the family's runs wherever it is not stated: {how}."
        data: dict[str, Datum] = {} if entry.grows else {**values}
        found.append(
            Caveat(code="typical-input", severity="warning", subject=name, text=text, data=data)
        )
    return found


def fill_typical(
    law: Law, runs: pd.DataFrame, table: pd.DataFrame
) -> tuple[pd.DataFrame, list[Caveat]]:
    """Fill blank inputs of configurations with the typical values of their family's runs.

    Parameters
    ----------
    law : Law
        The law that reads them.
    runs : pandas.DataFrame
        The fitted runs.
    table : pandas.DataFrame
        Configurations in canonical columns, each with its family.

    Returns
    -------
    pandas.DataFrame
        With the columns that the law reads.
    list of Caveat
        What was assumed.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> from bayes_scaling.model import fill_typical
    >>> configs = pd.read_csv("configs.csv")
    >>> filled, caveats = fill_typical(laws.get("kaplan-steps"), pd.read_csv("runs.csv"), configs)
    >>> "batch_tokens" in filled, caveats[0].code
    (True, 'typical-input')
    """
    by_family = {str(name): typical(law, runs, str(name)) for name in table["family"].unique()}
    values = {name: input_values(entry, table) for name, entry in typical_inputs(law).items()}
    blank_rows: dict[tuple[int, ...], list[str]] = {}
    for name, blank in ((name, found.isna()) for name, found in values.items()):
        for family, rows in table[blank].groupby("family"):
            sizes = np.log(rows["params"]), np.log(rows["tokens"])
            logs = typical_at(law, *sizes, by_family[str(family)])
            values[name] = values[name].fillna(np.exp(logs[name]))
        if blank.any():
            blank_rows.setdefault(tuple(np.flatnonzero(blank)), []).append(name)
    return table.assign(**values), [
        Caveat(
            code="typical-input",
            severity="warning",
            subject=" and ".join(names),
            text=f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} not stated in "
            f"{len(rows)} of {len(table)} rows: {_assumption(names, values, list(rows))}.",
            data={"rows": len(rows), "of": len(table)},
        )
        for rows, names in blank_rows.items()
    ]


def _assumption(names: list[str], values: Mapping[str, "pd.Series[float]"], rows: list[int]) -> str:
    """What is assumed of some rows, with its value where that is one for all of them."""
    found = {name: values[name].iloc[rows].to_numpy() for name in names}
    one = [f"{name} = {each[0]:.4g}" for name, each in found.items() if np.ptp(each) == 0.0]
    shown = f" ({', '.join(one)})" if one else ""
    return f"what is typical of the family's runs is assumed{shown}"
