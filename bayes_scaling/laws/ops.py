"""The few elementwise operations that laws are written in.

The same expression runs on NumPy arrays, on xarray objects and on PyTensor variables: the
operands decide. PyTensor is looked up among the modules already loaded, so a law evaluated on
numbers never imports it.
"""

import sys
from typing import Any

import numpy as np

from bayes_scaling.core.traced import Traced

__all__ = [
    "Array",
    "exp",
    "expm1",
    "fixed",
    "log",
    "log1p",
    "logaddexp",
    "maximum",
    "minimum",
    "softplus",
    "stack",
]

type Array = Any
"""A NumPy array, a number, an xarray object or a PyTensor variable."""


def _backend(*operands: Array) -> Any:
    graph = sys.modules.get("pytensor.graph.basic")
    if graph is not None and any(isinstance(value, graph.Variable) for value in operands):
        return sys.modules["pytensor.tensor"]
    return np


def _plain(*operands: Array) -> bool:
    """Return whether operands are arrays and numbers of NumPy alone, an array among them."""
    kinds = [type(value) for value in operands]
    return np.ndarray in kinds and all(kind in (np.ndarray, np.float64, float) for kind in kinds)


def exp(value: Array) -> Array:
    """Exponential, elementwise."""
    return _backend(value).exp(value)


def log(value: Array) -> Array:
    """Natural logarithm, elementwise."""
    return _backend(value).log(value)


def logaddexp(first: Array, second: Array) -> Array:
    """``log(exp(first) + exp(second))``, elementwise, without overflow."""
    backend = _backend(first, second)
    if backend is np and _plain(first, second):
        # Four times as fast as NumPy's own, which computes one element at a time.
        with np.errstate(invalid="ignore"):
            gap = np.abs(np.subtract(first, second))
        # Of two equal infinities the gap is no number, and the sum is the same infinity.
        return np.maximum(first, second) + np.log1p(np.exp(np.fmin(-gap, 0.0)))
    return backend.logaddexp(first, second)


def expm1(value: Array) -> Array:
    """``exp(value) - 1``, elementwise, exact near zero."""
    return _backend(value).expm1(value)


def log1p(value: Array) -> Array:
    """``log(1 + value)``, elementwise, exact near zero."""
    return _backend(value).log1p(value)


def fixed(value: Array) -> Array:
    """The same value, which no derivative sees.

    A root found by iteration is passed through it before one last Newton step: that step has the
    derivative that the implicit function theorem gives, whatever the iteration was.
    """
    if isinstance(value, Traced):
        return value.without_derivative()
    if _backend(value) is np:
        return value
    return sys.modules["pytensor.gradient"].disconnected_grad(value)


def minimum(first: Array, second: Array) -> Array:
    """The lesser of two, elementwise."""
    return _backend(first, second).minimum(first, second)


def maximum(first: Array, second: Array) -> Array:
    """The greater of two, elementwise."""
    return _backend(first, second).maximum(first, second)


def softplus(value: Array) -> Array:
    """``log(1 + exp(value))``, elementwise, without overflow."""
    backend = _backend(value)
    return logaddexp(0.0, value) if backend is np else backend.softplus(value)


def stack(values: list[Array]) -> Array:
    """Several of one shape along a new last axis."""
    return _backend(*values).stack(values, axis=-1)
