"""The result of an allocation, and its file."""

from os import PathLike
from typing import Annotated, ClassVar, Literal

import msgspec
import pandas as pd
import xarray as xr

from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.core.records import about, null_together, to_plain
from bayes_scaling.decisions.allocation.plan_parts import (
    AlternativeOutcome,
    CurvePoint,
    Driver,
    LeastCost,
    NearOptimal,
    OptimumPosterior,
    PlanShape,
    RiskValue,
)
from bayes_scaling.decisions.decision_result import (
    BudgetRow,
    BudgetUse,
    DecisionResult,
    PlanCosts,
    Point,
    TargetProbability,
)
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["Plan", "load_plan"]


class Plan(
    DecisionResult, frozen=True, kw_only=True, eq=False, dict=True, tag="bayes_scaling.plan/2"
):
    """A recommended split of budgets between parameters and tokens, as `allocate` writes it.

    Attributes
    ----------
    draws : xarray.Dataset or None
        Compute-optimal ``params``, ``tokens``, ``tokens_per_param`` and ``loss`` of every draw, at
        the draw's own prices where prices are uncertain, and ``regret`` (of one run of the plan
        over the best plan on the same budget line), dims (chain, draw).
        None for a plan read from a file.
    """

    draws: ClassVar[xr.Dataset | None] = None

    scenario: Annotated[Scenario, about("Budgets, prices and limits, and the risk.")]
    minimise: Annotated[Literal["loss", "cost"], about("What was minimised.")]
    least_cost: Annotated[
        LeastCost | None, about("Least cost of the target; null where the risk was minimised.")
    ]
    budget_flops: Annotated[float, about("Compute that the plan takes.", "FLOP", gt=0)]
    budgets: Annotated[list[BudgetUse], about("Each budget, and what the plan takes of it.")]
    quantity: Annotated[Literal["loss_run"], about("Losses are of one new run, noise included.")]
    risk: Annotated[RiskValue, about("What the recommended plan has least of.")]
    recommended: Annotated[Point, about("The plan.")]
    loss: Annotated[PosteriorSummary, about("Loss of one run at the plan.", "loss")]
    target_loss: Annotated[float | None, about("Loss to reach; null for none.", "loss")]
    probability_of_target: TargetProbability | None
    extrapolation: Annotated[
        float,
        about(
            "Compute beyond the family's largest fitted run; negative inside the data.", "decades"
        ),
    ]
    near_optimal: Annotated[NearOptimal, about("Plans that are nearly as good.")]
    regret: Annotated[
        PosteriorSummary, about("Loss over that of the best plan of each draw.", "loss")
    ]
    drivers: Annotated[
        list[Driver], about("Parameters that the best size depends on, the strongest first.")
    ]
    costs: Annotated[PlanCosts, about("What the plan takes.")]
    alternative_outcomes: Annotated[
        list[AlternativeOutcome], about("What comes of the plans that the scenario names.")
    ] = msgspec.field(name="alternatives")
    other_budgets: Annotated[
        list[BudgetRow], about("What a part or a multiple of the budgets would buy.")
    ]
    method: Annotated[str, about("How the best size of every draw was found.")]
    curve_points: Annotated[list[CurvePoint], about("Risk and loss along the budget, by size.")] = (
        msgspec.field(name="curve")
    )
    shape: Annotated[PlanShape | None, about("Depth and width; null under a law that reads none.")]
    optimum: Annotated[OptimumPosterior, about("Posterior of the best split.")]

    def __post_init__(self) -> None:
        null_together(self, "target_loss", "probability_of_target")

    @property
    def curve(self) -> pd.DataFrame:
        """Risk and loss interval along the budget: params, tokens, risk, mean, q05, q95."""
        return pd.DataFrame(to_plain(self.curve_points))

    @property
    def alternatives(self) -> pd.DataFrame:
        """Outcomes of the scenario's alternatives, the recommended plan first."""
        own = _row("recommended", self.recommended, self)
        return pd.DataFrame(
            [own | {"better": None, "beyond": ""}]
            + [
                _row(row.name, row, row)
                | {"better": row.probability_better, "beyond": ", ".join(row.beyond)}
                for row in self.alternative_outcomes
            ]
        )

    def _costs_in_words(self) -> list[str]:
        costs, lines = self.costs, []
        if costs.money is not None:
            lines.append(f"Cost: {_amount(costs.money, str(costs.currency))}.")
        if costs.seconds is not None:
            lines.append(f"Training takes {_duration(costs.seconds)}.")
        lines += [
            f"Within the budget of {row.budget} with probability {row.probability_within:.0%}."
            for row in self.budgets
            if row.probability_within < 1 and row.amount in self._stated
        ]
        return lines

    @property
    def _stated(self) -> set[float | None]:
        """Budgets of the scenario, without one that was found as the least."""
        one = self.scenario
        return {one.compute_budget, one.money_budget, one.time_budget}

    def __str__(self) -> str:
        split, loss, optimum = self.recommended, self.loss, self.optimum.params
        unit, regret = self.loss_unit, self.regret
        seen = ""
        if self.shape is not None:
            seen = f", {self.shape.n_layer} layers of width {self.shape.d_model}"
        if split.epochs > 1.0:
            seen += f", {split.unique_tokens:.3g} unique ones seen {split.epochs:.3g} times"
        lines = [
            (
                f"{self.budget_flops:.4g} FLOP, family {self.family!r}: "
                f"train {split.params:.3g} parameters on {split.tokens:.3g} tokens "
                f"({split.tokens_per_param:.3g} tokens per parameter{seen})."
            ),
            (
                f"One run there: expected loss {loss.mean:.4g} {unit}, 90% between "
                f"{loss.q05:.4g} and {loss.q95:.4g}."
            ),
            self._why(),
            f"Optimal parameters: 90% between {optimum.q05:.3g} and {optimum.q95:.3g}.",
            *self._costs_in_words(),
            (
                f"Regret for not knowing the best split: {regret.mean:.2g} {unit} on average, "
                f"{regret.q95:.2g} at worst in 95% of cases."
            ),
        ]
        if self.target_loss is not None:
            lines.append(
                f"Probability of reaching loss {self.target_loss:.4g} {unit}: "
                f"{self.probability_of_target:.1%}."
            )
        if self.alternative_outcomes:
            lines += ["Beside the alternatives:", self._comparison()]
        return "\n".join([*lines, *self._caveat_lines()])

    def _why(self) -> str:
        least, risk = self.least_cost, self.risk
        if least is None:
            return f"Chosen for the least {risk.meaning}, which is {risk.value:.4g}."
        return (
            f"Chosen for the least cost, {least.amount:.4g} {least.unit}, that reaches loss "
            f"{self.target_loss:.4g} {self.loss_unit} with probability "
            f"{100 * least.probability:g}%."
        )

    def _comparison(self) -> str:
        shown = self.alternatives.dropna(axis=1, how="all")
        if "cost" in shown:
            shown = shown.drop(columns="flops")
        if not shown["beyond"].any():
            shown = shown.drop(columns="beyond")
        return shown.to_string(index=False, float_format="{:.4g}".format, na_rep="")

    def _repr_html_(self) -> str:
        import html

        return "".join(f"<p>{html.escape(line)}</p>" for line in repr(self).splitlines())


