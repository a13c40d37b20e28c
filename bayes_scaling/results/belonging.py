"""What a report is given beside the fit: plans and other results that belong to it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bayes_scaling.core.arguments import shown
from bayes_scaling.core.json_files import plain
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.results.kinds import KINDS, kind_of

__all__ = ["Given", "ResultLike", "as_dict", "checked", "only_compute", "sorted_out"]

_NEEDED = ("family", "law", "budget_flops", "recommended", "loss", "extrapolation")
SCHEMA = "bayes_scaling.plan/2"
_TABLES = ("backtest", "comparison")
"""Made from a table of runs, for laws of their own."""


class ResultLike(Protocol):
    """Anything that tells its content, as what :mod:`bayes_scaling.decisions` finds does."""

    def to_dict(self) -> dict[str, Any]:
        """The result as plain values."""
        ...


@dataclass(frozen=True)
class Given:
    """Contents of results that belong to a fit.

    Attributes
    ----------
    plans : tuple of dict
        Plans, in the order given.
    others : dict of str to list of dict
        The rest, by the name of its schema; every name is there.
    """

    plans: tuple[dict[str, Any], ...]
    others: dict[str, list[dict[str, Any]]]


def sorted_out(results: Iterable[ResultLike | Mapping[str, Any]], fit: Fit) -> Given:
    """Sort results by what they are, and see that they belong to a fit.

    Raises
    ------
    ScenarioError
        If one is nothing that a report takes, or was made from another law, other runs or other
        families.
    """
    plans: list[dict[str, Any]] = []
    others: dict[str, list[dict[str, Any]]] = {name: [] for name in KINDS if name != "plan"}
    for result in results:
        content = _content(result)
        kind = kind_of(content)
        if kind in others:
            _belongs(content, kind, fit)
            others[kind].append(plain(content))
        else:
            plans.append(checked(content, fit))
    return Given(tuple(plans), others)


def as_dict(plan: ResultLike | Mapping[str, Any]) -> dict[str, Any]:
    """The content of a plan, checked for its schema.

    Raises
    ------
    ScenarioError
        If it is not a plan.
    """
    content = _content(plan)
    schema = content.get("schema")
    missing = [name for name in _NEEDED if content.get(name) is None]
    if schema != SCHEMA or missing:
        wrong = f"its schema is {schema!r}, {SCHEMA!r} is needed"
        raise ScenarioError(
            f"this is not a plan: {wrong}"
            if schema != SCHEMA
            else f"this is not a whole plan: it lacks {', '.join(missing)}"
        )
    result: dict[str, Any] = plain(content)
    return result


def checked(plan: ResultLike | Mapping[str, Any], fit: Fit) -> dict[str, Any]:
    """The content of a plan that belongs to a fit.

    Raises
    ------
    ScenarioError
        If it is not a plan, or was made from another law, other runs or other families.
    """
    content = as_dict(plan)
    _belongs(content, "plan", fit)
    return content


def only_compute(plan: Mapping[str, Any]) -> bool:
    """Whether a plan spends nothing but training compute, so that C = 6·N·D is its budget line."""
    scenario = plan.get("scenario") or {}
    return all(scenario.get(name) is None for name in ("money_budget", "time_budget", "inference"))


def _content(result: ResultLike | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(result, Mapping):
        return dict(result)
    if not callable(getattr(result, "to_dict", None)):
        raise ScenarioError(
            f"a result is {shown(result)}; give a Plan or another result, or "
            'bayes_scaling.load_result("plan.json") for a file'
        )
    return dict(result.to_dict())


def _belongs(content: Mapping[str, Any], kind: str, fit: Fit) -> None:
    """Refuse what was made from another law, other runs or other families; a run has no fit."""
    if kind == "verdict":
        return
    what = f"the {kind.replace('_', ' ')}"
    if kind not in _TABLES:
        what += f" for family {content['family']!r}"
        if content["law"] != fit.law.name:
            raise ScenarioError(
                f"{what} was made with law {content['law']!r}; the fit is of law {fit.law.name!r}"
            )
    own = str(fit.dt.attrs["runs_hash"])
    if content.get("runs_hash", own) != own:
        raise ScenarioError(
            f"{what} was made from other runs than the fit (hash "
            f"{str(content['runs_hash'])[:12]}…, the fit has {own[:12]}…)"
        )
    if kind in _TABLES:
        return
    if content.get("family_seen", True) and content["family"] not in fit.families:
        raise ScenarioError(
            f"the {kind.replace('_', ' ')} is for family {content['family']!r}, which is not in "
            f"the fit; it has {', '.join(map(repr, fit.families))}"
        )
