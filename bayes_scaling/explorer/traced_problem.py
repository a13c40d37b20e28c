"""What the page computes of a problem, translated from the Python: losses, tokens, costs, distance.

Each function is called once with symbols in place of numbers; the page searches with what comes of
it. The page scales prices: ``compute`` and ``data`` are factors of prices, ``serving`` is one of
the tokens served, and ``served`` their number where the scenario has none.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bayes_scaling.core.traced import Traced
from bayes_scaling.decisions.allocation.budget_line import affordable_tokens
from bayes_scaling.decisions.allocation.cost_draws import SERVING, Costs
from bayes_scaling.decisions.allocation.problem import Problem
from bayes_scaling.explorer.traced_expressions import function
from bayes_scaling.forecast.extrapolation import SIZE_NAMES
from bayes_scaling.model import Extent
from bayes_scaling.posterior import FamilyPosterior

__all__ = ["draws_by_symbol", "functions", "prices_by_symbol"]

_PRICES = ("per_flop", "per_token", "served_flops", "served_price", "seconds_per_flop")
_TERMS = "{flops,money,seconds,compute,data,serving,served}"
"""Budgets, and what scales prices."""


def draws_by_symbol(draws: FamilyPosterior) -> dict[str, Any]:
    """Return the arrays over posterior draws that losses depend on, in the functions' order."""
    error = draws.discrepancy
    return (
        {f"law {name}": value for name, value in draws.values.items()}
        | {"noise": draws.noise}
        | ({} if error is None else {"scale": error.scale, "common": error.common})
        | ({} if error is None else {"own": draws.own_error})
    )


def prices_by_symbol(costs: Costs) -> dict[str, Any]:
    """Return the arrays over draws of the prices, in the functions' order."""
    return {name: getattr(costs, name) for name in _PRICES}


def functions(problem: Problem, extent: Extent) -> Mapping[str, str]:
    """Translate what the page computes into functions of JavaScript.

    Parameters
    ----------
    problem : Problem
        Posterior, prices and budgets.
    extent : Extent
        Sizes that the fitted runs of the family span.

    Returns
    -------
    mapping of str to str
        ``curve`` (log of the expected loss of a draw at s, d and u, natural logs of params, tokens
        and unique tokens), ``losses`` (of one run, all draws), ``deviation`` (of the run's log
        loss from the curve), ``tokens`` (that budgets leave), ``money`` (of a plan), each a
        function of arrays that returns a function; ``outside`` (logs above the largest run, then
        below the smallest, in the order of :data:`SIZE_NAMES`).
    """
    names = list(draws_by_symbol(problem.draws))
    draws: Any = _symbolic(problem.draws)
    s, d, u = map(Traced, "sdu")
    x = draws.at(s, d, u)
    losses: Any = np.exp(draws.run(x))
    above, below = extent.outside(x)
    beyond = [side[name] for side in (above, below) for name in SIZE_NAMES]
    return {
        "curve": function(draws.curve(x), "s,d,u", names, element=True),
        "losses": function(losses, "s,d,u", names),
        "deviation": function(draws.deviation(x), "s,d,u", names),
        "outside": function(beyond, "s,d", []),
        **_costs(problem),
    }


def _symbolic(draws: FamilyPosterior) -> FamilyPosterior:
    """The posterior with symbols for draws."""
    values: Any = {name: Traced(f"law {name}") for name in draws.values}
    error: Any = draws.discrepancy
    if error is not None:
        error = replace(error, scale=Traced("scale"), common=Traced("common"))
    made = replace(draws, values=values, discrepancy=error)
    # What is computed once for all draws is known by its symbol.
    vars(made).update(noise=Traced("noise"), own_error=Traced("own"))
    return made


def _costs(problem: Problem) -> dict[str, str]:
    """Tokens that are affordable, and what plans cost, over draws of the prices."""
    costs: Any = _scaled_prices(problem.line.costs)
    one = problem.scenario
    if one.minimise == "cost":
        # The budget that is looked for.
        one = one.affording(1.0)
    stated = {"flops": one.compute_budget, "money": one.money_budget, "seconds": one.time_budget}
    budgets: Any = {n: None if amount is None else Traced(n) for n, amount in stated.items()}
    n: Any = Traced("n")
    tokens: Any = Traced("tokens")
    unique: Any = Traced("unique")
    epochs: Any = Traced("epochs")
    left: Any = affordable_tokens(costs, n, epochs, **budgets)
    money: Any = costs.money(n, tokens, unique)
    return {
        "tokens": function(left, f"n,epochs,{_TERMS}", _PRICES),
        "money": function(money, f"n,tokens,unique,{_TERMS}", _PRICES),
    }


def _scaled_prices(costs: Costs) -> Costs:
    """Prices in symbols, with the factors of the page."""
    scaled: Any = {name: Traced(name) for name in _PRICES}
    scaled["per_flop"] = scaled["per_flop"] * Traced("compute")
    scaled["per_token"] = scaled["per_token"] * Traced("data")
    if (costs.served_flops > 0).any():
        scaled["served_flops"] = scaled["served_flops"] * Traced("serving")
        scaled["served_price"] = scaled["served_price"] * (Traced("serving") * Traced("compute"))
    else:
        scaled["served_flops"] = SERVING * Traced("served")
        scaled["served_price"] = scaled["per_flop"] * (SERVING * Traced("served"))
    return replace(costs, **scaled)
