"""What must be said beside a decision: of its configurations, its prices and its target."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bayes_scaling.core.caveat import texts
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.forecast.extrapolation import implausible, reach_caveats
from bayes_scaling.forecast.forecast_caveats import unseen_families
from bayes_scaling.inference import Fit

__all__ = [
    "alternative_doubts",
    "candidate_doubts",
    "point_doubts",
    "price_doubts",
    "target_doubts",
]


def point_doubts(
    fit: Fit, family: str, points: Mapping[str, Sequence[float]] | pd.DataFrame, noun: str
) -> list[str]:
    """The caveats of a forecast, for the configurations that a decision is about.

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
        *texts(unseen_families(fit, [family])),
        *texts(reach_caveats(fit, placed, noun)),
        *texts(implausible(units, table["loss"].to_numpy(), noun)),
    ]


def alternative_doubts(fit: Fit, family: str, rows: list[dict[str, Any]]) -> list[str]:
    """Caveats of alternatives that lie outside the runs, beside those of the plan."""
    if not rows:
        return []
    points = {name: [row[name] for row in rows] for name in ("params", "tokens")}
    points["loss"] = [row["loss"]["q50"] for row in rows]
    said = point_doubts(fit, family, points, "alternative")
    # The plan says these already: they are of the family and the law, not of a configuration.
    known = {
        *texts(unseen_families(fit, [family])),
        *(f"Law {fit.law.name!r}: {n}" for n in fit.law.limitations),
    }
    return [text for text in said if text not in known]


def candidate_doubts(fit: Fit, given: Problem, runs: pd.DataFrame) -> list[str]:
    """Caveats of candidate runs, and of the plan that they are made for."""
    draws, size = given.draws, float(np.median(given.optimum[0]))
    plan = np.array([[size, float(given.log_tokens(np.array([size]))[0])]])
    doubts = []
    for noun, logs in (
        ("plan", plan),
        ("candidate", np.log(runs[["params", "tokens"]].to_numpy(np.float64))),
    ):
        log_loss = draws.curve(draws.at(logs[:, :1], logs[:, 1:]))
        points = dict(zip(("params", "tokens"), np.exp(logs).T.tolist(), strict=True))
        points["loss"] = np.exp(np.median(log_loss, axis=-1)).tolist()
        doubts += point_doubts(fit, draws.family, points, noun)
    return list(dict.fromkeys(doubts))


def price_doubts(given: Problem) -> list[str]:
    """What the posterior of the optimum means where prices are uncertain."""
    if not given.line.costs.uncertain:
        return []
    return [
        (
            "Prices are uncertain: the optimum is the best split of each draw at its own prices, "
            "which the plan cannot know; it keeps within its budgets with probability "
            f"{100 * given.scenario.confidence:g}%."
        )
    ]


def target_doubts(given: Problem, target: float | None, reached: float | None) -> list[str]:
    """Whether the target lies below what any budget reaches."""
    if target is None or reached is None or "floor" not in given.draws.values:
        return []
    below = float(np.mean(given.draws.values["floor"] >= target))
    if below < 0.05:
        return []
    return [
        (
            f"The target loss {target:.4g} lies below the irreducible loss in {below:.0%} of the "
            "draws: no budget reaches it there."
        )
    ]
