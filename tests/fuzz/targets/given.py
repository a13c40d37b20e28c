"""What several targets read altered inputs with: fits made by hand."""

from functools import cache

from bayes_scaling.inference import Fit
from tests.conftest import handmade

__all__ = ["fit"]


@cache
def fit() -> Fit:
    """A fit of two families."""
    return handmade()
