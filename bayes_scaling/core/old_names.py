"""Names of version 0.1, kept for one version: each use gives a DeprecationWarning."""

import warnings
from collections.abc import Callable
from dataclasses import fields, replace
from functools import wraps
from operator import attrgetter
from typing import Any

__all__ = ["old_arguments", "old_names"]


def old_names[T](**new: str) -> Callable[[type[T]], type[T]]:
    """Let a dataclass take keywords, and give attributes, by their former names.

    Parameters
    ----------
    **new : str
        New name, by old name; ``"forms.optimum"`` is a field of the dataclass in field ``forms``.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> with warnings.catch_warnings(action="ignore"):
    ...     laws.get("farseer").rigid
    True
    """

    def decorate(kind: type[T]) -> type[T]:
        plain = kind.__init__

        @wraps(plain)
        def init(self: T, *args: Any, **keywords: Any) -> None:
            for old in [name for name in new if name in keywords]:
                _warn(kind, old, new[old])
                name, _, part = new[old].partition(".")
                value = keywords.pop(old)
                if part:
                    value = replace(keywords.get(name) or _default(kind, name), **{part: value})
                keywords[name] = value
            plain(self, *args, **keywords)

        def reading(old: str) -> property:
            def get(self: T) -> Any:
                _warn(kind, old, new[old])
                return attrgetter(new[old])(self)

            return property(get, doc=f"Deprecated: see ``{new[old]}``.")

        kind.__init__ = init  # type: ignore[assignment, method-assign]
        for old in new:
            setattr(kind, old, reading(old))
        return kind

    return decorate


def _default(kind: Any, name: str) -> Any:
    made = next(each.default_factory for each in fields(kind) if each.name == name)
    return made()  # type: ignore[operator]


def _warn(kind: type[Any], old: str, new: str) -> None:
    text = f"{kind.__name__}.{old} is deprecated; use {new}"
    warnings.warn(text, DeprecationWarning, stacklevel=3)


def old_arguments[**P, T](**new: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Let a function take keyword arguments by their former names.

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
