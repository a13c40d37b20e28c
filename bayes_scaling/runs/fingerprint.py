"""A hash of the part of a table that a fit can see."""

import hashlib
from collections.abc import Iterable

import numpy as np
import pandas as pd

from bayes_scaling.runs.columns import COLUMNS

__all__ = ["fingerprint"]

_VERSION = b"bayes_scaling.runs/1"
_TEXTS = ("run", "family", "role", "loss_unit")


def fingerprint(table: pd.DataFrame, count: str, inputs: Iterable[str] = ()) -> str:
    """SHA-256 (hex) of the canonical numbers and labels of a table, row order included.

    Parameters
    ----------
    table : pandas.DataFrame
        A canonical table.
    count : str
        Which parameter count ``params`` holds.
    inputs : iterable of str
        Columns of numbers beside the canonical ones that a law reads.
    """
    digest = hashlib.sha256(_VERSION)

    def add(block: bytes) -> None:
        # Lengths keep "ab" + "c" apart from "a" + "bc".
        digest.update(len(block).to_bytes(8, "little"))
        digest.update(block)

    add(count.encode())
    add(len(table).to_bytes(8, "little"))
    numbers = [entry.name for entry in COLUMNS if entry.kind == "number"]
    for name in (name for name in (*numbers, *sorted(inputs)) if name in table):
        values = table[name].to_numpy(dtype="<f8") + 0.0  # turns -0.0 into 0.0
        # An empty column is equivalent to none.
        if not np.isnan(values).all():
            add(name.encode())
            add(np.where(np.isnan(values), np.nan, values).astype("<f8").tobytes())
    for name in _TEXTS:
        texts = table[name].tolist() if name in table else [""] * len(table)
        if any(texts):
            add(name.encode())
            for text in texts:
                add(text.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
