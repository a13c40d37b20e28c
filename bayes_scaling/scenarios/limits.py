"""Bounds on a configuration, and on its depth and width."""

import math
from typing import Annotated, ClassVar

from bayes_scaling.core.records import about
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.field import quantity
from bayes_scaling.scenarios.part import Part

__all__ = ["Limits", "ShapeLimits"]

_LARGEST = 10**9
"""Of widths, layers and what they are multiples of."""


class Limits(Part, frozen=True, kw_only=True, omit_defaults=True):
    """Bounds on a configuration.

    Attributes
    ----------
    min_params, max_params : float
        Parameters; the largest number that fits in memory, say.
    min_tokens, max_tokens : float
        Training tokens.
    max_unique_tokens : float
        Distinct tokens that exist.
    max_epochs : float
        How often a token may be seen; above 1 only under a law that knows of repeats.

    Raises
    ------
    ScenarioError
        If a bound is not positive, or a lower one is above its upper one.

    Examples
    --------
    >>> bs.Limits(max_params="70 Gparam").max_params
    70000000000.0
    """

    place: ClassVar[str] = "limits."
    example: ClassVar[str] = "Limits(max_params=1e12)"

    min_params: Annotated[float, quantity("Fewest parameters.", "param", "1e8", ge=0)] = 0.0
    max_params: Annotated[float, quantity("Most parameters.", "param", "1e12", gt=0)] = math.inf
    min_tokens: Annotated[float, quantity("Fewest training tokens.", "token", "1e9", ge=0)] = 0.0
    max_tokens: Annotated[float, quantity("Most training tokens.", "token", "1e14", gt=0)] = (
        math.inf
    )
    max_unique_tokens: Annotated[
        float, quantity("Distinct tokens that exist.", "token", "2e13", gt=0)
    ] = math.inf
    max_epochs: Annotated[float, quantity("How often a token may be seen.", "", "4", ge=1)] = 1.0

    def check(self) -> None:
        """Refuse lower bounds above upper ones."""
        for what in ("params", "tokens"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if not low <= high:
                raise ScenarioError(
                    f"limits.min_{what} is {low:.6g}, above max_{what} = {high:.6g}"
                )
        most = self.max_epochs * self.max_unique_tokens
        if self.min_tokens > most:
            raise ScenarioError(
                f"limits.min_tokens is {self.min_tokens:.6g}, above {most:.6g}, max_unique_tokens "
                "seen max_epochs times"
            )


class ShapeLimits(Part, frozen=True, kw_only=True):
    """Bounds on depth and width that the hardware sets.

    Attributes
    ----------
    width_multiple : int
        Number of which d_model must be a multiple.
    layer_multiple : int
        Number of which n_layer must be a multiple; the number of pipeline stages, say.
    max_layers, max_width : int or None
        Most layers, and largest d_model.
    within : float
        Share by which the parameters of a shape may miss the size.

    Raises
    ------
    ScenarioError
        If a number is out of range.

    Examples
    --------
    >>> bs.ShapeLimits(width_multiple=128, max_layers=96).layer_multiple
    1
    """

    place: ClassVar[str] = "shape."
    example: ClassVar[str] = "ShapeLimits(width_multiple=128)"

    width_multiple: Annotated[int, about("Of d_model.", ge=1, le=_LARGEST)] = 64
    layer_multiple: Annotated[int, about("Of n_layer.", ge=1, le=_LARGEST)] = 1
    max_layers: Annotated[int, about("Most layers.", ge=1, le=_LARGEST)] | None = None
    max_width: Annotated[int, about("Largest d_model.", ge=1, le=_LARGEST)] | None = None
    within: Annotated[
        float, quantity("Share by which a shape may miss the size.", "", "0.1", gt=0, lt=1)
    ] = 0.1
