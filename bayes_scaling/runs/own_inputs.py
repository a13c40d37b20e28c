"""Reading the inputs that a law declares of its own, from columns that were kept as they were."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.errors import DataError, LawError
from bayes_scaling.runs.columns import resolve
from bayes_scaling.runs.input_columns import Input
from bayes_scaling.runs.reading.cells import same_numbers, to_float
from bayes_scaling.runs.reading.raw_table import Places, RawTable, show

__all__ = ["joined", "numbers_of", "read_own"]


def joined(known: tuple[Input, ...], more: Iterable[Input]) -> tuple[Input, ...]:
    """Inputs with those of another law."""
    by_name = {entry.name: entry for entry in known}
    for entry in more:
        if by_name.setdefault(entry.name, entry) != entry:
            raise LawError(
                f"two laws declare the input {entry.name!r} differently; give one another name"
            )
    return tuple(by_name.values())


def read_own(
    frame: pd.DataFrame, places: Places, inputs: Sequence[Input]
) -> tuple[dict[str, str], dict[str, NDArray[np.float64]]]:
    """Inputs that are in a table: by name, the columns of the source and their numbers.

    Parameters
    ----------
    frame : pandas.DataFrame
        Columns of the source that are not canonical.
    places : Places
        Where its rows stood.
    inputs : sequence of Input
        Which to look for, by name and alias.
    """
    raw = RawTable(frame, places)
    named = resolve(raw.names, None, places.source, inputs, same=same_numbers(raw))
    return named, numbers_of(raw, named, inputs)


def numbers_of(
    raw: RawTable, named: Mapping[str, str], inputs: Iterable[Input]
) -> dict[str, NDArray[np.float64]]:
    """The numbers of inputs whose columns in the source are known; NaN is a blank, judged later."""
    found = {}
    for entry in inputs:
        if entry.name not in named:
            continue
        source = named[entry.name]
        values = to_float(raw.frame[source], source, raw.places)
        bad = np.flatnonzero(~(np.isnan(values) | ((values >= entry.low) & (values <= entry.high))))
        if len(bad):
            row = int(bad[0])
            raise DataError(
                f"{raw.places.full(row)}: column {source!r} holds "
                f"{show(raw.frame[source].iloc[row])}; {entry.name} must be finite and above zero "
                f"(from {entry.low:g} to {entry.high:g})"
            )
        found[entry.name] = values
    return found
