"""Units of the loss, and their conversion."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.errors import DataError
from bayes_scaling.runs.reading.raw_table import Places, show

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "DEFAULT_UNIT",
    "LEGAL",
    "UNKNOWN_UNIT",
    "Unit",
    "conversion",
    "parse_loss",
    "parse_unit",
    "plausible",
    "row_units",
]

DEFAULT_UNIT = "nats/token"
UNKNOWN_UNIT = "unknown"


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit of the loss.

    Parameters
    ----------
    name : str
        "nats" or "bits", per token, byte or char ("bits/byte"); or "unknown".
    nats : float
        Nats in one of its nats or bits.
    """

    name: str
    nats: float = 1.0

    @property
    def in_nats(self) -> "Unit":
        """The unit in nats per the same thing."""
        return self if self.nats == 1.0 else Unit(self.name.replace("bits", "nats"))


_PER = {
    "token": ("token", "tokens", "tok"),
    "byte": ("byte", "bytes"),
    "char": ("char", "chars", "character", "characters"),
}
_IN_NATS = {"nat": 1.0, "nats": 1.0, "bit": math.log(2.0), "bits": math.log(2.0)}
_SHORT = {
    "nats": Unit(DEFAULT_UNIT),
    "bpb": Unit("bits/byte", math.log(2.0)),
    "bpc": Unit("bits/char", math.log(2.0)),
}
LEGAL = "nats/token, nats/byte, nats/char, bits/token, bits/byte, bits/char"


def _units() -> dict[str, Unit]:
    units = dict(_SHORT)
    for amount, factor in _IN_NATS.items():
        for per, words in _PER.items():
            for word in words:
                kind = "nats" if factor == 1.0 else "bits"
                units[f"{amount}/{word}"] = Unit(f"{kind}/{per}", factor)
    return units


_UNITS = _units()


def parse_unit(text: str) -> Unit | None:
    """Read a unit such as "bits/byte" or "nats per token"; None if it is not one.

    A text that itself says the unit is unknown, arbitrary or not nats or bits gives the unit
    "unknown": such losses are kept as they stand. A remark in parentheses behind the unit, as in
    "nats/token (val)", is passed over.
    """
    folded = " ".join(text.casefold().replace("_", " ").replace("-", " ").split())
    key = folded.partition(" (")[0].replace(" per ", "/").replace(" ", "")
    if key in _UNITS:
        return _UNITS[key]
    if folded.startswith(("unknown", "arbitrary")) or "not nats" in folded or "not bits" in folded:
        return Unit(UNKNOWN_UNIT)
    return None


def row_units(
    stated: "pd.Series[str] | None",
    argument: str | None,
    rows: int,
    places: Places,
    *,
    name: str,
    loss_name: str = "",
) -> tuple[list[str], NDArray[np.float64]]:
    """Work out the unit of every row, and what its loss is to be multiplied by.

    Losses stay in the unit they were given in, unless a table has both bits and nats: then every
    loss comes to nats.

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
    loss_name : str
        Source name of the loss; one such as "bpb" or "bits_per_byte" states the unit where nothing
        else does.

    Returns
    -------
    units : list of str
        Canonical unit of each row after conversion.
    factors : numpy.ndarray
        What each loss is to be multiplied by.
    """
    implied = parse_unit(loss_name) or Unit(DEFAULT_UNIT)
    default = implied if argument is None else parse_unit(argument)
    if default is None:
        raise DataError(f"loss_unit={argument!r} is not a unit of loss; legal are {LEGAL}")
    texts = [""] * rows if stated is None else stated.tolist()
    read: list[Unit] = []
    for index, text in enumerate(texts):
        unit = parse_unit(text) if text else default
        if unit is None:
            raise DataError(
                f"{places.full(index)}: column {name!r} holds {show(text)}, which is not a unit "
                f"of loss; legal are {LEGAL} (or 'unknown')"
            )
        if argument is not None and unit != default:
            raise DataError(
                f"{places.full(index)}: column {name!r} says {show(text)} but loss_unit="
                f"{argument!r} was given; state the unit once"
            )
        read.append(unit)
    known = {unit.nats for unit in read if unit.name != UNKNOWN_UNIT}
    if len(known) <= 1:
        return [unit.name for unit in read], np.ones(rows)
    return [unit.in_nats.name for unit in read], np.array([unit.nats for unit in read])


def conversion(unit: str, wanted: str) -> float | None:
    """Return the factor from a loss in one unit to one in another; None where there is none.

    Parameters
    ----------
    unit, wanted : str
        Units by name. An unknown unit is only equal to itself.

    Examples
    --------
    >>> round(conversion("bits/byte", "nats/byte"), 4)
    0.6931
    >>> conversion("bits/byte", "nats/token") is None
    True
    """
    if unit == wanted:
        return 1.0
    one, other = parse_unit(unit), parse_unit(wanted)
    if one is None or other is None or one.in_nats != other.in_nats:
        return None
    return one.nats / other.nats


def parse_loss(text: str) -> tuple[float, str | None] | None:
    """Read a loss with or without its unit, such as "0.83 bits/byte"; None if it is not one.

    Examples
    --------
    >>> parse_loss("0.83 bpb"), parse_loss("2.1")
    ((0.83, 'bits/byte'), (2.1, None))
    """
    number, _, rest = text.strip().partition(" ")
    try:
        value = float(number)
    except ValueError:
        return None
    unit = parse_unit(rest) if rest.strip() else None
    if rest.strip() and (unit is None or unit.name == UNKNOWN_UNIT):
        return None
    return value, None if unit is None else unit.name


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
    read = parse_unit(unit)
    if read is None or read.in_nats.name not in _PLAUSIBLE:
        return 0.0, math.inf, ""
    low, high, meaning = _PLAUSIBLE[read.in_nats.name]
    return low / read.nats, high / read.nats, meaning
