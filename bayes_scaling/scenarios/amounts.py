"""Amounts that may be uncertain: a number, or a distribution by a few of its points."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from bayes_scaling.core.arguments import is_number, shown
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["Amount", "Fixed", "LogNormal", "Pert", "read_amount"]

Floats = NDArray[np.float64]

_FORMS = "a number, { low, likely, high }, or { q05, q95 }"


@dataclass(frozen=True)
class Fixed:
    """A known number."""

    value: float

    def __post_init__(self) -> None:
        _points(self, "value")

    def sample(self, uniform: Floats) -> Floats:
        """The number, as often as there are uniform numbers."""
        return np.full_like(uniform, self.value)

    @property
    def median(self) -> float:
        """The number."""
        return self.value

    def to_dict(self) -> Any:
        """The number."""
        return self.value


@dataclass(frozen=True)
class Pert:
    """Between a lowest and a highest value with a likeliest one: the PERT distribution.

    A beta distribution on [low, high] whose mean is (low + 4·likely + high) / 6 (Malcolm et al.
    1959).
    """

    low: float
    likely: float
    high: float

    def __post_init__(self) -> None:
        _points(self, "low", "likely", "high")

    @property
    def _beta(self) -> Any:
        wide = self.high - self.low
        a = 1 + 4 * (self.likely - self.low) / wide
        b = 1 + 4 * (self.high - self.likely) / wide
        return stats.beta(a, b, loc=self.low, scale=wide)

    def sample(self, uniform: Floats) -> Floats:
        """Quantiles at uniform numbers."""
        return np.asarray(self._beta.ppf(uniform))

    @property
    def median(self) -> float:
        """Its median."""
        return float(self._beta.median())

    def to_dict(self) -> Any:
        """The three values."""
        return {"low": self.low, "likely": self.likely, "high": self.high}


@dataclass(frozen=True)
class LogNormal:
    """Positive, known by its 5% and 95% quantiles; never above ``most``."""

    q05: float
    q95: float
    most: float = math.inf

    def __post_init__(self) -> None:
        _points(self, "q05", "q95")
        if not self.q05 > 0:
            raise ScenarioError(f"q05 of LogNormal is {self.q05:g}, a number above 0 is needed")

    def sample(self, uniform: Floats) -> Floats:
        """Quantiles at uniform numbers."""
        middle = 0.5 * (math.log(self.q05) + math.log(self.q95))
        sd = (math.log(self.q95) - math.log(self.q05)) / (2 * stats.norm.ppf(0.95))
        return np.minimum(np.exp(middle + sd * stats.norm.ppf(uniform)), self.most)

    @property
    def median(self) -> float:
        """The geometric mean of the two."""
        return math.sqrt(self.q05 * self.q95)

    def to_dict(self) -> Any:
        """The two quantiles."""
        return {"q05": self.q05, "q95": self.q95}


Amount = Fixed | Pert | LogNormal
_KINDS = {Fixed: ("value",), Pert: ("low", "likely", "high"), LogNormal: ("q05", "q95")}


def _points(amount: Any, *names: str) -> None:
    """See that the points of a distribution are numbers of 0 or more that grow."""
    kind = type(amount).__name__
    for name in names:
        value = getattr(amount, name)
        if not (is_number(value) and math.isfinite(value) and value >= 0):
            raise ScenarioError(
                f"{name} of {kind} is {shown(value)}, a plain number of 0 or more is needed; what "
                'has a unit is written as text in place of the amount, like "2.5 USD/hour"'
            )
        object.__setattr__(amount, name, float(value))
    ends = [getattr(amount, name) for name in names]
    if len(ends) > 1 and not (all(a <= b for a, b in pairwise(ends)) and ends[0] < ends[-1]):
        listed = ", ".join(f"{name} = {end:g}" for name, end in zip(names, ends, strict=True))
        raise ScenarioError(f"{kind} has {listed}; they must grow from first to last")


def read_amount(
    name: str, value: Any, unit: str, example: str, *, zero: bool = False, most: float = math.inf
) -> Amount:
    """An amount from a number, text with a unit, or a table of a few points of a distribution.

    Parameters
    ----------
    name, unit, example, zero
        As :func:`bayes_scaling.scenarios.quantities.in_unit`.
    value : object
        A number or text; a table with ``low``, ``likely`` and ``high``; or one with ``q05`` and
        ``q95``; or an amount, which is returned as it is.
    most : float
        The largest legal value.

    Raises
    ------
    ScenarioError
        If it is none of these, or the points are not in order.
    """
    if isinstance(value, Fixed | Pert | LogNormal):
        ends = [getattr(value, point) for point in _KINDS[type(value)]]
        if ends[0] == 0 and not zero:
            raise ScenarioError(f"{name} is {ends[0]:g}, a number above 0 is needed")
        _bounded(name, value, ends[-1], most)
        return replace(value, most=min(value.most, most)) if isinstance(value, LogNormal) else value
    if not isinstance(value, Mapping):
        return Fixed(_bounded(name, value, in_unit(name, value, unit, example, zero=zero), most))
    for kind, keys in ((Pert, ("low", "likely", "high")), (LogNormal, ("q05", "q95"))):
        if set(value) != set(keys):
            continue
        ends = [
            _bounded(f"{name}.{key}", value[key], read, most)
            for key in keys
            for read in [in_unit(f"{name}.{key}", value[key], unit, example, zero=zero)]
        ]
        ordered = all(a <= b for a, b in pairwise(ends)) and ends[0] < ends[-1]
        if not ordered:
            listed = ", ".join(f"{key} = {value[key]!r}" for key in keys)
            raise ScenarioError(f"{name} has {listed}; they must grow from first to last")
        return Pert(*ends) if kind is Pert else LogNormal(ends[0], ends[1], most)
    raise ScenarioError(f"{name} is {dict(value)!r}; it can be {_FORMS}")


def _bounded(name: str, given: Any, number: float, most: float) -> float:
    if number > most:
        raise ScenarioError(f"{name} is {given!r}, at most {most:g} is legal")
    return number
