"""What outcomes of runs tell, and what a decision loses without them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import softmax

from bayes_scaling.decisions.choice import Choice
from bayes_scaling.decisions.draws import Draws
from bayes_scaling.decisions.problem import Problem
from bayes_scaling.decisions.search import least_risk
from bayes_scaling.errors import ScenarioError

__all__ = ["Decision", "weights_of"]

Floats = NDArray[np.float64]
Seed = Sequence[int]

_SIZES = 25
_SCALES = np.geomspace(0.03, 1.0, 11)
"""Shares of the budget that may be spent where a loss has a worth."""
_OUTCOMES = 500


@dataclass(frozen=True)
class Decision:
    """What each plan would lose in each draw, dims (plan, sample).

    In loss, or in money (worth of the loss, and cost) where a loss has a worth.
    """

    lost: Floats
    log_target: Floats

    @classmethod
    def of(cls, given: Problem, sizes: Floats) -> "Decision":
        """The plans about the best sizes of all draws, at shares of the budget if worth it."""
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


def weights_of(draws: Draws, runs: Sequence[tuple[float, float]], seed: Seed) -> Floats:
    """Weight of every draw given each of many outcomes of runs, dims (outcome, sample).

    An outcome's spread about a draw's curve is its noise and what the law's error has that is the
    run's own: a normal with the variance of both, clear of the tails, which hardly ever decide.

    Parameters
    ----------
    draws : Draws
        Equally likely before.
    runs : sequence of (float, float)
        Logs of N and D of runs whose outcomes are all known together.
    seed : sequence of int
        Of the outcomes.
    """
    rng = np.random.default_rng(seed)
    picked = rng.choice(draws.noise.size, min(_OUTCOMES, draws.noise.size), replace=False)
    log_density: Floats = np.zeros((picked.size, draws.noise.size))
    for log_params, log_tokens in runs:
        centre, sigma = _outcomes(draws, log_params, log_tokens)
        outcome = centre[picked] + sigma[picked] * rng.normal(size=picked.size)
        log_density += stats.norm.logpdf(outcome[:, None], centre, sigma)
    weights: Floats = softmax(log_density, axis=1)
    return weights


def _outcomes(draws: Draws, log_params: float, log_tokens: float) -> tuple[Floats, Floats]:
    """Mean and sd of the log loss of a run in each draw, dims (sample,)."""
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
    return centre, sigma
