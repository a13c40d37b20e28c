"""Coordinates of two slopes that runs may tell apart or not."""

from dataclasses import dataclass

from bayes_scaling.laws import ops
from bayes_scaling.laws.coordinates import Additive, Logs
from bayes_scaling.laws.law import Law

__all__ = ["TwoSlopes"]


@dataclass(frozen=True)
class TwoSlopes:
    """The sum and the ratio of the two slopes of :class:`Additive`, in place of each.

    Runs tell the slope along the direction in which they lie, and where that is D proportional to N
    nothing else: the two slopes are then a curved ridge. In their place stand the log of their sum,
    weighted by how much the inputs vary, and the log of their ratio; the part of the ratio that
    the weights of the terms explain is taken out where runs do not tell the slopes apart, which
    leaves the ratio of the exponents, as the prior has it. The determinant is 1.

    Parameters
    ----------
    first, second : str
        The exponents.
    ratio : str
        The second amplitude, whose coordinate is the log ratio of the first to it.
    outer : str or None
        Name of the outer exponent, if the law has one.
    inputs : tuple of str
        What the exponents are of.
    """

    first: str
    second: str
    ratio: str
    outer: str | None
    inputs: tuple[str, str]

    @property
    def data(self) -> tuple[str, str, str]:
        """Names of the data that it reads."""
        return f"along {self.first}", f"along {self.second}", "apart"

    @classmethod
    def of(cls, law: Law) -> "TwoSlopes | None":
        """Return the map of a law of two terms with an exponent each; None for others."""
        terms = law.coordinates
        if not isinstance(terms, Additive) or [len(e) for e in terms.exponents.values()] != [1, 1]:
            return None
        (one, (first,)), (other, (second,)) = terms.exponents.items()
        slopes = law.slopes(dict.fromkeys(law.names, 1.0))
        if not {one, other} <= set(slopes):
            return None
        inputs = next(iter(slopes[one])), next(iter(slopes[other]))
        return cls(first, second, other, terms.outer, inputs)

    def forward(self, at: Logs, data: Logs) -> dict[str, ops.Array]:
        """Sum and ratio from two slopes."""
        one, other, apart = (data[name] for name in self.data)
        first, second = at[self.first], at[self.second]
        return dict(at) | {
            self.first: ops.logaddexp(one + first, other + second),
            self.second: first - second - (1.0 - apart) * self._weights(at),
        }

    def backward(self, at: Logs, data: Logs) -> dict[str, ops.Array]:
        """Two slopes from sum and ratio."""
        one, other, apart = (data[name] for name in self.data)
        ratio = at[self.second] + (1.0 - apart) * self._weights(at)
        second = at[self.first] - ops.logaddexp(one + ratio, other)
        return dict(at) | {self.first: second + ratio, self.second: second}

    def _weights(self, at: Logs) -> ops.Array:
        """Log of the weight of the first term over that of the second."""
        gamma = ops.exp(at[self.outer]) if self.outer else 1.0
        return at[self.ratio] / gamma
