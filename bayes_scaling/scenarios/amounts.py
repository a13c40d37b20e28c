"""Amounts that may be uncertain: a number, or a distribution by a few of its points."""

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Self

import msgspec
import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.arguments import is_number, shown
from bayes_scaling.core.bounds import LARGEST, legal
from bayes_scaling.core.records import Record, about
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["Amount", "Fixed", "LogNormal", "Pert", "read_amount"]

Floats = NDArray[np.float64]

_FORMS = "a number, { low, likely, high }, or { q05, q95 }"


class Fixed(float):
    """Known number, in the base unit of its field (FLOP/s, currency per second, tokens).

    Examples
    --------
    >>> Fixed(0.4).median
    0.4
    """

    __slots__ = ()

    def __new__(cls, value: Any) -> Self:
        """Check the number."""
        return super().__new__(cls, _point("value of Fixed", value))

    def sample(self, uniform: Floats) -> Floats:
        """Return the number, as often as there are uniform numbers."""
        return np.full_like(uniform, float(self))

    @property
    def value(self) -> float:
        """The number."""
        return float(self)

    @property
    def median(self) -> float:
        """The number."""
        return float(self)


class Pert(Record, frozen=True):
    """PERT distribution: between a lowest and a highest value with a likeliest one.

    A beta distribution on [low, high] whose mean is (low + 4·likely + high) / 6 (Malcolm et al.
    1959).

    Examples
    --------
    >>> Pert(0.3, 0.4, 0.5).median
    0.4
    """

    low: Annotated[float, about("Lowest value.", ge=0)]
    likely: Annotated[float, about("Likeliest value.", ge=0)]
    high: Annotated[float, about("Highest value.", gt=0)]

    def __post_init__(self) -> None:
        _increasing(self)

    def sample(self, uniform: Floats) -> Floats:
        """Return the quantiles at uniform numbers."""
        from scipy.special import betaincinv

        wide = self.high - self.low
        a = 1 + 4 * (self.likely - self.low) / wide
        b = 1 + 4 * (self.high - self.likely) / wide
        return np.asarray(self.low + wide * betaincinv(a, b, uniform))

    @property
    def median(self) -> float:
        """Median of the distribution."""
        return float(self.sample(np.asarray(0.5)))


class LogNormal(Record, frozen=True):
    """Log-normal distribution, known by its 5% and 95% quantiles.

    Examples
    --------
    >>> LogNormal(2.0, 8.0).median
    4.0
    """

    q05: Annotated[float, about("5% quantile.", gt=0)]
    q95: Annotated[float, about("95% quantile.", gt=0)]

    def __post_init__(self) -> None:
        _increasing(self)
        if not self.q05 > 0:
            raise ScenarioError(f"q05 of LogNormal is {self.q05:g}, a number above 0 is needed")

    def sample(self, uniform: Floats) -> Floats:
        """Return the quantiles at uniform numbers."""
        from scipy.special import ndtri

        middle = 0.5 * (math.log(self.q05) + math.log(self.q95))
        sd = (math.log(self.q95) - math.log(self.q05)) / (2 * ndtri(0.95))
        return np.asarray(np.exp(middle + sd * ndtri(uniform)))

    @property
    def median(self) -> float:
        """Geometric mean of the two quantiles."""
        return math.sqrt(self.q05 * self.q95)


if TYPE_CHECKING:
    Amount = Fixed | Pert | LogNormal
else:
    # What stands in a file, and what msgspec checks; the part turns it into one of the three.
    Amount = (
        float
        | Annotated[
            dict[str, float],
            msgspec.Meta(
                extra_json_schema={
                    "oneOf": [
                        {"required": list(kind.__struct_fields__)} for kind in (Pert, LogNormal)
                    ],
                    "maxProperties": 3,
                }
            ),
        ]
    )


def _point(name: str, value: Any) -> float:
    if not (is_number(value) and math.isfinite(value) and value >= 0):
        raise ScenarioError(
            f"{name} is {shown(value)}, a plain number of 0 or more is needed; what has a unit is "
            'written as text in place of the amount, like "2.5 USD/hour"'
        )
    return float(value)


def _increasing(amount: Pert | LogNormal) -> None:
    """Check that the points of a distribution are numbers of 0 or more that increase."""
    kind, names = type(amount).__name__, amount.__struct_fields__
    for name in names:
        point = _point(f"{name} of {kind}", getattr(amount, name))
        msgspec.structs.force_setattr(amount, name, point)
    ends = [getattr(amount, name) for name in names]
    if not (all(a <= b for a, b in pairwise(ends)) and ends[0] < ends[-1]):
        listed = ", ".join(f"{name} = {end:g}" for name, end in zip(names, ends, strict=True))
        raise ScenarioError(f"{kind} has {listed}; they must increase from first to last")


def read_amount(
    name: str,
    value: Any,
    unit: str,
    example: str,
    *,
    zero: bool = False,
    most: float = math.inf,
    base_units: bool = False,
) -> "Amount":
    """Read an amount: a number, text with a unit, or a table of points of a distribution.

    Parameters
    ----------
    name, unit, example, zero
        As of :func:`bayes_scaling.scenarios.quantities.in_unit`.
    value : object
        A number or text; a table with ``low``, ``likely`` and ``high``; or one with ``q05`` and
        ``q95``; or an amount, which is returned as it is.
    most : float
        The largest legal value.
    base_units : bool
        Whether a plain number of a rate is in ``unit``; it is refused otherwise.

    Examples
    --------
    >>> read_amount("price", "2 USD/second", "USD/second", "1 USD/second")
    2.0
    """
    if isinstance(value, Pert | LogNormal):
        ends = [getattr(value, point) for point in value.__struct_fields__]
        if ends[0] == 0 and not zero:
            raise ScenarioError(f"{name} is {ends[0]:g}, a number above 0 is needed")
        _bounded(name, value, ends[-1], most)
        return value

    def number(part: str, given: Any) -> float:
        plain = isinstance(given, Fixed) or (base_units and not isinstance(given, str))
        words = legal(zero=zero, most=most) if most < LARGEST else ""
        read = in_unit(part, given, "" if plain else unit, example, zero=zero, words=words)
        return _bounded(part, given, read, most)

    if not isinstance(value, Mapping):
        return Fixed(number(name, value))
    for kind in (Pert, LogNormal):
        keys = kind.__struct_fields__
        if set(value) == set(keys):
            ends = [number(f"{name}.{key}", value[key]) for key in keys]
            if not (all(a <= b for a, b in pairwise(ends)) and ends[0] < ends[-1]):
                listed = ", ".join(f"{key} = {value[key]!r}" for key in keys)
                raise ScenarioError(f"{name} has {listed}; they must increase from first to last")
            return kind(*ends)
    raise ScenarioError(f"{name} is {shown(dict(value))}; it can be {_FORMS}")


def _bounded(name: str, given: Any, number: float, most: float) -> float:
    if number > most:
        raise ScenarioError(f"{name} is {shown(given)}, at most {most:g} is legal")
    return number
