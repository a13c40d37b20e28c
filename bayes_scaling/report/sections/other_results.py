"""Sections on results beside the plans: frontiers, next runs, backtests, comparisons and more."""

from collections.abc import Mapping
from typing import Any

from bayes_scaling.core.json_files import plain
from bayes_scaling.decisions.pilot_runs.next_runs_ranked import next_runs
from bayes_scaling.errors import LawError, ScenarioError
from bayes_scaling.plots.number_format import count, flops, joined, loss, number, percent
from bayes_scaling.report.study import Study
from bayes_scaling.results.kinds import KINDS
from bayes_scaling.scenarios.scenario import Scenario
from bayes_scaling.scenarios.version_1_names import scenario_of_version_1

_CLEAR = 0.6
"""Probability from which one factor is said to gain more than the other."""

__all__ = ["at_distance", "covered", "others_section", "sentences", "tests_of"]


def others_section(
    study: Study, others: Mapping[str, list[dict[str, Any]]]
) -> dict[str, list[dict[str, Any]]]:
    """Results by kind, as their own files; next runs of plans for which none were given."""
    ranked = list(others["next_runs"])
    if study.failed:
        return {**others, "next_runs": ranked}
    known = {entry["family"] for entry in ranked}
    for plan in study.plans:
        if plan["family"] in known or not plan.get("scenario"):
            continue
        try:
            scenario = Scenario.from_dict(scenario_of_version_1(_asked(plan)))
            found = next_runs(study.fit, scenario, seed=int(plan.get("seed", 0)))
        except (LawError, ScenarioError):
            # A plan of an older version, whose scenario cannot be read again: the section that
            # computes plans anew says so.
            continue
        ranked.append(plain(found.to_dict()))
        known.add(plan["family"])
    return {**others, "next_runs": ranked}


def at_distance(
    others: Mapping[str, list[dict[str, Any]]], law: str, decades: float
) -> dict[str, Any] | None:
    """Scores of a law in backtests on these runs at about a distance; None where none got there.

    Parameters
    ----------
    others : mapping
        Results by kind.
    law : str
        Name of the law.
    decades : float
        Log10 of compute over that of the largest fitted run.

    Returns
    -------
    dict or None
        ``beyond``, ``runs`` and ``coverage_90`` of the class of distance that holds it.
    """
    factor = 10.0**decades * (1 - 1e-9)
    rows = [
        row
        for test in tests_of(others)
        for row in test["by_distance"]
        if row["law"] == law and row["low"] < factor <= row["high"]
    ]
    return max(rows, key=lambda row: row["runs"], default=None)


