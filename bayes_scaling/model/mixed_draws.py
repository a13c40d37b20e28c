"""Draws of the components of a mixture in one sequence."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from bayes_scaling.model.nodes import nodes
from bayes_scaling.model.spec import Spec

__all__ = ["by_component", "interleave", "order_of"]

Integers = NDArray[np.int64]

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def order_of(shares: Sequence[float], draws: int) -> Integers:
    """Component of each draw of a sequence: evenly spaced, in one draw of so many as well.

    Draws follow multiples of the golden ratio, which have no period: a period would let a component
    vanish where a sequence is thinned.

    Parameters
    ----------
    shares : sequence of float
        Of the components, which add up to 1.
    draws : int
        Length of the sequence.

    Examples
    --------
    >>> from bayes_scaling.model.mixed_draws import order_of
    >>> order_of([0.75, 0.25], 8).tolist()
    [0, 1, 0, 0, 1, 0, 0, 0]
    """
    counts = np.diff(np.round(draws * np.cumsum([0.0, *shares])).astype(int))
    places = np.argsort((np.arange(draws) + 0.5) * _GOLDEN % 1.0, kind="stable")
    found: Integers = np.empty(draws, dtype=np.int64)
    found[places] = np.repeat(np.arange(len(counts)), counts)
    return found


def interleave(spec: Spec, parts: Sequence[xr.Dataset], components: Integers) -> xr.Dataset:
    """Put draws of the components of a mixture in one sequence.

    Parameters
    ----------
    spec : Spec
        The mixture.
    parts : sequence of xarray.Dataset
        Draws of each component; what one lacks is 0: the log of a curvature of 1.
    components : (draw,) array of int
        Component of each draw, see :func:`order_of`.

    Returns
    -------
    xarray.Dataset
        With draws numbered from 0.
    """
    place = np.empty(len(components), dtype=np.int64)
    first = 0
    for number, part in enumerate(parts):
        mine = components == number
        place[mine] = first + np.arange(mine.sum())
        first += part.sizes["draw"]
    whole = xr.concat(
        parts, dim="draw", join="outer", fill_value=0, data_vars="all", coords="minimal"
    )
    whole = _labelled(whole, spec).isel(draw=place)
    return whole.assign_coords(draw=np.arange(len(components)))


def _labelled(draws: xr.Dataset, spec: Spec) -> xr.Dataset:
    """Draws of the parameters of a model, in its order."""
    labels = {node.dims[-1]: list(node.labels) for node in nodes(spec) if node.dims}
    return draws.sel({dim: names for dim, names in labels.items() if dim in draws.dims})


def by_component(
    spec: Spec,
    draws: xr.Dataset,
    components: Integers,
    make: Callable[[Spec, xr.Dataset], xr.Dataset],
) -> xr.Dataset:
    """Compute something of each draw from the model of its component.

    Parameters
    ----------
    spec : Spec
        The mixture.
    draws : xarray.Dataset
        Its draws in one sequence.
    components : (draw,) array of int
        Component of each draw.
    make : callable
        From the model of a component and its draws to what is computed.
    """
    parts = [
        make(part, _labelled(draws.isel(draw=np.flatnonzero(components == number)), part))
        for number, (part, _) in enumerate(spec.components)
    ]
    return interleave(spec, parts, components)
