"""What would change the conclusion: each item computed from the fit, the data or a plan."""

import math
from collections.abc import Mapping

import numpy as np
from scipy import special

from bayes_scaling.inference.diagnostics.checks import PARETO_K_MAX
from bayes_scaling.inference.diagnostics.pareto_smoothing import leave_one_out
from bayes_scaling.inference.tree import thinned_alike
from bayes_scaling.laws.log_quadratic import curvature_names
from bayes_scaling.model.spec import BORROWS
from bayes_scaling.plots.number_format import count, joined, loss, number, percent, quoted, times
from bayes_scaling.report.content_records import (
    Change,
    Headline,
    HeldOut,
    OtherBudget,
    ReportedPlan,
    Value,
)
from bayes_scaling.report.input_records import Contribution, DataSection
from bayes_scaling.report.study import Study

__all__ = ["changes"]

_UNLIKELY = 0.05
_ENOUGH = 12
_PATTERN = 0.05
"""Family-wise probability below which a pattern in the residuals is not chance."""
_ASIDE = 2.0
"""Standard errors by which the mean residual of the largest runs counts as off."""


def changes(
    study: Study,
    *,
    data: DataSection,
    headlines: list[Headline],
    plans: list[ReportedPlan],
    held_out: HeldOut,
    contribution: Contribution | None,
) -> list[Change]:
    """Return what the conclusion hangs on.

    Parameters
    ----------
    study : Study
        The fit under report.
    data, headlines, plans, held_out, contribution
        Sections that are already made.
    """
    return [
        *(item for plan in plans for item in _of_plan(plan)),
        *_distance(study, headlines),
        *_prior(study),
        *_learned(contribution),
        *_influence(study),
        *_flags(data),
        *_few(data, study),
        *_structure(study),
        *_largest(study),
        *_held_out(held_out),
    ]


def _item(about: str, text: str, values: Mapping[str, Value]) -> Change:
    return Change(about=about, text=text, values=values)


def _of_plan(plan: ReportedPlan) -> list[Change]:
    family, target = plan.family, plan.target_loss
    other = {row.factor: row for row in plan.other_budgets}
    half, double = other.get(0.5), other.get(2.0)
    items = [] if double is None else [_size(plan, double)]
    if target is not None:
        q50, q95 = plan.loss.q50, plan.loss.q95
        text = (
            f"{family!r}: the target of {loss(target)} has probability "
            f"{percent(plan.probability_of_target)}; even odds need a target of {loss(q50)}, "
            f"and 95% needs {loss(q95)}."
        )
        items.append(_item("target", text, {"family": family, "even": q50, "sure": q95}))
    if half is None or double is None:
        return items
    text = (
        f"{family!r}: half the budget costs {_step(plan, half)}, twice gains {_step(plan, double)}"
    )
    if target is not None:
        text += (
            f"; the probability of the target becomes {percent(half.probability_of_target)} "
            f"and {percent(double.probability_of_target)}"
        )
    values: dict[str, Value] = {"family": family, "half": half.mean, "double": double.mean}
    return [*items, _item("budget", f"{text}.", values)]


def _size(plan: ReportedPlan, double: OtherBudget) -> Change:
    """How flat the risk is in the size, in the coin of what more compute would buy."""
    near = plan.near_optimal
    low, high = near.params
    gain = 1 - double.mean / plan.loss.mean
    text = (
        f"{plan.family!r}: any size from {count(low)} to {count(high)} parameters stays within "
        f"{100 * near.within:.3g}% of the lowest risk, where twice the compute gains "
        f"{_fraction(gain)}"
    )
    values: dict[str, Value] = {
        "family": plan.family,
        "params": [low, high],
        "gain_of_doubling": gain,
    }
    half, twice = near.half_size, near.double_size
    if half is not None and twice is not None:
        text += f"; half or twice the size costs {_fraction(half)} and {_fraction(twice)}"
        values |= {"cost_of_half_size": half, "cost_of_double_size": twice}
    return _item("size", f"{text}.", values)


def _fraction(value: float) -> str:
    return f"{100 * value:.2f}%"


def _step(plan: ReportedPlan, row: OtherBudget) -> str:
    change = abs(row.mean - plan.loss.mean)
    return f"{number(change, 2)} of loss ({100 * change / plan.loss.mean:.1f}%)"


def _distance(study: Study, headlines: list[Headline]) -> list[Change]:
    far = [item for item in headlines if study.reach(item).outside]
    if not far:
        return []
    most = max(far, key=lambda item: study.reach(item).distance)
    reach = study.reach(most)
    name = {"compute": "flops", "parameters": "params", "tokens": "tokens"}
    above = reach.above >= reach.below
    runs = study.of_family(most.family)[name[reach.above_in if above else reach.below_in]]
    decades = (reach.above if above else -reach.below) / math.log(10)
    covered = float(np.log10(runs.max() / runs.min()))
    half = number(10 ** (abs(decades) / 2), 2)
    between = f"{half} times the largest" if above else f"1/{half} of the smallest"
    text = (
        f"The {most.kind} for {most.family!r} is at {reach.words}; the runs themselves span "
        f"a factor of {times(covered)}. A run in between (about {between}) would test the law "
        "where it matters."
    )
    return [_item("extrapolation", text, {"decades": decades, "covered_decades": covered})]


