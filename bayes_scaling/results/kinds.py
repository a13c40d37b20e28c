"""Results of other commands that a report takes: which there are, and reading their files."""

from collections.abc import Mapping
from os import PathLike
from typing import Any

from bayes_scaling.core.result import Result, kind_name, load
from bayes_scaling.curves import Verdict
from bayes_scaling.decisions import BudgetFrontier, Marginal, NextRuns, Plan, ShapeChoice
from bayes_scaling.forecast import Backtest, Comparison

__all__ = ["KINDS", "kind_of", "load_result"]

_ANY = Plan | BudgetFrontier | Marginal | NextRuns | ShapeChoice | Backtest | Comparison | Verdict

KINDS: Mapping[str, type[Result]] = {kind_name(kind): kind for kind in _ANY.__args__}
"""Types of the results that a report takes, by the name of their schema."""


def kind_of(content: Mapping[str, Any]) -> str | None:
    """Return the name of the schema that a content states; None for what no report takes."""
    tags = {kind.__struct_config__.tag: name for name, kind in KINDS.items()}
    return tags.get(str(content.get("schema", "")))


def load_result(path: str | PathLike[str]) -> Result:
    """Read a file that a command wrote, whichever it is.

    Parameters
    ----------
    path : path-like
        A plan, frontier, table of marginal gains, ranking of next runs, choice of shapes,
        backtest, comparison or verdict, as JSON.

    Returns
    -------
    Plan, BudgetFrontier, Marginal, NextRuns, ShapeChoice, Backtest, Comparison or Verdict
        What was saved; a comparison without its fits, which are not in its file.

    Raises
    ------
    FileError
        If the file cannot be read, or is not what its schema says.

    Examples
    --------
    >>> bs.load_result("plan.json").family
    'web'
    """
    found: Result = load(path, _ANY)
    return found
