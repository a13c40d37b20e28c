"""Closed forms of a law's compute-optimal frontier."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from bayes_scaling.errors import LawError
from bayes_scaling.laws.ops import Array

__all__ = ["ClosedForms"]


@dataclass(frozen=True)
class ClosedForms:
    """Closed forms of the compute-optimal frontier, C = 6·N·D, each where a law has it.

    They are held against the numeric search where a law is registered or fitted.

    Parameters
    ----------
    optimum : callable or None
        ``optimum(log_flops_6, p)`` with amplitudes at N = D = 1 gives log N*, where
        ``log_flops_6 = log(C / 6)``. None: the numeric search is used.
    params_exponent : callable or None
        ``params_exponent(p)``: d log N* / d log C, where it is constant.
    frontier : callable or None
        ``frontier(p)``: exponent with which the loss above the parameter ``floor`` falls in C along
        the frontier, where it is constant.

    Raises
    ------
    LawError
        If one is no function.
    """

    optimum: Callable[[Array, Mapping[str, Array]], Array] | None = None
    params_exponent: Callable[[Mapping[str, Array]], Array] | None = None
    frontier: Callable[[Mapping[str, Array]], Array] | None = None

    def __post_init__(self) -> None:
        for name in (each.name for each in fields(self)):
            form = getattr(self, name)
            if not (form is None or callable(form)):
                raise LawError(f"closed form {name} is {form!r}, a function or None is needed")
