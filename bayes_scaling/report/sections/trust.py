"""Whether the numbers of a report can be trusted, in plain words."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.decisions.allocation.decision_caveats import counting_caveats
from bayes_scaling.forecast import Backtest
from bayes_scaling.forecast.evaluation.backtest_result import DistanceScores, FamilyScores
from bayes_scaling.forecast.extrapolation import implausible
from bayes_scaling.model.spec import BORROWS
from bayes_scaling.plots.number_format import joined, percent, quoted
from bayes_scaling.report.content_records import Headline, HeldOut, Reason, Status, Trust
from bayes_scaling.report.input_records import DataSection
from bayes_scaling.report.study import Study

__all__ = ["Evidence", "at_distance", "covered", "trust"]

_LABELS: dict[Status, str] = {"ok": "Sound", "warn": "Use with care", "fail": "Do not use"}
_RANK: dict[Status, int] = {"fail": 0, "warn": 1, "ok": 2}
_MANY_FLAGGED = 0.1
_NAMED = 2
_HELD = 0.8
"""Share of runs inside their 90% intervals below which it is a reason for care."""


@dataclass(frozen=True)
class Evidence:
    """What the numbers are judged by, beside the diagnosis of the fit.

    Attributes
    ----------
    data : DataSection
        The runs.
    headlines : list of Headline
        Forecasts and plans of the first screen.
    held_out : HeldOut
        Forecasts of runs kept out of the fit.
    backtests : sequence of Backtest
        Backtests on the fitted runs.
    """

    data: DataSection
    headlines: list[Headline]
    held_out: HeldOut
    backtests: Sequence[Backtest]

    @property
    def families(self) -> list[str]:
        """Families of the headlines."""
        return sorted({item.family for item in self.headlines})


def trust(study: Study, evidence: Evidence) -> Trust:
    """Return whether the numbers can be trusted, with the reasons."""
    reasons = [
        Reason(
            status="warn" if check.status == "untested" else check.status,
            code=check.name,
            text=check.message,
        )
        for check in study.diagnosis.checks
        if check.status != "ok"
    ]
    reasons += _of_distance(study, evidence.headlines)
    reasons += _of_data(study, evidence)
    reasons = list({(one.status, one.text): one for one in reasons}.values())
    reasons.sort(key=lambda reason: _RANK[reason.status])
    status: Status = reasons[0].status if reasons else "ok"
    return Trust(
        status=status,
        label=_LABELS[status],
        sentence=_sentence(study, status, reasons, evidence),
        reasons=reasons,
    )


def _care(code: str, text: str, subject: str = "") -> Reason:
    return Reason(status="warn", code=code, text=text, subject=subject)


def _of_caveats(caveats: Sequence[Caveat]) -> list[Reason]:
    return [_care(caveat.code, caveat.text) for caveat in caveats]


def _of_distance(study: Study, found: list[Headline]) -> list[Reason]:
    reasons = []
    far = [item for item in found if study.reach(item).outside]
    if far:
        most = max(far, key=lambda item: study.reach(item).distance)
        allowed = (
            "about the parameters, not for a wrong law."
            if study.fit.spec.discrepancy is None
            else "about the parameters, and for an error of the law as large as in other families."
        )
        text = (
            f"The forecast for {most.family!r} is for {study.reach(most).words}. "
            "Its interval allows for noise and for what the "
            f"runs leave open {allowed}"
        )
        reasons.append(_care("extrapolation", text, most.family))
        if any(study.reach(item).is_above for item in far):
            reasons += [_care("law-limitation", text) for text in study.fit.law.limitations]
    for item in found:
        unit = study.fit.loss_unit(item.family)
        reasons += _of_caveats(implausible([unit], np.array([item.loss.q50]), "forecast"))
    unseen = sorted({item.family for item in found} - set(study.fit.families))
    if unseen:
        text = f"{quoted(unseen)} was not fitted: it is drawn from the others."
        reasons.append(_care("unseen-family", text, unseen[0]))
    return reasons


def _of_data(study: Study, evidence: Evidence) -> list[Reason]:
    data, held_out = evidence.data, evidence.held_out
    reasons = []
    if data.flagged_share >= _MANY_FLAGGED:
        text = f"{percent(data.flagged_share)} of the rows carry a warning, and were used."
        reasons.append(_care("flagged-rows", text))
    reasons += [
        _care("few-runs", f"{family.family!r} has only {family.runs} fitted runs.", family.family)
        for family in data.families
        if family.runs <= BORROWS and family.family in evidence.families
    ]
    reasons += [
        _judged(
            "backtest",
            row.coverage_90 or 0.0,
            f"Fitted to runs up to 1/{row.ratio:g} of each family's largest {test.split}, this "
            f"law's 90% intervals held {percent(row.coverage_90)} of {row.runs} larger ones, "
            "families with equal weight.",
        )
        for test in evidence.backtests
        for row in covered(test, study.fit.law.name)
    ]
    for family in evidence.families:
        inside, known = _inside(held_out, family)
        if known and inside < _HELD * known:
            text = (
                f"Of {family!r} {inside} of {known} held-out runs fell inside their 90% interval."
            )
            reasons.append(_care("held-out", text, family))
    for plan in study.plans:
        reasons += _of_caveats(counting_caveats(study.fit, plan.family))
    if held_out.known:
        inside = held_out.inside_90 or 0
        text = (
            f"{inside} of {held_out.known} held-out runs fell inside their 90% forecast interval."
        )
        reasons.append(_judged("held-out", inside / held_out.known, text))
    return reasons


def _judged(code: str, coverage: float, text: str) -> Reason:
    return Reason(status="warn" if coverage < _HELD else "ok", code=code, text=text)


def covered(test: Backtest, law: str) -> list[FamilyScores]:
    """Return the scores of a law over all families in a backtest, one row a ratio."""
    rows = [row for row in test.family_scores if row.law == law]
    # One family has no row for all of them.
    return [row for row in rows if row.family == "all"] or rows


def at_distance(tests: Sequence[Backtest], law: str, decades: float) -> DistanceScores | None:
    """Return the scores of a law in backtests at about a distance; None where none got there.

    Parameters
    ----------
    tests : sequence of Backtest
        Backtests.
    law : str
        Name of the law.
    decades : float
        Log10 of compute over that of the largest fitted run.
    """
    factor = 10.0**decades * (1 - 1e-9)
    rows = [
        row
        for test in tests
        for row in test.distance_scores
        if row.law == law and row.low < factor <= row.high
    ]
    return max(rows, key=lambda row: row.runs, default=None)


def _inside(held_out: HeldOut, family: str) -> tuple[int, int]:
    inside = [row.inside_90 for row in held_out.runs if row.family == family]
    known = [value for value in inside if value is not None]
    return sum(known), len(known)


def _tested(study: Study, evidence: Evidence) -> str:
    """How forecasts of these very data came out: of the requested families, and as far."""
    held_out, law, text = evidence.held_out, study.fit.law.name, ""
    if held_out.known:
        text = (
            f". Of {held_out.known} runs that were kept out of the fit {held_out.inside_90} "
            "fell inside their 90% interval"
        )
        own = [(family, *_inside(held_out, family)) for family in evidence.families]
        parts = [f"{inside} of {known} of {name!r}" for name, inside, known in own if known]
        if parts and len(parts) <= _NAMED:
            text += f" ({joined(parts)})"
    ending = "did" if text else "fell inside their 90% interval"
    farthest = max((item.extrapolation for item in evidence.headlines), default=0.0)
    near = at_distance(evidence.backtests, law, farthest)
    tests = [(row, test.split) for test in evidence.backtests for row in covered(test, law)]
    if near is not None:
        text += (
            f". In a backtest {percent(near.coverage_90)} of {near.runs} runs {near.beyond} "
            f"the compute of its fit {ending}"
        )
    elif tests:
        row, split = max(tests, key=lambda pair: pair[0].ratio)
        text += (
            f". In a backtest from 1/{row.ratio:g} of the largest {split} "
            f"{percent(row.coverage_90)} of {row.runs} larger runs {ending}, at other "
            "distances than this"
        )
    untested = ". No run was kept out of the fit, so its forecasts were not tested on these data"
    return text or untested


def _sentence(study: Study, status: Status, reasons: list[Reason], evidence: Evidence) -> str:
    if status == "fail":
        first = next(reason.text for reason in reasons if reason.status == "fail")
        return f"The fit failed its checks, so none of its numbers should be used: {first}"
    base = "The sampler converged and the model reproduces the runs it was fitted to"
    cares = sum(reason.status == "warn" for reason in reasons)
    tested = _tested(study, evidence)
    if not cares:
        return f"{base}, and no requested forecast lies beyond them{tested}."
    if study.diagnosis.status == "warn":
        base = "The fit passed no failing check, but some call for care"
    reaches = map(study.reach, evidence.headlines)
    farthest = max(reaches, key=lambda reach: reach.distance, default=None)
    if farthest is not None and farthest.outside:
        base += f"; the numbers below are for {farthest.words}"
    base += tested
    follow = "One reason for care follows" if cares == 1 else f"{cares} reasons for care follow"
    return f"{base}. {follow}."
