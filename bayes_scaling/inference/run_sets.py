"""Sets of runs one after the other, so that a law is evaluated once for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.laws import Law
from bayes_scaling.model.frame import Design

__all__ = ["Sets"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_STEP = 1e-4
"""Of central differences of the log curve in log parameters: nine digits of the slopes."""
_BLOCK = 1 << 14
"""Values of the curve that are computed at a time, which stay in the processor's cache."""


@dataclass(frozen=True)
class Sets:
    """Sets of runs as arrays along their rows.

    Attributes
    ----------
    x : mapping of str to (row,) array
        Log inputs of the law, relative to the reference point of the set.
    log_loss, relative_se : (row,) array
        Log losses, and their known standard errors.
    sizes : (set,) array of int
        Number of rows of each set, at least one, in the order of the rows.
    """

    x: Mapping[str, Floats]
    log_loss: Floats
    relative_se: Floats
    sizes: Integers

    @property
    def of(self) -> Integers:
        """Set of each row."""
        return np.repeat(np.arange(len(self.sizes)), self.sizes)

    @property
    def first(self) -> Integers:
        """First row of each set."""
        return np.cumsum(self.sizes) - self.sizes

    def take(self, kept: NDArray[np.bool_]) -> "Sets":
        """Return some of the sets."""
        rows = np.repeat(kept, self.sizes)
        return Sets(
            {name: value[rows] for name, value in self.x.items()},
            self.log_loss[rows],
            self.relative_se[rows],
            self.sizes[kept],
        )

    def thinned(self, most: int) -> "Sets":
        """Return evenly many rows of the sets that have more."""
        step = -(-self.sizes // most)
        place = np.arange(self.sizes.sum()) - np.repeat(self.first, self.sizes)
        rows = place % np.repeat(step, self.sizes) == 0
        return Sets(
            {name: value[rows] for name, value in self.x.items()},
            self.log_loss[rows],
            self.relative_se[rows],
            -(-self.sizes // step),
        )

    def sums(self, values: Floats) -> Floats:
        """Sum by set, along the last axis."""
        result: Floats = np.add.reduceat(values, self.first, axis=-1)
        return result

    def medians(self, values: Floats) -> Floats:
        """Median by set."""
        ordered = values[np.lexsort((values, self.of))]
        middle = self.first + (self.sizes - 1) // 2
        result: Floats = 0.5 * (ordered[middle] + ordered[self.first + self.sizes // 2])
        return result

    @classmethod
    def by_group(cls, design: Design, group: Integers) -> "Sets":
        """Return the runs of a design in sets, by the number of the set of each run."""
        order = np.argsort(group, kind="stable")
        return cls(
            {name: value[order] for name, value in design.inputs.items()},
            design.log_loss[order],
            design.relative_se[order],
            np.bincount(group),
        )

    def log_curve(self, law: Law, theta: Floats) -> Floats:
        """Log of the curve at every row, dims (..., row).

        Parameters
        ----------
        law : Law
            The law.
        theta : (..., set, parameter) array
            Logs of its parameters.
        """
        values, of = np.exp(theta), self.of
        result = np.empty((*theta.shape[:-2], len(of)))
        # Blocks that stay in the processor's cache.
        block = max(_BLOCK * theta.shape[-2] // (theta.size // theta.shape[-1]), 1)
        for low in range(0, len(of), block):
            rows = slice(low, low + block)
            x = {name: value[rows] for name, value in self.x.items()}
            at = values[..., of[rows], :]
            here = {name: at[..., i] for i, name in enumerate(law.names)}
            result[..., rows] = law.log_curve(x, here)
        return result

    def with_slopes(self, law: Law, theta: Floats) -> tuple[Floats, Floats]:
        """Log of the curve, and its derivatives in the log parameters, dims (parameter, row).

        Parameters
        ----------
        law : Law
            The law.
        theta : (set, parameter) array
            Logs of its parameters.
        """
        size = theta.shape[1]
        steps = _STEP * np.concatenate([np.zeros((1, size)), np.eye(size), -np.eye(size)])
        curves = self.log_curve(law, theta + steps[:, None, :])
        slopes: Floats = (curves[1 : size + 1] - curves[size + 1 :]) / (2 * _STEP)
        return curves[0], slopes
