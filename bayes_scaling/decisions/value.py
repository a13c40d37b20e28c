"""The value of knowing more: what perfect knowledge would save, and what the next run would."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats
from scipy.special import softmax

from bayes_scaling._saved import Saved, records
from bayes_scaling.decisions.draws import Draws
from bayes_scaling.decisions.family import provenance, runs_of
from bayes_scaling.decisions.problem import Problem, problem
from bayes_scaling.decisions.scenario import Scenario
from bayes_scaling.decisions.search import Choice, least_risk
from bayes_scaling.decisions.units import in_unit
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit

__all__ = ["SCHEMA", "NextRuns", "candidates", "next_runs"]

Floats = NDArray[np.float64]

SCHEMA = "bayes_scaling.next_runs/1"
_SIZES = 25
_SCALES = np.geomspace(0.03, 1.0, 11)
"""Shares of the budget that may be spent where a loss has a worth."""
_OUTCOMES = 500
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
    """

    table: pd.DataFrame
    evpi_loss: float
    evpi: float | None
    unit: str
    content: dict[str, Any]

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
        }

    def _verdict(self) -> str:
        best = self.best
        if best is None:
            return "Stop: no candidate is worth what it costs."
        said = (
            f"Run this next: {best['params']:.3g} parameters on {best['tokens']:.3g} tokens, costs "
            f"{best['cost']:.3g} {self.unit}, expected to save {best['saves_loss']:.2g} in loss"
        )
        if self.evpi is None:
            return f"{said}."
        return (
            f"{said}, worth {best['saves']:.3g} {self.unit}: net value {best['net']:.3g} "
            f"{self.unit}."
        )

    def __str__(self) -> str:
        money = f" ({self.evpi:.3g} {self.unit})" if self.evpi is not None else ""
        shown = self.table.head(_SHOWN).drop(columns="effective_draws")
        shown = shown.rename(columns={"cost": f"cost ({self.unit})"})
        shown = shown.dropna(axis=1, how="all")
        lines = [
            self._verdict(),
            f"Perfect knowledge of the law would save {self.evpi_loss:.2g} in loss{money}.",
            shown.to_string(index=False, float_format="{:.3g}".format),
        ]
        return "\n".join([*lines, *(f"Note: {text}" for text in self.content["warnings"])])

    __repr__ = __str__


