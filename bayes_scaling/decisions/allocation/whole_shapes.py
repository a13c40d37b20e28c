"""Depths and widths that limits allow."""

import math

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.errors import ScenarioError
from bayes_scaling.posterior.counting import Counting
from bayes_scaling.scenarios.limits import ShapeLimits

__all__ = ["shapes_between", "shapes_of"]

_DEEPEST, _WIDTHS = 512, 33


def shapes_between(
    limits: ShapeLimits, least: float, most: float, counting: Counting
) -> NDArray[np.float64]:
    """List depths and widths with from ``least`` to ``most`` parameters.

    Returns
    -------
    (shape, 2) array
        n_layer and d_model.
    """
    found = []
    deepest = min(limits.max_layers or _DEEPEST, _DEEPEST)
    for n_layer in range(limits.layer_multiple, deepest + 1, limits.layer_multiple):
        low, high = (counting.width(size, n_layer) for size in (least, most))
        first = math.ceil(low / limits.width_multiple)
        last = math.floor(high / limits.width_multiple)
        if limits.max_width:
            last = min(last, limits.max_width // limits.width_multiple)
        steps = np.arange(max(first, 1), last + 1)
        # Of many widths a few are enough: the loss is flat in size.
        kept = steps[:: max(len(steps) // _WIDTHS, 1)]
        found += [(n_layer, limits.width_multiple * step) for step in kept]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def shapes_of(limits: ShapeLimits, params: float, counting: Counting) -> list[tuple[int, int]]:
    """List depths and widths with about so many parameters."""
    deepest = min(limits.max_layers or _DEEPEST, _DEEPEST)
    found = []
    for n_layer in range(limits.layer_multiple, deepest + 1, limits.layer_multiple):
        exact = counting.width(params, n_layer) / limits.width_multiple
        for steps in {math.floor(exact), math.ceil(exact)}:
            d_model = steps * limits.width_multiple
            if not d_model or (limits.max_width and d_model > limits.max_width):
                continue
            if abs(counting.params(n_layer, d_model) / params - 1) <= limits.within:
                found.append((n_layer, d_model))
    if not found:
        raise ScenarioError(
            f"no shape within the limits has {params:.4g} parameters to "
            f"{limits.within:.0%}: allow other multiples, more layers or a wider miss"
        )
    return sorted(found)