def tests_of(others: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Backtests on these runs, those within comparisons among them."""
    held_out = [c["held_out"] for c in others["comparison"] if c["held_out"]]
    return [*others["backtest"], *held_out]


def _asked(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {**plan["scenario"], "family": plan["family"], "alternatives": ()}


def covered(others: Mapping[str, list[dict[str, Any]]], law: str) -> list[dict[str, Any]]:
    """How often intervals of a law held in backtests on these runs.

    Returns
    -------
    list of dict
        ``ratio`` (a family's largest over the largest it was fitted on), ``split`` (of what),
        ``runs`` and ``coverage_90``, families alike; one entry a backtest and ratio.
    """
    found = []
    for test in tests_of(others):
        rows = [row for row in test["scores"] if row["law"] == law]
        # One family has no row for all of them.
        whole = [row for row in rows if row["family"] == "all"] or rows
        found += [
            {
                "split": test["split"],
                **{name: row[name] for name in ("ratio", "runs", "coverage_90")},
            }
            for row in whole
        ]
    return found


def sentences(kind: str, content: dict[str, Any]) -> list[str]:
    """What a result says, in words."""
    return _WORDS[kind](content)


def _of_frontier(content: dict[str, Any]) -> list[str]:
    most = max(row["budget"] for row in content["rows"])
    needed = [
        f"more than {flops(most)} {content['unit']}"
        if entry["budget"] is None
        else f"{flops(entry['budget'])} {content['unit']}"
        for entry in content["needed"]
    ]
    chances = [percent(entry["probability"]) for entry in content["needed"]]
    told = [
        f"{amount} with probability {chance}"
        for amount, chance in zip(needed, chances, strict=True)
    ]
    said = [f"The target of {loss(content['target_loss'])} takes {joined(told)}."] if told else []
    return [*said, *_texts(content)]


def _of_marginal(content: dict[str, Any]) -> list[str]:
    best = max((row["best"] or 0.0 for row in content["gains"]), default=0.0)
    more = "parameters" if content["bottleneck"] == "params" else "tokens"
    where = f"At {count(content['params'])} parameters and {count(content['tokens'])} tokens"
    said = [
        f"{where} more {more} gain most for their cost, with probability {percent(best)}."
        if best >= _CLEAR
        else f"{where} parameters and tokens gain about alike for their cost; {more} gain more "
        f"with probability {percent(best)}."
    ]
    for factor, doubling in content["stop"].items():
        if doubling is not None:
            said.append(f"Doubling {doubling} of {factor} costs more than it is worth.")
    return [*said, *_texts(content)]


def _of_next_runs(content: dict[str, Any]) -> list[str]:
    unit, money = content["unit"], content["evpi"]
    amount = flops if unit == "FLOP" else count
    best = content["candidates"][0]
    if content["stop"]:
        first = "Decide now: no candidate run is worth what it costs."
    else:
        first = (
            f"The run to do next is {count(best['params'])} parameters on {count(best['tokens'])} "
            f"tokens: it costs {amount(best['cost'])} {unit} and should save "
            f"{number(best['saves_loss'], 2)} in loss, because the decision is made anew once it "
            "is there"
        )
        first += (
            "." if best["net"] is None else f", for a net value of {count(best['net'])} {unit}."
        )
    worth = "" if money is None else f", worth {count(money)} {unit}"
    bound = (
        f"To know the law perfectly would save {number(content['evpi_loss'], 2)} in loss{worth}: "
        "no run can be worth more."
    )
    return [first, bound, *_texts(content)]


def _of_shapes(content: dict[str, Any]) -> list[str]:
    best, good = content["recommended"], content["as_good"]
    return [
        (
            f"{count(content['params'])} parameters: {best['n_layer']} layers of width "
            f"{best['d_model']}; {good['min_layers']} to {good['max_layers']} layers are as good, "
            "within 0.1% of the loss."
        ),
        *_texts(content),
    ]


def _of_backtest(content: dict[str, Any]) -> list[str]:
    ratios = ", ".join(f"1/{ratio:g}" for ratio in content["ratios"])
    said = [
        (
            f"Fitted again to the runs up to {ratios} of each family's largest {content['split']}, "
            "and scored on the larger ones."
        )
    ]
    said += [
        f"Not tested: {entry['family']!r} at 1/{entry['ratio']:g}: {entry['reason']}."
        for entry in content["skipped"]
    ]
    return said


def _of_comparison(content: dict[str, Any]) -> list[str]:
    return _texts(content)


def _of_verdict(content: dict[str, Any]) -> list[str]:
    first = str(KINDS["verdict"].from_dict(content)).splitlines()[:3]
    return [*first, *_texts(content)]


_WORDS = {
    "frontier": _of_frontier,
    "marginal": _of_marginal,
    "next_runs": _of_next_runs,
    "shapes": _of_shapes,
    "backtest": _of_backtest,
    "comparison": _of_comparison,
    "verdict": _of_verdict,
}


def _texts(content: dict[str, Any]) -> list[str]:
    """Caveats of a result, in words."""
    return (
        [one["text"] for one in content["caveats"]] if "caveats" in content else content["warnings"]
    )