def next_runs(
    fit: Fit,
    scenario: Scenario,
    *,
    at: pd.DataFrame | None = None,
    seed: int = 0,
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
        Candidates, columns params and tokens; :func:`candidates` if not given.
    seed : int
        Seed of outcomes, uncertain prices and unseen families.

    Returns
    -------
    NextRuns

    Raises
    ------
    ScenarioError
        As :func:`bayes_scaling.decisions.allocate`, or if a candidate is unusable.
    """
    whole = problem(fit, scenario, seed)
    step = max(whole.draws.noise.size // _DRAWS, 1)
    given = Problem(whole.draws.thinned(step), whole.line)
    sizes, _, _ = given.optimum
    runs = candidates(fit, given) if at is None else _checked(at)
    decision = _Decision.of(given, sizes)
    rng = np.random.default_rng([seed, 8])
    worth = scenario.worth if scenario.priced else None
    rows = [
        _row(given, decision, float(p), float(d), rng)
        for p, d in runs[["params", "tokens"]].itertuples(index=False)
    ]
    table = pd.DataFrame(rows)
    table["saves_loss"] = table["_saves"] / (worth or 1.0)
    table["saves"] = table["_saves"] if worth else None
    table["net"] = table["_saves"] - table["cost"] if worth else None
    value = table["net"] if worth else table["saves_loss"] / table["cost"]
    order = value.sort_values(ascending=False, kind="stable").index
    names = ["params", "tokens", "flops", "cost", "saves_loss", "saves", "net", "sd_left"]
    table = table.loc[order, [*names, "effective_draws"]].reset_index(drop=True)
    perfect = decision.perfect()
    content = {
        **provenance(fit, given.draws.family, seed),
        "worth": worth,
        "ranked_by": "net value" if worth else "loss saved for the cost",
        "warnings": _doubts(table, scenario),
    }
    unit = scenario.currency if scenario.priced else "FLOP"
    return NextRuns(table, perfect / (worth or 1.0), perfect if worth else None, unit, content)


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


def _checked(at: pd.DataFrame) -> pd.DataFrame:
    for name in ("params", "tokens"):
        if name not in at:
            raise ScenarioError(f"the candidates have no column {name!r}")
        for value in at[name]:
            in_unit(name, float(value), "", "1e9")
    if not len(at):
        raise ScenarioError("there are no candidates")
    return at


@dataclass(frozen=True)
class _Decision:
    """What each plan would lose in each draw, dims (plan, sample).

    In loss, or in money (worth of the loss, and cost) where a loss has a worth.
    """

    lost: Floats
    log_target: Floats

    @classmethod
    def of(cls, given: Problem, sizes: Floats) -> "_Decision":
        scenario = given.scenario
        worth = scenario.worth if scenario.priced else None
        parts = []
        for scale in _SCALES if worth else (1.0,):
            here = given.with_budget(float(scale))
            for plan in _plans(here, sizes, 0.5 * math.log(scale)):
                loss = _expected(here.draws, plan)
                if worth:
                    params, tokens = np.exp([plan.log_params]), np.exp([plan.log_tokens])
                    money = here.line.costs.money(params, tokens, tokens / plan.epochs)[0]
                    loss = worth * loss + float(np.mean(money))
                parts.append(loss)
        best = least_risk(given)
        return cls(np.stack(parts), np.log(_expected(given.draws, best)))

    def perfect(self) -> float:
        """What deciding in full knowledge saves on average."""
        least = self.lost.mean(axis=1).min()
        return float(least - self.lost.min(axis=0).mean())

    def saved(self, weights: Floats) -> float:
        """What deciding under each of several posteriors saves on average, (outcome, sample)."""
        after = weights @ self.lost.T
        usual = int(self.lost.mean(axis=1).argmin())
        return float(np.mean(after[:, usual] - after.min(axis=1)))

    def sd_left(self, weights: Floats) -> float:
        """Mean sd of the planned run's log loss after an outcome, over that before."""
        mean = weights @ self.log_target
        variance = weights @ self.log_target**2 - mean**2
        return float(np.sqrt(max(variance.mean(), 0.0)) / self.log_target.std())


def _plans(here: Problem, sizes: Floats, shift: float) -> list[Choice]:
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
        found += [Choice(float(n), float(d), epochs) for n, d in zip(grid, tokens, strict=True)]
    return found


def _expected(draws: Draws, plan: Choice) -> Floats:
    """Loss of a plan in each draw: the curve, and what the family's runs there have in common."""
    full = np.ones_like(draws.noise)
    unique = plan.log_tokens - math.log(plan.epochs)
    log_curve = draws.log_curve(plan.log_params * full, plan.log_tokens * full, unique * full)
    strayed = _strayed(draws, plan.log_params, plan.log_tokens, 0.0 * full)
    loss: Floats = np.exp(log_curve + strayed)
    return loss


def _strayed(draws: Draws, log_params: float, log_tokens: float, own: Floats) -> Floats:
    if draws.error is None:
        return 0.0 * own
    distance = draws.error.extent.distance(
        log_params, log_tokens, math.log(6.0) + log_params + log_tokens
    )
    return draws.error.at_one(distance, own)


def _row(
    given: Problem, decision: _Decision, params: float, tokens: float, rng: np.random.Generator
) -> dict[str, Any]:
    weights = _weights(given.draws, math.log(params), math.log(tokens), rng)
    scenario, costs = given.scenario, given.line.costs
    # A pilot serves nobody, and its tokens are among those that are bought anyway.
    flops = 6.0 * params * tokens
    cost = float(np.median(flops * costs.per_flop)) if scenario.priced else flops
    return {
        "params": params,
        "tokens": tokens,
        "flops": flops,
        "cost": cost,
        "_saves": decision.saved(weights),
        "sd_left": decision.sd_left(weights),
        "effective_draws": float(np.median(1.0 / (weights**2).sum(axis=1))),
    }


def _weights(
    draws: Draws, log_params: float, log_tokens: float, rng: np.random.Generator
) -> Floats:
    """Weight of every draw given each of many outcomes of a run, dims (outcome, sample).

    The outcome's spread about a draw's curve is its noise and what the law's error has that is the
    run's own: a normal with the variance of both, clear of the tails, which hardly ever decide.
    """
    full = np.ones_like(draws.noise)
    centre = draws.log_curve(log_params * full, log_tokens * full)
    centre = centre + _strayed(draws, log_params, log_tokens, 0.0 * full)
    sigma = draws.sigma
    if draws.error is not None:
        distance = draws.error.extent.distance(
            log_params, log_tokens, math.log(6.0) + log_params + log_tokens
        )
        own = draws.error.scale.values.ravel() * draws.error.discrepancy.growth(distance)
        sigma = np.hypot(sigma, own * math.sqrt(1.0 - draws.error.discrepancy.shared))
    picked = rng.choice(centre.size, min(_OUTCOMES, centre.size), replace=False)
    outcome = centre[picked] + sigma[picked] * rng.normal(size=picked.size)
    log_density = np.asarray(stats.norm.logpdf(outcome[:, None], centre, sigma))
    weights: Floats = softmax(log_density, axis=1)
    return weights


def _doubts(table: pd.DataFrame, scenario: Scenario) -> list[str]:
    said = []
    if scenario.risk.measure != "mean":
        said.append(f"Values are those of a decision by expected loss, not by {scenario.risk}.")
    rough = int((table["effective_draws"] < _LEAST_ESS).sum())
    if rough:
        said.append(
            f"The value of {rough} candidates is rough: their outcomes leave fewer than "
            f"{_LEAST_ESS:.0f} effective draws of the posterior."
        )
    return said
