"""Derivatives of the operations of a graph, by reverse accumulation."""

from collections.abc import Callable, Iterable, Mapping

from bayes_scaling.density.expression_graph import Graph
from bayes_scaling.errors import NotTraceableError

__all__ = ["adjoints"]

Rule = Callable[[Graph, tuple[int, ...], int], tuple[int | None, ...]]
"""From operands and result, the derivative by each operand; None where there is none."""


def _logaddexp(graph: Graph, operands: tuple[int, ...], _result: int) -> tuple[int | None, ...]:
    first, second, small = operands
    one = graph.constant(1.0)
    greater = graph.add("divide", one, graph.add("add", one, small))
    lesser = graph.add("multiply", small, greater)
    ahead = graph.add("greater_equal", first, second)
    return (
        graph.add("where", ahead, greater, lesser),
        graph.add("where", ahead, lesser, greater),
        None,
    )


def _power(graph: Graph, operands: tuple[int, ...], result: int) -> tuple[int | None, ...]:
    base, exponent = operands
    less = graph.add("power", base, graph.add("subtract", exponent, graph.constant(1.0)))
    by_exponent = None
    if graph.varies[exponent]:
        by_exponent = graph.add("multiply", result, graph.add("log", base))
    return graph.add("multiply", exponent, less), by_exponent


def _choice(greater: bool) -> Rule:
    def rule(graph: Graph, operands: tuple[int, ...], _result: int) -> tuple[int | None, ...]:
        first, second = operands
        one, zero = graph.constant(1.0), graph.constant(0.0)
        chosen = graph.add("greater_equal" if greater else "less_equal", first, second)
        return graph.add("where", chosen, one, zero), graph.add("where", chosen, zero, one)

    return rule


def _divide(graph: Graph, operands: tuple[int, ...], result: int) -> tuple[int | None, ...]:
    inverse = graph.add("divide", graph.constant(1.0), operands[1])
    return inverse, graph.add("negative", graph.add("multiply", result, inverse))


def _where(graph: Graph, operands: tuple[int, ...], _result: int) -> tuple[int | None, ...]:
    one, zero = graph.constant(1.0), graph.constant(0.0)
    return (
        None,
        graph.add("where", operands[0], one, zero),
        graph.add("where", operands[0], zero, one),
    )


_RULES: Mapping[str, Rule] = {
    "add": lambda g, _o, _r: (g.constant(1.0), g.constant(1.0)),
    "subtract": lambda g, _o, _r: (g.constant(1.0), g.constant(-1.0)),
    "negative": lambda g, _o, _r: (g.constant(-1.0),),
    "multiply": lambda _g, o, _r: (o[1], o[0]),
    "divide": _divide,
    "power": _power,
    "exp": lambda _g, _o, r: (r,),
    "expm1": lambda g, _o, r: (g.add("add", r, g.constant(1.0)),),
    "log": lambda g, o, _r: (g.add("divide", g.constant(1.0), o[0]),),
    "log1p": lambda g, o, _r: (
        g.add("divide", g.constant(1.0), g.add("add", o[0], g.constant(1.0))),
    ),
    "sqrt": lambda g, _o, r: (g.add("divide", g.constant(0.5), r),),
    "logaddexp": _logaddexp,
    "maximum": _choice(greater=True),
    "minimum": _choice(greater=False),
    "where": _where,
}


def adjoints(graph: Graph, order: Iterable[int], found: dict[int, int]) -> None:
    """Accumulate derivatives of a result by operations, from the last to the first.

    Parameters
    ----------
    graph : Graph
        To which the derivatives are added.
    order : iterable of int
        The operations to pass through, each before its operands; what they rest on besides is left
        with what has reached it.
    found : dict of int to int
        By operation, the number of its derivative so far; changed in place.

    Raises
    ------
    NotTraceableError
        If an operation has no derivative that is known.
    """
    for number in order:
        if number not in found or not graph.varies[number]:
            continue
        name, operands = graph.operations[number]
        if name == "symbol":
            continue
        if name not in _RULES:
            raise NotTraceableError(f"{name} has no derivative that is known")
        slopes = _RULES[name](graph, operands, number)
        for operand, slope in zip(operands, slopes, strict=True):
            if slope is None or not graph.varies[operand]:
                continue
            part = graph.add("multiply", found[number], slope)
            found[operand] = graph.add("add", found[operand], part) if operand in found else part
