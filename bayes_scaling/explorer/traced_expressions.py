"""Expressions of NumPy in JavaScript: a function is called with symbols, and what it does is kept.

Whatever Python computes by NumPy's functions of arrays has one statement, in Python; the page of a
report runs its translation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bayes_scaling.errors import LawError

__all__ = ["Traced", "function", "javascript"]

_INFIX = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "greater": ">",
    "greater_equal": ">=",
    "less": "<",
    "less_equal": "<=",
}
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
        known = tuple(_operand(value) for value in inputs)
        if ufunc is np.negative:
            return Traced("subtract", (0.0, *known))
        if ufunc is np.square:
            return Traced("multiply", (*known, *known))
        if ufunc.__name__ not in _INFIX | _CALLS:
            raise LawError(f"the law calls {ufunc.__name__}, which pages cannot compute")
        return Traced(ufunc.__name__, known)

    def __array_function__(self, called: Any, types: Any, args: Any, options: Any) -> Any:
        """Record a choice between two numbers, by :func:`numpy.where`."""
        if called is not np.where or options:
            raise LawError(f"the law calls {called.__name__}, which pages cannot compute")
        return Traced("where", tuple(_operand(value) for value in args))

    def __getitem__(self, index: Any) -> "Traced":
        """Return the same: a number has the shape of whatever it meets."""
        return self


def _operand(value: Any) -> "Traced | float":
    return value if isinstance(value, Traced) else float(value)


def javascript(
    result: Traced | Sequence[Traced], symbols: Mapping[str, str], arrays: Sequence[str] = ()
) -> str:
    """Translate expressions into statements of JavaScript that end by returning their values.

    Parameters
    ----------
    result : Traced or sequence of Traced
        The expression, or several.
    symbols : mapping of str to str
        JavaScript of each symbol.
    arrays : sequence of str, optional
        Symbols that are elements ``[i]`` of arrays. Where there are any, the statements return an
        array over ``i``, of the length ``size``; what is the same for all is computed once.

    Returns
    -------
    str
        Uses ``Math`` and a function ``logaddexp``; equal parts are computed once.

    Examples
    --------
    >>> double = np.exp(Traced("x") * 2.0)
    >>> javascript(double, {"x": "x"})
    'const t0=x;const t1=t0*(2.0);const t2=Math.exp(t1);return t2;'
    """
    several = [result] if isinstance(result, Traced) else list(result)
    names: dict[int, str] = {}
    known: dict[str, str] = {}
    varying: set[str] = set()
    once: list[str] = []
    each: list[str] = []
    for node in _in_order(several):
        operands = [names[id(v)] if isinstance(v, Traced) else _literal(v) for v in node.operands]
        text = symbols[node.what] if not operands else _applied(node.what, operands)
        if text not in known:
            known[text] = f"t{len(known)}"
            varies = node.what in arrays or not varying.isdisjoint(operands)
            (each if varies else once).append(f"const {known[text]}={text};")
            if varies:
                varying.add(known[text])
        names[id(node)] = known[text]
    values = [names[id(node)] for node in several]
    found = values[0] if isinstance(result, Traced) else f"[{','.join(values)}]"
    if not arrays:
        return "".join([*once, f"return {found};"])
    loop = "".join(["for(let i=0;i<size;i++){", *each, f"out[i]={found};}}return out;"])
    return "".join([*once, "const out=new Float64Array(size);", loop])


def function(
    result: Traced | Sequence[Traced],
    signature: str,
    arrays: Sequence[str],
    *,
    element: bool = False,
) -> str:
    """Translate expressions into a function of arrays that returns a function of numbers.

    Parameters
    ----------
    result : Traced or sequence of Traced
        The expression, or several.
    signature : str
        Parameters of the inner function; they are symbols of the same names.
    arrays : sequence of str
        Symbols that are arrays, in the order in which the outer function takes them; without any
        there is the inner function only.
    element : bool
        Whether the inner function has a last parameter ``i`` and returns one element. Else it
        returns an array over all of them.
    """
    places = {name: f"a{place}[i]" for place, name in enumerate(arrays)}
    scalars = [name for name in signature.replace("{", "").replace("}", "").split(",") if name]
    body = javascript(result, {name: name for name in scalars} | places, () if element else arrays)
    if not arrays:
        return f"({signature})=>{{{body}}}"
    taken = ",".join(f"a{place}" for place in range(len(arrays)))
    inner = f"{signature},i" if element else signature
    return f"([{taken}])=>{{const size=a0.length;return ({inner})=>{{{body}}}}}"


def _applied(what: str, operands: list[str]) -> str:
    if what == "where":
        condition, yes, no = operands
        return f"{condition}?{yes}:{no}"
    if what in _INFIX:
        return f"{operands[0]}{_INFIX[what]}{operands[1]}"
    return f"{_CALLS[what]}({','.join(operands)})"


def _literal(value: float) -> str:
    return f"({float(value)!r})".replace("inf", "Infinity")


def _in_order(last: Sequence[Traced]) -> list[Traced]:
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
