"""What results of decisions have in common: where they come from, configurations and costs."""

from typing import Annotated, Literal

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.core.records import Record, about, null_together
from bayes_scaling.core.result import CAVEATS, Result

__all__ = [
    "BudgetRow",
    "BudgetUse",
    "DecisionResult",
    "Flops",
    "LayerRange",
    "Loss",
    "Params",
    "PlanCosts",
    "Point",
    "Probability",
    "TargetProbability",
    "Tokens",
    "ValuePerNat",
]

Params = Annotated[float, about("Model size N, counted as in the runs.", "parameters", gt=0)]
Tokens = Annotated[float, about("Training tokens D, repeats included.", "tokens", gt=0)]
Flops = Annotated[float, about("Training compute, 6·N·D.", "FLOP", gt=0)]
Epochs = Annotated[float, about("How often each distinct token is seen.", ge=1)]
Loss = Annotated[float, about("Loss.", "loss")]
Probability = Annotated[float, about("Probability.", "probability", ge=0, le=1)]
TargetProbability = Annotated[
    float, about("That one run reaches the target loss.", "probability", ge=0, le=1)
]
ValuePerNat = Annotated[
    float | None, about("Value of a loss lower by 1; null where it has none.", "currency per loss")
]


class DecisionResult(Result, frozen=True, kw_only=True):
    """Result of a decision, with where its numbers come from."""

    law: Annotated[str, about("Name of the fitted law.")]
    family: Annotated[str, about("Family of runs that the decision is for.")]
    family_seen: Annotated[
        bool, about("Whether the family was fitted; if not it is drawn from the others.")
    ]
    runs_hash: Annotated[str, about("SHA-256 (hex) of the fitted runs.")]
    loss_unit: Annotated[str, about("Unit of every loss in the file, such as nats/token.")]
    seed: Annotated[int, about("Seed of run noise, uncertain prices and unseen families.", ge=0)]
    caveats: Annotated[list[Caveat], about(CAVEATS)]

    def _caveat_lines(self) -> list[str]:
        """Caveats as lines of text."""
        return [f"Note: {caveat.text}" for caveat in self.caveats]


class Point(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A configuration to train."""

    params: Params
    tokens: Tokens
    flops: Flops
    tokens_per_param: Annotated[float, about("D / N.", "tokens per parameter", gt=0)]
    unique_tokens: Annotated[float, about("Distinct tokens, D / epochs.", "tokens", gt=0)]
    epochs: Epochs
    n_layer: Annotated[int, about("Layers; only under a law that reads a shape.", ge=1)] | None = (
        None
    )
    d_model: Annotated[int, about("Width; only under a law that reads a shape.", ge=1)] | None = (
        None
    )


class PlanCosts(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a plan takes, as far as prices are known."""

    flops: Annotated[PosteriorSummary, about("Training compute.", "FLOP")]
    money: Annotated[
        PosteriorSummary | None, about("Money; only where compute has a price.", "currency")
    ] = None
    currency: Annotated[str | None, about("Of the money; only where compute has a price.")] = None
    seconds: Annotated[
        PosteriorSummary | None,
        about("Training time; only where the number of devices is known.", "s"),
    ] = None

    def __post_init__(self) -> None:
        null_together(self, "money", "currency")


class BudgetUse(Record, frozen=True, kw_only=True):
    """A budget, and what a plan takes of it."""

    budget: Annotated[Literal["compute", "money", "time"], about("Of what.")]
    unit: Annotated[str, about("FLOP, a currency, or s.")]
    amount: Annotated[float, about("How much there is, in its unit.", gt=0)]
    spent: Annotated[
        float,
        about("Fraction of it that the plan takes, at the confidence stated.", "1", ge=0),
    ]
    probability_within: Annotated[float, about("That it is enough.", "probability", ge=0, le=1)]


class BudgetRow(Record, frozen=True, kw_only=True):
    """The plan of least risk for a multiple of the budgets."""

    factor: Annotated[float, about("Times the budgets of the scenario.", "ratio", gt=0)]
    params: Params
    tokens: Tokens
    flops: Flops
    epochs: Epochs
    money: Annotated[float | None, about("Median cost; null where no price is known.", "currency")]
    mean: Annotated[float, about("Mean of the loss of one run.", "loss")]
    sd: Annotated[float, about("Standard deviation of the loss of one run.", "loss", ge=0)]
    q05: Annotated[float, about("5% quantile of the loss of one run.", "loss")]
    q25: Annotated[float, about("25% quantile of the loss of one run.", "loss")]
    q50: Annotated[float, about("Median of the loss of one run.", "loss")]
    q75: Annotated[float, about("75% quantile of the loss of one run.", "loss")]
    q95: Annotated[float, about("95% quantile of the loss of one run.", "loss")]
    risk: Annotated[float, about("The scenario's measure of risk.", "loss")]
    probability_of_target: TargetProbability | None
    optimum_q05: Annotated[
        float, about("5% quantile of the size that is best in each draw.", "parameters", gt=0)
    ]
    optimum_q95: Annotated[
        float, about("95% quantile of the size that is best in each draw.", "parameters", gt=0)
    ]


class LayerRange(Record, frozen=True, kw_only=True):
    """Layers of shapes that are as good."""

    min_layers: Annotated[int, about("Fewest.", ge=1)]
    max_layers: Annotated[int, about("Most.", ge=1)]
