"""Split a compute budget between parameters and tokens, on the whole posterior."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from bayes_scaling.decisions.optimum import closed_form, log_loss_at, numeric
from bayes_scaling.decisions.plan import SCHEMA, Plan
from bayes_scaling.decisions.scenario import Scenario
from bayes_scaling.errors import ScenarioError
from bayes_scaling.forecast.families import values_of
from bayes_scaling.forecast.model_error import ModelError, model_error
from bayes_scaling.forecast.prediction import predict
from bayes_scaling.inference import Fit
from bayes_scaling.model import Typical, hierarchy, typical

__all__ = ["NEAR_OPTIMAL", "allocate"]

Floats = NDArray[np.float64]

NEAR_OPTIMAL = 0.01
"""Plans whose risk is within this fraction of the best are reported as equally good."""
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_SEARCH = math.log(1e6)
"""Half width of the search in log N about the square root of C / 6, where limits are silent."""
_CURVE = 97
_EDGE = 1e-3
_MISCOUNT = 0.1
"""Log of C over 6·N·D from which the two ways of counting are told apart."""


@dataclass(frozen=True)
class _Problem:
    """A fit and a scenario as arrays over samples."""

    fit: Fit
    scenario: Scenario
    family: str
    values: dict[str, Floats]
    noise: Floats
    bounds: tuple[float, float]
    limited: tuple[bool, bool]
    usual: Typical
    error: ModelError | None
    own_error: Floats

    @property
    def log_flops(self) -> float:
        return math.log(self.scenario.budget_flops)

    def loss_run(self, log_params: float) -> Floats:
        """Loss of one run of N parameters at the budget, the same luck for every N."""
        at = np.full_like(self.noise, log_params)
        log_curve = log_loss_at(self.fit.spec, self.values, at, self.log_flops, self.usual)
        losses: Floats = np.exp(log_curve + self.noise + self._strayed(log_params))
        return losses

    def _strayed(self, log_params: float) -> Floats | float:
        """Error of the law at the budget."""
        if self.error is None:
            return 0.0
        log_tokens = self.log_flops - math.log(6.0) - log_params
        distance = self.error.extent.distance(log_params, log_tokens, self.log_flops)
        return self.error.at_one(distance, self.own_error)

    def risk(self, log_params: float) -> float:
        return float(self.scenario.risk.of(self.loss_run(log_params)))


def allocate(fit: Fit, scenario: Scenario, *, seed: int = 0) -> Plan:
    """Split a compute budget, C = 6·N·D, between parameters and tokens.

    The recommendation minimises the scenario's risk measure of ``loss_run``, the loss of one new
    run, over N, with the same posterior draws and the same noise at every N.

    Parameters
    ----------
    fit : Fit
        The fit.
    scenario : Scenario
        Budget in FLOP, risk measure, family, target loss, limits.
    seed : int
        Seed of run noise and unseen families.

    Returns
    -------
    Plan

    Raises
    ------
    ScenarioError
        If the family is not said though the fit has several, or the law has no optimum within
        the limits and they do not bound it.
    """
    problem = _problem(fit, scenario, seed)
    optimum, method = _optimum(problem)
    best = _recommend(problem, optimum)
    at_limit = _touched(problem, best)
    point = _point(scenario.budget_flops, best)
    forecast = predict(
        fit, params=point["params"], tokens=point["tokens"], family=problem.family, seed=seed
    )
    losses = problem.loss_run(best)
    target = scenario.target_loss
    reached = None if target is None else float(np.mean(losses <= target))
    curve, near = _curve(problem, best)
    draws = _draws(problem, optimum)
    content: dict[str, Any] = {
        "schema": SCHEMA,
        "law": fit.law.name,
        "runs_hash": fit.dt.attrs["runs_hash"],
        "loss_unit": fit.dt.attrs["loss_unit"],
        "family": problem.family,
        "family_seen": problem.family in fit.families,
        "budget_flops": scenario.budget_flops,
        "quantity": "loss_run",
        "risk": {
            "measure": scenario.risk.measure,
            "level": scenario.risk.level,
            "meaning": str(scenario.risk),
            "value": problem.risk(best),
        },
        "recommended": point,
        "loss": _describe(losses),
        "target_loss": target,
        "probability_of_target": reached,
        "extrapolation": float(forecast.points["extrapolation"].iloc[0]),
        "optimum": {name: _describe(value.values) for name, value in draws.items()}
        | {"params_exponent": _exponent(problem)},
        "near_optimal": near,
        "method": method,
        "seed": seed,
        "warnings": [
            *at_limit,
            *forecast.warnings,
            *_counting_doubts(problem),
            *_target_doubts(problem, target, reached),
        ],
        "curve": curve,
    }
    return Plan(content, draws)


def _problem(fit: Fit, scenario: Scenario, seed: int) -> _Problem:
    if scenario.family is None and len(fit.families) > 1:
        raise ScenarioError(
            f"the scenario names no family; the fit has {', '.join(map(repr, fit.families))}"
        )
    family = fit.families[0] if scenario.family is None else scenario.family
    spec = fit.spec
    draws = values_of(fit, family, seed)
    sigma = draws[spec.noise_parameter.name]
    noise = hierarchy.noise(spec, fit.posterior, sigma, np.random.default_rng([seed, 3]))
    rng = np.random.default_rng([seed, 5])
    low, high = scenario.limits.params_range(scenario.budget_flops)
    middle = math.log(scenario.budget_flops / 6.0) / 2
    limited = (low > 0, math.isfinite(high))
    return _Problem(
        fit=fit,
        scenario=scenario,
        family=family,
        values={name: draws[name].values.ravel() for name in spec.law.names},
        noise=noise.values.ravel(),
        bounds=(
            math.log(low) if limited[0] else middle - _SEARCH,
            math.log(high) if limited[1] else middle + _SEARCH,
        ),
        limited=limited,
        usual=typical(spec.law, fit.runs, family),
        error=model_error(fit, family, seed) if spec.discrepancy else None,
        own_error=rng.normal(size=noise.size),
    )


def _optimum(problem: _Problem) -> tuple[Floats, str]:
    """Log N* of every draw within the limits."""
    spec = problem.fit.spec
    if spec.law.optimum is not None:
        free = closed_form(spec, problem.values, problem.log_flops)
        # The loss has one minimum along the budget, so a limit cuts it off at the limit.
        low, high = problem.bounds
        inside = np.clip(
            free, low if problem.limited[0] else None, high if problem.limited[1] else None
        )
        return inside, "closed form"
    found = numeric(spec, problem.values, problem.log_flops, problem.bounds, problem.usual)
    at_low = np.mean(found < problem.bounds[0] + _EDGE)
    at_high = np.mean(found > problem.bounds[1] - _EDGE)
    for side, share, limited in zip(
        ("min_params or max_tokens", "max_params or min_tokens"),
        (at_low, at_high),
        problem.limited,
        strict=True,
    ):
        if share > 0 and not limited:
            raise ScenarioError(
                f"law {spec.law.name!r} has no compute-optimal size in {share:.0%} of the draws: "
                f"its loss falls without end along the budget; give limits {side}"
            )
    return found, "numeric"


def _recommend(problem: _Problem, optimum: Floats) -> float:
    """Log N of least risk: a grid over the draws' optima, then a bounded search."""
    low, high = problem.bounds
    around = np.quantile(optimum, [0.005, 0.995]) + np.array([-1.0, 1.0])
    start, stop = np.clip(around, low, high)
    grid = np.linspace(float(start), float(stop), _CURVE)
    risks = [problem.risk(at) for at in grid]
    best = int(np.argmin(risks))
    left, right = grid[max(best - 1, 0)], grid[min(best + 1, _CURVE - 1)]
    if right <= left:
        return float(left)
    # Relative to the best of the grid, or the tolerance drowns in a flat optimum.
    refined = minimize_scalar(
        lambda at: problem.risk(at) / risks[best] - 1.0,
        bounds=(left, right),
        method="bounded",
        options={"xatol": 1e-6},
    )
    return float(refined.x) if problem.risk(refined.x) <= risks[best] else float(grid[best])


