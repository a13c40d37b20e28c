"""Arguments under the names of version 0.1, kept for one version with a DeprecationWarning."""

import warnings
from collections.abc import Callable
from functools import wraps

__all__ = ["old_arguments"]


def old_arguments[**P, T](**new: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function take keyword arguments by their former names.

    Parameters
    ----------
    **new : str
        New name, by old name.

    Examples
    --------
    >>> @old_arguments(memory="time_constant")
    ... def fading(time_constant):
    ...     return time_constant
    >>> with warnings.catch_warnings(action="ignore"):
    ...     fading(memory=3)
    3
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        @wraps(function)
        def renamed(*args: P.args, **kwargs: P.kwargs) -> T:
            for old in new.keys() & kwargs:
                text = f"{old}= is deprecated; use {new[old]}="
                warnings.warn(text, DeprecationWarning, stacklevel=2)
                kwargs[new[old]] = kwargs.pop(old)
            return function(*args, **kwargs)

        return renamed

    return decorate
