"""Expected value of sample information: what outcomes of runs save a decision."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.random_streams import Stream, generator
from bayes_scaling.core.records import Record, about
from bayes_scaling.decisions.allocation.candidate import Candidate
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.decisions.allocation.risk_search import least_risk
from bayes_scaling.decisions.decision_result import Flops, Params, Tokens
from bayes_scaling.errors import ScenarioError
from bayes_scaling.posterior import FamilyPosterior

__all__ = ["MOST", "CandidateRun", "Decision", "Outcomes", "Study"]

Floats = NDArray[np.float64]

_SIZES = 25
_SCALES = np.geomspace(0.03, 1.0, 11)
"""Fractions of the budget that may be spent where a lower loss has a value."""
_OUTCOMES = 500
MOST = 20
"""Runs that may be chosen together."""


class CandidateRun(Record, frozen=True, kw_only=True):
    """A run that may be done before the decision, and the value of its outcome."""

    params: Params
    tokens: Tokens
    flops: Flops
    cost: Annotated[float, about("In `unit`.", ge=0)]
    saves_loss: Annotated[
        float, about("Expected value of its outcome for the decision (EVSI).", "loss")
    ]
    saves: Annotated[
        float | None, about("The same in money; null where a loss has no value.", "currency")
    ]
    net: Annotated[
        float | None,
        about("What it saves less its cost; null where a loss has no value.", "currency"),
    ]
    sd_left: Annotated[
        float | None,
        about("Sd of the planned run's log loss after it, as a fraction of that before.", "1"),
    ]
    effective_draws: Annotated[
        float | None, about("Effective number of posterior draws behind it.")
    ]


@dataclass(frozen=True)
class Decision:
    """Expected loss of each plan in each draw, dims (plan, sample).

    In loss, or in money (value of the loss, plus cost) where a lower loss has a value.
    """

    lost: Floats
    log_target: Floats

    @cached_property
    def _columns(self) -> Floats:
        """What outcomes average over draws, dims (sample, column): plans, target, its square, 1."""
        off = self.log_target - self.log_target.mean()
        return np.stack([*self.lost, off, off * off, np.ones_like(off)], axis=1)

    @classmethod
    def of(cls, problem: Problem, sizes: Floats) -> "Decision":
        """Evaluate plans about the best sizes of draws, at several budgets if loss has a value."""
        scenario = problem.scenario
        value = scenario.value_per_nat if scenario.priced else None
        parts = []
        for scale in _SCALES if value else (1.0,):
            here = problem.with_budget(float(scale))
            for plan in _plans(here, sizes, 0.5 * math.log(scale)):
                loss = _expected(here.draws, plan)
                if value:
                    params, tokens = np.exp([plan.log_params]), np.exp([plan.log_tokens])
                    money = here.line.costs.money(params, tokens, tokens / plan.epochs)[0]
                    loss = value * loss + float(np.mean(money))
                parts.append(loss)
        best = least_risk(problem)
        return cls(np.stack(parts), np.log(_expected(problem.draws, best)))

    def perfect(self) -> float:
        """Expected value of perfect information."""
        least = self.lost.mean(axis=1).min()
        return float(least - self.lost.min(axis=0).mean())

    def informed(self, log_density: Floats) -> "Informed":
        """Return what outcomes are worth whose log-likelihood is given, (outcome, sample)."""
        likelihood = log_density - log_density.max(axis=1, keepdims=True)
        np.exp(likelihood, out=likelihood)
        squares = np.einsum("ij,ij->i", likelihood, likelihood)
        sums = likelihood @ self._columns
        total = sums[:, -1]
        means = sums / total[:, None]
        after, first, second = means[:, :-3], means[:, -3], means[:, -2]
        prior_best = int(self.lost.mean(axis=1).argmin())
        variance = float((second - first**2).mean())
        return Informed(
            saved=float(np.mean(after[:, prior_best] - after.min(axis=1))),
            sd_left=math.sqrt(max(variance, 0.0)) / float(self.log_target.std()),
            effective_draws=float(np.median(total**2 / squares)),
        )


@dataclass(frozen=True)
class Informed:
    """A decision once an outcome is known, on average over outcomes.

    Attributes
    ----------
    saved : float
        Expected value of the outcomes, in the unit of the decision.
    sd_left : float
        Mean sd of the planned run's log loss after an outcome, over that before.
    effective_draws : float
        Median effective number of posterior draws after an outcome.
    """

    saved: float
    sd_left: float
    effective_draws: float


def _plans(here: Problem, sizes: Floats, shift: float) -> list[Candidate]:
    """Plans about the best sizes, moved with the budget: size grows as about half of it."""
    found = []
    for epochs in map(float, here.epochs[:: max(len(here.epochs) // 2, 1)]):
        try:
            low, high, *_ = here.bounds(epochs)
        except ScenarioError:
            # So little cannot meet the lower limits; the whole budget can, or we were not here.
            continue
        around = np.quantile(sizes, [0.005, 0.995]) + np.array([-1.0, 1.0]) + shift
        start, stop = np.clip(around, low, high)
        grid = np.linspace(float(start), float(stop), _SIZES)
        tokens = here.log_tokens(grid, epochs)
        found += [Candidate(float(n), float(d), epochs) for n, d in zip(grid, tokens, strict=True)]
    return found


def _expected(draws: FamilyPosterior, plan: Candidate) -> Floats:
    """Expected loss of a plan in each draw, the discrepancy that its runs share included."""
    sizes = (plan.log_params, plan.log_tokens, plan.log_tokens - math.log(plan.epochs))
    mean, _ = draws.moments(draws.at(*(np.array([size]) for size in sizes)))
    loss: Floats = np.exp(mean)
    return loss


@dataclass(frozen=True)
class Outcomes:
    """Simulated outcomes of runs, and their likelihood under each draw.

    An outcome's spread about a draw's curve is its noise and what the law's error has that is the
    run's own: a normal with the variance of both, clear of the tails, which hardly ever decide.

    Attributes
    ----------
    draws : FamilyPosterior
        Prior draws, equally likely.
    picked : (outcome,) array of int
        The draws that the outcomes come from.
    noise : (run, outcome) array
        Standard normal noise of each run: that of the k-th of any set of runs is the same, so that
        sets of runs are compared on common random numbers.
    log_density : (outcome, sample) array
        Log-likelihood of the outcomes of all runs so far under each draw.
    runs : int
        Number of runs so far.
    """

    draws: FamilyPosterior
    picked: NDArray[np.int64]
    noise: Floats
    log_density: Floats
    runs: int = 0

    @classmethod
    def of(cls, draws: FamilyPosterior, seed: int, most: int) -> "Outcomes":
        """Start without any run.

        Parameters
        ----------
        draws : FamilyPosterior
            Prior draws, equally likely.
        seed : int
            Random seed of the outcomes.
        most : int
            Largest number of runs.
        """
        size = draws.size
        rng = generator(Stream.OUTCOMES, seed)
        picked = rng.choice(size, min(_OUTCOMES, size), replace=False)
        noise = rng.normal(size=(most, picked.size))
        return cls(draws, picked, noise, np.zeros((picked.size, size)))

    def after(self, log_params: float, log_tokens: float) -> "Outcomes":
        """Add a run, whose outcome is known together with those before.

        Parameters
        ----------
        log_params, log_tokens : float
            Logs of N and D of the run.
        """
        at = self.draws.at(np.array([log_params]), np.array([log_tokens]))
        centre, sigma = self.draws.moments(at)
        centre = centre - centre.mean()
        outcome = centre[self.picked] + sigma[self.picked] * self.noise[self.runs]
        # The square of (outcome - centre) / sigma, multiplied out: a product of matrices takes a
        # fifth of the time. Constants of the normal density cancel in the weights.
        precision = sigma**-2
        powers = np.stack([outcome**2, outcome, np.ones_like(outcome)], axis=1)
        factors = np.stack(
            [
                -0.5 * precision,
                precision * centre,
                -0.5 * precision * centre**2 - np.log(sigma),
            ]
        )
        added = powers @ factors
        added += self.log_density
        return replace(self, log_density=added, runs=self.runs + 1)


@dataclass(frozen=True)
class RunSet:
    """Set of runs: their simulated outcomes, and their cost."""

    outcomes: Outcomes
    cost: float


@dataclass(frozen=True)
class Study:
    """Candidates, and the value of one or several of them together."""

    problem: Problem
    decision: Decision
    runs: pd.DataFrame
    value_per_nat: float | None
    seed: int

    def row(self, place: int, before: RunSet) -> tuple[CandidateRun, RunSet]:
        """Evaluate a run together with those before it."""
        run = self.runs.iloc[place]
        log_params, log_tokens = np.log(run[["params", "tokens"]].to_numpy(np.float64))
        outcomes = before.outcomes.after(float(log_params), float(log_tokens))
        informed = self.decision.informed(outcomes.log_density)
        saves, cost = informed.saved, before.cost + float(run["cost"])
        row = CandidateRun(
            params=float(run["params"]),
            tokens=float(run["tokens"]),
            flops=float(run["flops"]),
            cost=cost,
            saves_loss=saves / (self.value_per_nat or 1.0),
            saves=saves if self.value_per_nat else None,
            net=saves - cost if self.value_per_nat else None,
            sd_left=informed.sd_left,
            effective_draws=informed.effective_draws,
        )
        return row, RunSet(outcomes, cost)

    @cached_property
    def start(self) -> RunSet:
        """The empty set of runs."""
        return RunSet(Outcomes.of(self.problem.draws, self.seed, MOST), 0.0)

    def batch(self, most: int) -> list[CandidateRun]:
        """Choose runs that go best together, one added after the other, up to where it pays most.

        A run that does not pay alone may with the next one, so the net value is judged at the end.
        """
        chosen, left = self.start, set(range(len(self.runs)))
        rows: list[CandidateRun] = []
        while left and len(rows) < most:
            before = rows[-1] if rows else None
            found = [(place, *self.row(place, chosen)) for place in sorted(left)]
            place, row, chosen = max(found, key=lambda one: self._gain(before, one[1]))
            left.remove(place)
            rows.append(row)
        if self.value_per_nat:
            nets = [0.0, *(row.net or 0.0 for row in rows)]
            rows = rows[: int(np.argmax(nets))]
        return rows

    def _gain(self, before: CandidateRun | None, row: CandidateRun) -> float:
        """Gain of adding a run: in money, or in loss for its cost."""
        net, saves, cost = row.net or 0.0, row.saves_loss, row.cost
        if before is not None:
            net -= before.net or 0.0
            saves -= before.saves_loss
            cost -= before.cost
        return net if self.value_per_nat else saves / cost
