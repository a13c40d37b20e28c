"""Value of information: of perfect knowledge of the law, and of the next run."""

import math
from collections.abc import Iterable
from typing import Annotated

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.arguments import needs, shown, whole_number
from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.progress import Progress, ProgressOption
from bayes_scaling.core.records import about, to_plain
from bayes_scaling.decisions.allocation.decision_caveats import candidate_caveats
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.problem_from_fit import problem_from_fit
from bayes_scaling.decisions.decision_family import provenance
from bayes_scaling.decisions.decision_result import DecisionResult, ValuePerNat
from bayes_scaling.decisions.pilot_runs.value_of_information import (
    MOST,
    CandidateRun,
    Decision,
    Study,
)
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

__all__ = ["NextRuns", "candidates", "next_runs"]

Floats = NDArray[np.float64]

_DRAWS = 2000
"""Draws that stand for the posterior here: every outcome reweights them all."""
_LEAST_ESS = 50.0
"""Effective draws behind an updated posterior below which its value is reported as rough."""
_TIMES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0)
_RATIOS = (0.25, 1.0, 4.0)
_SHOWN = 12


class NextRuns(DecisionResult, frozen=True, kw_only=True, tag="bayes_scaling.next_runs/2"):
    """Candidate runs ranked by the value of their outcome, as `next-runs` writes it."""

    value_per_nat: ValuePerNat
    ranked_by: Annotated[str, about("What decides the order, in words.")]
    unit: Annotated[str, about("Of costs: FLOP, or a currency where prices are known.")]
    evpi_loss: Annotated[
        float, about("What perfect knowledge of the law would save (EVPI).", "loss")
    ]
    evpi: Annotated[
        float | None, about("The same in money; null where a loss has no value.", "currency")
    ]
    stop: Annotated[bool, about("Whether the value of no candidate is above its cost.")]
    candidates: Annotated[list[CandidateRun], about("The most valuable first.", min_length=1)]
    batch_rows: Annotated[
        list[CandidateRun] | None,
        about(
            "Runs to be done together; cost, savings, sd_left and effective_draws are of each and "
            "all before it; null where one run was requested."
        ),
    ] = msgspec.field(name="batch")

    @property
    def table(self) -> pd.DataFrame:
        """Candidates, the most valuable first: columns are fields of :class:`CandidateRun`."""
        return _table(self.candidates)

    @property
    def batch(self) -> pd.DataFrame | None:
        """Runs to be done together, in the order in which they are chosen."""
        return None if self.batch_rows is None else _table(self.batch_rows)

    @property
    def best(self) -> CandidateRun | None:
        """The candidate to run next; None where the value of none is above its cost."""
        return None if self.stop else self.candidates[0]

    @property
    def verdict(self) -> str:
        """State what to run next and its value, in a sentence."""
        best = self.best
        if best is None:
            return "Stop: no candidate is worth what it costs."
        first = (
            f"Run this next: {best.params:.3g} parameters on {best.tokens:.3g} tokens, costs "
            f"{best.cost:.3g} {self.unit}, expected to save {best.saves_loss:.2g} "
            f"{self.loss_unit}"
        )
        if best.saves is None or best.net is None:
            return f"{first}."
        return f"{first}, worth {best.saves:.3g} {self.unit}: net value {best.net:.3g} {self.unit}."

    def __str__(self) -> str:
        money = f" ({self.evpi:.3g} {self.unit})" if self.evpi is not None else ""
        lines = [
            self.verdict,
            (
                f"Perfect knowledge of the law would save {self.evpi_loss:.2g} "
                f"{self.loss_unit}{money}."
            ),
            self._shown(self.table.head(_SHOWN)),
        ]
        batch = self.batch
        if batch is not None:
            lines.append(
                "Together, each row with all above it:"
                if len(batch)
                else "No run is worth adding to a batch."
            )
            lines += [self._shown(batch)] if len(batch) else []
        return "\n".join([*lines, *self._caveat_lines()])

    def _shown(self, table: pd.DataFrame) -> str:
        shown = table.drop(columns="effective_draws").dropna(axis=1, how="all")
        shown = shown.rename(columns={"cost": f"cost ({self.unit})"})
        return shown.to_string(index=False, float_format="{:.3g}".format)


def _table(runs: list[CandidateRun]) -> pd.DataFrame:
    return pd.DataFrame(to_plain(runs), columns=list(CandidateRun.__struct_fields__))


