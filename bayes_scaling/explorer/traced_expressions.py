"""Traced expressions of NumPy in JavaScript: the page of a report runs their translation."""

from collections.abc import Mapping, Sequence

from bayes_scaling.core.traced import Traced, in_order
from bayes_scaling.errors import NotTraceableError

__all__ = ["function", "javascript"]

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
    >>> from bayes_scaling.core.traced import Traced
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
    for node in in_order(several):
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
    if what == "fixed":
        return operands[0]
    if what in _INFIX:
        return f"{operands[0]}{_INFIX[what]}{operands[1]}"
    if what not in _CALLS:
        raise NotTraceableError(f"the law calls {what}, which pages cannot compute")
    return f"{_CALLS[what]}({','.join(operands)})"


def _literal(value: float) -> str:
    return f"({float(value)!r})".replace("inf", "Infinity")
