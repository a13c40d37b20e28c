"""From a traced model to the source of a function that computes its log density and gradient.

Three nested loops: the population once, then each family, within it each run. Derivatives are
accumulated in reverse, those by what a run rests on summed over the runs of its family before they
are taken further, and those of families before the population's: each operation is computed in the
outermost loop that it can be.
"""

from collections.abc import Iterable, Mapping

from bayes_scaling.density.derivatives import adjoints
from bayes_scaling.density.expression_graph import Graph, Loop
from bayes_scaling.density.traced_model import TracedModel

__all__ = ["kernel_source"]

_SIGNATURE = "float64(float64[::1], float64[::1], float64[::1])"
"""Position, gradient (written), data as :meth:`ModelData.packed` lays them out."""

_TEXTS = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "power": "{0} ** {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "negative": "-{0}",
    "fixed": "{0}",
    "exp": "exp({0})",
    "expm1": "expm1({0})",
    "log": "log({0})",
    "log1p": "log1p({0})",
    "sqrt": "sqrt({0})",
    "absolute": "abs({0})",
    "maximum": "max({0}, {1})",
    "minimum": "min({0}, {1})",
    "where": "{1} if {0} else {2}",
    "logaddexp": "max({0}, {1}) + log1p({2})",
}
_HEAD = '''"""Generated from a law; safe to delete."""

from math import exp, expm1, isfinite, log, log1p, sqrt

from numba import carray, cfunc, njit
from numpy import empty


'''
_TAIL = """

@njit(inline="always", error_model="numpy")
def scaled(position, data, out):
    number = int(data[1])
    scales = data.size - number * OWN * OWN
    for i in range(position.size):
        out[i] = position[i]
    for f in range(number):
        first = BEFORE + f * OWN
        for i in range(OWN):
            total = 0.0
            for j in range(OWN):
                total += data[scales + (f * OWN + i) * OWN + j] * position[first + j]
            out[first + i] = total


@cfunc(
    "int64(uint64, CPointer(float64), CPointer(float64), CPointer(float64), CPointer(float64))",
    cache=True,
)
def density_callback(size, position, gradient, value, data):
    whole = carray(data, int(carray(data, 1)[0]))
    at, slopes = empty(size), empty(size)
    scaled(carray(position, size), whole, at)
    found = log_density(at, slopes, whole)
    carray(value, 1)[0] = found
    number = int(whole[1])
    scales = whole.size - number * OWN * OWN
    out = carray(gradient, size)
    for i in range(size):
        out[i] = slopes[i]
    for f in range(number):
        first = BEFORE + f * OWN
        for j in range(OWN):
            total = 0.0
            for i in range(OWN):
                total += data[scales + (f * OWN + i) * OWN + j] * slopes[first + i]
            out[first + j] = total
    for i in range(size):
        if not isfinite(out[i]):
            return 3
    return 0 if isfinite(found) else 4


@cfunc(
    "int64(uint64, uint64, CPointer(float64), CPointer(float64), CPointer(float64))", cache=True
)
def position_callback(size, expanded, position, out, data):
    whole = carray(data, int(carray(data, 1)[0]))
    scaled(carray(position, size), whole, carray(out, size))
    return 0
"""


def kernel_source(model: TracedModel) -> str:
    """Return the source of a module that Numba compiles.

    Its ``log_density(position, gradient, data)`` returns the value and writes the gradient, for
    data as :meth:`bayes_scaling.density.traced_model.ModelData.packed` gives them. Its two
    callbacks are what nutpie calls, by their addresses: they take positions in units of the scales
    of families, which stand last in their data.

    Parameters
    ----------
    model : TracedModel
        The model.

    Raises
    ------
    LawError
        If an operation has no derivative that is known.
    """
    return _Program(model).source()


