"""Parts of the result of an allocation."""

from typing import Annotated

from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.core.records import Record, about
from bayes_scaling.decisions.decision_result import (
    BudgetUse,
    LayerRange,
    Params,
    PlanCosts,
    Point,
    TargetProbability,
    Tokens,
)
from bayes_scaling.scenarios.limits import ShapeLimits
from bayes_scaling.scenarios.risk import Measure

__all__ = [
    "AlternativeOutcome",
    "CurvePoint",
    "Driver",
    "LeastCost",
    "NearOptimal",
    "OptimumPosterior",
    "PlanShape",
    "RiskValue",
]


_RISE = about(
    "Rise of the risk at half or twice the recommended size; null beyond the curve.",
    "fraction of the risk",
)


class LeastCost(Record, frozen=True, kw_only=True):
    """The least cost of reaching the target."""

    amount: Annotated[float, about("Least cost that reaches the target, in its unit.", gt=0)]
    unit: Annotated[str, about("FLOP, or a currency.")]
    probability: TargetProbability


class RiskValue(Record, frozen=True, kw_only=True):
    """What the recommended plan has least of."""

    measure: Annotated[Measure, about("Measure of risk.")]
    level: Annotated[
        float | None, about("Of the quantile and the CVaR; null for others.", "probability")
    ]
    meaning: Annotated[str, about("The measure in words.")]
    value: Annotated[float, about("Of the recommended plan.", "loss")]


class NearOptimal(Record, frozen=True, kw_only=True):
    """Plans along the budget that are nearly as good."""

    within: Annotated[float, about("Fraction of the risk by which plans may be worse.", "1")]
    params: Annotated[tuple[float, float], about("Smallest and largest size.", "parameters")]
    tokens: Annotated[tuple[float, float], about("Fewest and most tokens.", "tokens")]
    half_size: Annotated[float | None, _RISE] = None
    double_size: Annotated[float | None, _RISE] = None


class Driver(Record, frozen=True, kw_only=True):
    """A parameter that the best size depends on."""

    parameter: Annotated[str, about("Of the law.")]
    correlation: Annotated[
        float, about("Rank correlation with the best size.", ge=-1.000001, le=1.000001)
    ]
    share: Annotated[float, about("Squared rank correlation.", "1", ge=0, le=1.000001)]


class CurvePoint(Record, frozen=True, kw_only=True):
    """Risk and loss of one size on the budget line."""

    params: Params
    tokens: Tokens
    risk: Annotated[float, about("Measure of risk.", "loss")]
    mean: Annotated[float, about("Mean of the loss of one run.", "loss")]
    q05: Annotated[float, about("5% quantile of the loss of one run.", "loss")]
    q95: Annotated[float, about("95% quantile of the loss of one run.", "loss")]


class PlanShape(Record, frozen=True, kw_only=True):
    """Depth and width of a plan."""

    n_layer: Annotated[int, about("Layers.", ge=1)]
    d_model: Annotated[int, about("Width.", ge=1)]
    aspect_ratio: Annotated[float, about("d_model / n_layer.", gt=0)]
    penalty: Annotated[
        PosteriorSummary,
        about(
            "Loss over that of the best shape of each draw at the same size and tokens, minus 1.",
            "fraction of the loss",
        ),
    ]
    as_good: Annotated[LayerRange, about("Layers of shapes whose risk is within 0.1%.")]
    limits: Annotated[ShapeLimits, about("What the hardware allows of depth and width.")]


class OptimumPosterior(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Posterior of the best split, at each draw's own prices."""

    params: Annotated[PosteriorSummary, about("Size.", "parameters")]
    tokens: Annotated[PosteriorSummary, about("Tokens.", "tokens")]
    tokens_per_param: Annotated[PosteriorSummary, about("D / N.", "tokens per parameter")]
    loss: Annotated[PosteriorSummary, about("Loss there, without noise.", "loss")]
    epochs: Annotated[
        PosteriorSummary | None,
        about("How often each token is seen; only where repeats are allowed."),
    ] = None
    params_exponent: Annotated[
        PosteriorSummary | None,
        about(
            "Growth of the best size with compute, d log N* / d log C; null where the law has no "
            "such exponent."
        ),
    ]


class AlternativeOutcome(Point, frozen=True, kw_only=True):
    """What comes of a plan that the scenario names."""

    name: Annotated[str, about("What the user calls it.")]
    risk: Annotated[float, about("The measure of risk that the plan was chosen by.", "loss")]
    loss: Annotated[PosteriorSummary, about("Loss of one run.", "loss")]
    probability_of_target: TargetProbability | None
    regret: Annotated[
        PosteriorSummary,
        about(
            "Loss over that of the best plan of each draw; below 0 where it goes beyond the "
            "budgets.",
            "loss",
        ),
    ]
    extra_loss: Annotated[
        PosteriorSummary,
        about("Loss over that of the recommended plan in the same draw.", "loss"),
    ]
    probability_better: Annotated[
        float, about("That it is better than the recommended plan.", "probability", ge=0, le=1)
    ]
    costs: Annotated[PlanCosts, about("What it takes.")]
    budgets: Annotated[list[BudgetUse], about("Each budget, and what it takes of it.")]
    beyond: Annotated[list[str], about("Names of the budgets and limits that it breaks.")]
