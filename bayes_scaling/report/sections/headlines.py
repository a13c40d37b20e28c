"""The first screen of a report: what to do, and what it brings."""

from bayes_scaling.core.draw_summary import NAMES, PosteriorSummary
from bayes_scaling.forecast.extrapolation import Reach
from bayes_scaling.plots.number_format import count, flops, loss, percent
from bayes_scaling.report.content_records import ForecastRow, Headline, ReportedPlan
from bayes_scaling.report.study import Study, place_of

__all__ = ["headlines"]

_SHOWN_MULTIPLE = 10.0


def headlines(
    study: Study, plans: list[ReportedPlan], forecasts: list[ForecastRow]
) -> list[Headline]:
    """Return what stands first: one entry a plan, or a forecast where there is no plan."""
    if plans:
        return [_of_plan(study, plan) for plan in plans]
    row = max(
        (row for row in forecasts if row.multiple == _SHOWN_MULTIPLE), key=lambda row: row.flops
    )
    where = (
        f"{_SHOWN_MULTIPLE:g} times the compute of the largest run of {row.family!r} "
        f"({flops(row.flops)} FLOP: {count(row.params)} parameters on {count(row.tokens)} "
        f"tokens, {row.path})"
    )
    losses = PosteriorSummary(**{n: getattr(row, n) for n in ("mean", "sd", *NAMES)})
    sentences = [
        f"No plan was given; the forecast is for {where}.",
        _expected(study, losses, None, None, study.reach(row)),
    ]
    return [
        Headline(
            kind="forecast",
            sentences=_or_failure(study, sentences),
            family=row.family,
            flops=row.flops,
            params=row.params,
            tokens=row.tokens,
            tokens_per_param=row.tokens_per_param,
            loss=losses,
            target_loss=None,
            probability_of_target=None,
            money=None,
            currency=None,
            extrapolation=row.extrapolation,
            tags=row.tags,
        )
    ]


def _of_plan(study: Study, plan: ReportedPlan) -> Headline:
    chosen, family = plan.recommended, plan.family
    target, probability = plan.target_loss, plan.probability_of_target
    sentences = [
        (
            f"With {flops(plan.budget_flops)} FLOP for family {family!r}, train "
            f"{count(chosen.params)} parameters on {count(chosen.tokens)} tokens "
            f"({count(chosen.tokens_per_param)} tokens per parameter)."
        ),
        _expected(study, plan.loss, target, probability, study.reach(place_of(plan))),
    ]
    return Headline(
        kind="plan",
        sentences=_or_failure(study, sentences),
        family=family,
        flops=plan.budget_flops,
        params=chosen.params,
        tokens=chosen.tokens,
        tokens_per_param=chosen.tokens_per_param,
        loss=plan.loss,
        target_loss=target,
        probability_of_target=probability,
        money=plan.costs.money,
        currency=plan.costs.currency,
        extrapolation=plan.extrapolation,
        tags=plan.tags,
    )


def _expected(
    study: Study,
    losses: PosteriorSummary,
    target: float | None,
    probability: float | None,
    reach: Reach,
) -> str:
    text = (
        f"One such run should reach a loss of {loss(losses.mean)} {study.loss_unit} (90% "
        f"interval {loss(losses.q05)} to {loss(losses.q95)})"
    )
    if target is not None:
        text += f", and the target of {loss(target)} with probability {percent(probability)}"
    if reach.outside:
        text += f"; this is {reach.words}"
    return f"{text}."


def _or_failure(study: Study, sentences: list[str]) -> list[str]:
    """The sentences, or why nothing is recommended."""
    if not study.failed:
        return sentences
    first = next(c.message for c in study.diagnosis.checks if c.status == "fail")
    return [
        f"Nothing is recommended, because the fit failed its checks: {first}",
        "For the record, it said: " + " ".join(sentences),
    ]
