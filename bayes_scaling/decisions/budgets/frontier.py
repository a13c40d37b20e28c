"""What more or less budget buys: the efficient frontier, and the budget a target needs."""

import math
from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
import numpy as np
import pandas as pd
from msgspec.structs import asdict
from numpy.typing import NDArray

from bayes_scaling.core.arguments import is_number, shown
from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.progress import Progress, ProgressOption
from bayes_scaling.core.records import Record, about, to_plain
from bayes_scaling.decisions.allocation.budget_rows import budget_row
from bayes_scaling.decisions.allocation.decision_caveats import point_caveats
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.problem_from_fit import problem_from_fit
from bayes_scaling.decisions.decision_family import SHAPE, provenance
from bayes_scaling.decisions.decision_result import BudgetRow, DecisionResult
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from bayes_scaling.model import typical_caveats
from bayes_scaling.scenarios.scenario import Scenario, checked_scenario

__all__ = [
    "PROBABILITIES",
    "BudgetFrontier",
    "FrontierRow",
    "NeededBudget",
    "budget_frontier",
]

Floats = NDArray[np.float64]

PROBABILITIES = (0.5, 0.8, 0.9, 0.95)
"""With which the budget for a target is found."""
_FACTORS = tuple(np.geomspace(0.1, 10.0, 21))
_LARGEST = 10_000
FACTORS = (1e-9, 1e9)
"""Least and greatest multiple of a budget: from a laptop to all there is."""
_HALVINGS = 7
"""Of the log of a budget between two rows: to a hundredth of their distance."""


class NeededBudget(Record, frozen=True, kw_only=True):
    """The budget that reaches the target with a probability."""

    probability: Annotated[float, about("Of reaching the target.", "probability", ge=0, le=1)]
    budget: Annotated[
        float | None,
        about("That it takes, in `unit`; null where none of the budgets is enough."),
    ]


class FrontierRow(BudgetRow, frozen=True, kw_only=True):
    """The plan of least risk for one budget."""

    budget: Annotated[float, about("In `unit`.", gt=0)]


class BudgetFrontier(DecisionResult, frozen=True, kw_only=True, tag="bayes_scaling.frontier/2"):
    """Plans for budgets from small to large, as `frontier` writes them."""

    risk: Annotated[str, about("What each plan has least of, in words.")]
    target_loss: Annotated[float | None, about("Loss to reach; null for none.", "loss")]
    unit: Annotated[str, about("Of the budgets: FLOP, a currency, or s.")]
    needed_budgets: Annotated[
        list[NeededBudget], about("Budget that the target needs; empty without a target.")
    ] = msgspec.field(name="needed")
    rows: Annotated[
        list[FrontierRow], about("Plans from the smallest to the largest budget.", min_length=1)
    ]

    @property
    def table(self) -> pd.DataFrame:
        """Plans, one row a budget: columns are the fields of :class:`FrontierRow`."""
        table = pd.DataFrame(to_plain(self.rows))
        table.insert(1, "budget", table.pop("budget"))
        return table

    @property
    def needed(self) -> dict[float, float | None]:
        """Budget with which the target loss is reached, by probability; None where none is."""
        return {row.probability: row.budget for row in self.needed_budgets}

    def __str__(self) -> str:
        table = self.table
        names = ["budget", "params", "tokens", "q05", "q50", "q95"]
        names += [n for n in ("money", "probability_of_target") if table[n].notna().any()]
        shown = table[names].rename(columns={"budget": f"budget ({self.unit})"})
        lines = [
            f"Quantiles of the loss of one run, {self.loss_unit}:",
            shown.to_string(index=False, float_format="{:.4g}".format),
        ]
        for p, amount in self.needed.items():
            enough = f"takes {amount:.3g} {self.unit}" if amount else "takes more than all of these"
            if amount == table["budget"].min():
                enough += " or less"
            lines.append(f"The target loss with probability {p:.0%} {enough}.")
        return "\n".join([*lines, *self._caveat_lines()])


def budget_frontier(
    fit: Fit,
    scenario: Scenario,
    *,
    factors: Sequence[float] = _FACTORS,
    seed: int = 0,
    progress: ProgressOption = True,
) -> BudgetFrontier:
    """Compute plans of least risk for many budgets, and the budget that a target loss needs.

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
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. See :mod:`bayes_scaling.core.progress`.

    Returns
    -------
    BudgetFrontier

    Raises
    ------
    ScenarioError
        As :func:`bayes_scaling.decisions.allocate`; or if a factor is not a positive number, or
        the risk measure is "regret", which compares plans of one budget.

    Examples
    --------
    >>> fit, scenario = bs.load_fit("fit.nc"), bs.load_scenario("scenario.toml")
    >>> found = bs.budget_frontier(fit, scenario, factors=[1, 10])
    >>> found.table["mean"].round(3).tolist()
    [2.284, 2.124]
    """
    checked_scenario(scenario)
    multiples = _factors(factors)
    if scenario.risk.measure == "regret":
        raise ScenarioError("risk measure 'regret' compares plans of one budget; choose another")
    start = problem_from_fit(fit, scenario, seed)
    # Where cost is minimised the budgets are multiples of the least one.
    unit, amount = _main_budget(start.scenario)
    rows: list[FrontierRow] = []
    sizes: list[Floats] = []
    watched = Progress.of(progress)
    with watched.stage("plans", "computing plans", len(multiples), "budgets") as stage:
        for factor in multiples:
            before = _ahead(multiples[: len(sizes)], sizes, factor)
            row, best = budget_row(start, factor, before, near=len(sizes) > 1)
            sizes.append(best)
            rows.append(FrontierRow(**asdict(row), budget=factor * amount))
            stage.advance()
    family, target = start.draws.family, start.scenario.target_loss
    points = {
        "params": [row.params for row in rows],
        "tokens": [row.tokens for row in rows],
        "loss": [row.q50 for row in rows],
    }
    return BudgetFrontier(
        **provenance(fit, family, seed),
        risk=str(start.scenario.risk),
        target_loss=target,
        caveats=[
            *point_caveats(fit, family, points, "plan"),
            *typical_caveats(fit.law, fit.runs, [family]),
            *_shapeless(fit),
        ],
        unit=unit,
        needed_budgets=[] if target is None else _needed(start, rows, sizes, amount),
        rows=rows,
    )


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


def _shapeless(fit: Fit) -> list[Caveat]:
    if not SHAPE & set(fit.law.inputs):
        return []
    text = "Shapes are the best of each draw or the usual one, not whole layers within [shape]."
    return [Caveat(code="no-whole-layers", severity="note", text=text)]


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


def _needed(
    start: Problem, rows: list[FrontierRow], sizes: list[Floats], amount: float
) -> list[NeededBudget]:
    """Find the smallest budget that reaches the target with each probability, by bisection."""
    found = []
    for level in PROBABILITIES:
        reaching = (at for at, row in enumerate(rows) if (row.probability_of_target or 0) >= level)
        at = next(reaching, None)
        if at is None:
            found.append(NeededBudget(probability=level, budget=None))
            continue
        high, low = rows[at].factor, rows[max(at - 1, 0)].factor
        for _ in range(_HALVINGS if at else 0):
            middle = math.sqrt(low * high)
            row, _ = budget_row(start, middle, sizes[at])
            if (row.probability_of_target or 0) >= level:
                high = middle
            else:
                low = middle
        found.append(NeededBudget(probability=level, budget=high * amount))
    return found