def next_runs(
    fit: Fit,
    scenario: Scenario,
    *,
    at: pd.DataFrame | None = None,
    batch: int = 1,
    seed: int = 0,
    accept: Iterable[str] = (),
    progress: ProgressOption = True,
) -> NextRuns:
    """Rank candidate runs by the value of their outcome for the decision.

    The decision is the size, and where a loss has a value also how much of the budget to spend. A
    candidate's outcome is simulated from the posterior, the posterior given that outcome is the
    same draws under importance weights, and the value is what deciding anew then saves on average:
    the expected value of sample information (Raiffa and Schlaifer 1961; Heath et al. 2017,
    Section 3).

    Parameters
    ----------
    fit : Fit
        The fit.
    scenario : Scenario
        The decision to be made: budgets, prices, limits, family, value per nat.
    at : pandas.DataFrame, optional
        Candidates, columns params, tokens and, if they cost other than their compute does,
        ``cost``; :func:`candidates` if not given.
    batch : int
        Largest number of runs to choose together: the best one first, then whichever adds
        most to those chosen.
    seed : int
        Seed of outcomes, uncertain prices and unseen families.
    accept : iterable of str
        Codes of errors to accept: "implausible-size" for sizes that no training run has.
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. See :mod:`bayes_scaling.core.progress`.

    Returns
    -------
    NextRuns

    Raises
    ------
    ScenarioError
        As :func:`bayes_scaling.decisions.allocate`, or if a candidate is unusable.

    Examples
    --------
    >>> fit, scenario = bs.load_fit("fit.nc"), bs.load_scenario("scenario.toml")
    >>> pilots = pd.DataFrame({"params": [1e8, 3e8], "tokens": [2e9, 6e9]})
    >>> bs.next_runs(fit, scenario, at=pilots).table["params"].tolist()
    [300000000.0, 100000000.0]
    """
    if whole_number(batch) not in range(1, MOST + 1):
        raise ScenarioError(f"batch is {shown(batch)}, a whole number from 1 to {MOST} is needed")
    whole = problem_from_fit(fit, scenario, seed)
    step = max(whole.draws.size // _DRAWS, 1)
    problem = Problem(whole.draws.thinned(step), whole.line)
    sizes, _, _ = problem.optimum
    runs = candidates(fit, problem) if at is None else _checked(at, scenario, fit.law)
    accepted = () if at is None else size_caveats(runs, accept)
    value = scenario.value_per_nat if scenario.priced else None
    study = Study(problem, Decision.of(problem, sizes), _costs(problem, runs), value, seed)
    found = []
    with Progress.of(progress).stage("candidates", "valuing candidate runs", len(runs)) as stage:
        for place in range(len(runs)):
            found.append(study.row(place, study.start)[0])
            stage.advance()
    ranked = sorted(found, key=lambda run: -(_net(run) if value else run.saves_loss / run.cost))
    perfect, family = study.decision.perfect(), problem.draws.family
    return NextRuns(
        **provenance(fit, family, seed),
        value_per_nat=value,
        ranked_by="net value" if value else "loss saved for the cost",
        caveats=[
            *accepted,
            *candidate_caveats(fit, problem, runs),
            *typical_caveats(fit.law, fit.runs, [family]),
            *_caveats(found, scenario),
        ],
        unit=scenario.unit_of_cost,
        evpi_loss=perfect / (value or 1.0),
        evpi=perfect if value else None,
        stop=bool(value) and not _net(ranked[0]) > 0,
        candidates=ranked,
        batch_rows=study.batch(batch) if batch > 1 else None,
    )


def _costs(problem: Problem, runs: pd.DataFrame) -> pd.DataFrame:
    """Candidates with their FLOP, and their cost where it is not stated."""
    flops = 6.0 * runs["params"] * runs["tokens"]
    if "cost" in runs:
        return runs.assign(flops=flops)
    # A pilot serves nobody, and its tokens are among those that are bought anyway.
    price = float(np.median(problem.line.costs.per_flop)) if problem.scenario.priced else 1.0
    return runs.assign(flops=flops, cost=flops * price)


def candidates(fit: Fit, problem: Problem) -> pd.DataFrame:
    """Runs to choose from: an eighth to four times the largest so far, in three proportions.

    Parameters
    ----------
    fit : Fit
        The fit.
    problem : Problem
        The decision; its best tokens per parameter are one of the proportions, and a quarter and
        four times as many the others.
    """
    largest = float(runs_of(fit, problem.draws.family)["flops"].max())
    size = float(np.median(problem.optimum[0]))
    ratio = math.exp(float(problem.log_tokens(np.array([size]))[0]) - size)
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


def _net(run: CandidateRun) -> float:
    return run.net or 0.0


def _caveats(runs: list[CandidateRun], scenario: Scenario) -> list[Caveat]:
    found = []
    if scenario.minimise == "cost":
        text = "Values are those of the least loss at the least cost that was found."
        found.append(Caveat(code="loss-at-least-cost", severity="note", text=text))
    if scenario.risk.measure != "mean":
        text = f"Values are those of a decision by expected loss, not by {scenario.risk}."
        data = {"measure": scenario.risk.measure}
        found.append(Caveat(code="expected-loss", severity="note", text=text, data=data))
    rough = sum((run.effective_draws or 0.0) < _LEAST_ESS for run in runs)
    if rough:
        text = (
            f"The value of {rough} candidates is rough: their outcomes leave fewer than "
            f"{_LEAST_ESS:.0f} effective draws of the posterior."
        )
        counts = {"candidates": rough, "least_draws": _LEAST_ESS}
        found.append(Caveat(code="few-draws", severity="warning", text=text, data=counts))
    return found
