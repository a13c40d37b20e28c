"""Contents of files of earlier versions, brought to the present one.

Versions of a file are counted by its tag, ``bayes_scaling.plan/1``. What warned a reader was a list
of sentences, ``warnings``; it is a list of caveats now.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["CURRENT", "SCENARIO_NAMES", "upgraded"]

type Content = dict[str, Any]

CURRENT = {
    "bayes_scaling.plan/1": "bayes_scaling.plan/2",
    "bayes_scaling.frontier/1": "bayes_scaling.frontier/2",
    "bayes_scaling.marginal/1": "bayes_scaling.marginal/2",
    "bayes_scaling.next_runs/1": "bayes_scaling.next_runs/2",
    "bayes_scaling.shapes/1": "bayes_scaling.shapes/2",
    "bayes_scaling.verdict/1": "bayes_scaling.verdict/2",
    "bayes_scaling.backtest/2": "bayes_scaling.backtest/3",
    "bayes_scaling.comparison/1": "bayes_scaling.comparison/2",
    "bayes_scaling.forecast/1": "bayes_scaling.forecast/2",
    "bayes_scaling.sbc/1": "bayes_scaling.sbc/2",
}
"""Present tag of a file, by the tag of an earlier version."""


def upgraded(content: Content) -> Content:
    """Return the content of a file as the present version writes it.

    Parameters
    ----------
    content : dict
        Of a file of any version; what is of the present version is returned as it is.

    Examples
    --------
    >>> old = {"schema": "bayes_scaling.marginal/1", "worth": None, "warnings": ["Far out."]}
    >>> upgraded(old)["caveats"][0]["code"]
    'version-1'
    """
    old = content.get("schema")
    if old not in CURRENT:
        return content
    found = {_NAMES.get(name, name): value for name, value in content.items()}
    found["schema"] = CURRENT[old]
    if isinstance(found.get("caveats"), list):
        found["caveats"] = [_caveat(text) for text in found["caveats"]]
    change = _CHANGES.get(old)
    return change(found) if change else found


def _caveat(text: Any) -> Content:
    return {"code": "version-1", "severity": "warning", "subject": "", "text": text, "data": {}}


_NAMES = {
    "warnings": "caveats",
    "messages": "caveats",
    "worth": "value_per_nat",
    "unmixed": "not_converged",
}
"""Present names of top-level fields, by their names before."""
SCENARIO_NAMES = {
    "budget_flops": "compute_budget",
    "money": "money_budget",
    "seconds": "time_budget",
    "worth": "value_per_nat",
    "alternative": "alternatives",
}
"""Present names of the fields of a scenario, by their names before."""


def _plan(content: Content) -> Content:
    scenario = content.get("scenario")
    if isinstance(scenario, dict):
        content["scenario"] = {
            SCENARIO_NAMES.get(name, name): _stated(value)
            for name, value in scenario.items()
            if value is not None
        }
    return content


def _stated(value: Any) -> Any:
    """A part of a scenario without what is null, which takes its default."""
    return {n: v for n, v in value.items() if v is not None} if isinstance(value, dict) else value


def _verdict(content: Content) -> Content:
    """Add what a run that diverged had no fields for."""
    if not content.get("diverged"):
        return content
    none = dict.fromkeys(("final_loss", "floor", "plateau", "stop_at", "regret", "reference"))
    empty = {"ahead": [], "laws": {}, "gains": [], "unit": "loss", "stop_is_farthest": False}
    return none | {"probability_of_reference": None} | empty | content


def _comparison(content: Content) -> Content:
    held_out = content.get("held_out")
    return content | {"held_out": upgraded(held_out)} if isinstance(held_out, dict) else content


_CHANGES: dict[str, Callable[[Content], Content]] = {
    "bayes_scaling.plan/1": _plan,
    "bayes_scaling.verdict/1": _verdict,
    "bayes_scaling.comparison/1": _comparison,
}
"""What else changed, by the tag of the earlier version."""
