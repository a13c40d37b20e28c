"""Caveats of decisions: of their configurations, their prices and their target."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from bayes_scaling.core.caveat import Caveat, unique
from bayes_scaling.decisions.allocation.plan_parts import AlternativeOutcome
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.forecast.extrapolation import implausible, reach_caveats
from bayes_scaling.forecast.forecast_caveats import unseen_families
from bayes_scaling.inference import Fit
from bayes_scaling.posterior import runs_of

__all__ = [
    "alternative_caveats",
    "candidate_caveats",
    "counting_caveats",
    "point_caveats",
    "price_caveats",
    "target_caveats",
]


def point_caveats(
    fit: Fit, family: str, points: Mapping[str, Sequence[float]] | pd.DataFrame, noun: str
) -> list[Caveat]:
    """Return the caveats of a forecast, for the configurations that a decision is about.

    Parameters
    ----------
    fit : Fit
        The fit.
    family : str
        Whose configurations.
    points : mapping or pandas.DataFrame
        params and tokens, where C = 6·N·D, and the median ``loss`` of each.
    noun : str
        What a configuration is: "plan", "candidate".
    """
    table = pd.DataFrame({name: points[name] for name in ("params", "tokens", "loss")}, dtype=float)
    placed = table.assign(family=family, flops=6.0 * table["params"] * table["tokens"])
    units = [fit.loss_unit(family)] * len(table)
    return [
        *unseen_families(fit, [family]),
        *reach_caveats(fit, placed, noun),
        *implausible(units, table["loss"].to_numpy(), noun),
    ]


def alternative_caveats(fit: Fit, family: str, rows: Sequence[AlternativeOutcome]) -> list[Caveat]:
    """Return caveats of alternatives that lie outside the runs, beside those of the plan."""
    if not rows:
        return []
    points = {
        "params": [row.params for row in rows],
        "tokens": [row.tokens for row in rows],
        "loss": [row.loss.q50 for row in rows],
    }
    found = point_caveats(fit, family, points, "alternative")
    # The plan has these already: they are of the family and the law, not of a configuration.
    return [one for one in found if one.code not in ("unseen-family", "law-limitation")]


def candidate_caveats(fit: Fit, problem: Problem, runs: pd.DataFrame) -> tuple[Caveat, ...]:
    """Return caveats of candidate runs, and of the plan that they are made for."""
    draws, size = problem.draws, float(np.median(problem.optimum[0]))
    plan = np.array([[size, float(problem.log_tokens(np.array([size]))[0])]])
    found: list[Caveat] = []
    for noun, logs in (
        ("plan", plan),
        ("candidate", np.log(runs[["params", "tokens"]].to_numpy(np.float64))),
    ):
        log_loss = draws.curve(draws.at(logs[:, :1], logs[:, 1:]))
        points = dict(zip(("params", "tokens"), np.exp(logs).T.tolist(), strict=True))
        points["loss"] = np.exp(np.median(log_loss, axis=-1)).tolist()
        found += point_caveats(fit, draws.family, points, noun)
    return unique(found)


def price_caveats(problem: Problem) -> list[Caveat]:
    """State what the posterior of the optimum means where prices are uncertain."""
    if not problem.line.costs.uncertain:
        return []
    confidence = problem.scenario.confidence
    text = (
        "Prices are uncertain: the optimum is the best split of each draw at its own prices, "
        "which the plan cannot know; it keeps within its budgets with probability "
        f"{100 * confidence:g}%."
    )
    return [
        Caveat(code="uncertain-prices", severity="note", text=text, data={"confidence": confidence})
    ]


def target_caveats(problem: Problem, target: float | None, reached: float | None) -> list[Caveat]:
    """State how probably the target lies below what any budget reaches."""
    if target is None or reached is None or "floor" not in problem.draws.values:
        return []
    below = float(np.mean(problem.draws.values["floor"] >= target))
    if below < 0.05:
        return []
    text = (
        f"The target loss {target:.4g} lies below the irreducible loss in {below:.0%} of the "
        "draws: no budget reaches it there."
    )
    data = {"target_loss": target, "probability": below}
    return [Caveat(code="below-floor", severity="warning", text=text, data=data)]


_MISCOUNT = 0.1
"""Log of C over 6·N·D from which the two ways of counting are distinguished."""


def counting_caveats(fit: Fit, family: str) -> list[Caveat]:
    """State whether a FLOP of the budget is a FLOP of the fitted runs."""
    rows = runs_of(fit, family)
    ratio = float((rows["flops"] / (6.0 * rows["params"] * rows["tokens"])).median())
    if abs(math.log(ratio)) < _MISCOUNT:
        return []
    text = (
        f"The fitted runs took {ratio:.2f} times 6·N·D FLOP, and the plan spends its budget "
        f"as 6·N·D: count the budget so, or expect the plan to cost {ratio:.2f} times as much."
    )
    return [Caveat(code="flop-count", severity="warning", text=text, data={"ratio": ratio})]
