"""The three sizes of a run, params, tokens and flops: the missing one follows from C = 6·N·D."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.runs.input_columns import INPUTS, SIZES

__all__ = ["SIZES", "derive"]

Floats = NDArray[np.float64]


def derive(
    stated: Mapping[str, Floats], rows: int
) -> tuple[dict[str, Floats], dict[str, NDArray[np.bool_]]]:
    """Fill the one blank size of each row from the other two.

    Parameters
    ----------
    stated : mapping of str to numpy.ndarray
        float64 columns among params (parameters), tokens (tokens) and flops (FLOP); NaN is blank.
    rows : int
        Number of rows.

    Returns
    -------
    sizes : dict of str to numpy.ndarray
        All three. A row with two blanks keeps them.
    derived : dict of str to numpy.ndarray
        Where each was filled.
    """
    sizes = {name: stated.get(name, np.full(rows, np.nan)) for name in SIZES}
    blank = {name: np.isnan(values) for name, values in sizes.items()}
    alone = np.sum([blank[name] for name in SIZES], axis=0) == 1
    derived = {name: blank[name] & alone for name in SIZES}
    with np.errstate(all="ignore"):
        filled = {
            name: np.where(derived[name], INPUTS[name].follow(sizes), values)
            for name, values in sizes.items()
        }
    return filled, derived
