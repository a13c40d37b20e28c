"""A law's one expression, told in JavaScript: it is run on symbols and what it does is written."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from bayes_scaling.errors import LawError

__all__ = ["Traced", "evaluate", "javascript"]

_INFIX = {"add": "+", "subtract": "-", "multiply": "*", "divide": "/"}
_CALLS = {
    "exp": "Math.exp",
    "expm1": "Math.expm1",
    "log": "Math.log",
    "log1p": "Math.log1p",
    "logaddexp": "logaddexp",
    "maximum": "Math.max",
    "minimum": "Math.min",
    "power": "Math.pow",
    "sqrt": "Math.sqrt",
}


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """A number that is not known yet: NumPy's functions of it become a record of themselves.

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
        known = tuple(v if isinstance(v, Traced) else float(v) for v in inputs)
        if ufunc is np.negative:
            return Traced("subtract", (0.0, *known))
        if ufunc is np.square:
            return Traced("multiply", (*known, *known))
        if ufunc.__name__ not in _INFIX | _CALLS:
            raise LawError(f"the law calls {ufunc.__name__}, which pages cannot compute")
        return Traced(ufunc.__name__, known)


def evaluate(expression: Traced, symbols: Mapping[str, Any]) -> Any:
    """What a recorded expression is worth, by NumPy.

    Parameters
    ----------
    expression : Traced
        The expression.
    symbols : mapping of str to array
        Values of its symbols.
    """
    done: dict[int, Any] = {}
    for node in _in_order(expression):
        operands = [done[id(v)] if isinstance(v, Traced) else v for v in node.operands]
        done[id(node)] = getattr(np, node.what)(*operands) if operands else symbols[node.what]
    return done[id(expression)]


def javascript(expression: Traced, symbols: Mapping[str, str]) -> str:
    """Statements of JavaScript that end by returning what an expression is worth.

    Parameters
    ----------
    expression : Traced
        The expression.
    symbols : mapping of str to str
        JavaScript of its symbols.

    Returns
    -------
    str
        Uses ``Math`` and a function ``logaddexp``; equal parts are computed once.
    """
    names: dict[int, str] = {}
    known: dict[str, str] = {}
    lines = []
    for node in _in_order(expression):
        operands = [names[id(v)] if isinstance(v, Traced) else _literal(v) for v in node.operands]
        if not operands:
            text = symbols[node.what]
        elif node.what in _INFIX:
            text = f"{operands[0]}{_INFIX[node.what]}{operands[1]}"
        else:
            text = f"{_CALLS[node.what]}({','.join(operands)})"
        if text not in known:
            known[text] = f"t{len(known)}"
            lines.append(f"const {known[text]}={text};")
        names[id(node)] = known[text]
    return "".join([*lines, f"return {names[id(expression)]};"])


def _literal(value: float) -> str:
    return f"({float(value)!r})"


def _in_order(last: Traced) -> list[Traced]:
    """An expression's parts, each after those that it needs, without recursion."""
    order: list[Traced] = []
    seen: set[int] = set()
    waiting: list[tuple[Traced, bool]] = [(last, False)]
    while waiting:
        node, ready = waiting.pop()
        if ready:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            waiting.append((node, True))
            waiting.extend((v, False) for v in node.operands if isinstance(v, Traced))
    return order
