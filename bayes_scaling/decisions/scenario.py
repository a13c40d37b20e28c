"""What may be spent and what is wanted, as a checked object or a TOML file."""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from bayes_scaling._files import reason
from bayes_scaling.decisions.risk import Risk
from bayes_scaling.errors import FileError, ScenarioError

__all__ = ["EXAMPLE", "Limits", "Scenario", "load_scenario"]

_LARGEST = 1e60
"""Of FLOP, parameters or tokens: far above anything there is, far below what floats hold."""

EXAMPLE = """\
# What may be spent, and what is wanted. Numbers are plain or with a unit in quotes.
family = "web"          # leave out where the fit has one family; other names are unseen families
target_loss = 2.0       # optional, in the loss unit of the fit

[budget]
compute = "1e23 FLOP"   # training compute, C = 6 N D

[risk]
measure = "cvar"        # mean | quantile | cvar (mean of the worst cases)
level = 0.9             # cvar: mean of the worst 10%; quantile: exceeded with probability 10%

[limits]                # all optional
min_params = 1e8
max_params = 1e12
min_tokens = 1e9
max_tokens = 1e14
"""


@dataclass(frozen=True)
class Limits:
    """Bounds on a configuration: parameters and training tokens.

    Raises
    ------
    ScenarioError
        If a bound is not positive, or a lower one is above its upper one.
    """

    min_params: float = 0.0
    max_params: float = math.inf
    min_tokens: float = 0.0
    max_tokens: float = math.inf

    def __post_init__(self) -> None:
        for what in ("params", "tokens"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if low != 0:
                _positive(f"min_{what}", low)
            if high != math.inf:
                _positive(f"max_{what}", high)
            if not low <= high:
                raise ScenarioError(f"min_{what} is {low:.6g}, above max_{what} = {high:.6g}")

    def params_range(self, flops: float) -> tuple[float, float]:
        """Smallest and largest N whose N and D = C / 6N are within the limits.

        Raises
        ------
        ScenarioError
            If no N is.
        """
        product = flops / 6.0
        low = max(self.min_params, product / self.max_tokens)
        high = min(self.max_params, product / self.min_tokens if self.min_tokens else math.inf)
        if not low <= high:
            raise ScenarioError(
                f"no configuration of {flops:.6g} FLOP meets the limits: they leave params from "
                f"{low:.6g} to {high:.6g}"
            )
        return low, high


@dataclass(frozen=True)
class Scenario:
    """A compute budget and how to judge what it buys.

    Parameters
    ----------
    budget_flops : float
        Training compute in FLOP.
    risk : Risk
        What to minimise.
    family : str or None
        Whose law; None where the fit has one family.
    target_loss : float or None
        A loss to reach, in the loss unit of the fit.
    limits : Limits
        Bounds on N and D.

    Raises
    ------
    ScenarioError
        If a number is not finite and positive, or the limits leave nothing.
    """

    budget_flops: float
    risk: Risk = field(default_factory=Risk)
    family: str | None = None
    target_loss: float | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        _positive("budget", self.budget_flops)
        if self.target_loss is not None:
            _positive("target_loss", self.target_loss)
        self.limits.params_range(self.budget_flops)


def load_scenario(path: str | PathLike[str]) -> Scenario:
    """Read a scenario from TOML; :data:`EXAMPLE` shows every key.

    Raises
    ------
    FileError
        If the file cannot be read.
    ScenarioError
        If it is not TOML, a key is unknown, or a value out of range.
    """
    source = Path(path)
    try:
        content = tomllib.loads(source.read_bytes().decode("utf-8"))
    except OSError as error:
        raise FileError(f"cannot read {source}: {reason(error)}") from error
    except (ValueError, RecursionError) as error:
        # TOML and UTF-8 errors are ValueErrors, and so is an integer of thousands of digits.
        raise ScenarioError(f"{source} is not TOML: {str(error).splitlines()[0]}") from error
    try:
        return _scenario(content)
    except ScenarioError as error:
        raise ScenarioError(f"{source}: {error}") from None


def _scenario(content: Mapping[str, Any]) -> Scenario:
    _known("the scenario", content, {"budget", "family", "limits", "risk", "target_loss"})
    if "budget" not in content:
        raise ScenarioError('the scenario has no budget; write [budget] compute = "1e23 FLOP"')
    budget = content["budget"]
    if isinstance(budget, Mapping):
        _known("[budget]", budget, {"compute"})
        budget = budget.get("compute")
    risk = content.get("risk", {})
    if isinstance(risk, str):
        risk = {"measure": risk}
    _known("[risk]", risk, {"level", "measure"})
    limits = content.get("limits", {})
    _known("[limits]", limits, {f"{end}_{of}" for end in ("min", "max") for of in _COUNTS})
    family = content.get("family")
    if family is not None and not (isinstance(family, str) and family):
        raise ScenarioError(f"family is {family!r}, a name in quotes is needed")
    target = content.get("target_loss")
    return Scenario(
        budget_flops=_number("budget", budget, "FLOP"),
        risk=Risk(**risk),
        family=family,
        target_loss=None if target is None else _number("target_loss", target, None),
        limits=Limits(**{name: _number(name, value, None) for name, value in limits.items()}),
    )


_COUNTS = ("params", "tokens")


def _known(where: str, content: Any, legal: set[str]) -> None:
    if not isinstance(content, Mapping):
        raise ScenarioError(f"{where} is {content!r}, a table is needed")
    unknown = sorted(set(content) - legal)
    if unknown:
        raise ScenarioError(
            f"{where} has an unknown key {unknown[0]!r}; it can have {', '.join(sorted(legal))}"
        )


def _number(name: str, value: Any, unit: str | None) -> float:
    """A positive number, plain or as text with its unit."""
    text = value
    if isinstance(value, str):
        amount, _, given = value.strip().partition(" ")
        if unit is None or given.strip() not in ("", unit):
            expected = f'a number, or a number of {unit} like "1e23 {unit}"' if unit else "a number"
            raise ScenarioError(f"{name} is {value!r}, {expected} is needed")
        try:
            text = float(amount)
        except ValueError:
            raise ScenarioError(f"{name} is {value!r}, a number of {unit} is needed") from None
    return _positive(name, text)


def _positive(name: str, value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared and not converted: an integer may be too large for a float.
    if not (number and 0 < value <= _LARGEST):
        shown = f"an integer of {len(str(value))} digits" if _long(value) else repr(value)
        raise ScenarioError(f"{name} is {shown}, a number above 0 and up to {_LARGEST:g} is needed")
    return float(value)


def _long(value: Any) -> bool:
    return isinstance(value, int) and value > 10**40
