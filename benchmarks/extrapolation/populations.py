"""Populations that have not seen a root: those that are shipped for this purpose."""

from collections.abc import Callable
from functools import partial

from bayes_scaling.model import Population, population


def without(root: str, law: str) -> Population:
    """Return what the studies of all other roots teach of a law."""
    found = population(law, without=root)
    if found is None:
        raise LookupError(f"nothing was learned of law {law!r}")
    return found


def foreign(root: str) -> Callable[[str], Population]:
    """Return :func:`without` of one root, by law."""
    return partial(without, root)
