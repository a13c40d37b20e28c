"""What a report says of what went in: data, law, priors, parameters and provenance."""

from typing import Annotated, Literal

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.draw_summary import PosteriorSummary
from bayes_scaling.core.records import Record, about
from bayes_scaling.decisions.decision_result import Flops, Params, Tokens

__all__ = [
    "Contribution",
    "DataSection",
    "FamilyRuns",
    "FlagGroup",
    "LawSection",
    "ParameterRow",
    "PriorContribution",
    "PriorForecast",
    "PriorRow",
    "Provenance",
]

Family = Annotated[str, about("Name of the family.")]
Pooling = Literal["partial", "shared", "none"]
Runs = Annotated[int, about("Number of runs.", ge=0)]
Q05 = Annotated[float, about("5% quantile of the loss of one run.", "loss")]
Q50 = Annotated[float, about("Median of the loss of one run.", "loss")]
Q95 = Annotated[float, about("95% quantile of the loss of one run.", "loss")]


class FamilyRuns(Record, frozen=True, kw_only=True):
    """Runs of a family."""

    family: Family
    runs: Runs
    held_out: Annotated[int, about("Runs kept out of the fit.", ge=0)]
    params_min: Annotated[float, about("Smallest size.", "parameters")]
    params_max: Annotated[float, about("Largest size.", "parameters")]
    tokens_min: Annotated[float, about("Fewest tokens.", "tokens")]
    tokens_max: Annotated[float, about("Most tokens.", "tokens")]
    flops_min: Annotated[float, about("Least compute.", "FLOP")]
    flops_max: Annotated[float, about("Most compute.", "FLOP")]
    loss_min: Annotated[float, about("Lowest loss.", "loss")]
    loss_max: Annotated[float, about("Highest loss.", "loss")]


class FlagGroup(Record, frozen=True, kw_only=True):
    """Flags of one code."""

    code: Annotated[str, about("Code of the flag.")]
    meaning: Annotated[str, about("In words.")]
    severity: Annotated[Literal["error", "warning", "note"], about("How much it matters.")]
    count: Annotated[int, about("Number of flags.", ge=0)]
    examples: Annotated[list[str], about("Up to three messages.")]


class DataSection(Record, frozen=True, kw_only=True):
    """The runs."""

    source: Annotated[str, about("Name of the table.")]
    runs: Runs
    held_out: Annotated[int, about("Runs kept out of the fit.", ge=0)]
    params_column: Annotated[str, about("Column that N is.")]
    loss_unit: Annotated[str, about("Unit of losses.")]
    families: Annotated[list[FamilyRuns], about("One row a family.")]
    flags: Annotated[list[FlagGroup], about("Flags by code.")]
    flagged_share: Annotated[
        float, about("Fraction of rows with a warning or an error.", "1", ge=0, le=1)
    ]
    excluded: Annotated[dict[str, int], about("Rows excluded on request, by code.")]
    caveats: Annotated[list[Caveat], about("What makes the runs or the design less sure.")]


class LawSection(Record, frozen=True, kw_only=True):
    """The law."""

    name: Annotated[str, about("Name.")]
    formula: Annotated[str, about("Formula.")]
    inputs: Annotated[list[str], about("Columns that it reads.")]
    reference: Annotated[str, about("Where it comes from.")]
    notes: Annotated[list[str], about("What must be known of it.")]
    noise: Annotated[str, about("Distribution of the noise.")]
    pooling: Annotated[dict[str, Pooling], about("How families share it, by parameter.")]
    reference_point: Annotated[dict[str, float], about("Where amplitudes are the loss, by input.")]


class PriorRow(Record, frozen=True, kw_only=True):
    """Prior of a parameter."""

    name: Annotated[str, about("Parameter.")]
    meaning: Annotated[str, about("In words.")]
    unit: Annotated[str, about("Unit of the parameter; 1 for none.")]
    median: Annotated[float, about("Median, in the parameter's unit.")]
    log_sd: Annotated[float, about("Standard deviation of its log.")]
    log_spread: Annotated[
        float | None,
        about("Standard deviation of its log between families; null where they share it."),
    ]
    q05: Annotated[float, about("5% quantile.")]
    q95: Annotated[float, about("95% quantile.")]
    pooling: Annotated[Pooling, about("How families share it.")]
    relative_to_loss: Annotated[
        bool, about("Whether it is stated relative to the family's typical loss.")
    ]
    reason: Annotated[str, about("Why this prior.")]


