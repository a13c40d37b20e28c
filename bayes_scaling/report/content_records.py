"""What a report says: sections as records, the one statement of what templates and JSON have.

Losses are in ``loss_unit``, compute in FLOP.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.core.records import Record, about
from bayes_scaling.core.result import Result
from bayes_scaling.curves import Verdict
from bayes_scaling.decisions import BudgetFrontier, Marginal, NextRuns, Plan, ShapeChoice
from bayes_scaling.decisions.decision_result import BudgetRow, Flops, Params, Tokens
from bayes_scaling.forecast import Backtest, Comparison
from bayes_scaling.inference.diagnostics.diagnosis import Diagnosis
from bayes_scaling.report.input_records import (
    Contribution,
    DataSection,
    LawSection,
    ParameterRow,
    PriorRow,
    Provenance,
)

__all__ = [
    "Change",
    "ForecastRow",
    "Headline",
    "HeldOut",
    "HeldOutRun",
    "OtherBudget",
    "OtherResults",
    "Reason",
    "ReportContent",
    "ReportedPlan",
    "Trust",
]

type Status = Literal["ok", "warn", "fail"]
type Value = float | int | str | list[float] | Mapping[str, float] | None

Family = Annotated[str, about("Name of the family.")]
Tags = Annotated[list[Caveat], about("What must stand beside the numbers, in a few words each.")]
Extrapolation = Annotated[
    float,
    about("Compute beyond the family's largest fitted run; negative inside the data.", "decades"),
]
Chance = Annotated[float, about("Probability.", "probability", ge=0, le=1)]


class Reason(Record, frozen=True, kw_only=True):
    """A reason to trust the numbers or not."""

    status: Annotated[Status, about("ok in favour, warn for care, fail against any use.")]
    code: Annotated[str, about("Kind of reason, for programs: a check, or a code of a caveat.")]
    text: Annotated[str, about("A sentence.")]
    subject: Annotated[str, about("Family that it is about; empty for the fit.")] = ""


class Trust(Record, frozen=True, kw_only=True):
    """Whether the numbers can be trusted."""

    status: Annotated[Status, about("Worst status of any reason.")]
    label: Annotated[str, about("In two or three words.")]
    sentence: Annotated[str, about("Whether the numbers can be trusted.")]
    reasons: Annotated[list[Reason], about("The worst first.")]


class Headline(Record, frozen=True, kw_only=True):
    """What stands first: a plan, or a forecast."""

    kind: Annotated[Literal["plan", "forecast"], about("What it is.")]
    sentences: Annotated[list[str], about("Two sentences.", min_length=2)]
    family: Family
    flops: Flops
    params: Params
    tokens: Tokens
    tokens_per_param: Annotated[float, about("D / N.", "tokens per parameter", gt=0)]
    loss: Annotated[PosteriorSummary, about("Loss of one run.", "loss")]
    target_loss: Annotated[float | None, about("Loss to reach; null for none.", "loss")]
    probability_of_target: Chance | None
    money: Annotated[PosteriorSummary | None, about("Cost; null without prices.", "currency")]
    currency: Annotated[str | None, about("Of the cost; null without prices.")]
    extrapolation: Extrapolation
    tags: Tags


class Change(Record, frozen=True, kw_only=True):
    """What would change the conclusion."""

    about: Annotated[str, about("Subject, in a word.")]
    text: Annotated[str, about("A sentence or two.")]
    values: Annotated[Mapping[str, Value], about("Numbers that the text states, by name.")]


class RunForecast(Record, frozen=True, kw_only=True):
    """Forecast of one run."""

    family: Family
    flops: Flops
    params: Params
    tokens: Tokens
    mean: Annotated[float, about("Mean of the loss of one run.", "loss")]
    sd: Annotated[float, about("Standard deviation of the loss of one run.", "loss", ge=0)]
    q05: Annotated[float, about("5% quantile of the loss of one run.", "loss")]
    q25: Annotated[float, about("25% quantile of the loss of one run.", "loss")]
    q50: Annotated[float, about("Median of the loss of one run.", "loss")]
    q75: Annotated[float, about("75% quantile of the loss of one run.", "loss")]
    q95: Annotated[float, about("95% quantile of the loss of one run.", "loss")]
    extrapolation: Extrapolation
    tags: Tags


class ForecastRow(RunForecast, frozen=True, kw_only=True):
    """Forecast of one new run at a multiple of a family's largest compute."""

    multiple: Annotated[float, about("Times the largest fitted compute.", "ratio", gt=0)]
    path: Annotated[
        Literal["compute-optimal", "fixed ratio"], about("How sizes follow from compute.")
    ]
    tokens_per_param: Annotated[float, about("D / N.", "tokens per parameter", gt=0)]


