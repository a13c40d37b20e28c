"""Results beside the plans: frontiers, next runs, backtests, comparisons and more, in words."""

from collections.abc import Iterable
from functools import singledispatch

from bayes_scaling.core.caveat import texts
from bayes_scaling.core.result import Result
from bayes_scaling.curves import Verdict
from bayes_scaling.decisions import BudgetFrontier, Marginal, NextRuns, ShapeChoice
from bayes_scaling.decisions.pilot_runs.next_runs_of_plan import next_runs_of_plan
from bayes_scaling.forecast import Backtest, Comparison
from bayes_scaling.plots.number_format import count, flops, joined, loss, number, percent
from bayes_scaling.report.content_records import OtherResults
from bayes_scaling.report.study import Study
from bayes_scaling.results.belonging import of_kind

_CLEAR = 0.6
"""Probability from which one factor is said to gain more than the other."""

__all__ = ["backtests_of", "others_section", "sentences"]


def others_section(study: Study, results: Iterable[Result]) -> OtherResults:
    """Return results by kind, with next runs of plans for which none were given."""
    found = list(results)
    ranked = of_kind(found, NextRuns)
    known = {entry.family for entry in ranked}
    for plan in () if study.failed else study.plans:
        if plan.family not in known:
            made = next_runs_of_plan(study.fit, plan)
            ranked += [] if made is None else [made]
            known.add(plan.family)
    return OtherResults(
        frontier=of_kind(found, BudgetFrontier),
        marginal=of_kind(found, Marginal),
        next_runs=ranked,
        shapes=of_kind(found, ShapeChoice),
        backtest=of_kind(found, Backtest),
        comparison=of_kind(found, Comparison),
        verdict=of_kind(found, Verdict),
    )


def backtests_of(others: OtherResults) -> list[Backtest]:
    """Return backtests on the fitted runs, those within comparisons among them."""
    return [*others.backtest, *(c.held_out for c in others.comparison if c.held_out is not None)]


@singledispatch
def sentences(result: Result) -> list[str]:
    """Return what a result says, in words; its caveats come last."""
    raise TypeError(f"a report has no words for {type(result).__name__}")


@sentences.register
def _(found: BudgetFrontier) -> list[str]:
    most = max(row.budget for row in found.rows)
    needed = [
        f"more than {flops(most)} {found.unit}"
        if entry.budget is None
        else f"{flops(entry.budget)} {found.unit}"
        for entry in found.needed_budgets
    ]
    chances = [percent(entry.probability) for entry in found.needed_budgets]
    parts = [
        f"{amount} with probability {chance}"
        for amount, chance in zip(needed, chances, strict=True)
    ]
    first = [f"The target of {loss(found.target_loss)} takes {joined(parts)}."] if parts else []
    return [*first, *texts(found.caveats)]


@sentences.register
def _(found: Marginal) -> list[str]:
    best = max((row.best or 0.0 for row in found.gain_rows), default=0.0)
    more = "parameters" if found.bottleneck == "params" else "tokens"
    where = f"At {count(found.params)} parameters and {count(found.tokens)} tokens"
    first = [
        f"{where} more {more} gain most for their cost, with probability {percent(best)}."
        if best >= _CLEAR
        else f"{where} parameters and tokens gain about equally for their cost; {more} gain more "
        f"with probability {percent(best)}."
    ]
    for factor in ("params", "tokens", "both"):
        doubling = getattr(found.stop, factor)
        if doubling is not None:
            first.append(f"Doubling {doubling} of {factor} costs more than it is worth.")
    return [*first, *texts(found.caveats)]


@sentences.register
def _(found: NextRuns) -> list[str]:
    unit, best = found.unit, found.candidates[0]
    amount = flops if unit == "FLOP" else count
    if found.stop:
        first = "Decide now: no candidate run is worth what it costs."
    else:
        first = (
            f"The run to do next is {count(best.params)} parameters on {count(best.tokens)} "
            f"tokens: it costs {amount(best.cost)} {unit} and should save "
            f"{number(best.saves_loss, 2)} in loss, because the decision is made anew once it "
            "is there"
        )
        first += "." if best.net is None else f", for a net value of {count(best.net)} {unit}."
    value = "" if found.evpi is None else f", worth {count(found.evpi)} {unit}"
    bound = (
        f"To know the law perfectly would save {number(found.evpi_loss, 2)} in loss{value}: "
        "no run can be worth more."
    )
    return [first, bound, *texts(found.caveats)]


@sentences.register
def _(found: ShapeChoice) -> list[str]:
    best, good = found.recommended, found.as_good
    return [
        (
            f"{count(found.params)} parameters: {best.n_layer} layers of width "
            f"{best.d_model}; {good.min_layers} to {good.max_layers} layers are as good, "
            "within 0.1% of the loss."
        ),
        *texts(found.caveats),
    ]


@sentences.register
def _(found: Backtest) -> list[str]:
    ratios = ", ".join(f"1/{ratio:g}" for ratio in found.ratios)
    return [
        (
            f"Fitted again to the runs up to {ratios} of each family's largest {found.split}, "
            "and scored on the larger ones."
        ),
        *(
            f"Not tested: {entry.family!r} at 1/{entry.ratio:g}: {entry.reason}."
            for entry in found.skipped
        ),
    ]


@sentences.register
def _(found: Comparison) -> list[str]:
    return list(texts(found.caveats))


@sentences.register
def _(found: Verdict) -> list[str]:
    return [*str(found).splitlines()[:3], *texts(found.caveats)]
