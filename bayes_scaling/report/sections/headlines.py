"""The first screen of a report: what to do, what it brings, whether to believe it."""

from typing import Any

import numpy as np

from bayes_scaling.decisions.allocation.decision_caveats import counting_caveats
from bayes_scaling.forecast.extrapolation import Reach, implausible
from bayes_scaling.model.spec import BORROWS
from bayes_scaling.plots.number_format import count, flops, joined, loss, percent, quoted
from bayes_scaling.report.study import Study, placed

__all__ = ["headlines", "verdict"]

_LABELS = {"ok": "Sound", "warn": "Use with care", "fail": "Do not use"}
_MANY_FLAGGED = 0.1
_NAMED = 2
_SHOWN_MULTIPLE = 10.0
_HELD = 0.8
"""Share of runs inside their 90% intervals below which it is a reason for care."""

Reason = tuple[str, str]


def verdict(study: Study, content: dict[str, Any]) -> dict[str, Any]:
    """Whether the numbers can be trusted, in plain words.

    Parameters
    ----------
    study : Study
        The fit under report.
    content : dict
        Sections "data", "headlines", "plans" and "held_out", already made; "backtests" and
        "as_far", what :mod:`bayes_scaling.report.sections.other_results` finds of backtests.

    Returns
    -------
    dict
        ``status`` ("ok", "warn", "fail": the worst of the reasons), ``label``, ``sentence``,
        and ``reasons``, each with status and text.
    """
    checks = study.diagnosis["checks"]
    found = [("warn" if c["status"] == "untested" else c["status"], c["message"]) for c in checks]
    reasons = [reason for reason in found if reason[0] != "ok"]
    reasons += _asked_too_much(study, content["headlines"])
    reasons += _data_doubts(study, content)
    order = {"fail": 0, "warn": 1, "ok": 2}
    reasons = list(dict.fromkeys(reasons))
    reasons.sort(key=lambda reason: order[reason[0]])
    status = reasons[0][0] if reasons else "ok"
    return {
        "status": status,
        "label": _LABELS[status],
        "sentence": _sentence(study, status, reasons, content),
        "reasons": [{"status": level, "text": text} for level, text in reasons],
    }


def _asked_too_much(study: Study, found: list[dict[str, Any]]) -> list[Reason]:
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
            f"The forecast for {most['family']!r} is for {study.reach(most).words}. "
            "Its interval allows for noise and for what the "
            f"runs leave open {allowed}"
        )
        reasons.append(("warn", text))
        if any(study.reach(item).is_above for item in far):
            reasons += [("warn", note) for note in study.fit.law.limitations]
    for item in found:
        unit = study.fit.loss_unit(item["family"])
        said = implausible([unit], np.array([item["loss"]["q50"]]), "forecast")
        reasons += [("warn", caveat.text) for caveat in said]
    unseen = sorted({item["family"] for item in found} - set(study.fit.families))
    if unseen:
        reasons.append(("warn", f"{quoted(unseen)} was not fitted: it is drawn from the others."))
    return reasons


def _data_doubts(study: Study, content: dict[str, Any]) -> list[Reason]:
    reasons = []
    data, held_out = content["data"], content["held_out"]
    if data["flagged_share"] >= _MANY_FLAGGED:
        text = f"{percent(data['flagged_share'])} of the rows carry a warning, and were used."
        reasons.append(("warn", text))
    asked = {item["family"] for item in content["headlines"]}
    few = [f for f in data["families"] if f["runs"] <= BORROWS and f["family"] in asked]
    reasons += [("warn", f"{f['family']!r} has only {f['runs']} fitted runs.") for f in few]
    reasons += [
        (
            "warn" if test["coverage_90"] < _HELD else "ok",
            (
                f"Fitted to runs up to 1/{test['ratio']:g} of each family's largest "
                f"{test['split']}, this law's 90% intervals held {percent(test['coverage_90'])} of "
                f"{test['runs']} larger ones, families weighing alike."
            ),
        )
        for test in content["backtests"]
    ]
    reasons += _of_families(held_out, asked)
    reasons += [
        ("warn", one.text)
        for plan in content["plans"]
        for one in counting_caveats(study.fit, plan["family"])
    ]
    known = held_out["known"]
    if known:
        inside = held_out["inside_90"]
        text = f"{inside} of {known} held-out runs fell inside their 90% forecast interval."
        reasons.append(("warn" if inside < _HELD * known else "ok", text))
    return reasons


def _of_families(held_out: dict[str, Any], asked: set[str]) -> list[Reason]:
    """Families of the first screen whose own held-out runs were forecast badly."""
    reasons = []
    for family in sorted(asked):
        inside, known = _inside(held_out, family)
        if known and inside < _HELD * known:
            text = (
                f"Of {family!r} {inside} of {known} held-out runs fell inside their 90% interval."
            )
            reasons.append(("warn", text))
    return reasons


def _inside(held_out: dict[str, Any], family: str) -> tuple[int, int]:
    rows = [r for r in held_out["runs"] if r["family"] == family and r["inside_90"] is not None]
    return sum(row["inside_90"] for row in rows), len(rows)


