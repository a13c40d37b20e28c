"""Results of other commands that a report takes: which there are, and reading their files."""

from os import PathLike

from bayes_scaling.core.result import load
from bayes_scaling.curves import Verdict
from bayes_scaling.decisions import BudgetFrontier, Marginal, NextRuns, Plan, ShapeChoice
from bayes_scaling.forecast import Backtest, Comparison

__all__ = ["AnyResult", "load_result"]

AnyResult = (
    Plan | BudgetFrontier | Marginal | NextRuns | ShapeChoice | Backtest | Comparison | Verdict
)
"""Types of results that a report takes; the schema of a file tells which it is."""


def load_result(path: str | PathLike[str]) -> AnyResult:
    """Load a result of any kind from its file.

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
    >>> plan = bs.load_result("plan.json")
    >>> type(plan).__name__, plan.family
    ('Plan', 'web')
    """
    found: AnyResult = load(path, AnyResult)
    return found
