"""Modules that others import at their top, imported when they are first used."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Any

__all__ = ["deferred_import"]


class _Deferred(ModuleType):
    """Stands for a module of the same name until something of it is asked for."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(import_module(self.__name__), name)


@contextmanager
def deferred_import(name: str) -> Iterator[None]:
    """Let modules that are imported inside use another one without importing it.

    Parameters
    ----------
    name : str
        Name of the other one, at the top level; if it is loaded already nothing is changed.

    Examples
    --------
    >>> from bayes_scaling.core.deferred_import import deferred_import
    >>> with deferred_import("colorsys"):
    ...     import colorsys
    >>> colorsys.rgb_to_hsv(1.0, 0.0, 0.0)
    (0.0, 1.0, 1.0)
    """
    if name in sys.modules:
        yield
        return
    sys.modules[name] = _Deferred(name)
    try:
        yield
    finally:
        if isinstance(sys.modules.get(name), _Deferred):
            del sys.modules[name]
