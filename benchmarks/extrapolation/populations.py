"""Populations that have not seen a root."""

from collections.abc import Callable
from functools import cache, partial

from bayes_scaling.model import Population
from benchmarks.extrapolation.learning import learn
from benchmarks.extrapolation.studies import studies


@cache
def without(root: str, law: str) -> Population:
    """Return what the studies of all other roots teach of a law."""
    return learn(law, studies(), root)


def foreign(root: str) -> Callable[[str], Population]:
    """Return :func:`without` of one root, by law."""
    return partial(without, root)
