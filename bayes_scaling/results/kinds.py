"""Results of other commands that a report takes: which there are, and reading their files."""

import functools
import operator
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

from bayes_scaling.core.json_files import Saved, read_json
from bayes_scaling.core.result import Result, decode, kind_name
from bayes_scaling.core.version_1 import upgraded
from bayes_scaling.curves import Verdict
from bayes_scaling.decisions import BudgetFrontier, Marginal, NextRuns, Plan, ShapeChoice
from bayes_scaling.errors import FileError
from bayes_scaling.forecast import Backtest
from bayes_scaling.schemas.checking import what_is_wrong

__all__ = ["KINDS", "Recorded", "kind_of", "load_result"]


class Recorded(Saved):
    """A result known by the content of its file alone."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self.content = dict(content)

    def to_dict(self) -> dict[str, Any]:
        """The content of the file."""
        return dict(self.content)


_TYPES: tuple[type[Result], ...] = (
    *(Plan, BudgetFrontier, Marginal, NextRuns, ShapeChoice),
    Verdict,
)

KINDS: Mapping[str, Callable[[dict[str, Any]], Saved | Result]] = {
    **{kind_name(kind): kind.from_dict for kind in _TYPES},
    "backtest": Backtest.from_dict,
    "comparison": Recorded,
}
"""What a report takes, by the name of its schema, and how it is made from the content of a file."""


def kind_of(content: Mapping[str, Any]) -> str | None:
    """The name of the schema that a content states; None for what no report takes."""
    stated = str(content.get("schema", ""))
    name = stated.removeprefix("bayes_scaling.").partition("/")[0]
    if name not in KINDS:
        return None
    version = {"backtest": "2"}.get(name, "1")
    known = {kind_name(kind): kind.__struct_config__.tag for kind in _TYPES}
    return name if stated == known.get(name, f"bayes_scaling.{name}/{version}") else None


def load_result(path: str | PathLike[str]) -> Saved | Result:
    """Read a file that a command wrote, whichever it is.

    Parameters
    ----------
    path : path-like
        A plan, frontier, table of marginal gains, ranking of next runs, choice of shapes,
        backtest, comparison or verdict, as JSON.

    Returns
    -------
    Plan, BudgetFrontier, Marginal, NextRuns, ShapeChoice, Backtest, Verdict or Recorded
        What was saved; a comparison, whose fits are not in its file, as its content.

    Raises
    ------
    FileError
        If the file cannot be read, or is not what its schema says.
    """
    content = upgraded(read_json(path, "a plan or another result"))
    name = kind_of(content)
    if name is None:
        raise FileError(
            f"{path} is not a plan or another result: its schema is {content.get('schema')!r}; it "
            f"can be that of {', '.join(KINDS)}"
        )
    if name in map(kind_name, _TYPES):
        found: Result = decode(content, functools.reduce(operator.or_, _TYPES), str(path))
        return found
    wrong = what_is_wrong(content, name)
    if wrong:
        raise FileError(f"{path} is not a whole {name}: {wrong}")
    return KINDS[name](content)
