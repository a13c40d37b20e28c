"""Blank cells of the loss: not logged in that row, or a loss that is no number.

Many writers leave NaN blank. What a row holds besides the loss says which it is: if rows that hold
the same hold a loss too, this row was logged for its loss, and there was none to write. Rows that
other metrics were logged in never held a loss before.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.curves.importers.column_roles import is_loss

__all__ = ["from_wide", "lost_in_blanks"]

Bools = NDArray[np.bool_]
Rows = NDArray[np.int64]

_MOSTLY = 0.75
"""Fraction of the rows of a kind that hold a loss, from which one without it has lost it."""
_RARE = 0.05
"""Fraction of a run's rows up to which those of a kind say nothing: a loss that was lost in mid-run
is often blank together with others, such as the norm of the gradient."""
_FEWEST = 3


def lost_in_blanks(others: pd.DataFrame, held: Bools, runs: Mapping[str, Rows]) -> Bools:
    """Return which rows without a loss are of a loss that is no number.

    ``others`` are all columns but the loss, ``held`` says which rows hold one, be it a number or
    not, and ``runs`` are the rows of each run.
    """
    filled = others.notna().to_numpy(dtype=np.bool_)
    losses = np.array([is_loss(str(name)) for name in others], dtype=np.bool_)
    lost = np.zeros(len(held), dtype=np.bool_)
    for rows in runs.values():
        if held[rows].any() and not held[rows].all():
            lost[rows] = _of_run(filled[rows], held[rows], losses)
    return lost


def _of_run(filled: Bools, held: Bools, losses: Bools) -> Bools:
    kinds, kind = np.unique(filled, axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    known = np.arange(len(held)) <= np.flatnonzero(held)[-1]
    total = np.bincount(kind[known], minlength=len(kinds))
    fraction = np.bincount(kind[known & held], minlength=len(kinds)) / np.maximum(total, 1)
    mostly = fraction >= _MOSTLY
    common = total >= max(_FEWEST, _RARE * int(known.sum()))
    for new in np.flatnonzero(~common & (fraction == 0)):
        # A row of a kind that was rare before is one for the loss if all that it lacks of
        # such a row is what is lost with it: another loss, or what few rows without a loss lack.
        fits = ~np.any(kinds[new] & ~kinds, axis=1) & (fraction > 0)
        lacks_loss = np.any(kinds & ~kinds[new] & losses, axis=1)
        mostly[new] = bool(np.any(fits & ((fraction >= _MOSTLY) | lacks_loss)))
    # In mid-run only what is known of a kind counts; after the last loss, what it must have been.
    return ~held & np.where(known, (fraction >= _MOSTLY)[kind], mostly[kind])


def from_wide(t: NDArray[np.float64], runs: Mapping[str, Rows]) -> bool:
    """Return whether every run has a row at every place: a wide table brought into long form.

    Rows beyond a run's end then stand for places that other runs went on to.
    """
    grids = [np.unique(t[rows]) for rows in runs.values()]
    return len(grids) > 1 and all(np.array_equal(grid, grids[0]) for grid in grids[1:])