def _row(name: str, point: Point, found: Plan | AlternativeOutcome) -> dict[str, object]:
    """One row of :attr:`Plan.alternatives`."""
    return {
        "name": name,
        "params": point.params,
        "tokens": point.tokens,
        "loss": found.loss.mean,
        "q05": found.loss.q05,
        "q95": found.loss.q95,
        "probability_of_target": found.probability_of_target,
        "regret": found.regret.mean,
        "regret_q95": found.regret.q95,
        "flops": found.costs.flops.q50,
        "cost": found.costs.money and found.costs.money.q50,
    }


def _amount(amount: PosteriorSummary, unit: str, scale: float = 1.0) -> str:
    """Median and 90% interval, or the number alone where it is known."""
    q05, q50, q95 = (value / scale for value in (amount.q05, amount.q50, amount.q95))
    if q95 - q05 <= 1e-9 * q50:
        return f"{q50:.4g} {unit}"
    return f"{q50:.4g} {unit} (90% between {q05:.4g} and {q95:.4g})"


def _duration(seconds: PosteriorSummary) -> str:
    """In the largest unit of which there is one."""
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds.q50 >= length:
            return _amount(seconds, unit, length)
    return _amount(seconds, "seconds")


def load_plan(path: str | PathLike[str]) -> Plan:
    """Read a plan that :meth:`Plan.save` wrote.

    Raises
    ------
    FileError
        If the file cannot be read or is not a plan.

    Examples
    --------
    >>> bs.decisions.load_plan("plan.json").family
    'web'
    """
    return Plan.load(path)