def _tested(content: dict[str, Any], asked: set[str]) -> str:
    """How forecasts of these very data came out: of the families asked for, and as far."""
    held_out, said = content["held_out"], ""
    if held_out["known"]:
        said = (
            f". Of {held_out['known']} runs that were kept out of the fit {held_out['inside_90']} "
            "fell inside their 90% interval"
        )
        own = [(family, *_inside(held_out, family)) for family in sorted(asked)]
        told = [f"{inside} of {known} of {name!r}" for name, inside, known in own if known]
        if told and len(told) <= _NAMED:
            said += f" ({joined(told)})"
    ending = "did" if said else "fell inside their 90% interval"
    if content["as_far"] is not None:
        row = content["as_far"]
        said += (
            f". In a backtest {percent(row['coverage_90'])} of {row['runs']} runs {row['beyond']} "
            f"the compute of its fit {ending}"
        )
    elif content["backtests"]:
        row = max(content["backtests"], key=lambda test: test["ratio"])
        said += (
            f". In a backtest from 1/{row['ratio']:g} of the largest {row['split']} "
            f"{percent(row['coverage_90'])} of {row['runs']} larger runs {ending}, at other "
            "distances than this"
        )
    untested = ". No run was kept out of the fit, so its forecasts were not tested on these data"
    return said or untested


def _sentence(study: Study, status: str, reasons: list[Reason], content: dict[str, Any]) -> str:
    found = content["headlines"]
    if status == "fail":
        first = next(text for level, text in reasons if level == "fail")
        return f"The fit failed its checks, so none of its numbers should be used: {first}"
    base = "The sampler converged and the model reproduces the runs it was fitted to"
    doubts = sum(level == "warn" for level, _ in reasons)
    tested = _tested(content, {item["family"] for item in found})
    if not doubts:
        return f"{base}, and nothing asked of it lies beyond them{tested}."
    if study.diagnosis["status"] == "warn":
        base = "The fit passed no failing check, but some call for care"
    farthest = max(map(study.reach, found), key=lambda reach: reach.distance, default=None)
    if farthest is not None and farthest.outside:
        base += f"; the numbers below are for {farthest.words}"
    base += tested
    follow = "One reason for care follows" if doubts == 1 else f"{doubts} reasons for care follow"
    return f"{base}. {follow}."


def headlines(study: Study, content: dict[str, Any]) -> list[dict[str, Any]]:
    """What stands first: one entry a plan, or a forecast where there is no plan.

    Each has ``sentences`` (two), family, flops, params, tokens, tokens_per_param, ``loss``
    (summary of one new run), target_loss, probability_of_target, extrapolation and ``tags``: the
    doubts that must stand beside the numbers.
    """
    if study.plans:
        return [_of_plan(study, plan) for plan in content["plans"]]
    rows = [row for row in content["forecasts"] if row["multiple"] == _SHOWN_MULTIPLE]
    row = max(rows, key=lambda r: r["flops"])
    where = (
        f"{_SHOWN_MULTIPLE:g} times the compute of the largest run of {row['family']!r} "
        f"({flops(row['flops'])} FLOP: {count(row['params'])} parameters on {count(row['tokens'])} "
        f"tokens, {row['path']})"
    )
    sentences = [f"No plan was given; the forecast is for {where}."]
    sentences.append(_expected(study, row, None, None, study.reach(row)))
    names = ("mean", "sd", "q05", "q25", "q50", "q75", "q95")
    same = ("family", "flops", "params", "tokens", "tokens_per_param", "extrapolation", "tags")
    return [
        {"kind": "forecast", "sentences": _failing(study, sentences)}
        | {name: row[name] for name in same}
        | {"loss": {name: row[name] for name in names}}
        | {"target_loss": None, "probability_of_target": None, "money": None, "currency": None}
    ]


def _of_plan(study: Study, plan: dict[str, Any]) -> dict[str, Any]:
    chosen, family, decades = plan["recommended"], plan["family"], plan["extrapolation"]
    target, probability = plan.get("target_loss"), plan.get("probability_of_target")
    point = placed(plan)
    sentences = [
        (
            f"With {flops(plan['budget_flops'])} FLOP for family {family!r}, train "
            f"{count(chosen['params'])} parameters on {count(chosen['tokens'])} tokens "
            f"({count(chosen['tokens_per_param'])} tokens per parameter)."
        ),
        _expected(study, plan["loss"], target, probability, study.reach(point)),
    ]
    return {
        "kind": "plan",
        "sentences": _failing(study, sentences),
        "family": family,
        "flops": plan["budget_flops"],
        **{name: chosen[name] for name in ("params", "tokens", "tokens_per_param")},
        "loss": plan["loss"],
        "target_loss": target,
        "probability_of_target": probability,
        "money": plan.get("costs", {}).get("money"),
        "currency": plan.get("costs", {}).get("currency"),
        "extrapolation": decades,
        "tags": study.tags(point, chosen["tokens_per_param"]),
    }


def _expected(
    study: Study,
    losses: dict[str, Any],
    target: float | None,
    probability: float | None,
    reach: Reach,
) -> str:
    text = (
        f"One such run should reach a loss of {loss(losses['mean'])} {study.loss_unit} (90% "
        f"interval {loss(losses['q05'])} to {loss(losses['q95'])})"
    )
    if target is not None:
        text += f", and the target of {loss(target)} with probability {percent(probability)}"
    if reach.outside:
        text += f"; this is {reach.words}"
    return f"{text}."


def _failing(study: Study, sentences: list[str]) -> list[str]:
    if not study.failed:
        return sentences
    first = next(c["message"] for c in study.diagnosis["checks"] if c["status"] == "fail")
    return [
        f"Nothing is recommended, because the fit failed its checks: {first}",
        "For the record, it said: " + " ".join(sentences),
    ]
