"""A posterior and a budget line: what is minimised, and the best size of every draw."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from bayes_scaling.decisions.allocation.budget_line import BudgetLine
from bayes_scaling.decisions.allocation.candidate import Candidate
from bayes_scaling.decisions.allocation.closed_form_optimum import closed_form
from bayes_scaling.errors import ScenarioError
from bayes_scaling.laws.compute_optimum import numeric
from bayes_scaling.posterior import FamilyPosterior
from bayes_scaling.scenarios.scenario import Scenario

__all__ = ["EDGE", "HALF_WIDTH", "LINE", "TIE", "Problem"]

Floats = NDArray[np.float64]

HALF_WIDTH = math.log(1e6)
"""Half width of the search in log N about the size with as many tokens, where limits are silent."""
EDGE = 1e-3
LINE = 385
_EPOCHS = 9
TIE = 1e-6
"""Weight of the mean loss beside a probability, which moves in steps of one draw in thousands."""


@dataclass(frozen=True)
class Problem:
    """What is to be minimised: a risk of the loss along a budget line.

    Attributes
    ----------
    draws : FamilyPosterior
        Posterior of the family.
    line : BudgetLine
        Tokens at each size.
    log_aspect : float or None
        Log of the aspect ratio, d_model / n_layer, of every plan. The optimum of a draw has the
        best one of the draw, and so have plans if None.
    """

    draws: FamilyPosterior
    line: BudgetLine
    log_aspect: float | None = None

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.line.scenario

    @property
    def repeats(self) -> bool:
        """Whether tokens may be seen more than once."""
        return self.scenario.limits.max_epochs > 1

    @cached_property
    def epochs(self) -> Floats:
        """How often tokens may be seen: a grid from once to the limit."""
        if not self.repeats:
            return np.ones(1)
        limits = self.scenario.limits
        # Fewer repeats would leave fewer tokens than the limits ask for.
        least = max(1.0, limits.min_tokens / limits.max_unique_tokens)
        return np.geomspace(least, limits.max_epochs, _EPOCHS)

    @cached_property
    def _ranges(self) -> dict[float, tuple[float, float, bool, bool]]:
        return {}

    def bounds(self, epochs: float = 1.0) -> tuple[float, float, bool, bool]:
        """Logs of the smallest and largest size searched, and whether limits set them."""
        if epochs not in self._ranges:
            low, high, low_limited, high_limited = self.line.sizes(epochs)
            middle = self.line.middle
            if not low_limited:
                low = middle - HALF_WIDTH
            if not high_limited:
                high = min(high, self.farthest)
            self._ranges[epochs] = (low, high, low_limited, high_limited)
        return self._ranges[epochs]

    @property
    def farthest(self) -> float:
        """Log of the largest size searched where limits are silent."""
        return self.line.middle + HALF_WIDTH

    @cached_property
    def _tables(self) -> dict[float, tuple[Floats, Floats]]:
        return {}

    def log_tokens(self, log_params: Floats, epochs: float = 1.0) -> Floats:
        """Log of the tokens along the budget line at sizes of any shape."""
        if not self.line.costs.uncertain:
            return self.line.log_tokens(log_params, epochs)
        # With uncertain prices each point of the line is a quantile over draws: a table is kept.
        if epochs not in self._tables:
            low, high, *_ = self.bounds(epochs)
            at = np.linspace(low, high, LINE)
            self._tables[epochs] = at, self.line.log_tokens(at, epochs)
        found: Floats = np.interp(log_params, *self._tables[epochs])
        return found

    def loss_run(self, log_params: Floats | float, epochs: float = 1.0) -> Floats:
        """Loss of one run of each size, with the tokens the budget leaves, dims (..., sample)."""
        sizes = np.asarray(log_params, dtype=np.float64)
        log_tokens = self.log_tokens(sizes.reshape(-1), epochs).reshape(sizes.shape)
        return self.draws.loss_run(
            sizes, log_tokens, log_tokens - math.log(epochs), self.log_aspect
        )

    def loss_of(self, plan: Candidate) -> Floats:
        """Loss of one run of a plan, on the budget line or off it."""
        log_unique = plan.log_tokens - math.log(plan.epochs)
        return self.draws.loss_run(plan.log_params, plan.log_tokens, log_unique, self.log_aspect)

    def risk_of(self, losses: Floats) -> Floats:
        """The scenario's measure of the losses of plans, (..., sample) to (...)."""
        best = self.best_losses if self.scenario.risk.measure == "regret" else None
        return np.asarray(
            self.scenario.risk.of(losses, target=self.scenario.target_loss, best=best)
        )

    def objective(self, losses: Floats) -> Floats:
        """Compute what is minimised: the measure, where plans miss a target equally the mean."""
        if self.scenario.risk.measure != "miss":
            return self.risk_of(losses)
        return self.risk_of(losses) + TIE * losses.mean(axis=-1)

    def risk(self, log_params: Floats | float, epochs: float = 1.0) -> Floats:
        """What is minimised, at sizes of any shape."""
        return self.objective(self.loss_run(log_params, epochs))

    def log_curve(self, log_params: Floats, epochs: float = 1.0) -> Floats:
        """Log of the expected loss along the budget line, dims (..., sample)."""
        log_tokens = self.log_tokens(log_params, epochs)
        return self.draws.curve(
            self.draws.at(log_params, log_tokens, log_tokens - math.log(epochs))
        )

    @property
    def in_closed_form(self) -> bool:
        """Whether the law's own formula gives the best sizes."""
        known = self.draws.spec.law.closed_forms.optimum is not None
        return known and self.line.plain and not self.repeats

    @cached_property
    def optimum(self) -> tuple[Floats, Floats, str]:
        """Log N* and the epochs of every draw on the budget line, and how they were found.

        The line holds for all draws, whatever prices turn out to be: what regret is measured
        against. :func:`~bayes_scaling.decisions.allocation.wait_and_see.wait_and_see` has them at
        the prices of each draw.
        """
        if self.in_closed_form:
            return self._closed_form(), np.ones(self.draws.size), "closed form"
        found = [self._numeric(float(epochs)) for epochs in self.epochs]
        losses = np.stack(
            [self.log_curve(at, float(e)) for at, e in zip(found, self.epochs, strict=True)]
        )
        best = losses.argmin(axis=0)
        sizes = np.stack(found)[best, np.arange(best.size)]
        return sizes, self.epochs[best], "numeric"

    def _closed_form(self) -> Floats:
        flops = self.scenario.compute_budget
        if flops is None:
            raise ValueError("a plain budget line has a budget of compute")
        free = closed_form(self.draws.spec, self.draws.frame, self.draws.values, math.log(flops))
        # The loss has one minimum along the budget, so a limit cuts it off at the limit.
        low, high, low_limited, high_limited = self.bounds()
        least = max(low if low_limited else -math.inf, min(self.line.spending(), high))
        return np.clip(free, least, high if high_limited else None)

    def _numeric(self, epochs: float) -> Floats:
        low, high, *limited = self.bounds(epochs)
        samples = self.draws.size
        found = numeric(lambda at: self.log_curve(at, epochs), (low, high), samples)
        fractions = np.mean(found < low + EDGE), np.mean(found > high - EDGE)
        sides = ("min_params or max_tokens", "max_params or min_tokens")
        for side, fraction, by_limit in zip(sides, fractions, limited, strict=True):
            if fraction > 0 and not by_limit:
                raise ScenarioError(
                    f"law {self.draws.spec.law.name!r} has no compute-optimal size in "
                    f"{fraction:.0%} of the draws: its loss falls without end along the budget; "
                    f"give limits {side}"
                )
        return found

    @cached_property
    def best_losses(self) -> Floats:
        """Loss of one run of the best plan of every draw, noise and error as anywhere else."""
        sizes, epochs, _ = self.optimum
        logs = np.empty_like(sizes)
        for value in np.unique(epochs):
            here = epochs == value
            logs[here] = self.log_curve(np.where(here, sizes, sizes.mean()), float(value))[here]
        middle = float(np.median(sizes))
        log_tokens = float(self.log_tokens(np.array([middle]), float(np.median(epochs)))[0])
        at = self.draws.at(np.array([middle]), np.array([log_tokens]))
        best: Floats = np.exp(logs + self.draws.deviation(at))
        return best

    def with_budget(self, factor: float) -> "Problem":
        """Return the same with every budget multiplied by a factor."""
        one = self.scenario
        changed = msgspec.structs.replace(
            one,
            compute_budget=None if one.compute_budget is None else factor * one.compute_budget,
            money_budget=None if one.money_budget is None else factor * one.money_budget,
            time_budget=None if one.time_budget is None else factor * one.time_budget,
        )
        return replace(self, line=BudgetLine(changed, self.line.costs))
