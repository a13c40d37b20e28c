"""What a page needs to compute a plan again: draws, prices, limits and the law in JavaScript."""

import base64
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.problem_from_fit import problem
from bayes_scaling.errors import LawError, ScenarioError
from bayes_scaling.explorer.traced_law import Traced, javascript
from bayes_scaling.forecast.extrapolation import EXTRAPOLATED, extent_of
from bayes_scaling.inference import Fit
from bayes_scaling.posterior import FamilyPosterior
from bayes_scaling.runs.loss_units import plausible
from bayes_scaling.scenarios.scenario import Scenario
from bayes_scaling.scenarios.version_1_names import scenario_of_version_1

__all__ = ["explorer", "law_in_javascript"]

Floats = NDArray[np.float64]

_MOST = 1_200_000
"""Characters of draws in a page: with figures and a chart library it must stay below 3 MB."""
_DRAWS = 4000
_CHARACTERS = 16 / 3
"""Of a 32-bit float in base64."""
_SIZES = ("s", "d", "u")


def explorer(fit: Fit, plans: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Everything with which a page computes plans again, for every plan that allows it.

    Parameters
    ----------
    fit : Fit
        The fit.
    plans : list of dict
        Contents of plans made from it.

    Returns
    -------
    dict or None
        ``law`` (JavaScript of the law's one expression), and ``problems``, one a plan: draws as
        base64 of 32-bit floats, prices, limits, the scenario, and what Python found; ``missing``
        says in words why a plan has none. None without plans.
    """
    if not plans:
        return None
    arrays = len(plans) * (len(fit.law.names) + 2)
    most = min(_DRAWS, int(_MOST / (_CHARACTERS * arrays)))
    problems, missing, law = [], [], ""
    for place, plan in enumerate(plans):
        try:
            given = problem(fit, _scenario_of(plan), int(plan.get("seed", 0)))
            law = law or law_in_javascript(given.draws)
        except (LawError, ScenarioError) as error:
            missing.append(f"The plan for {plan['family']} cannot be computed again: {error}.")
            continue
        problems.append({"plan": place, **_problem(fit, given, plan, most)})
    return {"law": law, "problems": problems, "missing": missing} if problems else None


def law_in_javascript(draws: FamilyPosterior) -> str:
    """The body of a function of s, d, u (logs of N, D and unique tokens), i (draw) and p.

    Parameters
    ----------
    draws : FamilyPosterior
        Of a family; ``p`` has its parameters, in their order, as arrays over draws.

    Raises
    ------
    LawError
        If the law does what JavaScript has no word for.
    """
    symbols = {name: f"p[{place}][i]" for place, name in enumerate(draws.values)}
    values: Any = {name: Traced(name) for name in draws.values}
    sizes: Any = [Traced(f" {name}") for name in _SIZES]
    traced: Any = replace(draws, values=values)
    expression = traced.curve(traced.at(*sizes))
    return javascript(expression, symbols | {f" {name}": name for name in _SIZES})


def _scenario_of(plan: Mapping[str, Any]) -> Scenario:
    """The scenario of a plan; one with whole layers is computed with the best shape there is."""
    scenario = Scenario.from_dict(scenario_of_version_1(plan["scenario"]))
    return msgspec.structs.replace(scenario, family=plan["family"], shape=None)


def _problem(fit: Fit, given: Problem, plan: dict[str, Any], most: int) -> dict[str, Any]:
    step = max(-(-given.draws.size // most), 1)
    draws = given.draws.thinned(step) if step > 1 else given.draws
    scenario, line = given.scenario, given.line
    runs = extent_of(fit, draws.family)
    return {
        "family": draws.family,
        "lossUnit": plan.get("loss_unit", ""),
        "draws": {
            "size": int(draws.size),
            "values": [_packed(value) for value in draws.values.values()],
            "noise": _packed(draws.noise),
            **_error(draws),
        },
        "runs": {"low": dict(runs.low), "high": dict(runs.high)},
        "extrapolated": EXTRAPOLATED,
        "guessing": _finite(plausible(fit.loss_unit(draws.family))[1]),
        "costs": {
            "perFlop": _listed(line.costs.per_flop),
            "perToken": _listed(line.costs.per_token),
            "owned": _finite(line.costs.owned),
            "servedFlops": _listed(line.costs.served_flops),
            "servedPrice": _listed(line.costs.served_price),
            "secondsPerFlop": [_finite(v) for v in line.costs.seconds_per_flop],
        },
        "scenario": _scenario(given, plan),
        "epochs": given.epochs.tolist(),
        "python": {
            "params": plan["recommended"]["params"],
            "tokens": plan["recommended"]["tokens"],
            "loss": plan["loss"],
            "probability": plan.get("probability_of_target"),
            "regret": plan.get("regret"),
        },
        "amount": _amount(given),
        "cap": _scenario_of(plan).affords,
        "priced": scenario.priced,
        "shaped": bool(plan.get("shape")),
    }


def _scenario(given: Problem, plan: dict[str, Any]) -> dict[str, Any]:
    one, risk = given.scenario, _scenario_of(plan).risk
    return {
        "flops": one.compute_budget,
        "money": one.money_budget,
        "seconds": one.time_budget,
        "confidence": one.confidence,
        "currency": one.currency,
        "target": one.target_loss,
        "minimise": one.minimise,
        "probability": one.target_probability,
        "measure": risk.measure,
        "level": risk.level,
        "aversion": risk.aversion,
        "limits": {
            name: _finite(value) for name, value in msgspec.structs.asdict(one.limits).items()
        },
    }


def _amount(given: Problem) -> dict[str, Any]:
    """The budget that a reader moves: money where there is one, else compute, else time."""
    one = given.scenario
    if one.money_budget is not None:
        return {"name": "money", "unit": one.currency, "value": one.money_budget}
    if one.compute_budget is not None:
        return {"name": "flops", "unit": "FLOP", "value": one.compute_budget}
    return {"name": "seconds", "unit": "s", "value": one.time_budget}


def _error(draws: FamilyPosterior) -> dict[str, Any]:
    """The law's error: its size at one unit of growth, and what growth depends on."""
    error = draws.discrepancy
    if error is None:
        return {"error": None, "power": 1.0, "extent": None}
    return {
        "error": _packed(draws.unit_error),
        "power": error.known.power,
        "extent": {"low": dict(error.extent.low), "high": dict(error.extent.high)},
    }


def _packed(values: Floats) -> str:
    return base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode("ascii")


def _listed(values: Floats) -> list[float]:
    return [float(f"{value:.9g}") for value in values]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
