"""Modules that are imported when they are first used."""

import importlib.util
import sys

__all__ = ["lazily"]


def lazily(name: str) -> None:
    """Let imports of a module by others, from now on, wait until the module is used.

    Parameters
    ----------
    name : str
        Name of a top-level module; one that is loaded, or not installed, is left alone.
    """
    if name in sys.modules:
        return
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return
    loader = importlib.util.LazyLoader(spec.loader)
    spec.loader = loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    loader.exec_module(module)
