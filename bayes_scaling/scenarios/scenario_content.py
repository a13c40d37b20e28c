"""A scenario from the plain values in which a plan's file states it."""

from collections.abc import Mapping
from typing import Any

from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.alternatives import Alternative
from bayes_scaling.scenarios.amounts import read_amount
from bayes_scaling.scenarios.costs import Compute, Data, Inference
from bayes_scaling.scenarios.limits import Limits, ShapeLimits
from bayes_scaling.scenarios.risk import Risk
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["scenario_from"]

_PLAIN = ("devices", "owned")
_SHARES = ("utilisation", "prompt_utilisation", "output_utilisation")


def scenario_from(content: Mapping[str, Any]) -> Scenario:
    """The scenario whose plain values :meth:`Scenario.to_dict` gave.

    Parameters
    ----------
    content : mapping
        As it stands in a plan's file, in the units of :class:`Scenario`.

    Raises
    ------
    ScenarioError
        If it is not such a mapping, or a number is out of range.
    """
    try:
        given = {name: value for name, value in content.items() if value is not None}
        shape = given.pop("shape", None)
        return Scenario(
            risk=Risk(**given.pop("risk", {})),
            limits=Limits(**given.pop("limits", {})),
            shape=None if shape is None else ShapeLimits(**shape),
            alternatives=tuple(Alternative(**other) for other in given.pop("alternatives", ())),
            compute=_part(Compute, given.pop("compute", None)),
            data=_part(Data, given.pop("data", None), owned=float("inf")),
            inference=_part(Inference, given.pop("inference", None)),
            **given,
        )
    except (AttributeError, TypeError) as error:
        raise ScenarioError(f"the scenario of the plan cannot be read: {error}") from error


def _part(kind: Any, content: Mapping[str, Any] | None, **absent: float) -> Any:
    """One part of a scenario; numbers that are infinite are absent from files."""
    if content is None:
        return None
    values = {
        name: value
        if value is None or name in _PLAIN
        else read_amount(name, value, "", "1", zero=True, most=1.0 if name in _SHARES else _ANY)
        for name, value in content.items()
    }
    return kind(**values | {n: v for n, v in absent.items() if values.get(n, 0) is None})


_ANY = float("inf")
