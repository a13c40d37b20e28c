"""Expressions as numbered operations, equal ones once, each at the loop in which it is computed."""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import IntEnum

from bayes_scaling.core.traced import Traced, in_order

__all__ = ["Graph", "Loop"]


class Loop(IntEnum):
    """Where an operation is computed, in the order of the program."""

    POPULATION = 0
    FAMILY = 1
    RUN = 2
    FAMILY_AFTER_RUNS = 3
    POPULATION_AFTER_FAMILIES = 4


_FOLD: Mapping[str, Callable[..., float]] = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
    "exp": math.exp,
    "expm1": math.expm1,
    "log": math.log,
    "log1p": math.log1p,
    "sqrt": math.sqrt,
    "maximum": max,
    "minimum": min,
}
_INVERSE = {("log", "exp"), ("exp", "log"), ("expm1", "log1p"), ("log1p", "expm1")}

_COMMUTE = ("add", "multiply")
_NEUTRAL = {"add": 0.0, "subtract": 0.0, "multiply": 1.0, "divide": 1.0, "power": 1.0}


class Graph:
    """A list of operations, each on earlier ones.

    An operation is a tuple of its name and the numbers of its operands; ``("constant", value)`` and
    ``("symbol", text)`` have none. Those of ``fixed`` and what depends on no variable are without
    derivative.
    """

    def __init__(self) -> None:
        self.operations: list[tuple[str, tuple[int, ...]]] = []
        self.loops: list[Loop] = []
        self.varies: list[bool] = []
        self.texts: dict[int, str] = {}
        self.values: dict[int, float] = {}
        self._known: dict[tuple[object, ...], int] = {}

    def constant(self, value: float) -> int:
        """Return the number of a constant."""
        number = self._insert(("constant", float(value)), "constant", (), Loop.POPULATION, False)
        self.values[number] = float(value)
        return number

    def symbol(self, text: str, loop: Loop, *, varies: bool) -> int:
        """Return the number of a symbol.

        Parameters
        ----------
        text : str
            What stands for it in the program.
        loop : Loop
            Where it is known.
        varies : bool
            Whether derivatives are taken with respect to it.
        """
        number = self._insert(("symbol", text), "symbol", (), loop, varies)
        self.texts[number] = text
        return number

    def add(self, name: str, *operands: int) -> int:
        """Return the number of an operation, simplified where that is exact."""
        simple = self._simplified(name, operands)
        if simple is not None:
            return simple
        if name == "logaddexp":
            # The small exponential serves the value and both derivatives.
            distance = self.add("absolute", self.add("subtract", *operands))
            operands = (*operands, self.add("exp", self.add("negative", distance)))
        loop = max((self.loops[operand] for operand in operands), default=Loop.POPULATION)
        varies = name != "fixed" and any(self.varies[operand] for operand in operands)
        return self._insert((name, *operands), name, operands, loop, varies)

    def traced(self, last: Sequence[Traced | float], symbols: Mapping[str, int]) -> list[int]:
        """Return the numbers of traced expressions.

        Parameters
        ----------
        last : sequence of Traced or float
            The expressions.
        symbols : mapping of str to int
            By name of the symbol, its number.
        """
        numbers: dict[int, int] = {}
        for node in in_order([value for value in last if isinstance(value, Traced)]):
            operands = [
                numbers[id(v)] if isinstance(v, Traced) else self.constant(v) for v in node.operands
            ]
            numbers[id(node)] = self.add(node.what, *operands) if operands else symbols[node.what]
        return [
            numbers[id(value)] if isinstance(value, Traced) else self.constant(value)
            for value in last
        ]

    def _insert(
        self,
        key: tuple[object, ...],
        name: str,
        operands: tuple[int, ...],
        loop: Loop,
        varies: bool,
    ) -> int:
        if key not in self._known:
            self._known[key] = len(self.operations)
            self.operations.append((name, operands))
            self.loops.append(loop)
            self.varies.append(varies)
        return self._known[key]

    def _simplified(self, name: str, operands: tuple[int, ...]) -> int | None:
        known = [self.values.get(operand) for operand in operands]
        if name in _FOLD and all(value is not None for value in known):
            # What is no number, such as 1 / 0, is left to the program, where NumPy's rules hold.
            with suppress(ArithmeticError, ValueError, TypeError):
                return self.constant(_FOLD[name](*known))
        if len(operands) == 1:
            return self._simplified_call(name, operands[0])
        if len(operands) == 2:
            return self._simplified_pair(name, operands, known)
        return None

    def _simplified_call(self, name: str, operand: int) -> int | None:
        inner, inside = self.operations[operand]
        if (name, inner) in _INVERSE or (name, inner) == ("negative", "negative"):
            return inside[0]
        if (name, inner) in (("absolute", "negative"), ("absolute", "absolute")):
            return self.add("absolute", inside[0])
        if name == "negative" and inner == "subtract":
            return self.add("subtract", inside[1], inside[0])
        if name == "negative" and operand in self.values:
            return self.constant(-self.values[operand])
        return None

    def _simplified_pair(
        self, name: str, operands: tuple[int, ...], known: list[float | None]
    ) -> int | None:
        first, second = operands
        left, right = known
        # Each applies where its condition holds; the first that does is taken.
        rules: tuple[tuple[bool, Callable[[], int]], ...] = (
            (name in _COMMUTE and first > second, lambda: self.add(name, second, first)),
            (right is not None and right == _NEUTRAL.get(name), lambda: first),
            (name in _COMMUTE and left == _NEUTRAL[name], lambda: second),
            (name == "multiply" and 0.0 in known, lambda: self.constant(0.0)),
            (name == "multiply" and left == -1.0, lambda: self.add("negative", second)),
            (name == "multiply" and right == -1.0, lambda: self.add("negative", first)),
            (name == "subtract" and left == 0.0, lambda: self.add("negative", second)),
            (name == "power" and right == 2.0, lambda: self.add("multiply", first, first)),
            (name == "power" and right == 0.5, lambda: self.add("sqrt", first)),
        )
        return next((simple() for holds, simple in rules if holds), None)
