"""How many tokens a scenario leaves at each model size."""

import math
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.decisions.allocation.cost_draws import TRAINING, Costs
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["ROUNDS", "SIZES", "ZOOM", "BudgetLine", "affordable_tokens"]

Floats = NDArray[np.float64]

SIZES = np.linspace(0.0, math.log(1e24), 513)
"""Natural logs of sizes from one parameter to more than anyone will train."""
ZOOM, ROUNDS = 129, 4
"""Points and rounds of the search for the end of the line: to the last digits of its log."""


@dataclass(frozen=True)
class BudgetLine:
    """The most tokens that budgets and limits leave at a size, with the wanted confidence.

    Attributes
    ----------
    scenario : Scenario
        Budgets and limits.
    costs : Costs
        Draws of the prices.
    """

    scenario: Scenario
    costs: Costs

    @property
    def plain(self) -> bool:
        """Whether it is C = 6·N·D and nothing else."""
        one = self.scenario
        other = one.money_budget is not None or one.time_budget is not None or one.inference
        existing = math.isfinite(one.limits.max_unique_tokens)
        return not other and not existing

    def affordable(self, log_params: Floats, epochs: float = 1.0) -> Floats:
        """Log of the tokens that the budgets leave, limits on tokens aside; -inf where none."""
        one = self.scenario
        # Within every budget at once, with this probability.
        least = affordable_tokens(
            self.costs,
            np.exp(log_params),
            epochs,
            flops=one.compute_budget,
            money=one.money_budget,
            seconds=one.time_budget,
        )
        if least.shape[-1] > 1:
            tokens = np.quantile(least, 1.0 - one.confidence, axis=-1)
        else:
            tokens = least[..., 0]
        with np.errstate(divide="ignore"):
            result: Floats = np.log(tokens)
        return result

    def log_tokens(self, log_params: Floats, epochs: float = 1.0) -> Floats:
        """Log of the most tokens at each size, within budgets and limits."""
        limits = self.scenario.limits
        most = min(limits.max_tokens, limits.max_unique_tokens * epochs)
        cap = math.log(most) if math.isfinite(most) else math.inf
        result: Floats = np.minimum(self.affordable(log_params, epochs), cap)
        return result

    def sizes(self, epochs: float = 1.0) -> tuple[float, float, bool, bool]:
        """Logs of the smallest and largest size, and whether a limit sets them."""
        limits = self.scenario.limits
        least = math.log(limits.min_tokens) if limits.min_tokens else 0.0
        tokens = self.affordable(SIZES, epochs)
        possible = SIZES[tokens >= least]
        if not len(possible) and not limits.min_tokens:
            serving = ": serving takes it all" if self.scenario.inference else ""
            raise ScenarioError(f"{self.words()} leave no tokens to train on at any size{serving}")
        top = self._edge(possible[-1], least, epochs) if len(possible) else -math.inf
        low = math.log(limits.min_params) if limits.min_params else -math.inf
        high = min(math.log(limits.max_params) if limits.max_params < math.inf else math.inf, top)
        if not low <= high:
            raise ScenarioError(
                f"no configuration of {self.words()} meets the limits: they leave params from "
                f"{_amount(low)} to {_amount(high)}"
            )
        bounded = limits.max_params < math.inf or limits.min_tokens > 0
        return low, high, math.isfinite(low), bounded

    def spending(self) -> float:
        """Log of the size below which limits on tokens leave some of a plain budget unspent.

        Below it a larger model costs nothing more, so the curve of no draw has its best size there.
        """
        cap, flops = self.scenario.limits.max_tokens, self.scenario.compute_budget
        if not (math.isfinite(cap) and self.plain and flops is not None):
            return -math.inf
        return math.log(flops / TRAINING / cap)

    def _edge(self, inside: float, least: float, epochs: float) -> float:
        """Where tokens fall below the least, by ever finer grids; exact for C = 6·N·D."""
        if self.plain and self.scenario.compute_budget is not None:
            return math.log(self.scenario.compute_budget / TRAINING) - least
        low, wide = float(inside), float(SIZES[1])
        for _ in range(ROUNDS):
            grid = low + np.linspace(0.0, wide, ZOOM)
            low = float(grid[self.affordable(grid, epochs) >= least][-1])
            wide /= ZOOM - 1
        return low

    def largest(self, epochs: float = 1.0, least: float = 0.0) -> float:
        """Log of about the largest size that the budgets leave a token for.

        Parameters
        ----------
        epochs : float
            How often a token is seen.
        least : float
            Log of the tokens that must be left, instead of one.
        """
        # One column of sizes, for a line with prices of its own in every draw.
        enough = self.affordable(SIZES[:, None], epochs) >= least
        left = SIZES[enough.any(axis=-1)]
        return float(left[-1]) if len(left) else 0.0

    @property
    def middle(self) -> float:
        """Log of the size that has about as many tokens as parameters."""
        return float(SIZES[np.argmax(self.affordable(SIZES) <= SIZES)])

    def words(self) -> str:
        """The budgets in words."""
        one = self.scenario
        parts = []
        if one.compute_budget is not None:
            parts.append(f"{one.compute_budget:.6g} FLOP")
        if one.money_budget is not None:
            parts.append(f"{one.money_budget:.6g} {one.currency}")
        if one.time_budget is not None:
            parts.append(f"{one.time_budget / 86400:.4g} days")
        return " and ".join(parts)


def affordable_tokens(
    costs: Costs,
    params: Floats,
    epochs: float,
    *,
    flops: float | None,
    money: float | None,
    seconds: float | None,
) -> Floats:
    """Return the most tokens within every budget, dims (..., sample); 0 where none.

    Parameters
    ----------
    costs : Costs
        Draws of the prices.
    params : (...) array
        Model sizes.
    epochs : float
        Times that each unique token is seen.
    flops, money, seconds : float or None
        Budgets; None for what is not limited.
    """
    parts = []
    if flops is not None:
        parts.append(costs.tokens_for_flops(flops, params))
    if money is not None:
        parts.append(costs.tokens_for_money(money, params, epochs))
    if seconds is not None:
        parts.append(costs.tokens_for_seconds(seconds, params))
    return reduce(np.minimum, parts)


def _amount(log: float) -> str:
    return f"{math.exp(log):.6g}" if math.isfinite(log) else "0"
