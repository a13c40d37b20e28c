"""Names of version 0.1: the one table from them to those of today."""

import warnings
from collections.abc import Mapping
from typing import Any

from bayes_scaling.core.arguments import is_number
from bayes_scaling.core.version_1 import SCENARIO_NAMES
from bayes_scaling.errors import ScenarioError

__all__ = ["attribute", "renamed"]

_OLD = {"budget", *SCENARIO_NAMES}
_BUDGET = {"compute": "compute_budget", "money": "money_budget", "time": "time_budget"}
"""Keys of the table ``[budget]``, which today stand at the top; others kept their name."""


def renamed(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a scenario's values by the names of today, with a warning for each old one.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings(record=True):
    ...     warnings.simplefilter("always")
    ...     renamed({"budget": {"compute": "1e22 FLOP"}, "worth": "5 MUSD"})
    {'compute_budget': '1e22 FLOP', 'value_per_nat': '5 MUSD'}
    """
    found = {name: value for name, value in content.items() if name not in _OLD}
    for name, value in content.items():
        if name not in _OLD:
            continue
        if name == "budget":
            table = value if isinstance(value, Mapping) else {"compute": value}
            unknown = next((key for key in table if key not in (*_BUDGET, "confidence")), None)
            if unknown is not None:
                legal = ", ".join((*_BUDGET, "confidence"))
                raise ScenarioError(f"budget.{unknown} is unknown; it can be {legal}")
            new = {_BUDGET.get(key, key): part for key, part in table.items()}
        else:
            # The old name said that a plain number is in seconds.
            timed = name == "seconds" and is_number(value)
            new = {SCENARIO_NAMES[name]: f"{float(value)!r} s" if timed else value}
        for twice in set(new) & set(found):
            raise ScenarioError(f"{twice} is given twice, once as {name!r}; write {twice} alone")
        found |= new
        warnings.warn(
            f"{name!r} is an old name in a scenario, write {', '.join(new)}",
            DeprecationWarning,
            stacklevel=4,
        )
    return found


def attribute(scenario: Any, name: str) -> Any:
    """Return an attribute of a scenario by its old name, with a warning.

    Raises
    ------
    AttributeError
        If it is no such name.
    """
    if name not in SCENARIO_NAMES:
        raise AttributeError(f"'Scenario' object has no attribute {name!r}")
    new = SCENARIO_NAMES[name]
    warnings.warn(f"Scenario.{name} is deprecated; use {new}", DeprecationWarning, stacklevel=3)
    return getattr(scenario, new)
