"""Marginal gains: what one more unit of each factor buys, and where its returns diminish."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, get_args

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.arguments import check_seed, shown, whole_number
from bayes_scaling.core.draw_summary import describe
from bayes_scaling.core.records import Record, about, to_plain
from bayes_scaling.decisions.allocation.cost_draws import Costs
from bayes_scaling.decisions.allocation.decision_caveats import point_caveats
from bayes_scaling.decisions.decision_family import family_of, provenance
from bayes_scaling.decisions.decision_result import DecisionResult, Params, Tokens, ValuePerNat
from bayes_scaling.errors import ScenarioError
from bayes_scaling.forecast.forecast_caveats import size_caveats
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.model import typical_caveats
from bayes_scaling.posterior import FamilyPosterior, family_posterior
from bayes_scaling.scenarios.quantities import in_unit
from bayes_scaling.scenarios.scenario import Scenario, checked_scenario

__all__ = ["FACTORS", "DoublingRow", "FirstUnprofitable", "GainRow", "Marginal", "marginal"]

Floats = NDArray[np.float64]

Factor = Literal["params", "tokens", "both"]
FACTORS: tuple[Factor, ...] = get_args(Factor)
"""What may grow: parameters, tokens, or both in proportion, which is compute."""
_STEP = 1e-4
_MOST = 40


def _gain(what: str, **limits: float) -> msgspec.Meta:
    return about(f"{what} of -dL / dX.", "loss per parameter, token or FLOP", **limits)


def _per_cost(what: str, **limits: float) -> msgspec.Meta:
    return about(f"{what} of the gain for its cost.", "loss per `unit`", **limits)


class GainRow(Record, frozen=True, kw_only=True):
    """Marginal gain of one factor; of "both", X = C and N, D grow in proportion."""

    factor: Annotated[Factor, about("What grows; both in proportion, which is compute.")]
    elasticity_mean: Annotated[float, about("Mean of -dL / d log X.", "loss")]
    elasticity_sd: Annotated[float, about("Standard deviation of -dL / d log X.", "loss", ge=0)]
    elasticity_q05: Annotated[float, about("5% quantile of -dL / d log X.", "loss")]
    elasticity_q25: Annotated[float, about("25% quantile of -dL / d log X.", "loss")]
    elasticity_q50: Annotated[float, about("Median of -dL / d log X.", "loss")]
    elasticity_q75: Annotated[float, about("75% quantile of -dL / d log X.", "loss")]
    elasticity_q95: Annotated[float, about("95% quantile of -dL / d log X.", "loss")]
    gain_mean: Annotated[float, _gain("Mean")]
    gain_sd: Annotated[float, _gain("Standard deviation", ge=0)]
    gain_q05: Annotated[float, _gain("5% quantile")]
    gain_q25: Annotated[float, _gain("25% quantile")]
    gain_q50: Annotated[float, _gain("Median")]
    gain_q75: Annotated[float, _gain("75% quantile")]
    gain_q95: Annotated[float, _gain("95% quantile")]
    per_cost_mean: Annotated[float, _per_cost("Mean")]
    per_cost_sd: Annotated[float, _per_cost("Standard deviation", ge=0)]
    per_cost_q05: Annotated[float, _per_cost("5% quantile")]
    per_cost_q25: Annotated[float, _per_cost("25% quantile")]
    per_cost_q50: Annotated[float, _per_cost("Median")]
    per_cost_q75: Annotated[float, _per_cost("75% quantile")]
    per_cost_q95: Annotated[float, _per_cost("95% quantile")]
    best: Annotated[
        float | None,
        about(
            "That this of parameters and tokens gains most for its cost; null for both.",
            "probability",
        ),
    ]


class DoublingRow(Record, frozen=True, kw_only=True):
    """What one doubling of a factor gains."""

    factor: Annotated[Factor, about("What is doubled.")]
    doubling: Annotated[int, about("Number of the doubling.", ge=1)]
    params: Params
    tokens: Tokens
    loss_mean: Annotated[float, about("Mean of the loss there.", "loss")]
    loss_q05: Annotated[float, about("5% quantile of the loss there.", "loss")]
    loss_q95: Annotated[float, about("95% quantile of the loss there.", "loss")]
    gain_mean: Annotated[float, about("Mean of what the doubling gains.", "loss")]
    gain_q05: Annotated[float, about("5% quantile of what the doubling gains.", "loss")]
    gain_q95: Annotated[float, about("95% quantile of what the doubling gains.", "loss")]
    cost: Annotated[float, about("Median cost of the doubling, in `unit`.")]
    gain_per_cost: Annotated[float, about("Mean gain for the cost.", "loss per `unit`")]
    pays: Annotated[
        float | None,
        about("That its value is above its cost; null where a loss has no value.", "probability"),
    ]


Doubling = Annotated[int, about("Number of the doubling; null where every one shown pays.", ge=1)]


class FirstUnprofitable(Record, frozen=True, kw_only=True):
    """First doubling of each factor whose expected gain has less value than it costs."""

    params: Doubling | None
    tokens: Doubling | None
    both: Doubling | None


class Marginal(DecisionResult, frozen=True, kw_only=True, tag="bayes_scaling.marginal/2"):
    """Marginal gains of parameters, tokens and compute, as `marginal` writes them."""

    quantity: Annotated[Literal["loss_curve"], about("Losses are of the law, without noise.")]
    params: Params
    tokens: Tokens
    value_per_nat: ValuePerNat
    unit: Annotated[str, about("Of costs: FLOP, or a currency where prices are known.")]
    bottleneck: Annotated[
        Literal["params", "tokens"], about("What most probably gains most for its cost.")
    ]
    stop: Annotated[FirstUnprofitable, about("First doubling that does not pay, by factor.")]
    gain_rows: Annotated[list[GainRow], about("One row a factor.", min_length=3, max_length=3)] = (
        msgspec.field(name="gains")
    )
    doubling_rows: Annotated[
        list[DoublingRow], about("One row a factor and doubling.", min_length=1)
    ] = msgspec.field(name="doublings")

    @property
    def gains(self) -> pd.DataFrame:
        """Marginal gains, one row a factor: columns are the fields of :class:`GainRow`."""
        return pd.DataFrame(to_plain(self.gain_rows))

    @property
    def doublings(self) -> pd.DataFrame:
        """Doublings, one row each: columns are the fields of :class:`DoublingRow`."""
        return pd.DataFrame(to_plain(self.doubling_rows))

    def __str__(self) -> str:
        probability = float(self.gains["best"].max())
        gains = self.gains[
            ["factor", "elasticity_mean", "elasticity_q05", "elasticity_q95", "per_cost_mean"]
        ].rename(columns={"per_cost_mean": f"gain per {self.unit}"})
        steps = self.doublings[
            ["factor", "doubling", "loss_mean", "gain_mean", "gain_q05", "gain_q95", "cost", "pays"]
        ].rename(columns={"cost": f"cost ({self.unit})"})
        if steps["pays"].isna().all():
            steps = steps.drop(columns="pays")
        sentence = (
            f"{self.params:.3g} parameters, {self.tokens:.3g} tokens, family "
            f"{self.family!r}; losses in {self.loss_unit}. Best next spend: "
            f"{self.bottleneck}, with probability {probability:.0%}."
        )
        lines = [
            sentence,
            gains.to_string(index=False, float_format="{:.3g}".format),
            "",
            steps.to_string(index=False, float_format="{:.4g}".format, na_rep=""),
        ]
        for factor in FACTORS:
            doubling = getattr(self.stop, factor)
            if doubling is not None:
                lines.append(f"Doubling {doubling} of {factor} costs more than it is worth.")
        return "\n".join([*lines, *self._caveat_lines()])


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
    """Compute the marginal gains of parameters, tokens and compute at a configuration.

    Parameters
    ----------
    fit : Fit
        The fit.
    params, tokens : float
        The configuration; every token fresh.
    family : str, optional
        Family; that of the scenario, or the only one of the fit, if not given.
    scenario : Scenario, optional
        Prices, and the value of a lower loss. Without prices costs count in FLOP.
    doublings : int
        Number of doublings of each factor.
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
        If a number is out of range, or no family is named though the fit has several.

    Examples
    --------
    >>> found = bs.marginal(bs.load_fit("fit.nc"), params=1e9, tokens=2e10, family="web")
    >>> found.bottleneck
    'tokens'
    """
    check_fit(fit)
    check_seed(seed)
    if scenario is not None:
        checked_scenario(scenario)
    params = in_unit("params", params, "param", "1e9")
    tokens = in_unit("tokens", tokens, "token", "1e9")
    accepted = size_caveats(pd.DataFrame({"params": [params], "tokens": [tokens]}), accept)
    count = whole_number(doublings)
    if count is None or not 1 <= count <= _MOST:
        raise ScenarioError(
            f"doublings is {shown(doublings)}, a whole number from 1 to {_MOST} is needed"
        )
    name = family_of(fit, family or (scenario.family if scenario else None))
    draws = family_posterior(fit, name, seed)
    prices = _Prices.of(scenario, draws.size, seed)
    value = scenario.value_per_nat if scenario and prices.priced else None
    point = math.log(params), math.log(tokens)
    steps = [
        row
        for factor in FACTORS
        for row in _doublings(draws, prices, point, (factor, count), value)
    ]
    gains = _gains(draws, prices, point)
    best = max((row for row in gains if row.best is not None), key=lambda row: row.best or 0.0)
    return Marginal(
        **provenance(fit, name, seed),
        quantity="loss_curve",
        params=float(params),
        tokens=float(tokens),
        value_per_nat=value,
        caveats=[
            *accepted,
            *point_caveats(fit, name, _visited(draws, point, steps), "configuration"),
            *typical_caveats(fit.law, fit.runs, [name]),
        ],
        unit=prices.unit,
        bottleneck="tokens" if best.factor == "tokens" else "params",
        stop=FirstUnprofitable(**{factor: _first(steps, factor, value) for factor in FACTORS}),
        gain_rows=gains,
        doubling_rows=steps,
    )


def _first(steps: list[DoublingRow], factor: Factor, value: float | None) -> int | None:
    """First doubling of a factor whose expected gain has less value than it costs."""
    if value is None:
        return None
    own = (row for row in steps if row.factor == factor)
    return next((row.doubling for row in own if row.gain_mean * value < row.cost), None)


def _visited(
    draws: FamilyPosterior, point: tuple[float, float], steps: list[DoublingRow]
) -> dict[str, list[float]]:
    """Sizes, tokens and losses of the configuration and of every doubling."""
    here = float(np.median(_loss(draws, *point)))
    return {
        "params": [math.exp(point[0]), *(row.params for row in steps)],
        "tokens": [math.exp(point[1]), *(row.tokens for row in steps)],
        "loss": [here, *(row.loss_mean for row in steps)],
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


def _gains(draws: FamilyPosterior, prices: _Prices, point: tuple[float, float]) -> list[GainRow]:
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
    best: dict[str, float | None] = {
        "params": float(wins.mean()),
        "tokens": float(1 - wins.mean()),
        "both": None,
    }
    for factor in FACTORS:
        summaries = {
            f"{name}_{key}": value
            for name, values in (
                ("elasticity", elasticity[factor]),
                ("gain", elasticity[factor] / amounts[factor]),
                ("per_cost", per_cost[factor]),
            )
            for key, value in describe(values).items()
        }
        rows.append(GainRow(factor=factor, best=best[factor], **summaries))
    return rows


def _doublings(
    draws: FamilyPosterior,
    prices: _Prices,
    point: tuple[float, float],
    which: tuple[Factor, int],
    value: float | None,
) -> list[DoublingRow]:
    """Double a factor so many times."""
    factor, count = which
    # Both doubled is N and D twice as large each: compute four times.
    size, data = {"params": (1, 0), "tokens": (0, 1), "both": (1, 1)}[factor]
    rows: list[DoublingRow] = []
    before = _loss(draws, *point)
    paid = prices.cost(*point)
    for number in range(1, count + 1):
        at = tuple(
            p + number * math.log(2) * move for p, move in zip(point, (size, data), strict=True)
        )
        after, cost = _loss(draws, *at), prices.cost(*at)
        gain, price = before - after, cost - paid
        loss, gained = describe(after), describe(gain)
        rows.append(
            DoublingRow(
                factor=factor,
                doubling=number,
                params=math.exp(at[0]),
                tokens=math.exp(at[1]),
                **{f"loss_{key}": loss[key] for key in ("mean", "q05", "q95")},
                **{f"gain_{key}": gained[key] for key in ("mean", "q05", "q95")},
                cost=float(np.median(price)),
                gain_per_cost=float(np.mean(gain / price)),
                pays=None if value is None else float(np.mean(gain * value > price)),
            )
        )
        before, paid = after, cost
    return rows
