"""The result of an allocation, and its file."""

import json
from dataclasses import dataclass
from os import PathLike
from typing import Any

import pandas as pd
import xarray as xr

from bayes_scaling.core.display import brief
from bayes_scaling.core.json_files import Saved, read_json
from bayes_scaling.errors import FileError
from bayes_scaling.schemas.checking import what_is_wrong

__all__ = ["SCHEMA", "Plan", "load_plan"]

SCHEMA = "bayes_scaling.plan/1"


@dataclass(frozen=True, eq=False, repr=False)
class Plan(Saved):
    """A recommended split of a compute budget, with what is uncertain about it.

    Attributes
    ----------
    content : dict
        Everything but the draws, as it stands in the file; see :meth:`to_dict`.
    draws : xarray.Dataset or None
        Compute-optimal ``params``, ``tokens``, ``tokens_per_param`` and ``loss`` of every draw, at
        the draw's own prices where prices are uncertain, and ``regret`` (of one run of the plan
        over the best plan on the same budget line), dims (chain, draw).
        None for a plan read from a file.
    """

    content: dict[str, Any]
    draws: xr.Dataset | None = None

    @property
    def recommended(self) -> dict[str, float]:
        """The split: params, tokens, flops (FLOP) and tokens_per_param."""
        return dict(self.content["recommended"])

    @property
    def loss(self) -> dict[str, float]:
        """Loss of one run at the recommended split: mean, sd and quantiles."""
        return dict(self.content["loss"])

    @property
    def probability_of_target(self) -> float | None:
        """Probability that one run at the recommended split reaches the target loss."""
        value: float | None = self.content["probability_of_target"]
        return value

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the plan less sure than it looks, in words."""
        return tuple(self.content["warnings"])

    @property
    def curve(self) -> pd.DataFrame:
        """Risk and loss interval along the budget: params, tokens, risk, mean, q05, q95."""
        return pd.DataFrame(self.content["curve"])

    def to_dict(self) -> dict[str, Any]:
        """The plan as plain values: the content of its JSON file."""
        return json.loads(json.dumps(self.content))  # type: ignore[no-any-return]

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Plan":
        """A plan from the content of its file."""
        return cls(content)

    @property
    def regret(self) -> dict[str, float]:
        """Loss over that of the best plan of each draw: mean, sd and quantiles."""
        return dict(self.content["regret"])

    @property
    def alternatives(self) -> pd.DataFrame:
        """What comes of the plans that the scenario names, the recommended one first."""
        rows = [{"name": "recommended", **self.content}, *self.content.get("alternatives", ())]
        sizes = [{**row, **row.get("recommended", {})} for row in rows]
        return pd.DataFrame(
            {
                "name": [row["name"] for row in rows],
                **{size: [row[size] for row in sizes] for size in ("params", "tokens")},
                "loss": [row["loss"]["mean"] for row in rows],
                "q05": [row["loss"]["q05"] for row in rows],
                "q95": [row["loss"]["q95"] for row in rows],
                "probability_of_target": [row["probability_of_target"] for row in rows],
                "regret": [row["regret"]["mean"] for row in rows],
                "regret_q95": [row["regret"]["q95"] for row in rows],
                "flops": [row["costs"]["flops"]["q50"] for row in rows],
                "cost": [row["costs"].get("money", {}).get("q50") for row in rows],
                "better": [row.get("probability_better") for row in rows],
                "beyond": [", ".join(row.get("beyond", ())) for row in rows],
            }
        )

    @property
    def costs(self) -> dict[str, Any]:
        """What the plan takes: flops, and money and seconds where prices are known."""
        return dict(self.content["costs"])

    def _costs_in_words(self) -> list[str]:
        costs, lines = self.content.get("costs", {}), []
        if "money" in costs:
            money = costs["money"]
            lines.append(f"Cost: {_spread(money, costs['currency'])}.")
        if "seconds" in costs:
            lines.append(f"Training takes {_duration(costs['seconds'])}.")
        lines += [
            f"Within the budget of {row['budget']} with probability "
            f"{row['probability_within']:.0%}."
            for row in self.content.get("budgets", ())
            if row["probability_within"] < 1 and row["amount"] in self._stated
        ]
        return lines

    @property
    def _stated(self) -> set[float | None]:
        """Budgets of the scenario, without one that was found as the least."""
        scenario = self.content["scenario"]
        return {scenario.get(name) for name in ("compute_budget", "money_budget", "time_budget")}

    def __str__(self) -> str:
        split, loss, optimum = self.recommended, self.loss, self.content["optimum"]
        target, probability = self.content["target_loss"], self.probability_of_target
        unit = self.content["loss_unit"]
        seen = ""
        if self.content.get("shape"):
            shape = self.content["shape"]
            seen = f", {shape['n_layer']} layers of width {shape['d_model']}"
        if split.get("epochs", 1.0) > 1.0:
            seen += f", {split['unique_tokens']:.3g} unique ones seen {split['epochs']:.3g} times"
        lines = [
            (
                f"{self.content['budget_flops']:.4g} FLOP, family {self.content['family']!r}: "
                f"train {split['params']:.3g} parameters on {split['tokens']:.3g} tokens "
                f"({split['tokens_per_param']:.3g} tokens per parameter{seen})."
            ),
            (
                f"One run there: expected loss {loss['mean']:.4g} {unit}, 90% between "
                f"{loss['q05']:.4g} and {loss['q95']:.4g}."
            ),
            self._why(),
            (
                f"Optimal parameters: 90% between {optimum['params']['q05']:.3g} and "
                f"{optimum['params']['q95']:.3g}."
            ),
        ]
        lines += self._costs_in_words()
        if "regret" in self.content:
            regret = self.regret
            lines.append(
                f"Regret for not knowing the best split: {regret['mean']:.2g} {unit} on average, "
                f"{regret['q95']:.2g} at worst in 95% of cases."
            )
        if target is not None:
            lines.append(f"Probability of reaching loss {target:.4g} {unit}: {probability:.1%}.")
        if self.content.get("alternatives"):
            lines += ["Beside the alternatives:", self._contest()]
        return "\n".join([*lines, *(f"Note: {text}" for text in self.warnings)])

    def _why(self) -> str:
        least, risk = self.content.get("least_cost"), self.content["risk"]
        if least is None:
            return f"Chosen for the least {risk['meaning']}, which is {risk['value']:.4g}."
        return (
            f"Chosen for the least cost, {least['amount']:.4g} {least['unit']}, that reaches loss "
            f"{self.content['target_loss']:.4g} {self.content['loss_unit']} with probability "
            f"{100 * least['probability']:g}%."
        )

    def _contest(self) -> str:
        shown = self.alternatives.dropna(axis=1, how="all")
        if "cost" in shown:
            shown = shown.drop(columns="flops")
        if not shown["beyond"].any():
            shown = shown.drop(columns="beyond")
        return shown.to_string(index=False, float_format="{:.4g}".format, na_rep="")

    def __repr__(self) -> str:
        return brief(str(self))

    def _repr_html_(self) -> str:
        import html

        return "".join(f"<p>{html.escape(line)}</p>" for line in repr(self).splitlines())


def _spread(amount: dict[str, float], unit: str, scale: float = 1.0) -> str:
    """Median and 90% interval, or the number alone where it is known."""
    q05, q50, q95 = (amount[name] / scale for name in ("q05", "q50", "q95"))
    if q95 - q05 <= 1e-9 * q50:
        return f"{q50:.4g} {unit}"
    return f"{q50:.4g} {unit} (90% between {q05:.4g} and {q95:.4g})"


def _duration(seconds: dict[str, float]) -> str:
    """In the largest unit of which there is one."""
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds["q50"] >= length:
            return _spread(seconds, unit, length)
    return _spread(seconds, "seconds")


def load_plan(path: str | PathLike[str]) -> Plan:
    """Read a plan that :meth:`Plan.save` wrote.

    Raises
    ------
    FileError
        If the file cannot be read or is not a plan.
    """
    content = read_json(path, "a plan")
    schema = content.get("schema")
    if schema != SCHEMA:
        raise FileError(f"{path} is not a plan: its schema is {schema!r}, {SCHEMA!r} is needed")
    wrong = what_is_wrong(content, "plan")
    if wrong:
        raise FileError(f"{path} is not a whole plan: {wrong}")
    return Plan.from_dict(content)
