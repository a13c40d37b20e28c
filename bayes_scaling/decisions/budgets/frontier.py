"""What more or less budget buys: the efficient frontier, and the budget a target needs."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.arguments import is_number, shown
from bayes_scaling.core.caveat import texts
from bayes_scaling.core.display import brief
from bayes_scaling.core.draw_summary import describe
from bayes_scaling.core.json_files import Saved, records, without
from bayes_scaling.decisions.allocation.candidate import Choice
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.problem_from_fit import problem
from bayes_scaling.decisions.allocation.risk_search import best_size
from bayes_scaling.decisions.allocation.wait_and_see import wait_and_see
from bayes_scaling.decisions.decision_caveats import point_doubts
from bayes_scaling.decisions.decision_family import SHAPE, provenance
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.model import typical_caveats
from bayes_scaling.scenarios.scenario import Scenario, checked_scenario

__all__ = ["PROBABILITIES", "SCHEMA", "BudgetFrontier", "budget_frontier", "budget_row"]

Floats = NDArray[np.float64]

SCHEMA = "bayes_scaling.frontier/1"
PROBABILITIES = (0.5, 0.8, 0.9, 0.95)
"""With which the budget for a target is found."""
_FACTORS = tuple(np.geomspace(0.1, 10.0, 21))
_LARGEST = 10_000
FACTORS = (1e-9, 1e9)
"""Least and greatest multiple of a budget: from a laptop to all there is."""
_GRID, _TOLERANCE = 9, 1e-3
"""Points of the grid over log N, and where the search after it stops."""
_HALVINGS = 7
"""Of the log of a budget between two rows: to a hundredth of their distance."""


@dataclass(frozen=True, eq=False, repr=False)
class BudgetFrontier(Saved):
    """Plans for budgets from small to large.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a budget: ``factor`` (of the scenario's budgets), ``budget`` (in ``unit``), params,
        tokens, flops, ``money`` (median cost, where prices are known), mean, sd and quantiles of
        the loss of one run, ``risk``, ``probability_of_target``, ``optimum_q05`` and
        ``optimum_q95`` (of the size that is best in each draw, at its own prices).
    needed : dict of float to float or None
        Budget with which the target loss is reached with a probability; None where none of the
        budgets is enough; empty without a target.
    unit : str
        Of the budgets: FLOP, a currency, or seconds.
    content : dict
        What else the file says.
    """

    table: pd.DataFrame
    needed: dict[float, float | None]
    unit: str
    content: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        rows = records(self.table)
        needed = [{"probability": p, "budget": v} for p, v in self.needed.items()]
        return {"schema": SCHEMA, **self.content, "unit": self.unit, "needed": needed, "rows": rows}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "BudgetFrontier":
        """A frontier from the content of its file."""
        needed = {row["probability"]: row["budget"] for row in content["needed"]}
        table = pd.DataFrame(content["rows"])
        rest = without(content, "schema", "unit", "needed", "rows")
        return cls(table, needed, content["unit"], rest)

    def __str__(self) -> str:
        names = ["budget", "params", "tokens", "q05", "q50", "q95"]
        names += [n for n in ("money", "probability_of_target") if self.table[n].notna().any()]
        shown = self.table[names].rename(columns={"budget": f"budget ({self.unit})"})
        lines = [
            f"Quantiles of the loss of one run, {self.content['loss_unit']}:",
            shown.to_string(index=False, float_format="{:.4g}".format),
        ]
        for p, amount in self.needed.items():
            enough = f"takes {amount:.3g} {self.unit}" if amount else "takes more than all of these"
            if amount == self.table["budget"].min():
                enough += " or less"
            lines.append(f"The target loss with probability {p:.0%} {enough}.")
        return "\n".join([*lines, *(f"Note: {text}" for text in self.content["warnings"])])

    def __repr__(self) -> str:
        return brief(str(self))


def budget_frontier(
    fit: Fit,
    scenario: Scenario,
    *,
    factors: Sequence[float] = _FACTORS,
    seed: int = 0,
) -> BudgetFrontier:
    """Plans of least risk for many budgets, and the budget that a target loss needs.

    Parameters
    ----------
    fit : Fit
        The fit.
    scenario : Scenario
        Budgets, prices, limits, risk measure, family, target loss.
    factors : sequence of float
        All budgets of the scenario are multiplied by each of these.
    seed : int
        Seed of run noise, uncertain prices and unseen families.

    Returns
    -------
    BudgetFrontier

    Raises
    ------
    ScenarioError
        As :func:`bayes_scaling.decisions.allocate`; or if a factor is not a positive number, or
        the risk measure is "regret", which compares plans of one budget.
    """
    checked_scenario(scenario)
    given = _factors(factors)
    if scenario.risk.measure == "regret":
        raise ScenarioError("risk measure 'regret' compares plans of one budget; choose another")
    start = problem(fit, scenario, seed)
    # Where cost is minimised the budgets are multiples of the least one.
    unit, amount = _main_budget(start.scenario)
    rows: list[dict[str, Any]] = []
    sizes: list[Floats] = []
    for factor in given:
        before = _ahead(given[: len(sizes)], sizes, factor)
        row, best = budget_row(start.with_budget(factor), before, near=len(sizes) > 1)
        sizes.append(best)
        rows.append({"factor": factor, "budget": factor * amount} | row)
    table = pd.DataFrame(rows)
    content = {
        **provenance(fit, start.draws.family, seed),
        "risk": str(start.scenario.risk),
        "target_loss": start.scenario.target_loss,
        "warnings": [
            *point_doubts(fit, start.draws.family, table.assign(loss=table["q50"]), "plan"),
            *texts(typical_caveats(fit.law, fit.runs, [start.draws.family])),
            *_shapeless(fit),
        ],
    }
    return BudgetFrontier(table, _needed(start, table, sizes, amount), unit, content)


def _factors(factors: object) -> list[float]:
    """Factors in order, each once."""
    listed = list(factors) if isinstance(factors, Iterable) and not isinstance(factors, str) else []
    low, high = FACTORS
    sensible = all(is_number(value) and low <= value <= high for value in listed)
    if not (listed and sensible and len(listed) <= _LARGEST):
        raise ScenarioError(
            f"factors of the budget are {shown(listed[:5] or factors)}; 1 to {_LARGEST} numbers "
            f"from {low:g} to {high:g} are needed, like [0.5, 1, 2]"
        )
    return sorted({float(value) for value in listed})


def _shapeless(fit: Fit) -> list[str]:
    if not SHAPE & set(fit.law.inputs):
        return []
    return ["Shapes are the best of each draw or the usual one, not whole layers within [shape]."]


def _ahead(factors: list[float], sizes: list[Floats], factor: float) -> Floats | None:
    """Where best sizes go from those of the last two budgets, on the log scale."""
    if len(sizes) < 2:
        return sizes[-1] if sizes else None
    (first, second), (low, high) = np.log(factors[-2:]), sizes[-2:]
    moved: Floats = high + (high - low) * (math.log(factor) - second) / (second - first)
    return moved


def _main_budget(scenario: Scenario) -> tuple[str, float]:
    """Money where there is a budget of it, else compute, else time."""
    if scenario.money_budget is not None:
        return scenario.currency, scenario.money_budget
    if scenario.compute_budget is not None:
        return "FLOP", scenario.compute_budget
    return "s", float(scenario.time_budget or 0.0)


def budget_row(
    here: Problem, before: Floats | None, *, near: bool = False
) -> tuple[dict[str, Any], Floats]:
    """The plan of least risk for one budget, and the best size of every draw.

    Parameters
    ----------
    here : Problem
        The budget.
    before : (sample,) array or None
        Best sizes for a budget near it, to start from.
    near : bool
        Whether they are foreseen from two such budgets.
    """
    sizes = wait_and_see(here, before, ahead=near).log_params
    best = _least(here, sizes)
    losses = here.draws.loss_run(
        best.log_params, best.log_tokens, best.log_tokens - math.log(best.epochs)
    )
    point, target = best.point, here.scenario.target_loss
    q05, q95 = np.exp(np.quantile(sizes, [0.05, 0.95]))
    money = here.line.costs.money(
        np.array([point["params"]]), np.array([point["tokens"]]), np.array([point["unique_tokens"]])
    )
    row = {
        **{name: point[name] for name in ("params", "tokens", "flops", "epochs")},
        "money": float(np.median(money)) if here.scenario.priced else None,
        **describe(losses),
        "risk": float(here.risk_of(losses)),
        "probability_of_target": None if target is None else float(np.mean(losses <= target)),
        "optimum_q05": float(q05),
        "optimum_q95": float(q95),
    }
    return row, sizes


def _least(here: Problem, sizes: Floats) -> Choice:
    """The size of least risk over a part of the draws."""
    few = Problem(here.draws.few, here.line)
    found = [
        (best_size(few, e, sizes, _GRID, tolerance=_TOLERANCE), e) for e in map(float, here.epochs)
    ]
    (_, size), epochs = min(found, key=lambda pair: pair[0][0])
    return Choice(size, float(here.log_tokens(np.array([size]), epochs)[0]), epochs)


def _needed(
    start: Problem, table: pd.DataFrame, sizes: list[Floats], amount: float
) -> dict[float, float | None]:
    """Smallest budget whose plan reaches the target with each probability, by bisection."""
    if start.scenario.target_loss is None:
        return {}
    reached = table["probability_of_target"].to_numpy(dtype=np.float64)
    factors = table["factor"].to_numpy()
    needed: dict[float, float | None] = {}
    for level in PROBABILITIES:
        above = np.flatnonzero(reached >= level)
        if not len(above):
            needed[level] = None
            continue
        at = int(above[0])
        high, low = float(factors[at]), float(factors[max(at - 1, 0)])
        for _ in range(_HALVINGS if at else 0):
            middle = math.sqrt(low * high)
            row, _ = budget_row(start.with_budget(middle), sizes[at])
            if row["probability_of_target"] >= level:
                high = middle
            else:
                low = middle
        needed[level] = high * amount
    return needed