def _touched(problem: _Problem, best: float) -> list[str]:
    touched = []
    for bound, limited in zip(problem.bounds, problem.limited, strict=True):
        if limited and abs(best - bound) < _EDGE:
            touched.append(
                f"The recommended split stands at a limit ({math.exp(bound):.4g} parameters): "
                "beyond it the loss would be lower."
            )
    return touched


def _point(flops: float, log_params: float) -> dict[str, float]:
    params = math.exp(log_params)
    tokens = flops / (6.0 * params)
    return {
        "params": params,
        "tokens": tokens,
        "flops": flops,
        "tokens_per_param": tokens / params,
    }


def _curve(problem: _Problem, best: float) -> tuple[list[dict[str, float]], dict[str, Any]]:
    """Risk along the budget about the recommended split, and the range that is as good."""
    low, high = problem.bounds
    grid = np.unique(np.clip(best + np.linspace(-3.0, 3.0, _CURVE) * math.log(10), low, high))
    rows = []
    for at in grid:
        losses = problem.loss_run(at)
        point = _point(problem.scenario.budget_flops, at)
        q05, q95 = np.quantile(losses, [0.05, 0.95])
        rows.append(
            {
                "params": point["params"],
                "tokens": point["tokens"],
                "risk": float(problem.scenario.risk.of(losses)),
                "mean": float(losses.mean()),
                "q05": float(q05),
                "q95": float(q95),
            }
        )
    risks = np.array([row["risk"] for row in rows])
    limit = problem.risk(best) * (1 + NEAR_OPTIMAL)
    left = _crossing(grid[grid <= best][::-1], risks[grid <= best][::-1], limit, best)
    right = _crossing(grid[grid >= best], risks[grid >= best], limit, best)
    product = problem.scenario.budget_flops / 6.0
    near = {
        "within": NEAR_OPTIMAL,
        "params": [math.exp(left), math.exp(right)],
        "tokens": [product / math.exp(right), product / math.exp(left)],
    }
    return rows, near


