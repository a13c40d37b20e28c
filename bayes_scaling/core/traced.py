"""Expressions kept as graphs: a function of NumPy is called with symbols, and its calls recorded.

What Python computes by NumPy's elementwise functions is so stated once. A page of a report runs its
translation to JavaScript; the sampler runs its derivative.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bayes_scaling.errors import NotTraceableError

__all__ = ["FUNCTIONS", "Traced", "TracedVector", "in_order"]

FUNCTIONS = frozenset(
    (
        "add",
        "subtract",
        "multiply",
        "divide",
        "power",
        "greater",
        "greater_equal",
        "less",
        "less_equal",
        "exp",
        "expm1",
        "log",
        "log1p",
        "logaddexp",
        "maximum",
        "minimum",
        "sqrt",
    )
)
"""Names of the universal functions that can be recorded; ``where`` and ``fixed`` are besides."""


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """A number that is not known yet: NumPy's functions of it return the record of their call.

    Parameters
    ----------
    what : str
        Name of a NumPy function, or of a symbol if there are no operands.
    operands : tuple of Traced or float
        What it is applied to.
    """

    def __init__(self, what: str, operands: tuple["Traced | float", ...] = ()) -> None:
        self.what, self.operands = what, operands

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Record the call of a NumPy function."""
        if method != "__call__" or options:
            return NotImplemented
        if any(isinstance(value, TracedVector) for value in inputs):
            return NotImplemented
        known = tuple(_operand(value) for value in inputs)
        if ufunc is np.negative:
            return Traced("subtract", (0.0, *known))
        if ufunc is np.square:
            return Traced("multiply", (*known, *known))
        if ufunc.__name__ not in FUNCTIONS:
            raise NotTraceableError(f"the law calls {ufunc.__name__}, which cannot be traced")
        return Traced(ufunc.__name__, known)

    def __array_function__(self, called: Any, types: Any, args: Any, options: Any) -> Any:
        """Record a choice between two numbers, or several numbers side by side."""
        if called is np.where and not options:
            return Traced("where", tuple(_operand(value) for value in args))
        if called is np.stack:
            return TracedVector(args[0])
        raise NotTraceableError(f"the law calls {called.__name__}, which cannot be traced")

    def __bool__(self) -> bool:
        raise NotTraceableError(
            "the law branches on the value of a parameter, which cannot be traced"
        )

    def __getitem__(self, index: Any) -> "Traced":
        """Return the same: a number has the shape of whatever it meets."""
        return self

    def without_derivative(self) -> "Traced":
        """Return the same number, as a constant of differentiation."""
        return Traced("fixed", (self,))


class TracedVector(tuple[Any, ...]):
    """Symbols along a last axis, which is all that is asked of them: ``vector[..., i]``."""

    def __getitem__(self, index: Any) -> Any:
        """Return one of them, by ``[..., i]``."""
        return super().__getitem__(index[-1] if isinstance(index, tuple) else index)


def _operand(value: Any) -> "Traced | float":
    return value if isinstance(value, Traced) else float(value)


def in_order(last: Sequence[Traced]) -> list[Traced]:
    """Parts of expressions, each after those that it needs, without recursion."""
    order: list[Traced] = []
    seen: set[int] = set()
    waiting: list[tuple[Traced, bool]] = [(node, False) for node in reversed(last)]
    while waiting:
        node, ready = waiting.pop()
        if ready:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting.append((node, True))
            waiting.extend((v, False) for v in node.operands if isinstance(v, Traced))
    return order
