"""What a page needs to compute plans again: draws, prices, limits and constants of the search."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.core.records import to_plain
from bayes_scaling.decisions import Plan
from bayes_scaling.decisions.allocation import budget_line, least_cost, risk_search
from bayes_scaling.decisions.allocation.cost_draws import SERVING, TRAINING
from bayes_scaling.decisions.allocation.problem import EDGE, HALF_WIDTH, LINE, TIE, Problem
from bayes_scaling.decisions.allocation.problem_from_fit import problem_at
from bayes_scaling.errors import LawError, ScenarioError
from bayes_scaling.explorer.traced_problem import draws_by_symbol, functions, prices_by_symbol
from bayes_scaling.forecast.extrapolation import EXTRAPOLATED, SIZE_NAMES, extent_of
from bayes_scaling.inference import Fit
from bayes_scaling.laws import compute_optimum
from bayes_scaling.runs.loss_units import plausible
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["Explorer", "PageProblem", "Search", "explorer"]

Floats = NDArray[np.float64]

_MOST = 1_200_000
"""Characters of draws in a page: with figures and a chart library it must stay below 3 MB."""
_DRAWS = 4000
_CHARACTERS = 16 / 3
"""Of a 32-bit float in base64."""


class _Payload(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Base of what the page reads; its names are those of JavaScript."""


class Search(_Payload, frozen=True, kw_only=True):
    """Constants of models, searches and statements, as Python has them."""

    training: float = TRAINING
    serving: float = SERVING
    tie: float = TIE
    edge: float = EDGE
    half_width: float = HALF_WIDTH
    line: int = LINE
    largest: float = float(budget_line.SIZES[-1])
    sizes: int = len(budget_line.SIZES)
    zoom: int = budget_line.ZOOM
    rounds: int = budget_line.ROUNDS
    draw_grid: int = compute_optimum.GRID
    plan_grid: int = risk_search.GRID
    cost_grid: int = least_cost.POINTS
    step: float = least_cost.STEP
    farthest: float = least_cost.FARTHEST
    precision: float = least_cost.PRECISION
    extrapolated: float = EXTRAPOLATED
    tested: float = 1000.0
    """Factor beyond which no forecast was compared with runs."""
    size_names: tuple[str, ...] = tuple(SIZE_NAMES.values())


class Amount(_Payload, frozen=True, kw_only=True):
    """The budget that a reader moves: money where there is one, else compute, else time."""

    name: str
    unit: str
    value: float | None


class PageScenario(_Payload, frozen=True, kw_only=True):
    """Budgets, target, risk measure and limits, in plain numbers."""

    flops: float | None
    money: float | None
    seconds: float | None
    confidence: float
    currency: str
    target: float | None
    minimise: str
    probability: float
    measure: str
    level: float
    aversion: float
    limits: dict[str, float]


class PagePlan(_Payload, frozen=True, kw_only=True):
    """The plan that Python made."""

    params: float
    tokens: float
    loss: PosteriorSummary


class PageProblem(_Payload, frozen=True, kw_only=True):
    """One plan, and all with which it is computed again; arrays as base64 of 32-bit floats."""

    plan: int
    family: str
    size: int
    draws: list[str]
    prices: dict[str, str]
    has_discrepancy: bool
    guessing: float
    scenario: PageScenario
    epochs: list[float]
    amount: Amount
    most: float | None
    priced: bool
    shaped: bool
    python: PagePlan


@dataclass(frozen=True)
class Explorer:
    """Everything with which a page computes plans again.

    Attributes
    ----------
    problems : list of PageProblem
        One a plan.
    functions : list of mapping
        For each problem, JavaScript of the functions of :func:`functions`.
    """

    problems: list[PageProblem]
    functions: list[Mapping[str, str]]

    @property
    def data(self) -> Any:
        """The plain values that the page reads."""
        return to_plain({"problems": self.problems, "search": Search()})


def explorer(fit: Fit, plans: Sequence[Plan]) -> Explorer | None:
    """Collect everything with which a page computes plans again, for every plan that allows it.

    Returns
    -------
    Explorer or None
        None without plans, or where JavaScript cannot compute the law.
    """
    if not plans:
        return None
    arrays = len(plans) * (len(fit.law.names) + 4)
    most = min(_DRAWS, int(_MOST / (_CHARACTERS * arrays)))
    problems, translated = [], []
    for place, plan in enumerate(plans):
        try:
            problem = problem_at(fit, _scenario_of(plan), plan.seed)
            translated.append(functions(problem, extent_of(fit, problem.draws.family)))
        except (LawError, ScenarioError):
            # Of a law whose functions JavaScript lacks.
            continue
        problems.append(_problem(fit, problem, plan, place, most))
    return Explorer(problems, translated) if problems else None


def _scenario_of(plan: Plan) -> Scenario:
    """The scenario of a plan; one with whole layers is computed with the best shape there is."""
    return msgspec.structs.replace(plan.scenario, family=plan.family, shape=None)


def _problem(fit: Fit, problem: Problem, plan: Plan, place: int, most: int) -> PageProblem:
    step = max(-(-problem.draws.size // most), 1)
    draws = problem.draws.thinned(step) if step > 1 else problem.draws
    return PageProblem(
        plan=place,
        family=draws.family,
        size=draws.size,
        draws=[_packed(value) for value in draws_by_symbol(draws).values()],
        prices={n: _packed(value) for n, value in prices_by_symbol(problem.line.costs).items()},
        has_discrepancy=draws.discrepancy is not None,
        guessing=plausible(fit.loss_unit(draws.family))[1],
        scenario=_scenario(problem.scenario),
        epochs=problem.epochs.tolist(),
        amount=_amount(problem.scenario, plan),
        most=problem.scenario.affords,
        priced=problem.scenario.priced,
        shaped=plan.shape is not None,
        python=PagePlan(
            params=plan.recommended.params, tokens=plan.recommended.tokens, loss=plan.loss
        ),
    )


def _scenario(one: Scenario) -> PageScenario:
    return PageScenario(
        flops=one.compute_budget,
        money=one.money_budget,
        seconds=one.time_budget,
        confidence=one.confidence,
        currency=one.currency,
        target=one.target_loss,
        minimise=one.minimise,
        probability=one.target_probability,
        measure=one.risk.measure,
        level=one.risk.level,
        aversion=one.risk.aversion,
        limits=msgspec.structs.asdict(one.limits),
    )


def _amount(one: Scenario, plan: Plan) -> Amount:
    if plan.least_cost is not None:
        name = "money" if one.priced else "flops"
        return Amount(name=name, unit=plan.least_cost.unit, value=plan.least_cost.amount)
    if one.money_budget is not None:
        return Amount(name="money", unit=one.currency, value=one.money_budget)
    if one.compute_budget is not None:
        return Amount(name="flops", unit="FLOP", value=one.compute_budget)
    return Amount(name="seconds", unit="s", value=one.time_budget)


def _packed(values: Floats) -> str:
    return base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode("ascii")