def _crossing(grid: Floats, risks: Floats, limit: float, best: float) -> float:
    """Where the risk first exceeds the limit, walking away from the best point."""
    above = np.flatnonzero(risks > limit)
    if not len(above):
        return float(grid[-1]) if len(grid) else best
    first = int(above[0])
    if first == 0:
        return best
    share = (limit - risks[first - 1]) / (risks[first] - risks[first - 1])
    return float(grid[first - 1] + share * (grid[first] - grid[first - 1]))


def _draws(problem: _Problem, optimum: Floats) -> xr.Dataset:
    posterior = problem.fit.posterior
    shape = (posterior.sizes["chain"], posterior.sizes["draw"])
    params = np.exp(optimum)
    tokens = problem.scenario.budget_flops / (6.0 * params)
    loss = np.exp(
        log_loss_at(problem.fit.spec, problem.values, optimum, problem.log_flops, problem.usual)
    )
    columns = {
        "params": params,
        "tokens": tokens,
        "tokens_per_param": tokens / params,
        "loss": loss,
    }
    return xr.Dataset(
        {name: (("chain", "draw"), value.reshape(shape)) for name, value in columns.items()},
        coords={"chain": posterior["chain"], "draw": posterior["draw"]},
    )


def _describe(draws: Floats) -> dict[str, float]:
    flat = np.asarray(draws, dtype=np.float64).ravel()
    levels = np.quantile(flat, _QUANTILES)
    described = {"mean": float(flat.mean()), "sd": float(flat.std(ddof=1))}
    return described | {
        f"q{100 * level:02.0f}": float(value)
        for level, value in zip(_QUANTILES, levels, strict=True)
    }


def _exponent(problem: _Problem) -> dict[str, float] | None:
    exponent = problem.fit.law.params_exponent
    return _describe(exponent(problem.values)) if exponent else None


def _counting_doubts(problem: _Problem) -> list[str]:
    """Whether a FLOP of the budget is a FLOP of the fitted runs."""
    runs = problem.fit.runs
    own = runs[runs["family"] == problem.family]
    rows = own if len(own) else runs
    ratio = float((rows["flops"] / (6.0 * rows["params"] * rows["tokens"])).median())
    if abs(math.log(ratio)) < _MISCOUNT:
        return []
    return [
        (
            f"The fitted runs took {ratio:.2f} times 6·N·D FLOP, and the plan spends its budget "
            f"as 6·N·D: count the budget so, or expect the plan to cost {ratio:.2f} times as much."
        )
    ]


def _target_doubts(problem: _Problem, target: float | None, reached: float | None) -> list[str]:
    if target is None or reached is None or "floor" not in problem.values:
        return []
    below = float(np.mean(problem.values["floor"] >= target))
    if below < 0.05:
        return []
    return [
        (
            f"The target loss {target:.4g} lies below the irreducible loss in {below:.0%} of the "
            "draws: no budget reaches it there."
        )
    ]
