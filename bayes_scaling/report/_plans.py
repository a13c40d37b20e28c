"""Allocation plans as plain values, whether just made or read from a file."""

from collections.abc import Mapping
from typing import Any, Protocol

from bayes_scaling.decisions.plan import SCHEMA
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.report._plain import plain

__all__ = ["PlanLike", "as_dict", "checked"]

_NEEDED = ("family", "law", "budget_flops", "recommended", "loss", "extrapolation")


class PlanLike(Protocol):
    """Anything that tells its content, as a plan of :mod:`bayes_scaling.decisions` does."""

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain values."""
        ...


def as_dict(plan: PlanLike | Mapping[str, Any]) -> dict[str, Any]:
    """The content of a plan, checked for its schema.

    Raises
    ------
    ScenarioError
        If it is not a plan.
    """
    content = dict(plan if isinstance(plan, Mapping) else plan.to_dict())
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


def checked(plan: PlanLike | Mapping[str, Any], fit: Fit) -> dict[str, Any]:
    """The content of a plan that belongs to a fit.

    Raises
    ------
    ScenarioError
        If it is not a plan, or was made from another law, other runs or other families.
    """
    content = as_dict(plan)
    if content["law"] != fit.law.name:
        raise ScenarioError(
            f"the plan for family {content['family']!r} was made with law {content['law']!r}; "
            f"the fit is of law {fit.law.name!r}"
        )
    if content.get("runs_hash", fit.dt.attrs["runs_hash"]) != fit.dt.attrs["runs_hash"]:
        raise ScenarioError(
            f"the plan for family {content['family']!r} was made from other runs than the fit "
            f"(hash {str(content['runs_hash'])[:12]}…, the fit has "
            f"{str(fit.dt.attrs['runs_hash'])[:12]}…)"
        )
    if content.get("family_seen", True) and content["family"] not in fit.families:
        raise ScenarioError(
            f"the plan is for family {content['family']!r}, which is not in the fit; "
            f"it has {', '.join(map(repr, fit.families))}"
        )
    return content
