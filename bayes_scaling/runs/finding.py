"""Findings of checks, before they are located in the source."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.caveat import Severity

__all__ = ["Finding", "number", "span"]


class Finding(NamedTuple):
    """A flag without its run label and place; ``text`` has no capital and no full stop."""

    row: int
    code: str
    severity: Severity
    column: str
    text: str


def number(value: float) -> str:
    """Write a number for a sentence."""
    return f"{value:.4g}"


def span(values: NDArray[np.float64]) -> str:
    """Write the range of numbers for a sentence."""
    low, high = number(float(np.min(values))), number(float(np.max(values)))
    return low if low == high else f"{low} to {high}"
