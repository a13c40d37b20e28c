"""Laws: named inputs, parameters with priors, and one elementwise expression."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np

from bayes_scaling.core.arguments import needs, shown
from bayes_scaling.core.old_names import old_names
from bayes_scaling.errors import LawError
from bayes_scaling.laws import ops
from bayes_scaling.laws.closed_forms import ClosedForms
from bayes_scaling.laws.coordinates import Coordinates
from bayes_scaling.laws.ops import Array
from bayes_scaling.laws.parameter import Parameter, Prior
from bayes_scaling.laws.signature import difference, values_of
from bayes_scaling.runs.input_columns import Input

__all__ = ["Inputs", "Law", "Slopes", "Values"]

Inputs = Mapping[str, Array]
"""Natural logarithms of a law's inputs, relative to a reference point, by column name."""

Values = Mapping[str, Array]
"""Values of a law's parameters, by name."""

Slopes = dict[str, dict[str, Array]]
"""Slopes of log amplitudes in the log inputs of the reference point, by amplitude and input."""

_EXPRESSIONS = frozenset(
    {"log_curve", "slopes", "best", "closed_forms", "coordinates", "own_inputs"}
)
"""Fields that hold functions, which are compared by what they give."""
_WIDTH = 88
"""Characters of a line of a law's representation."""


def _no_slopes(values: Values) -> Slopes:  # noqa: ARG001
    return {}


