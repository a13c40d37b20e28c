"""Marginal gains: what one more unit of each factor buys, and where its returns diminish."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.arguments import check_seed, shown, whole_number
from bayes_scaling.core.caveat import texts
from bayes_scaling.core.display import brief
from bayes_scaling.core.draw_summary import describe
from bayes_scaling.core.json_files import Saved, records, without
from bayes_scaling.decisions.allocation.cost_draws import Costs
from bayes_scaling.decisions.decision_caveats import point_doubts
from bayes_scaling.decisions.decision_family import family_of, provenance
from bayes_scaling.errors import ScenarioError
from bayes_scaling.forecast.forecast_caveats import size_caveats
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.model import typical_caveats
from bayes_scaling.posterior import FamilyPosterior, family_posterior
from bayes_scaling.scenarios.quantities import in_unit
from bayes_scaling.scenarios.scenario import Scenario, checked_scenario

__all__ = ["FACTORS", "SCHEMA", "Marginal", "marginal"]

Floats = NDArray[np.float64]

SCHEMA = "bayes_scaling.marginal/1"
FACTORS = ("params", "tokens", "both")
"""What may grow: parameters, tokens, or both in proportion, which is compute."""
_STEP = 1e-4
_MOST = 40


@dataclass(frozen=True, eq=False, repr=False)
class Marginal(Saved):
    """What more of each factor buys at one configuration.

    Attributes
    ----------
    gains : pandas.DataFrame
        One row a factor ("params", "tokens", "both"): mean and quantiles of ``elasticity``
        (-dL/dlogX; of "both", X = C and N, D grow alike), of ``gain`` (-dL/dX per parameter,
        token or FLOP) and of ``per_cost`` (-dL per unit of cost); ``best``, the probability that
        this of parameters and tokens gains most for its cost.
    doublings : pandas.DataFrame
        One row a factor and doubling: expected loss there (``loss_mean``, ``loss_q05``,
        ``loss_q95``), ``gain_mean``, ``gain_q05`` and ``gain_q95`` of the last doubling, its
        ``cost`` (median), ``gain_per_cost``, and ``pays``, the probability that it is worth more
        than it costs (None where a loss has no worth).
    stop : dict of str to int or None
        By factor, the first doubling whose expected gain is worth less than it costs; None where
        every one shown pays, or a loss has no worth.
    unit : str
        Of costs: FLOP, or a currency where prices are known.
    content : dict
        What else the file says.
    """

    gains: pd.DataFrame
    doublings: pd.DataFrame
    stop: dict[str, int | None]
    unit: str
    content: dict[str, Any]

    @property
    def bottleneck(self) -> str:
        """The factor that most probably gains most for its cost: "params" or "tokens"."""
        best = self.gains.dropna(subset="best").set_index("factor")["best"]
        return str(best.idxmax())

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values for JSON."""
        tables = {"gains": self.gains, "doublings": self.doublings}
        return {
            "schema": SCHEMA,
            **self.content,
            "unit": self.unit,
            "bottleneck": self.bottleneck,
            "stop": self.stop,
            **{name: records(table) for name, table in tables.items()},
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Marginal":
        """Gains from the content of their file."""
        rest = without(content, "schema", "unit", "bottleneck", "stop", "gains", "doublings")
        gains, doublings = (pd.DataFrame(content[name]) for name in ("gains", "doublings"))
        return cls(gains, doublings, dict(content["stop"]), content["unit"], rest)

    def __str__(self) -> str:
        where = self.content
        share = float(self.gains["best"].max())
        gains = self.gains[
            ["factor", "elasticity_mean", "elasticity_q05", "elasticity_q95", "per_cost_mean"]
        ].rename(columns={"per_cost_mean": f"gain per {self.unit}"})
        steps = self.doublings[
            ["factor", "doubling", "loss_mean", "gain_mean", "gain_q05", "gain_q95", "cost", "pays"]
        ].rename(columns={"cost": f"cost ({self.unit})"})
        if steps["pays"].isna().all():
            steps = steps.drop(columns="pays")
        said = (
            f"{where['params']:.3g} parameters, {where['tokens']:.3g} tokens, family "
            f"{where['family']!r}; losses in {where['loss_unit']}. Best next spend: "
            f"{self.bottleneck}, with probability {share:.0%}."
        )
        lines = [
            said,
            gains.to_string(index=False, float_format="{:.3g}".format),
            "",
            steps.to_string(index=False, float_format="{:.4g}".format, na_rep=""),
        ]
        for factor, doubling in self.stop.items():
            if doubling is not None:
                lines.append(f"Doubling {doubling} of {factor} costs more than it is worth.")
        return "\n".join([*lines, *(f"Note: {text}" for text in where["warnings"])])

    def __repr__(self) -> str:
        return brief(str(self))


def marginal(
    fit: Fit,
    params: float,
    tokens: float,
    *,
    family: str | None = None,
    scenario: Scenario | None = None,
    doublings: int = 4,
    seed: int = 0,
    accept: Iterable[str] = (),
) -> Marginal:
    """What more parameters, tokens or compute would buy at a configuration.

    Parameters
    ----------
    fit : Fit
        The fit.
    params, tokens : float
        The configuration; every token fresh.
    family : str, optional
        Whose law; that of the scenario, or the only one of the fit, if not given.
    scenario : Scenario, optional
        Prices, and the worth of a loss. Without prices costs count in FLOP.
    doublings : int
        How often each factor is doubled.
    seed : int
        Seed of uncertain prices and unseen families.
    accept : iterable of str
        Codes of errors to accept: "implausible-size" for sizes that no training run has.

    Returns
    -------
    Marginal

    Raises
    ------
    ScenarioError
        If a number is out of range, or the family is not said though the fit has several.
    """
    check_fit(fit)
    check_seed(seed)
    if scenario is not None:
        checked_scenario(scenario)
    params = in_unit("params", params, "param", "1e9")
    tokens = in_unit("tokens", tokens, "token", "1e9")
    sizes = pd.DataFrame({"params": [params], "tokens": [tokens]})
    doubts = list(texts(size_caveats(sizes, accept)))
    count = whole_number(doublings)
    if count is None or not 1 <= count <= _MOST:
        raise ScenarioError(
            f"doublings is {shown(doublings)}, a whole number from 1 to {_MOST} is needed"
        )
    name = family_of(fit, family or (scenario.family if scenario else None))
    draws = family_posterior(fit, name, seed)
    prices = _Prices.of(scenario, draws.size, seed)
    worth = scenario.value_per_nat if scenario and prices.priced else None
    point = math.log(params), math.log(tokens)
    gains = _gains(draws, prices, point)
    steps = [row for factor in FACTORS for row in _doublings(draws, prices, point, factor, count)]
    table = pd.DataFrame(steps)
    table["pays"] = _paying(table.pop("_gain"), table.pop("_price"), worth)
    stop: dict[str, int | None] = dict.fromkeys(FACTORS)
    if worth is not None:
        for factor, rows in table.groupby("factor"):
            lost = rows[rows["gain_mean"] * worth < rows["cost"]]
            stop[str(factor)] = int(lost["doubling"].iloc[0]) if len(lost) else None
    content = {
        **provenance(fit, name, seed),
        "quantity": "loss_curve",
        "params": float(params),
        "tokens": float(tokens),
        "worth": worth,
        "warnings": [
            *doubts,
            *point_doubts(fit, name, _visited(draws, point, table), "configuration"),
            *texts(typical_caveats(fit.law, fit.runs, [name])),
        ],
    }
    return Marginal(gains, table, stop, prices.unit, content)


def _visited(
    draws: FamilyPosterior, point: tuple[float, float], steps: pd.DataFrame
) -> dict[str, list[float]]:
    """Sizes, tokens and losses of the configuration and of every doubling."""
    here = float(np.median(_loss(draws, *point)))
    return {
        "params": [math.exp(point[0]), *steps["params"]],
        "tokens": [math.exp(point[1]), *steps["tokens"]],
        "loss": [here, *steps["loss_mean"]],
    }


@dataclass(frozen=True)
class _Prices:
    """What configurations cost: in money where prices are known, else in FLOP."""

    costs: Costs
    priced: bool
    unit: str

    @classmethod
    def of(cls, scenario: Scenario | None, samples: int, seed: int) -> "_Prices":
        if scenario is None:
            return cls(Costs.of(None, None, None, samples, seed), priced=False, unit="FLOP")
        costs = Costs.of(scenario.compute, scenario.data, scenario.inference, samples, seed)
        unit = scenario.currency if scenario.priced else "FLOP"
        return cls(costs, scenario.priced, unit)

    def cost(self, log_params: float, log_tokens: float) -> Floats:
        """Of a configuration whose tokens are all fresh, dims (sample,)."""
        params, tokens = np.exp([log_params]), np.exp([log_tokens])
        if self.priced:
            return np.asarray(self.costs.money(params, tokens, tokens)[0])
        return np.asarray(self.costs.flops(params, tokens)[0])


def _loss(draws: FamilyPosterior, log_params: float, log_tokens: float) -> Floats:
    loss: Floats = np.exp(draws.curve(draws.at(np.array([log_params]), np.array([log_tokens]))))
    return loss


def _moves(factor: str) -> tuple[float, float]:
    """Growth of log N and log D for a growth of the log of the factor by 1."""
    return {"params": (1.0, 0.0), "tokens": (0.0, 1.0), "both": (0.5, 0.5)}[factor]


def _gains(draws: FamilyPosterior, prices: _Prices, point: tuple[float, float]) -> pd.DataFrame:
    amounts = {
        "params": math.exp(point[0]),
        "tokens": math.exp(point[1]),
        "both": 6.0 * math.exp(point[0] + point[1]),
    }
    elasticity, per_cost = {}, {}
    for factor in FACTORS:
        size, data = (_STEP * move for move in _moves(factor))
        ends = [(point[0] + sign * size, point[1] + sign * data) for sign in (-1, 1)]
        low, high = (_loss(draws, *end) for end in ends)
        elasticity[factor] = (low - high) / (2 * _STEP)
        less, more = (prices.cost(*end) for end in ends)
        per_cost[factor] = (low - high) / (more - less)
    rows = []
    wins = per_cost["params"] > per_cost["tokens"]
    best = {"params": float(wins.mean()), "tokens": float(1 - wins.mean()), "both": None}
    for factor in FACTORS:
        row: dict[str, Any] = {"factor": factor}
        for name, values in (
            ("elasticity", elasticity[factor]),
            ("gain", elasticity[factor] / amounts[factor]),
            ("per_cost", per_cost[factor]),
        ):
            row |= {f"{name}_{key}": value for key, value in describe(values).items()}
        rows.append(row | {"best": best[factor]})
    return pd.DataFrame(rows)


def _paying(
    gains: "pd.Series[Any]", prices: "pd.Series[Any]", worth: float | None
) -> list[float | None]:
    """Probability that each step is worth more than it costs."""
    pairs = zip(gains, prices, strict=True)
    return [None if worth is None else float(np.mean(g * worth > p)) for g, p in pairs]


def _doublings(
    draws: FamilyPosterior, prices: _Prices, point: tuple[float, float], factor: str, count: int
) -> list[dict[str, Any]]:
    # Both doubled is N and D twice as large each: compute four times.
    size, data = {"params": (1, 0), "tokens": (0, 1), "both": (1, 1)}[factor]
    rows: list[dict[str, Any]] = []
    before = _loss(draws, *point)
    paid = prices.cost(*point)
    for number in range(1, count + 1):
        at = tuple(
            p + number * math.log(2) * move for p, move in zip(point, (size, data), strict=True)
        )
        after, cost = _loss(draws, *at), prices.cost(*at)
        gain, price = before - after, cost - paid
        loss = describe(after)
        gained = describe(gain)
        rows.append(
            {
                "factor": factor,
                "doubling": number,
                "params": math.exp(at[0]),
                "tokens": math.exp(at[1]),
                **{f"loss_{key}": loss[key] for key in ("mean", "q05", "q95")},
                **{f"gain_{key}": gained[key] for key in ("mean", "q05", "q95")},
                "cost": float(np.median(price)),
                "gain_per_cost": float(np.mean(gain / price)),
                "_gain": gain,
                "_price": price,
            }
        )
        before, paid = after, cost
    return rows
