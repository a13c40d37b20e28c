"""Names of version 0.1: the one table from them to those of today."""

import warnings
from collections.abc import Mapping
from typing import Any

from bayes_scaling.core.arguments import is_number

__all__ = ["renamed", "scenario_of_version_1"]

_RENAMED = {
    "budget_flops": "compute_budget",
    "money": "money_budget",
    "seconds": "time_budget",
    "worth": "value_per_nat",
    "alternative": "alternatives",
}
_BUDGET = {"compute": "compute_budget", "money": "money_budget", "time": "time_budget"}
"""Keys of the table ``[budget]``, which today stand at the top; others kept their name."""


def renamed(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return a scenario's values by the names of today, with a warning for each old one.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True):
    ...     warnings.simplefilter("always")
    ...     renamed({"budget": {"compute": "1e22 FLOP"}, "worth": "5 MUSD"})
    {'compute_budget': '1e22 FLOP', 'value_per_nat': '5 MUSD'}
    """
    found: dict[str, Any] = {}
    for name, value in content.items():
        if name == "budget":
            table = value if isinstance(value, Mapping) else {"compute": value}
            new = {_BUDGET.get(key, key): part for key, part in table.items()}
        elif name in _RENAMED:
            # The old name said that a plain number is in seconds.
            timed = name == "seconds" and is_number(value)
            new = {_RENAMED[name]: f"{float(value)!r} s" if timed else value}
        else:
            found[name] = value
            continue
        found |= new
        warnings.warn(
            f"{name!r} is an old name in a scenario, write {', '.join(new)}",
            DeprecationWarning,
            stacklevel=4,
        )
    return found


def scenario_of_version_1(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scenario of a plan of version 1 with the names of today.

    Parameters
    ----------
    content : mapping
        As it stands in the file; what is null takes its default.

    Examples
    --------
    >>> scenario_of_version_1({"budget_flops": 1e22, "money": None, "risk": {"measure": "mean"}})
    {'compute_budget': 1e+22, 'risk': {'measure': 'mean'}}
    """
    return {_RENAMED.get(n, n): _stated(value) for n, value in content.items() if value is not None}


def _stated(value: Any) -> Any:
    return {n: v for n, v in value.items() if v is not None} if isinstance(value, dict) else value
