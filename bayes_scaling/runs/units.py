"""Units of the loss, and their conversion to nats."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.errors import DataError
from bayes_scaling.runs._raw import Places, show

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DEFAULT_UNIT", "UNKNOWN_UNIT", "Unit", "parse_unit", "plausible", "row_units"]

DEFAULT_UNIT = "nats/token"
UNKNOWN_UNIT = "unknown"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the loss.

    Parameters
    ----------
    name : str
        Canonical unit after conversion: "nats/token", "nats/byte", "nats/char" or "unknown".
    factor : float
        What a loss in the source's unit is multiplied by.
    """

    name: str
    factor: float = 1.0


_PER = {
    "token": ("token", "tokens", "tok"),
    "byte": ("byte", "bytes"),
    "char": ("char", "chars", "character", "characters"),
}
_IN_NATS = {"nat": 1.0, "nats": 1.0, "bit": math.log(2.0), "bits": math.log(2.0)}
_SHORT = {
    "nats": Unit(DEFAULT_UNIT),
    "bpb": Unit("nats/byte", math.log(2.0)),
    "bpc": Unit("nats/char", math.log(2.0)),
}
_LEGAL = "nats/token, nats/byte, nats/char, bits/token, bits/byte, bits/char"


def _units() -> dict[str, Unit]:
    units = dict(_SHORT)
    for amount, factor in _IN_NATS.items():
        for per, words in _PER.items():
            for word in words:
                units[f"{amount}/{word}"] = Unit(f"nats/{per}", factor)
    return units


_UNITS = _units()


def parse_unit(text: str) -> Unit | None:
    """Read a unit such as "bits/byte" or "nats per token"; None if it is not one.

    A text that itself says the unit is unknown, arbitrary or not nats or bits gives the unit
    "unknown": such losses are kept as they stand.
    """
    folded = " ".join(text.casefold().replace("_", " ").replace("-", " ").split())
    key = folded.replace(" per ", "/").replace(" ", "")
    if key in _UNITS:
        return _UNITS[key]
    if folded.startswith(("unknown", "arbitrary")) or "not nats" in folded or "not bits" in folded:
        return Unit(UNKNOWN_UNIT)
    return None


def row_units(
    stated: "pd.Series[str] | None", argument: str | None, rows: int, places: Places, name: str
) -> tuple[list[str], NDArray[np.float64]]:
    """Work out the unit of every row and the factor that brings its loss to nats.

    Parameters
    ----------
    stated : pandas.Series of str or None
        Units as the table states them; blank: not stated.
    argument : str or None
        The unit the caller gave; used where the table is silent.
    rows : int
        Number of rows.
    places : Places
        Where the rows stood.
    name : str
        Source name of the unit column.

    Returns
    -------
    units : list of str
        Canonical unit of each row.
    factors : numpy.ndarray
        What each loss is to be multiplied by.

    Raises
    ------
    DataError
        If a unit is not known, or the table contradicts the argument.
    """
    default = Unit(DEFAULT_UNIT) if argument is None else parse_unit(argument)
    if default is None:
        raise DataError(f"loss_unit={argument!r} is not a unit of loss; legal are {_LEGAL}")
    texts = [""] * rows if stated is None else stated.tolist()
    read: list[Unit] = []
    for index, text in enumerate(texts):
        unit = parse_unit(text) if text else default
        if unit is None:
            raise DataError(
                f"{places.full(index)}: column {name!r} holds {show(text)}, which is not a unit "
                f"of loss; legal are {_LEGAL} (or 'unknown')"
            )
        if argument is not None and unit != default:
            raise DataError(
                f"{places.full(index)}: column {name!r} says {show(text)} but loss_unit="
                f"{argument!r} was given; state the unit once"
            )
        read.append(unit)
    return [unit.name for unit in read], np.array([unit.factor for unit in read])


# Above the upper limit a model does worse than a uniform guess over every symbol there can be:
# 262,144 is the largest tokenizer vocabulary in use, 154,998 the characters of Unicode 16.
# Below 0.02 nats a text would be known almost entirely in advance.
_PLAUSIBLE = {
    "nats/token": (0.02, math.log(262_144), "a uniform guess over 262,144 tokens"),
    "nats/byte": (0.02, math.log(256), "a uniform guess over 256 bytes"),
    "nats/char": (0.02, math.log(154_998), "a uniform guess over all characters of Unicode"),
}


def plausible(unit: str) -> tuple[float, float, str]:
    """Lowest and highest loss that can be meant in a unit, and what the highest stands for."""
    return _PLAUSIBLE.get(unit, (0.0, math.inf, ""))