class _Program:
    """Operations of the value and its derivatives, and where each is computed."""

    def __init__(self, model: TracedModel) -> None:
        self.model, self.graph = model, Graph()
        self.symbols = self._symbols()
        self.run, self.family, self.population = self.graph.traced(
            (model.run, model.family, model.population), self.symbols
        )
        one = self.graph.constant(1.0)
        self.forward = len(self.graph.operations)
        by_run = self._derivatives({self.run: one}, (Loop.RUN,))
        self.by_run, start = self._carried(by_run, Loop.RUN, "r", Loop.FAMILY_AFTER_RUNS)
        start = self._plus(start, self.family, one)
        by_family = self._derivatives(start, (Loop.FAMILY,))
        self.by_family, start = self._carried(
            by_family, Loop.FAMILY, "f", Loop.POPULATION_AFTER_FAMILIES
        )
        start = self._plus(start, self.population, one)
        by_population = self._derivatives(start, (Loop.POPULATION,))
        self.gradient = by_run | by_family | by_population
        self.own = {s: by_family.get(self.symbols[s]) for s in model.family_coordinates}
        shared = (*model.population_coordinates, *model.population_after)
        self.shared = {s: by_population.get(self.symbols[s]) for s in shared}

    def _symbols(self) -> dict[str, int]:
        model, graph, found = self.model, self.graph, {}
        before = len(model.population_coordinates)
        for i, name in enumerate(model.population_coordinates):
            found[name] = graph.symbol(f"q[{i}]", Loop.POPULATION, varies=True)
        for i, name in enumerate(model.population_after):
            found[name] = graph.symbol(f"q[last + {i}]", Loop.POPULATION, varies=True)
        for i, name in enumerate(model.family_coordinates):
            place = f"q[{before} + f * {len(model.family_coordinates)} + {i}]"
            found[name] = graph.symbol(place, Loop.FAMILY, varies=True)
        for names, text, loop in (
            (model.constants, "data[constants + {}]", Loop.POPULATION),
            (model.family_data, "data[families + {} * number + f]", Loop.FAMILY),
            (model.run_data, "data[runs + {} * rows + r]", Loop.RUN),
        ):
            for i, name in enumerate(names):
                found[name] = graph.symbol(text.format(i), loop, varies=False)
        return found

    def _derivatives(self, start: Mapping[int, int], loops: tuple[Loop, ...]) -> dict[int, int]:
        """Derivatives by operation, through the operations of the value in some loops."""
        found = dict(start)
        within = [n for n in range(self.forward) if self.graph.loops[n] in loops]
        adjoints(self.graph, reversed(within), found)
        return found

    def _carried(
        self, found: Mapping[int, int], loop: Loop, letter: str, after: Loop
    ) -> tuple[dict[str, int], dict[int, int]]:
        """Sums of the derivatives that leave a loop: what each adds, and symbols of the sums."""
        leaving = [n for n in found if n < self.forward and self.graph.loops[n] < loop]
        leaving = [n for n in leaving if self.graph.varies[n]]
        sums = {f"{letter}{n}": found[n] for n in leaving}
        return sums, {n: self.graph.symbol(f"{letter}{n}", after, varies=False) for n in leaving}

    def _plus(self, start: dict[int, int], number: int, value: int) -> dict[int, int]:
        if number in start:
            value = self.graph.add("add", start[number], value)
        return {**start, number: value}

    def source(self) -> str:
        """The module."""
        needed = self._needed()
        lines = [
            f'@njit("{_SIGNATURE}", cache=True, nogil=True, error_model="numpy")',
            "def log_density(q, gradient, data):",
        ]
        own = len(self.model.family_coordinates)
        before = len(self.model.population_coordinates)
        out = [
            "number = int(data[1])",
            "rows = int(data[2])",
            "start = 3",
            "runs = start + number + 1",
            f"families = runs + {len(self.model.run_data)} * rows",
            f"constants = families + {len(self.model.family_data)} * number",
            f"last = {before} + number * {own}",
            *self._statements(needed, Loop.POPULATION),
            f"total = {self._name(self.population)}",
            *(f"{name} = 0.0" for name in self.by_family),
            "for f in range(number):",
        ]
        in_family = [
            *self._statements(needed, Loop.FAMILY),
            f"total += {self._name(self.family)}",
            *(f"{name} = 0.0" for name in self.by_run),
            "for r in range(int(data[start + f]), int(data[start + f + 1])):",
        ]
        in_run = [
            *self._statements(needed, Loop.RUN),
            f"total += {self._name(self.run)}",
            *(f"{name} += {self._name(value)}" for name, value in self.by_run.items()),
        ]
        after_runs = [
            *self._statements(needed, Loop.FAMILY_AFTER_RUNS),
            *(
                f"gradient[{before} + f * {own} + {i}] = {self._name(value)}"
                for i, value in enumerate(self.own.values())
            ),
            *(f"{name} += {self._name(value)}" for name, value in self.by_family.items()),
        ]
        out += _indented(in_family)
        out += _indented(in_run, 2)
        out += _indented(after_runs)
        out += self._statements(needed, Loop.POPULATION_AFTER_FAMILIES)
        for i, value in enumerate(self.shared.values()):
            place = str(i) if i < before else f"last + {i - before}"
            out.append(f"gradient[{place}] = {self._name(value)}")
        out.append("return total")
        sizes = f"\n\nOWN, BEFORE = {own}, {before}\n"
        return _HEAD + "\n".join([*lines, *_indented(out)]) + sizes + _TAIL

    def _needed(self) -> set[int]:
        """Operations that results rest on."""
        waiting = [self.run, self.family, self.population]
        for values in (self.by_run, self.by_family, self.own, self.shared):
            waiting += [value for value in values.values() if value is not None]
        found: set[int] = set()
        while waiting:
            number = waiting.pop()
            if number not in found:
                found.add(number)
                waiting.extend(self.graph.operations[number][1])
        return found

    def _statements(self, needed: set[int], loop: Loop) -> list[str]:
        """Assignments of a loop, in order."""
        return [
            f"v{number} = {self._text(number)}"
            for number in sorted(needed)
            if self.graph.loops[number] == loop and not self._in_place(number)
        ]

    def _in_place(self, number: int) -> bool:
        """Whether the operation is written where it is read: constants and sums."""
        name, _ = self.graph.operations[number]
        return name == "constant" or (name == "symbol" and self.graph.texts[number].isidentifier())

    def _name(self, number: int | None) -> str:
        if number is None:
            return "0.0"
        if number in self.graph.values:
            return f"({self.graph.values[number]!r})"
        return self.graph.texts[number] if self._in_place(number) else f"v{number}"

    def _text(self, number: int) -> str:
        name, operands = self.graph.operations[number]
        if name == "symbol":
            return self.graph.texts[number]
        return _TEXTS[name].format(*(self._name(operand) for operand in operands))


def _indented(lines: Iterable[str], times: int = 1) -> list[str]:
    return [" " * 4 * times + line for line in lines]