class HeldOutRun(RunForecast, frozen=True, kw_only=True):
    """Forecast of a run that was kept out of the fit, beside what it reached."""

    run: Annotated[str, about("Label of the run.")]
    observed: Annotated[float | None, about("Loss that came; null where not known.", "loss")]
    inside_50: Annotated[bool | None, about("Whether it lies inside the 50% interval.")]
    inside_90: Annotated[bool | None, about("Whether it lies inside the 90% interval.")]
    error: Annotated[
        float | None, about("Loss over the median forecast, minus 1.", "fraction of the loss")
    ]


class HeldOut(Record, frozen=True, kw_only=True):
    """Forecasts of the runs kept out of the fit, beside what came."""

    runs: Annotated[list[HeldOutRun], about("Runs kept out of the fit.")]
    known: Annotated[int, about("Of them, those whose loss is known.", ge=0)] = 0
    inside_50: Annotated[int | None, about("Inside their 50% interval.")] = None
    inside_90: Annotated[int | None, about("Inside their 90% interval.")] = None
    bias: Annotated[float | None, about("Median relative error.", "fraction of the loss")] = None


class OtherBudget(BudgetRow, frozen=True, kw_only=True):
    """What a part or a multiple of the budgets would buy."""

    extrapolation: Extrapolation
    tags: Tags


class ReportedPlan(
    Plan, frozen=True, kw_only=True, eq=False, dict=True, tag="bayes_scaling.plan/2"
):
    """A plan as in its own file, with what must stand beside it."""

    other_budgets: Annotated[  # type: ignore[assignment]
        list[OtherBudget], about("What a part or a multiple of the budgets would buy.")
    ]
    tags: Tags


class OtherResults(Record, frozen=True, kw_only=True):
    """Results beside the plans, each as the file of that name has it."""

    frontier: Annotated[list[BudgetFrontier], about("What budgets buy.")]
    marginal: Annotated[list[Marginal], about("What more of each factor buys.")]
    next_runs: Annotated[
        list[NextRuns],
        about(
            "What small runs would be worth; computed for plans of families for which no file was "
            "given."
        ),
    ]
    shapes: Annotated[list[ShapeChoice], about("Depth and width.")]
    backtest: Annotated[list[Backtest], about("Backtests on the fitted runs.")]
    comparison: Annotated[list[Comparison], about("Laws compared on them.")]
    verdict: Annotated[list[Verdict], about("Running curves.")]


class ReportContent(Result, frozen=True, kw_only=True, tag="bayes_scaling.report/2"):
    """Everything a report says, as `report -o FILE.json` writes it."""

    title: Annotated[str, about("Title.")]
    loss_unit: Annotated[str, about("Unit of every loss.")]
    verdict: Annotated[Trust, about("Whether the numbers can be trusted.")]
    headlines: Annotated[
        list[Headline], about("What stands first: one entry a plan, or a forecast.", min_length=1)
    ]
    changes: Annotated[list[Change], about("What would change the conclusion.")]
    forecasts: Annotated[
        list[ForecastRow], about("Loss at multiples of each family's largest compute.")
    ]
    held_out: Annotated[HeldOut, about("Forecasts beside what came.")]
    plans: Annotated[list[ReportedPlan], about("Plans.")]
    others: Annotated[OtherResults, about("Results beside the plans.")]
    data: DataSection
    law: LawSection
    priors: Annotated[list[PriorRow], about("One row a parameter.")]
    prior_contribution: Annotated[Contribution | None, about("Null under weak priors.")]
    parameters: Annotated[list[ParameterRow], about("One row a parameter and family.")]
    diagnostics: Annotated[Diagnosis, about("As the file of that name has it.")]
    provenance: Provenance

    def __str__(self) -> str:
        lines = [f"{self.title}. {self.verdict.label}: {self.verdict.sentence}"]
        return "\n".join([*lines, *(text for each in self.headlines for text in each.sentences)])
