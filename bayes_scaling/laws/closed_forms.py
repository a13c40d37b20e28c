"""What is known of a law's compute-optimal frontier without a search."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import wraps
from typing import Any

from bayes_scaling.errors import LawError

__all__ = ["ClosedForms", "takes_old_names"]


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

    optimum: Callable[[Any, Mapping[str, Any]], Any] | None = None
    params_exponent: Callable[[Mapping[str, Any]], Any] | None = None
    frontier: Callable[[Mapping[str, Any]], Any] | None = None

    def __post_init__(self) -> None:
        for name in _NAMES:
            form = getattr(self, name)
            if not (form is None or callable(form)):
                raise LawError(f"closed form {name} is {form!r}, a function or None is needed")


_NAMES = tuple(each.name for each in fields(ClosedForms))


def takes_old_names[T](law: type[T]) -> type[T]:
    """Let a class take and give the closed forms by the names they had in version 0.1.

    Each use gives a DeprecationWarning; this function is all that there is to remove.
    """
    plain = law.__init__

    @wraps(plain)
    def init(self: T, *args: Any, **given: Any) -> None:
        old = {name: given.pop(name) for name in _NAMES if name in given}
        if old:
            _warn(f"Law({', '.join(f'{n}=' for n in old)}) is now Law(closed_forms=ClosedForms())")
            given["closed_forms"] = replace(given.get("closed_forms", ClosedForms()), **old)
        plain(self, *args, **given)

    def reading(name: str) -> property:
        def get(self: Any) -> Any:
            _warn(f"Law.{name} is now Law.closed_forms.{name}")
            return getattr(self.closed_forms, name)

        return property(get, doc=f"Deprecated: see :class:`ClosedForms`, ``{name}``.")

    law.__init__ = init  # type: ignore[assignment, method-assign]
    for name in _NAMES:
        setattr(law, name, reading(name))
    return law


def _warn(text: str) -> None:
    warnings.warn(text, DeprecationWarning, stacklevel=3)
