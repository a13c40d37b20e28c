"""The value of knowing more: what perfect knowledge would save, and what the next run would."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.arguments import needs, shown, whole_number
from bayes_scaling.core.caveat import texts
from bayes_scaling.core.display import brief
from bayes_scaling.core.json_files import Saved, records, without
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.problem_from_fit import problem
from bayes_scaling.decisions.decision_caveats import candidate_doubts
from bayes_scaling.decisions.decision_family import provenance
from bayes_scaling.decisions.pilot_runs.value_of_information import MOST, Decision, Study
from bayes_scaling.errors import ScenarioError
from bayes_scaling.forecast.forecast_caveats import size_caveats
from bayes_scaling.inference import Fit
from bayes_scaling.laws import Law
from bayes_scaling.laws.law_inputs import declared
from bayes_scaling.model import typical_caveats
from bayes_scaling.posterior import runs_of
from bayes_scaling.runs.input_columns import SIZES
from bayes_scaling.scenarios.quantities import in_unit
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["SCHEMA", "NextRuns", "candidates", "next_runs"]

Floats = NDArray[np.float64]

SCHEMA = "bayes_scaling.next_runs/1"
_DRAWS = 2000
"""Draws that stand for the posterior here: every outcome reweights them all."""
_LEAST_ESS = 50.0
"""Effective draws behind an updated posterior below which its value is called rough."""
_TIMES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_RATIOS = (0.25, 1.0, 4.0)
_SHOWN = 12


@dataclass(frozen=True, eq=False, repr=False)
class NextRuns(Saved):
    """What each candidate run would be worth before the decision is made.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a candidate, the most valuable first: params, tokens, flops, ``cost`` (in
        ``unit``), ``saves_loss`` (expected value of its outcome, EVSI, in loss), ``saves`` (the
        same in money) and ``net`` (saves less cost; both None where a loss has no worth),
        ``sd_left`` (sd of the planned run's log loss after it, as a share of that before),
        ``effective_draws``.
    evpi_loss : float
        What perfect knowledge of the law would save (EVPI), in loss.
    evpi : float or None
        The same in money.
    unit : str
        Of costs: FLOP, or a currency where prices are known.
    content : dict
        What else the file says.
    batch : pandas.DataFrame or None
        Runs to be done together, in the order in which they are chosen; columns as in the table,
        but cost, savings, ``sd_left`` and ``effective_draws`` are of this and all before it.
    """

    table: pd.DataFrame
    evpi_loss: float
    evpi: float | None
    unit: str
    content: dict[str, Any]
    batch: pd.DataFrame | None = None

    @property
    def best(self) -> dict[str, Any] | None:
        """The candidate to run next; None where none is worth its cost."""
        first = self.table.iloc[0]
        if self.evpi is not None and not first["net"] > 0:
            return None
        return {str(name): value for name, value in first.to_dict().items()}

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        rows = records(self.table)
        return {
            "schema": SCHEMA,
            **self.content,
            "unit": self.unit,
            "evpi_loss": self.evpi_loss,
            "evpi": self.evpi,
            "stop": self.best is None,
            "candidates": rows,
            "batch": None if self.batch is None else records(self.batch),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "NextRuns":
        """A ranking from the content of its file."""
        own = ("unit", "evpi_loss", "evpi", "stop", "candidates", "batch")
        batch = content["batch"]
        return cls(
            pd.DataFrame(content["candidates"]),
            content["evpi_loss"],
            content["evpi"],
            content["unit"],
            without(content, "schema", *own),
            None if batch is None else pd.DataFrame(batch),
        )

    @property
    def verdict(self) -> str:
        """What to run next and what it is worth, in a sentence."""
        best = self.best
        if best is None:
            return "Stop: no candidate is worth what it costs."
        said = (
            f"Run this next: {best['params']:.3g} parameters on {best['tokens']:.3g} tokens, costs "
            f"{best['cost']:.3g} {self.unit}, expected to save {best['saves_loss']:.2g} "
            f"{self.content['loss_unit']}"
        )
        if self.evpi is None:
            return f"{said}."
        return (
            f"{said}, worth {best['saves']:.3g} {self.unit}: net value {best['net']:.3g} "
            f"{self.unit}."
        )

    def __str__(self) -> str:
        money = f" ({self.evpi:.3g} {self.unit})" if self.evpi is not None else ""
        lines = [
            self.verdict,
            (
                f"Perfect knowledge of the law would save {self.evpi_loss:.2g} "
                f"{self.content['loss_unit']}{money}."
            ),
            self._shown(self.table.head(_SHOWN)),
        ]
        if self.batch is not None:
            lines.append(
                "Together, each row with all above it:"
                if len(self.batch)
                else "No run is worth adding to a batch."
            )
            lines += [self._shown(self.batch)] if len(self.batch) else []
        return "\n".join([*lines, *(f"Note: {text}" for text in self.content["warnings"])])

    def __repr__(self) -> str:
        return brief(str(self))

    def _shown(self, table: pd.DataFrame) -> str:
        shown = table.drop(columns="effective_draws").dropna(axis=1, how="all")
        shown = shown.rename(columns={"cost": f"cost ({self.unit})"})
        return shown.to_string(index=False, float_format="{:.3g}".format)


def next_runs(
    fit: Fit,
    scenario: Scenario,
    *,
    at: pd.DataFrame | None = None,
    batch: int = 1,
    seed: int = 0,
    accept: Iterable[str] = (),
) -> NextRuns:
    """Rank candidate runs by what their outcome would be worth for the decision.

    The decision is the size, and where a loss has a worth also how much of the budget to spend. A
    candidate's outcome is simulated from the posterior, the posterior given that outcome is the
    same draws under importance weights, and the value is what deciding anew then saves on average:
    the expected value of sample information (Raiffa and Schlaifer 1961; Heath et al. 2017,
    Section 3).

    Parameters
    ----------
    fit : Fit
        The fit.
    scenario : Scenario
        The decision to be made: budgets, prices, limits, family, worth.
    at : pandas.DataFrame, optional
        Candidates, columns params, tokens and, if they cost other than their compute does,
        ``cost``; :func:`candidates` if not given.
    batch : int
        How many runs, at most, are to be chosen together: the best one first, then whichever adds
        most to those chosen.
    seed : int
        Seed of outcomes, uncertain prices and unseen families.
    accept : iterable of str
        Codes of errors to accept: "implausible-size" for sizes that no training run has.

    Returns
    -------
    NextRuns

    Raises
    ------
    ScenarioError
        As :func:`bayes_scaling.decisions.allocate`, or if a candidate is unusable.
    """
    if whole_number(batch) not in range(1, MOST + 1):
        raise ScenarioError(f"batch is {shown(batch)}, a whole number from 1 to {MOST} is needed")
    whole = problem(fit, scenario, seed)
    step = max(whole.draws.size // _DRAWS, 1)
    given = Problem(whole.draws.thinned(step), whole.line)
    sizes, _, _ = given.optimum
    runs = candidates(fit, given) if at is None else _checked(at, scenario, fit.law)
    doubts = [] if at is None else list(texts(size_caveats(runs, accept)))
    worth = scenario.value_per_nat if scenario.priced else None
    study = Study(given, Decision.of(given, sizes), _costs(given, runs), worth, seed)
    table = pd.DataFrame([study.row(place, study.start)[0] for place in range(len(runs))])
    value = table["net"] if worth else table["saves_loss"] / table["cost"]
    order = value.sort_values(ascending=False, kind="stable").index
    perfect = study.decision.perfect()
    content = {
        **provenance(fit, given.draws.family, seed),
        "worth": worth,
        "ranked_by": "net value" if worth else "loss saved for the cost",
        "warnings": [
            *doubts,
            *candidate_doubts(fit, given, table),
            *texts(typical_caveats(fit.law, fit.runs, [given.draws.family])),
            *_doubts(table, scenario),
        ],
    }
    return NextRuns(
        table.loc[order].reset_index(drop=True),
        perfect / (worth or 1.0),
        perfect if worth else None,
        scenario.unit_of_cost,
        content,
        study.batch(batch) if batch > 1 else None,
    )


def _costs(given: Problem, runs: pd.DataFrame) -> pd.DataFrame:
    """Candidates with their FLOP, and their cost where it is not stated."""
    flops = 6.0 * runs["params"] * runs["tokens"]
    if "cost" in runs:
        return runs.assign(flops=flops)
    # A pilot serves nobody, and its tokens are among those that are bought anyway.
    price = float(np.median(given.line.costs.per_flop)) if given.scenario.priced else 1.0
    return runs.assign(flops=flops, cost=flops * price)


def candidates(fit: Fit, given: Problem) -> pd.DataFrame:
    """Runs to choose from: an eighth to four times the largest so far, in three proportions.

    Parameters
    ----------
    fit : Fit
        The fit.
    given : Problem
        The decision; its best tokens per parameter are one of the proportions, and a quarter and
        four times as many the others.
    """
    largest = float(runs_of(fit, given.draws.family)["flops"].max())
    size = float(np.median(given.optimum[0]))
    ratio = math.exp(float(given.log_tokens(np.array([size]))[0]) - size)
    rows = [
        {"params": math.sqrt(c / 6.0 / r), "tokens": math.sqrt(c / 6.0 * r)}
        for c in largest * np.array(_TIMES)
        for r in ratio * np.array(_RATIOS)
    ]
    return pd.DataFrame(rows)


def _checked(at: pd.DataFrame, scenario: Scenario, law: Law) -> pd.DataFrame:
    """Candidates as numbers."""
    needs(at, pd.DataFrame, "at", "a DataFrame of params and tokens is needed", ScenarioError)
    read = [declared(law)[name] for name in law.inputs if name not in SIZES]
    for name in (name for entry in read for name in (entry.name, *entry.aliases) if name in at):
        raise ScenarioError(
            f"the candidates state {name!r}, which a decision about params and tokens leaves as it "
            "is best, fresh or typical of the family's runs; leave the column out"
        )
    units = {"params": "param", "tokens": "token", "cost": scenario.unit_of_cost}
    columns = {}
    for name, unit in units.items():
        if name in at:
            columns[name] = [in_unit(f"{name} of a candidate", v, unit, "1e9") for v in at[name]]
        elif name != "cost":
            raise ScenarioError(f"the candidates have no column {name!r}")
    if not len(at):
        raise ScenarioError("there are no candidates")
    return pd.DataFrame(columns)


def _doubts(table: pd.DataFrame, scenario: Scenario) -> list[str]:
    said = []
    if scenario.minimise == "cost":
        said.append("Values are those of the least loss at the least cost that was found.")
    if scenario.risk.measure != "mean":
        said.append(f"Values are those of a decision by expected loss, not by {scenario.risk}.")
    rough = int((table["effective_draws"] < _LEAST_ESS).sum())
    if rough:
        said.append(
            f"The value of {rough} candidates is rough: their outcomes leave fewer than "
            f"{_LEAST_ESS:.0f} effective draws of the posterior."
        )
    return said
