"""Which fit a result belongs to."""

from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

from bayes_scaling.core.arguments import shown
from bayes_scaling.core.result import Result, decode, kind_name
from bayes_scaling.curves import Verdict
from bayes_scaling.decisions import Plan
from bayes_scaling.decisions.decision_result import DecisionResult
from bayes_scaling.errors import FileError, ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.results.kinds import AnyResult

__all__ = ["ResultLike", "as_plan", "belonging", "of_kind"]

ResultLike = Result | Mapping[str, Any]
"""A result, or the content of its file."""


def belonging(results: Iterable[ResultLike], fit: Fit) -> list[AnyResult]:
    """Return results that belong to a fit.

    Parameters
    ----------
    results : iterable of Plan, BudgetFrontier, Backtest, … or mapping
        Results, or the content of their files.
    fit : Fit
        The fit.
    """
    found = [_typed(result) for result in results]
    for result in found:
        _check(result, fit)
    return found


def of_kind[T: Result](results: Iterable[Result], kind: type[T]) -> list[T]:
    """Return the results of one type, in their order.

    Examples
    --------
    >>> results = [bs.load_result("plan.json")]
    >>> len(of_kind(results, bs.Plan)), len(of_kind(results, bs.Backtest))
    (1, 0)
    """
    return [result for result in results if isinstance(result, kind)]


def as_plan(plan: ResultLike, fit: Fit | None = None) -> Plan:
    """Return a plan, or the plan whose content is given.

    Parameters
    ----------
    plan : Plan or mapping
        A plan, or the content of its file.
    fit : Fit, optional
        The fit to which it must belong.
    """
    found = _typed(plan)
    if not isinstance(found, Plan):
        raise ScenarioError(f"this is not a plan: it is a {_name(found)}")
    if fit is not None:
        _check(found, fit)
    return found


def _typed(result: ResultLike) -> AnyResult:
    if isinstance(result, get_args(AnyResult)):
        return cast("AnyResult", result)
    if not isinstance(result, Mapping):
        raise ScenarioError(
            f"a result is {shown(result)}; give a Plan or another result, or "
            'bayes_scaling.load_result("plan.json") for a file'
        )
    try:
        found: AnyResult = decode(dict(result), AnyResult)
    except FileError as error:
        raise ScenarioError(str(error)) from error
    return found


def _name(result: Result) -> str:
    return kind_name(type(result)).replace("_", " ")


def _check(result: AnyResult, fit: Fit) -> None:
    """Refuse what was made from another law, other runs or other families; a run has no fit."""
    if isinstance(result, Verdict):
        return
    what = f"the {_name(result)}"
    decision = result if isinstance(result, DecisionResult) else None
    if decision is not None:
        what += f" for family {decision.family!r}"
        if decision.law != fit.law.name:
            raise ScenarioError(
                f"{what} was made with law {decision.law!r}; the fit is of law {fit.law.name!r}"
            )
    own = str(fit.dt.attrs["runs_hash"])
    if result.runs_hash != own:
        raise ScenarioError(
            f"{what} was made from other runs than the fit (hash {result.runs_hash[:12]}…, the "
            f"fit has {own[:12]}…)"
        )
    if decision is not None and decision.family_seen and decision.family not in fit.families:
        raise ScenarioError(
            f"{what} was made from a fit that has this family; this one has "
            f"{', '.join(map(repr, fit.families))}"
        )
