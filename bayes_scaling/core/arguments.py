"""Checks of arguments, and their text in messages."""

from collections.abc import Callable
from typing import Any

import numpy as np

from bayes_scaling.errors import BayesScalingError, FitError

__all__ = ["check_seed", "is_number", "needs", "shown", "whole_number"]

_LONGEST = 60


def shown(value: object) -> str:
    """Return the text of a value for a message: short, on one line, without a memory address."""
    kind = "type" if isinstance(value, type) else type(value).__name__
    article = "an" if kind[0].lower() in "aeiou" else "a"
    if isinstance(value, int) and abs(value) > 10**40:
        return (
            f"an integer of {len(str(abs(value)))} digits"
            if abs(value) < 10**4000
            else ("an integer of thousands of digits")
        )
    name = getattr(value, "__name__", None)
    if isinstance(name, str):
        return f"the {kind} {name!r}"
    if isinstance(value, np.generic):
        return repr(value.item())
    if isinstance(value, str | bytes | int | float | bool | None):
        text = repr(value)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    if isinstance(value, list | tuple | dict | set) and len(value) <= 8:
        text = repr(value)
        if len(text) <= _LONGEST and "\n" not in text and " at 0x" not in text:
            return text
    return f"{article} {kind}"


def needs(
    value: object,
    kind: type | tuple[type, ...],
    name: str,
    wanted: str,
    error: Callable[[str], BayesScalingError],
) -> None:
    """Refuse a value of another type.

    Parameters
    ----------
    value : object
        The argument.
    kind : type or tuple of type
        What is legal.
    name : str
        Of the argument.
    wanted : str
        What to write instead, to follow "is …, ".
    error : class
        Of the exception.
    """
    if not isinstance(value, kind):
        raise error(f"{name} is {shown(value)}, {wanted}")


def is_number(value: object) -> bool:
    """Return whether a value is a real number of Python or NumPy, and no boolean."""
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def whole_number(value: Any) -> int | None:
    """A whole number as an int; None where the value is none."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return int(value)
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return int(value)
    return None


def check_seed(seed: Any) -> None:
    """Refuse what is not a seed."""
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not (whole and seed >= 0):
        raise FitError(f"seed is {shown(seed)}, a whole number of 0 or more is needed")