def _prior(study: Study) -> list[Change]:
    # Curvatures are drawn from their prior by design: the share of draws that has them is fixed.
    named = {p.name for p in study.fit.spec.parameters} - {*curvature_names(study.fit.law)}
    rows = [
        row
        for row in study.diagnosis.parameter_checks
        if row.source != "data" and row.parameter.partition("[")[0] in named
    ]
    if not rows:
        return []
    rows.sort(key=lambda row: -(row.prior_sensitivity or 0))
    names = [row.parameter for row in rows]
    mostly = [row.parameter for row in rows if row.source == "mostly prior"]
    text = f"Another prior would move {joined(names, 8)} (power-scaling sensitivity above 0.05)"
    text += f"; the data say little about {joined(mostly, 8)}." if mostly else "."
    values = {row.parameter: row.prior_sensitivity or 0.0 for row in rows}
    return [_item("prior", text, {"prior_sensitivity": values})]


def _influence(study: Study) -> list[Change]:
    if not study.diagnosis.loo.pareto_k_high:
        return []
    k = leave_one_out(thinned_alike(study.fit.dt)).pareto_k
    runs = study.fit.dt["log_likelihood"]["run"].to_numpy()
    high = {str(runs[i]): float(k[i]) for i in np.argsort(-k) if k[i] > PARETO_K_MAX}
    text = (
        f"Leaving out {'any of' if len(high) > 1 else ''} {quoted(list(high), 5)} would change the "
        f"fit (Pareto k above {PARETO_K_MAX})."
    ).replace("out  ", "out ")
    return [_item("influence", text, {"pareto_k": high})]


def _flags(data: DataSection) -> list[Change]:
    fraction = data.flagged_share
    if not fraction:
        return []
    codes = {g.code: g.count for g in data.flags if g.severity != "note"}
    listed = joined([f"{n} {code!r}" for code, n in codes.items()])
    text = (
        f"{percent(fraction)} of the rows carry a warning and were used all the same ({listed}); "
        "refit without them to see what they do."
    )
    return [_item("flags", text, {"share": fraction, "codes": codes})]


def _learned(known: Contribution | None) -> list[Change]:
    """Families whose forecast another prior would change."""
    items: list[Change] = []
    for row in known.forecasts if known else ():
        if not row.outside or any(row.family == item.values["family"] for item in items):
            continue
        text = (
            f"{row.family!r}: the prior learned from other families decides. At "
            f"{row.multiple:g} times the largest run it makes the loss {loss(row.q50)} "
            f"({loss(row.q05)} to {loss(row.q95)}); under weak priors it would be "
            f"{loss(row.weak_q50)} ({loss(row.weak_q05)} to {loss(row.weak_q95)})."
        )
        items.append(_item("prior", text, {"family": row.family, "weak": row.weak_q50}))
    return items


def _few(data: DataSection, study: Study) -> list[Change]:
    few = {line.family: line.runs for line in data.families if line.runs <= BORROWS}
    if not few:
        return []
    listed = joined([f"{name!r} ({n})" for name, n in few.items()])
    lender = "the other families and the prior" if len(study.fit.families) > 1 else "the prior"
    text = f"Few runs: {listed}. What is said of them leans on {lender}; more runs would show."
    return [_item("families", text, {"runs": few})]


def _whose(family: str) -> str:
    return repr(family) if family else "all families together"


def _structure(study: Study) -> list[Change]:
    rows = study.diagnosis.predictive_checks
    items: list[Change] = []
    for row in rows:
        explained, p = row.structure, row.structure_p
        if explained is None or p is None or not p * len(rows) < _PATTERN:
            continue
        text = (
            f"The law bends away from the runs of {_whose(row.family)}: compute and tokens per "
            f"parameter explain {explained:.0%} of its residuals (p = {p:.1g}), and "
            "forecasts carry that error on. Another law would change them."
        )
        items.append(_item("residuals", text, {"family": row.family, "structure": explained}))
    return items


def _largest(study: Study) -> list[Change]:
    """Families whose largest runs lie to one side of the fit, which a pattern over all may miss."""
    replicated = study.fit.dt["posterior_predictive"]["loss"].median(("chain", "draw"))
    residual = study.runs["loss"].to_numpy() / replicated.to_numpy() - 1
    items: list[Change] = []
    for family, rows in study.runs.groupby("family", sort=False):
        if len(rows) < _ENOUGH:
            continue
        top = rows["flops"].nlargest(max(4, len(rows) // 6)).index
        mean, sd = float(residual[top].mean()), float(residual[rows.index].std())
        if abs(mean) < _ASIDE * sd / np.sqrt(len(top)):
            continue
        side = "above" if mean > 0 else "below"
        text = (
            f"The {len(top)} largest runs of {family!r} lie {abs(100 * mean):.2g}% {side} the fit "
            "on average: if the law bends there, forecasts are too "
            f"{'low' if mean > 0 else 'high'}."
        )
        items.append(_item("residuals", text, {"family": str(family), "largest_runs": mean}))
    return items


def _held_out(section: HeldOut) -> list[Change]:
    known, inside, bias = section.known, section.inside_90, section.bias
    if inside is None or bias is None:
        return []
    side = "above" if bias > 0 else "below"
    text = (
        f"Of {known} held-out runs {inside} fell inside their 90% interval, and the middle one "
        f"came out {abs(100 * bias):.2g}% {side} its forecast."
    )
    if special.bdtr(inside, known, 0.9) < _UNLIKELY:
        text += (
            " That is fewer than chance allows, so intervals further out are too narrow as well."
        )
    return [_item("held-out", text, {"known": known, "inside_90": inside, "bias": bias})]