class PriorContribution(Record, frozen=True, kw_only=True):
    """Prior, runs and posterior of a parameter; runs are under weak priors."""

    family: Family
    name: Annotated[str, about("Parameter.")]
    unit: Annotated[str, about("Unit of the parameter.")]
    prior_q05: Annotated[float, about("5% quantile of the prior.")]
    prior_q50: Annotated[float, about("Median of the prior.")]
    prior_q95: Annotated[float, about("95% quantile of the prior.")]
    runs_q05: Annotated[float, about("5% quantile by the runs alone.")]
    runs_q50: Annotated[float, about("Median by the runs alone.")]
    runs_q95: Annotated[float, about("95% quantile by the runs alone.")]
    posterior_q05: Annotated[float, about("5% quantile of the posterior.")]
    posterior_q50: Annotated[float, about("Median of the posterior.")]
    posterior_q95: Annotated[float, about("95% quantile of the posterior.")]
    moved: Annotated[
        float, about("By how much the learned prior moved its log.", "sd under weak priors")
    ]


class PriorForecast(Record, frozen=True, kw_only=True):
    """A forecast under the learned prior and under weak ones."""

    family: Family
    multiple: Annotated[float, about("Times the largest fitted compute.", "ratio", gt=0)]
    flops: Flops
    params: Params
    tokens: Tokens
    q05: Q05
    q50: Q50
    q95: Q95
    weak_q05: Annotated[float, about("5% quantile under weak priors.", "loss")]
    weak_q50: Annotated[float, about("Median under weak priors.", "loss")]
    weak_q95: Annotated[float, about("95% quantile under weak priors.", "loss")]
    outside: Annotated[
        bool, about("Whether the median under weak priors lies outside the 90% interval.")
    ]


class Contribution(Record, frozen=True, kw_only=True):
    """What a learned prior contributed."""

    source: Annotated[str, about("Where the prior was learned.")]
    parameters: Annotated[list[PriorContribution], about("One row a family and parameter.")]
    forecasts: Annotated[list[PriorForecast], about("Forecasts under both priors.")]


class ParameterRow(Record, frozen=True, kw_only=True):
    """Posterior of a parameter, at the reference point, beside its prior."""

    name: Annotated[str, about("Parameter.")]
    family: Annotated[str | None, about("Name of the family; null for all.")]
    mean: Annotated[float, about("Posterior mean.")]
    sd: Annotated[float, about("Posterior standard deviation.", ge=0)]
    q05: Annotated[float, about("5% quantile of the posterior.")]
    q25: Annotated[float, about("25% quantile of the posterior.")]
    q50: Annotated[float, about("Median of the posterior.")]
    q75: Annotated[float, about("75% quantile of the posterior.")]
    q95: Annotated[float, about("95% quantile of the posterior.")]
    prior: Annotated[
        PosteriorSummary | None, about("The same of the prior; null where it has none.")
    ]
    r_hat: Annotated[float | None, about("Split R-hat.")] = None
    ess_bulk: Annotated[float | None, about("Effective number of draws, bulk.")] = None
    ess_tail: Annotated[float | None, about("Effective number of draws, tails.")] = None
    status: Annotated[str | None, about("ok, or what is wrong with its sampling.")] = None
    contraction: Annotated[float | None, about("1 - posterior over prior variance of its log.")] = (
        None
    )
    source: Annotated[str | None, about("data, prior and data, or mostly prior.")] = None
    unit: Annotated[str, about("Unit of the parameter; 1 for none.")]
    meaning: Annotated[str, about("In words.")]
    raw: Annotated[
        PosteriorSummary | None,
        about("In published units, at N = D = 1; null for what does not change."),
    ]


class Provenance(Record, frozen=True, kw_only=True):
    """What it takes to make the fit again."""

    fitted_at: Annotated[str | None, about("Date and time, ISO 8601; null where not known.")]
    runs_hash: Annotated[str, about("SHA-256 (hex) of the runs.")]
    source: Annotated[str, about("Name of the table.")]
    seed: Annotated[int, about("Seed of the fit.", ge=0)]
    sampler: Annotated[
        dict[str, float | int | str | bool | None], about("Settings of the sampler.")
    ]
    compile_seconds: Annotated[float, about("Time to compile the model.", "s")]
    sample_seconds: Annotated[float, about("Time to sample.", "s")]
    versions: Annotated[dict[str, str], about("Of libraries.")]
    fit_schema: Annotated[str, about("Form of the fit's file.")]