@old_names(
    tied="shared_reference",
    turning="nonmonotone",
    rigid="fixed_reference",
    absolute="unit_dependent",
    notes="limitations",
    optimum="closed_forms.optimum",
    params_exponent="closed_forms.params_exponent",
    frontier="closed_forms.frontier",
)
@dataclass(frozen=True, eq=False, repr=False)
class Law:
    """A scaling law.

    The expression is given once, as the log of the loss, and works elementwise on NumPy arrays,
    xarray objects and PyTensor variables (see :mod:`bayes_scaling.laws.ops`). Laws are equal where
    their fields are and their expressions give the same values at fixed points.

    Parameters
    ----------
    name : str
        Name by which :func:`get` finds it.
    formula : str
        Formula of the loss, in plain text.
    inputs : tuple of str or Input
        Columns it reads: names among :data:`bayes_scaling.runs.INPUTS`, such as ``params`` (N),
        ``tokens`` (D) and ``flops`` (C), or an :class:`Input` that the law declares of its own.
        The names alone are kept here.
    parameters : tuple of Parameter
        Its parameters; all are positive.
    reference : str
        Paper and equation, with a DOI or arXiv number.
    log_curve : callable
        ``log_curve(x, p)``: log of the loss, from log inputs ``x`` relative to a reference
        point and parameter values ``p`` at that point.
    slopes : callable
        ``slopes(p)[amplitude][input]``: how fast the log of an amplitude falls with the log of
        the reference point. It is what moves a parameter from one reference point to another.
    closed_forms : ClosedForms
        Closed forms of its compute-optimal frontier, C = 6·N·D.
    coordinates : Coordinates or None
        Coordinates of the sampler; None: logs of the parameters.
    shared_reference : dict of str to str
        Inputs that are measured from the reference point of another input, because the law needs
        the two in one unit: ``{"unique_tokens": "tokens"}`` for a law of epochs D/U.
    best : dict of str to callable
        Inputs that have an optimal value, and ``best[input](p)``, its log relative to the
        reference point: what a forecast uses where the input is not stated.
    nonmonotone : tuple of str
        Further inputs in which the loss is not decreasing everywhere.
    fixed_reference : bool
        Whether the parameters hold at their own reference point only, so that :meth:`move` is
        refused.
    unit_dependent : bool
        Whether a change of the unit of loss changes the shape of the law, and not only the
        parameters that are losses.
    limitations : tuple of str
        Known limitations, stated with every forecast.
    remarks : tuple of str
        Remarks on how to read its parameters, which are no limitations.
    own_inputs : tuple of Input
        Those among ``inputs`` that the law declares of its own.
    centres : tuple of str
        Inputs whose geometric middle over the runs of a family the curve reads, as
        ``p["centre_<input>"]``, relative to the reference point. Where that is absent it is the
        reference point.
    """

    name: str
    formula: str
    inputs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    reference: str
    log_curve: Callable[[Inputs, Values], Array]
    slopes: Callable[[Values], Slopes] = _no_slopes
    closed_forms: ClosedForms = field(default_factory=ClosedForms)
    coordinates: Coordinates | None = None
    shared_reference: Mapping[str, str] = field(default_factory=dict)
    best: Mapping[str, Callable[[Values], Array]] = field(default_factory=dict)
    nonmonotone: tuple[str, ...] = ()
    fixed_reference: bool = False
    unit_dependent: bool = False
    limitations: tuple[str, ...] = field(default=())
    remarks: tuple[str, ...] = field(default=())
    own_inputs: tuple[Input, ...] = ()
    centres: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (isinstance(self.name, str) and self.name.strip() == self.name != ""):
            raise LawError(f"the name of a law is {self.name!r}, text is needed, like 'my-law'")
        self._declare_inputs()
        for what, kind in (("inputs", str), ("parameters", Parameter)):
            value = getattr(self, what)
            entries = tuple(value) if isinstance(value, tuple | list) else ()
            if not entries or not all(isinstance(entry, kind) for entry in entries):
                raise LawError(
                    f"{what} of law {self.name!r} are {value!r}; a tuple of one or more "
                    f"{'names of columns' if kind is str else 'Parameter'} is needed"
                )
            object.__setattr__(self, what, entries)
        for names in (self.inputs, self.names):
            twice = next((name for name in names if names.count(name) > 1), None)
            if twice is not None:
                raise LawError(f"law {self.name!r} names {twice!r} twice")
        wanted = "ClosedForms(optimum=..., params_exponent=..., frontier=...) is needed"
        whose = f"closed_forms of law {self.name!r}"
        needs(self.closed_forms, ClosedForms, whose, wanted, LawError)
        for what in ("log_curve", "slopes"):
            if not callable(getattr(self, what)):
                raise LawError(
                    f"{what} of law {self.name!r} is {getattr(self, what)!r}, a function is needed"
                )

    def _declare_inputs(self) -> None:
        """Keep the names of the inputs, and beside them what the law declares of its own."""
        stated: Any = self.inputs
        if not isinstance(stated, tuple | list):
            return
        declared = {entry.name: entry for entry in self.own_inputs}
        declared |= {entry.name: entry for entry in stated if isinstance(entry, Input)}
        names = tuple(entry.name if isinstance(entry, Input) else entry for entry in stated)
        own = tuple(entry for name, entry in declared.items() if name in names)
        rising = [entry.name for entry in own if not entry.falls]
        object.__setattr__(self, "inputs", names)
        object.__setattr__(self, "own_inputs", own)
        object.__setattr__(self, "nonmonotone", tuple(dict.fromkeys((*self.nonmonotone, *rising))))

    def __repr__(self) -> str:
        lines = (
            f"Law {self.name!r}",
            f"  loss        {self.formula}",
            f"  reads       {', '.join(self.inputs)}",
            f"  parameters  {', '.join(self.names)}",
        )
        flat = (" ".join(line.splitlines()) for line in lines)
        return "\n".join(t if len(t) <= _WIDTH else f"{t[: _WIDTH - 1]}…" for t in flat)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Law):
            return NotImplemented
        if self is other:
            return True
        return self._data == other._data and difference(self.fingerprint, other.fingerprint) is None

    def __hash__(self) -> int:
        return hash((self.name, self.inputs, self.names))

    def __getstate__(self) -> dict[str, object]:
        # Values that were computed belong to the process.
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @property
    def _data(self) -> list[Any]:
        """Every field that is no expression."""
        own = [
            [getattr(entry, f.name) for f in fields(entry) if f.name != "formula"]
            for entry in self.own_inputs
        ]
        return [own, *(getattr(self, f.name) for f in fields(self) if f.name not in _EXPRESSIONS)]

    @cached_property
    def fingerprint(self) -> Mapping[str, list[float]]:
        """Values of all expressions at fixed points, closed forms and coordinates included."""
        return values_of(self)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def has_floor(self) -> bool:
        """True if the law has an irreducible loss."""
        return "floor" in self.names

    def loss(self, inputs: Inputs, values: Values) -> Array:
        """Compute the loss at a configuration, parameters being those at the reference point 1.

        Parameters
        ----------
        inputs : mapping of str to array-like
            ``params`` in parameters, ``tokens`` in tokens, ``flops`` in FLOP; floats or arrays
            that broadcast together and with ``values``.
        values : mapping of str to array-like
            Parameter values in published units, e.g. ``A = 482.01`` for N in parameters.

        Returns
        -------
        array-like
            Loss, in the unit of the parameters.

        Raises
        ------
        LawError
            If an input or a parameter is missing, or an input is not above 0.
        """
        for what, value in (("inputs", inputs), ("values", values)):
            needs(value, Mapping, what, "a mapping of names to numbers is needed", LawError)
        missing = [n for n in self.inputs if n not in inputs]
        missing += [n for n in self.names if n not in values]
        if missing:
            raise LawError(
                f"law {self.name!r} needs {', '.join(self.inputs + self.names)}; "
                f"missing: {', '.join(missing)}"
            )
        # Integers near 10^19 overflow in products, so everything is float64 from the start.
        numbers = {name: np.asarray(inputs[name], dtype=np.float64) for name in self.inputs}
        for name, number in numbers.items():
            if not np.all(number > 0):
                raise LawError(f"{name} is {shown(inputs[name])}, numbers above 0 are needed")
        x = {name: np.log(number) for name, number in numbers.items()}
        return np.exp(self.log_curve(x, values))

    def move(self, values: Values, shift: Inputs) -> dict[str, Array]:
        """Translate parameter values to another reference point.

        Parameters
        ----------
        values : mapping of str to array-like
            Values at the present reference point.
        shift : mapping of str to array-like
            By input, log of the new reference point minus log of the present one.

        Returns
        -------
        dict of str to array-like
            Values that give the same loss from inputs relative to the new point.

        Raises
        ------
        LawError
            If ``fixed_reference`` is set.
        """
        if self.fixed_reference:
            raise LawError(f"parameters of law {self.name!r} hold at their reference point only")
        slopes = self.slopes(values)
        moved = dict(values)
        for name, by_input in slopes.items():
            total = sum(slope * shift[column] for column, slope in by_input.items())
            moved[name] = values[name] * ops.exp(-total)
        for name in self.centres:
            moved[f"centre_{name}"] = values.get(f"centre_{name}", 1.0) * ops.exp(-shift[name])
        return moved

    def with_priors(self, priors: Mapping[str, Prior] | None) -> "Law":
        """Return the law with some priors replaced.

        Parameters
        ----------
        priors : mapping of str to Prior, or None
            By parameter name. A median given here is in the parameter's own unit (that of the loss
            for a floor or an amplitude), never relative to the loss.

        Raises
        ------
        LawError
            If a name is not a parameter of this law, or its value not a prior.
        """
        if not priors:
            return self
        if not isinstance(priors, Mapping):
            raise LawError(
                f"priors are {priors!r}; a mapping is needed, like "
                "{'floor': Prior(median, sd, spread)}"
            )
        for name, prior in priors.items():
            if not isinstance(prior, Prior):
                raise LawError(
                    f"the prior of {name!r} is {prior!r}; write Prior(median, sd, spread)"
                )
        unknown = sorted(set(priors) - set(self.names), key=str)
        if unknown:
            raise LawError(
                f"law {self.name!r} has no parameter {unknown[0]!r}; "
                f"priors can be given for {', '.join(self.names)}"
            )
        changed = tuple(
            replace(parameter, prior=priors[parameter.name], of_loss=False, reason="given")
            if parameter.name in priors
            else parameter
            for parameter in self.parameters
        )
        return replace(self, parameters=changed)
