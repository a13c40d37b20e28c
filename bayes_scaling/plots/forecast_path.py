"""The path of configurations along which a report forecasts: compute-optimal, C = 6·N·D."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.core.draw_summary import NAMES
from bayes_scaling.decisions.allocation.closed_form_optimum import closed_form
from bayes_scaling.decisions.allocation.problem import EDGE, HALF_WIDTH
from bayes_scaling.forecast.forecast_result import Kind
from bayes_scaling.forecast.prediction import predict_own
from bayes_scaling.inference import Fit
from bayes_scaling.laws.compute_optimum import numeric, track
from bayes_scaling.laws.law_inputs import inputs_at
from bayes_scaling.posterior import FamilyPosterior, family_posterior, runs_of

__all__ = ["Frontier", "forecast_data", "frontier"]

Floats = NDArray[np.float64]
_MOST = 0.9
"""Share of the draws that have an optimum inside, from which on their median is one."""
Path = Literal["compute-optimal", "fixed ratio"]


@dataclass(frozen=True)
class Frontier:
    """Sizes along the isoFLOP direction of a family.

    Attributes
    ----------
    flops, params, tokens : (point,) array
        FLOP, parameters, tokens; flops = 6·params·tokens.
    kind : str
        "compute-optimal" (the median over draws of the loss-minimising size), or "fixed ratio"
        (tokens per parameter as in the middle of the family's runs) where the law has no optimum
        inside.
    """

    flops: Floats
    params: Floats
    tokens: Floats
    kind: Path


def frontier(fit: Fit, family: str, flops: ArrayLike, *, seed: int = 0) -> Frontier:
    """Sizes at which a family is forecast for given budgets.

    Parameters
    ----------
    fit : Fit
        The fit.
    family : str
        Its name; one that was not fitted is drawn from the population.
    flops : (point,) array-like
        Budgets in FLOP.
    seed : int
        Seed of an unseen family.

    Raises
    ------
    LawError
        If the law needs more than sizes.
    """
    budgets = np.atleast_1d(np.asarray(flops, dtype=np.float64))
    law, spec = fit.law, fit.spec
    # Refuses a law that needs more than sizes.
    inputs_at(law, np.log(1e9), np.log(2e10), {})
    draws = family_posterior(fit, family, seed)
    # The median is that of the optimum draw by draw, never the optimum of median parameters.
    if law.closed_forms.optimum is None:
        logs = _searched(draws.few, np.log(budgets))
    else:
        by_draw = [closed_form(spec, fit.frame, draws.values, np.log(c)) for c in budgets]
        logs = np.median(by_draw, axis=1)
    if logs is None:
        params = np.sqrt(budgets / 6.0 / _middle_ratio(fit, family))
        return Frontier(budgets, params, budgets / (6.0 * params), "fixed ratio")
    params = np.exp(logs)
    return Frontier(budgets, params, budgets / (6.0 * params), "compute-optimal")


def _searched(draws: FamilyPosterior, log_flops: Floats) -> Floats | None:
    """Median over draws of the log of the best N, by search; None where most have none inside."""
    logs = np.empty(len(log_flops))
    start: Floats | None = None
    for place in np.argsort(log_flops):
        both = float(log_flops[place]) - np.log(6.0)
        bounds = 0.5 * both - HALF_WIDTH, 0.5 * both + HALF_WIDTH

        def loss(at: Floats, both: float = both) -> Floats:
            return draws.curve(draws.at(at, both - at))

        found = numeric(loss, bounds, draws.size) if start is None else track(loss, start, bounds)
        inside = (found > bounds[0] + EDGE) & (found < bounds[1] - EDGE)
        if inside.mean() < _MOST:
            return None
        logs[place], start = np.median(found), found
    return logs


def _middle_ratio(fit: Fit, family: str) -> float:
    own = runs_of(fit, family)
    return float(np.exp(np.mean(np.log(own["tokens"] / own["params"]))))


def forecast_data(
    fit: Fit, family: str, flops: ArrayLike, *, kind: Kind = "run", seed: int = 0
) -> pd.DataFrame:
    """Forecast along the frontier of a family.

    Parameters
    ----------
    fit : Fit
        The fit.
    family : str
        The family.
    flops : (point,) array-like
        Budgets in FLOP.
    kind : {"run", "curve", "floor"}
        Loss of one new run, expected loss, or irreducible loss.
    seed : int
        Seed of run noise and of unseen families.

    Returns
    -------
    pandas.DataFrame
        One row a budget: flops, params, tokens, mean, sd, q05 to q95 in the loss unit of the fit,
        extrapolation (decades of compute beyond the largest fitted run), family_seen.

    Examples
    --------
    >>> table = bs.plots.forecast_data(bs.load_fit("fit.nc"), "web", [1e21, 1e22])
    >>> len(table), bool(table["q50"].is_monotonic_decreasing)
    (2, True)
    """
    path = frontier(fit, family, flops, seed=seed)
    sizes = pd.DataFrame({"params": path.params, "tokens": path.tokens})
    named = sizes if family is None else sizes.assign(family=family)
    forecast = predict_own(fit, named, seed)
    table = forecast.to_frame(kind)
    names = ["mean", "sd", *NAMES, "extrapolation", "family_seen"]
    return forecast.points[["flops", "params", "tokens"]].assign(
        **{name: table[name].to_numpy() for name in names}
    )
