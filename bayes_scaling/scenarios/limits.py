"""Bounds on a configuration, and on its depth and width."""

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.arguments import is_number, shown, whole_number
from bayes_scaling.errors import ScenarioError
from bayes_scaling.posterior.counting import Counting
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["Limits", "ShapeLimits"]

_LARGEST = 10**9
"""Of widths, layers and what they are multiples of."""

_DEEPEST, _WIDTHS = 512, 33
_UNITS = {"params": "param", "tokens": "token"}


@dataclass(frozen=True)
class Limits:
    """Bounds on a configuration.

    Parameters
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
    """

    min_params: float = 0.0
    max_params: float = math.inf
    min_tokens: float = 0.0
    max_tokens: float = math.inf
    max_unique_tokens: float = math.inf
    max_epochs: float = 1.0

    def __post_init__(self) -> None:
        for bound in fields(self):
            value = getattr(self, bound.name)
            if is_number(value) and value == bound.default:
                continue
            unit = "" if bound.name == "max_epochs" else _UNITS[bound.name.split("_")[-1]]
            object.__setattr__(self, bound.name, in_unit(bound.name, value, unit, "1e9"))
        for what in ("params", "tokens"):
            low, high = getattr(self, f"min_{what}"), getattr(self, f"max_{what}")
            if not low <= high:
                raise ScenarioError(f"min_{what} is {low:.6g}, above max_{what} = {high:.6g}")
        if self.max_epochs < 1:
            raise ScenarioError(f"max_epochs is {self.max_epochs:.6g}, 1 or more is needed")
        most = self.max_epochs * self.max_unique_tokens
        if self.min_tokens > most:
            raise ScenarioError(
                f"min_tokens is {self.min_tokens:.6g}, above {most:.6g}, max_unique_tokens seen "
                "max_epochs times"
            )


@dataclass(frozen=True)
class ShapeLimits:
    """What the hardware allows.

    Parameters
    ----------
    width_multiple : int
        Of which d_model must be a multiple.
    layer_multiple : int
        Of which n_layer must be a multiple; the number of pipeline stages, say.
    max_layers, max_width : int or None
        Most layers, and largest d_model.
    within : float
        Share by which a shape may miss the size.

    Raises
    ------
    ScenarioError
        If a number is out of range.
    """

    width_multiple: int = 64
    layer_multiple: int = 1
    max_layers: int | None = None
    max_width: int | None = None
    within: float = 0.1

    def __post_init__(self) -> None:
        for name in ("width_multiple", "layer_multiple", "max_layers", "max_width"):
            value = getattr(self, name)
            if value is None and name.startswith("max"):
                continue
            whole = whole_number(value)
            if whole is None or not 1 <= whole <= _LARGEST:
                raise ScenarioError(
                    f"{name} is {shown(value)}, a whole number from 1 to {_LARGEST:g} is needed"
                )
            object.__setattr__(self, name, whole)
        if not (is_number(self.within) and 0 < self.within < 1):
            raise ScenarioError(
                f"within is {shown(self.within)}, a number between 0 and 1 is needed"
            )

    def between(self, least: float, most: float, counting: Counting) -> NDArray[np.float64]:
        """Every depth and width with from ``least`` to ``most`` parameters.

        Returns
        -------
        (shape, 2) array
            n_layer and d_model.
        """
        found = []
        deepest = min(self.max_layers or _DEEPEST, _DEEPEST)
        for n_layer in range(self.layer_multiple, deepest + 1, self.layer_multiple):
            low, high = (counting.width(size, n_layer) for size in (least, most))
            first = math.ceil(low / self.width_multiple)
            last = math.floor(high / self.width_multiple)
            if self.max_width:
                last = min(last, self.max_width // self.width_multiple)
            steps = np.arange(max(first, 1), last + 1)
            # Of many widths a few tell as much: the loss is flat in size.
            kept = steps[:: max(len(steps) // _WIDTHS, 1)]
            found += [(n_layer, self.width_multiple * step) for step in kept]
        return np.array(found, dtype=np.float64).reshape(-1, 2)

    def shapes(self, params: float, counting: Counting) -> list[tuple[int, int]]:
        """Every depth and width with about so many parameters.

        Raises
        ------
        ScenarioError
            If there is none.
        """
        deepest = min(self.max_layers or _DEEPEST, _DEEPEST)
        found = []
        for n_layer in range(self.layer_multiple, deepest + 1, self.layer_multiple):
            exact = counting.width(params, n_layer) / self.width_multiple
            for steps in {math.floor(exact), math.ceil(exact)}:
                d_model = steps * self.width_multiple
                if not d_model or (self.max_width and d_model > self.max_width):
                    continue
                if abs(counting.params(n_layer, d_model) / params - 1) <= self.within:
                    found.append((n_layer, d_model))
        if not found:
            raise ScenarioError(
                f"no shape within the limits has {params:.4g} parameters to "
                f"{self.within:.0%}: allow other multiples, more layers or a wider miss"
            )
        return sorted(found)
