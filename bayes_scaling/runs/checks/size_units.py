"""Probable units of sizes that cannot be parameters, tokens and FLOP."""

import itertools
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.runs.sizes import SIZES, derive

__all__ = ["FLOP_UNITS", "Unit", "likely_units"]

Floats = NDArray[np.float64]


class Unit(NamedTuple):
    """A unit that a column of sizes may be in.

    Attributes
    ----------
    name : str
        As "billions", "log10" or "PFLOP"; "" for the unit that is expected.
    to_base : callable
        From numbers in the unit to parameters, tokens or FLOP.
    penalty : float
        Decades by which the ratio of tokens to parameters must be more typical for it to be chosen.
    """

    name: str
    to_base: Callable[[Floats], Floats]
    penalty: float


def _times(name: str, factor: float, penalty: float = 0.0) -> Unit:
    return Unit(name, lambda values: values * factor, penalty)


_LOGS = (
    Unit("log10", lambda values: 10.0**values, 0.2),
    Unit("natural logarithms", np.exp, 0.3),
    Unit("log2", np.exp2, 0.35),
)
_COUNTS = (
    _times("", 1.0, -1.0),
    _times("thousands", 1e3, 0.6),
    _times("millions", 1e6),
    _times("billions", 1e9),
    *_LOGS,
)
FLOP_UNITS = {
    "GFLOP": 1e9,
    "TFLOP": 1e12,
    "PFLOP": 1e15,
    "EFLOP": 1e18,
    "petaflop/s-days": 8.64e19,
    "ZFLOP": 1e21,
}
"""FLOP in one of each."""
_UNITS: dict[str, tuple[Unit, ...]] = {
    "params": _COUNTS,
    "tokens": (*_COUNTS, _times("trillions", 1e12, 0.3)),
    "flops": (
        _times("", 1.0, -1.0),
        *(_times(name, factor) for name, factor in FLOP_UNITS.items()),
        *_LOGS,
    ),
}
# Where nearly all training runs are.
_PARAMS, _TOKENS, _RATIO = (1e4, 1e13), (1e6, 1e16), (1e-2, 1e5)
_AGREES = 10.0
_TYPICAL_RATIO = 20.0
_NEARLY_ALL = 0.9
_SAMPLE = 300


def likely_units(stated: Mapping[str, Floats], typical_params: float) -> dict[str, Unit] | None:
    """Find the units under which sizes are those of training runs.

    Parameters
    ----------
    stated : mapping of str to numpy.ndarray
        Two or three of params, tokens and flops, as they stand.
    typical_params : float
        Typical size of a model of such a table, in parameters.

    Returns
    -------
    dict of str to Unit or None
        The units other than the expected ones; None where there are no such units.
    """
    step = max(len(next(iter(stated.values()))) // _SAMPLE, 1)
    some = {name: values[::step] for name, values in stated.items()}
    names = [name for name in SIZES if name in some]
    best: tuple[float, tuple[Unit, ...]] | None = None
    for units in itertools.product(*(_UNITS[name] for name in names)):
        with np.errstate(all="ignore"):
            sizes = {n: unit.to_base(some[n]) for n, unit in zip(names, units, strict=True)}
            distance = _distance(sizes, typical_params)
        total = distance + sum(unit.penalty for unit in units)
        if np.isfinite(total) and (best is None or total < best[0]):
            best = total, units
    if best is None or not any(unit.name for unit in best[1]):
        return None
    return {n: unit for n, unit in zip(names, best[1], strict=True) if unit.name}


def _distance(stated: Mapping[str, Floats], typical_params: float) -> float:
    """Compute the distance of sizes from known runs, in decades; infinite where no run has them."""
    sizes, _ = derive(stated, len(next(iter(stated.values()))))
    params, tokens = sizes["params"], sizes["tokens"]
    ratio = tokens / params
    inside = np.ones(len(params), dtype=np.bool_)
    for values, (low, high) in ((params, _PARAMS), (tokens, _TOKENS), (ratio, _RATIO)):
        inside &= (values >= low) & (values <= high)
    if len(stated) == len(SIZES):
        agreement = sizes["flops"] / (6.0 * params * tokens)
        inside &= (agreement > 1 / _AGREES) & (agreement < _AGREES)
    if inside.mean() < _NEARLY_ALL:
        return np.inf
    excess = abs(np.log10(np.median(ratio[inside]) / _TYPICAL_RATIO))
    size = abs(np.log10(np.median(params[inside]) / typical_params))
    return float(excess + 0.15 * size)
