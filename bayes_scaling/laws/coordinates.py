"""Coordinates in which the posterior of a law is close to a rotated normal.

The logs of a law's parameters lie along thin curved ridges: floor, amplitudes and exponents trade
off against each other while the level and the slopes of the curve in the middle of the data are
known to a percent. The maps here turn log parameters into level, slopes and weights, and back.
Samplers move in these coordinates; priors and results stay on the parameters.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from bayes_scaling.laws import ops

__all__ = ["Additive", "Chained", "Coordinates", "Identity", "Product"]

Logs = Mapping[str, ops.Array]


class Coordinates(Protocol):
    """A smooth one-to-one map of log parameters, keeping their names."""

    def forward(self, logs: Logs) -> dict[str, ops.Array]:
        """Coordinates from log parameters."""
        ...

    def backward(self, coordinates: Logs) -> dict[str, ops.Array]:
        """Log parameters from coordinates."""
        ...

    def log_jacobian(self, coordinates: Logs) -> ops.Array:
        """Log of the absolute determinant of d(log parameters) / d(coordinates)."""
        ...


@dataclass(frozen=True)
class Identity:
    """The log parameters themselves."""

    def forward(self, logs: Logs) -> dict[str, ops.Array]:
        """Coordinates from log parameters."""
        return dict(logs)

    def backward(self, coordinates: Logs) -> dict[str, ops.Array]:
        """Log parameters from coordinates."""
        return dict(coordinates)

    def log_jacobian(self, coordinates: Logs) -> ops.Array:  # noqa: ARG002
        """Zero."""
        return 0.0


@dataclass(frozen=True)
class Additive:
    """Coordinates of ``floor + (sum of amplitude^(1/outer) terms)^outer``.

    In place of the floor, where there is one, stands the log ratio of floor to reducible loss, of
    the first amplitude the log of the loss at the reference point, of any other the log ratio of
    the first to it, of an exponent the log slope of log loss at the reference point. The
    determinant is 1.

    Parameters
    ----------
    exponents : dict of str to tuple of str
        By amplitude, the exponents of its term.
    outer : str or None
        Name of the outer exponent, if the law has one.
    floor : bool
        Whether the law has a floor.
    inside : bool
        Whether exponents stand inside the outer power, and so count ``outer`` times; otherwise
        they are those of the loss itself.
    """

    exponents: Mapping[str, tuple[str, ...]]
    outer: str | None = None
    floor: bool = True
    inside: bool = True

    def _log_weights(
        self, ratios: tuple[ops.Array, ...], gamma: ops.Array
    ) -> tuple[ops.Array, ...]:
        """Log weights of the terms inside the outer power, from log ratios of the first to each."""
        if not ratios:
            return (0.0,)
        inner = [-ratio / gamma for ratio in ratios]
        total = ops.softplus(inner[0])
        for value in inner[1:]:
            total = ops.logaddexp(total, value)
        return (-total, *(value - total for value in inner))

    def _scale(self, gamma: ops.Array) -> ops.Array:
        """Log of how often an exponent counts in the slope of its term."""
        return ops.log(gamma) if self.inside else 0.0

    def forward(self, logs: Logs) -> dict[str, ops.Array]:
        """Coordinates from log parameters."""
        names = tuple(self.exponents)
        gamma = ops.exp(logs[self.outer]) if self.outer else 1.0
        result = dict(logs)
        first = logs[names[0]]
        weights = self._log_weights(tuple(first - logs[name] for name in names[1:]), gamma)
        reducible = first - gamma * weights[0]
        result |= {name: first - logs[name] for name in names[1:]}
        level = reducible
        if self.floor:
            level = ops.logaddexp(logs["floor"], reducible)
            result["floor"] = logs["floor"] - reducible
        result[names[0]] = level
        for amplitude, weight in zip(names, weights, strict=True):
            for exponent in self.exponents[amplitude]:
                result[exponent] = logs[exponent] + self._scale(gamma) + weight + reducible - level
        return result

    def backward(self, coordinates: Logs) -> dict[str, ops.Array]:
        """Log parameters from coordinates."""
        names = tuple(self.exponents)
        gamma = ops.exp(coordinates[self.outer]) if self.outer else 1.0
        level = coordinates[names[0]]
        reducible = level
        result = dict(coordinates)
        if self.floor:
            reducible = level - ops.softplus(coordinates["floor"])
            result["floor"] = level - ops.softplus(-coordinates["floor"])
        weights = self._log_weights(tuple(coordinates[name] for name in names[1:]), gamma)
        for name, weight in zip(names, weights, strict=True):
            result[name] = reducible + gamma * weight
        for amplitude, weight in zip(names, weights, strict=True):
            for exponent in self.exponents[amplitude]:
                slope = coordinates[exponent]
                result[exponent] = slope - self._scale(gamma) - weight - reducible + level
        return result

    def log_jacobian(self, coordinates: Logs) -> ops.Array:  # noqa: ARG002
        """Zero: each step of the map is a shear or a rotation of the simplex by its log odds."""
        return 0.0


@dataclass(frozen=True)
class Product:
    """Coordinates of a product of powers of N, D and C.

    Where C is near 6·N·D the data fix alpha_N + alpha_C and alpha_D + alpha_C and nothing else, so
    the logs of these sums are coordinates; the third is the log of alpha_C over the geometric
    mean of the other two.
    """

    def forward(self, logs: Logs) -> dict[str, ops.Array]:
        """Coordinates from log parameters."""
        size, data, compute = logs["alpha_N"], logs["alpha_D"], logs["alpha_C"]
        return dict(logs) | {
            "alpha_N": ops.logaddexp(size, compute),
            "alpha_D": ops.logaddexp(data, compute),
            "alpha_C": compute - (size + data) / 2,
        }

    def backward(self, coordinates: Logs) -> dict[str, ops.Array]:
        """Log parameters from coordinates, by the positive root of a quadratic."""
        u, v = ops.exp(coordinates["alpha_N"]), ops.exp(coordinates["alpha_D"])
        # (u - c)(v - c) = k c^2 for c = alpha_C; this form of the root is stable for every k.
        k = ops.exp(-2.0 * coordinates["alpha_C"])
        root = ((u - v) ** 2 + 4.0 * u * v * k) ** 0.5
        c = 2.0 * u * v / (u + v + root)
        # Likewise u - c and v - c without cancellation.
        size = u * (u - v + root) / (u + v + root)
        data = v * (v - u + root) / (u + v + root)
        return dict(coordinates) | {
            "alpha_N": ops.log(size),
            "alpha_D": ops.log(data),
            "alpha_C": ops.log(c),
        }

    def log_jacobian(self, coordinates: Logs) -> ops.Array:
        """Log determinant, u·v / (a_N·a_D + a_C·(a_N + a_D)/2)."""
        logs = self.backward(coordinates)
        size, data, compute = (ops.exp(logs[n]) for n in ("alpha_N", "alpha_D", "alpha_C"))
        area = size * data + compute * (size + data) / 2.0
        return coordinates["alpha_N"] + coordinates["alpha_D"] - ops.log(area)


@dataclass(frozen=True)
class Chained:
    """Composition of two maps: ``second`` after ``first``."""

    first: Coordinates
    second: Coordinates

    def forward(self, logs: Logs) -> dict[str, ops.Array]:
        """Coordinates from log parameters."""
        return self.second.forward(self.first.forward(logs))

    def backward(self, coordinates: Logs) -> dict[str, ops.Array]:
        """Log parameters from coordinates."""
        return self.first.backward(self.second.backward(coordinates))

    def log_jacobian(self, coordinates: Logs) -> ops.Array:
        """Sum of the two log determinants."""
        between = self.second.backward(coordinates)
        return self.second.log_jacobian(coordinates) + self.first.log_jacobian(between)
