"""The laws there are: ours, one explicit line each, and those of installed packages."""

import difflib
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from bayes_scaling.core.arguments import shown
from bayes_scaling.errors import LawError
from bayes_scaling.laws.broken import BROKEN, broken
from bayes_scaling.laws.check_law import check_law
from bayes_scaling.laws.chinchilla import CHINCHILLA
from bayes_scaling.laws.chinchilla_gamma import CHINCHILLA_GAMMA
from bayes_scaling.laws.common import FACTORS
from bayes_scaling.laws.data_constrained import DATA_CONSTRAINED
from bayes_scaling.laws.depth_width import DEPTH_WIDTH, GEMSTONES, with_shape
from bayes_scaling.laws.farseer import FARSEER
from bayes_scaling.laws.kaplan import KAPLAN
from bayes_scaling.laws.kaplan_steps import KAPLAN_STEPS
from bayes_scaling.laws.law import Law
from bayes_scaling.laws.m4 import M4
from bayes_scaling.laws.power import POWER
from bayes_scaling.laws.product import PRODUCT, PRODUCT_FLOOR
from bayes_scaling.laws.signature import difference
from bayes_scaling.laws.training_curves import CURVES

__all__ = [
    "DEFAULT",
    "ENTRY_POINT_GROUP",
    "available",
    "curve_laws",
    "each",
    "find",
    "get",
    "register",
]

DEFAULT = "chinchilla-gamma"
"""The law that is fitted when none is named (docs/calibration.md says why)."""

ENTRY_POINT_GROUP = "bayes_scaling.laws"

_SHORT = {"broken": "broken-c", "m4": "m4-c"}
_SHAPED = "+shape"
_BREAKS = re.compile(r"broken-([ndc])-(\d{1,3})")

_OURS: dict[str, Law] = {
    law.name: law
    for law in (
        CHINCHILLA,
        CHINCHILLA_GAMMA,
        PRODUCT,
        PRODUCT_FLOOR,
        DATA_CONSTRAINED,
        FARSEER,
        KAPLAN,
        KAPLAN_STEPS,
        DEPTH_WIDTH,
        GEMSTONES,
        *POWER,
        *BROKEN,
        *M4,
    )
}

_OF_CURVES: dict[str, Law] = {law.name: law for law in CURVES}

_REGISTERED: dict[str, Law] = {}
"""Laws of this process, by :func:`register`."""


def curve_laws() -> dict[str, Law]:
    """Return the laws of training curves by name, which read no table of runs.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> sorted(laws.curve_laws())[:2]
    ['curve-annealed', 'curve-broken']
    """
    return dict(_OF_CURVES)


def available() -> dict[str, Law]:
    """Return all registered laws by name: built in, installed, and of this process.

    Raises
    ------
    LawError
        If an installed package registers something that is not a law, or takes a name twice.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> laws.available()["chinchilla"].names
    ('floor', 'A', 'B', 'alpha_N', 'alpha_D')
    """
    laws = dict(_OURS)
    for point in _installed(_places()):
        law = point.load()
        if not isinstance(law, Law):
            raise LawError(
                f"entry point {point.name!r} of group {ENTRY_POINT_GROUP!r} is a "
                f"{type(law).__name__}, a bayes_scaling Law is needed"
            )
        if law.name in laws:
            raise LawError(f"entry point {point.name!r} registers the law {law.name!r} again")
        laws[law.name] = law
    return laws | _REGISTERED


def _places() -> tuple[tuple[str, int], ...]:
    """Where packages are installed, and when one came or went."""
    found = []
    for place in sys.path:
        with suppress(OSError):
            found.append((place, Path(place).stat().st_mtime_ns))
    return tuple(found)


@lru_cache(maxsize=1)
def _installed(_places: tuple[tuple[str, int], ...]) -> tuple[EntryPoint, ...]:
    """Laws of installed packages: reading the metadata of them all takes longer than a forecast."""
    return tuple(entry_points(group=ENTRY_POINT_GROUP))


def register(law: Law) -> Law:
    """Register a law under its name in this process, as an installed package does in every one.

    A fit needs no registered law. Names are for the shell, and for loading fits without stating
    their law.

    Parameters
    ----------
    law : Law
        The law, under a name of its own. The same law may be registered again.

    Returns
    -------
    Law
        The same law.

    Raises
    ------
    LawError
        If it is not a law, fails :func:`~bayes_scaling.laws.check_law.check_law`, or another law
        has its name.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from bayes_scaling import laws
    >>> mine = replace(laws.get("chinchilla"), name="mine")
    >>> laws.register(mine) is laws.get("mine")
    True
    """
    if not isinstance(law, Law):
        raise LawError(f"{shown(law)} is not a law; write a bayes_scaling.laws.Law")
    check_law(law)
    known = find(law.name)
    if known is None:
        _REGISTERED[law.name] = law
        return law
    differs = f"parameters ({', '.join(known.names)})" if law.names != known.names else None
    differs = differs or difference(law.fingerprint, known.fingerprint)
    if differs is None and law.parameters != known.parameters:
        differs = "priors"
    if differs is not None:
        raise LawError(
            f"there is a law {law.name!r} already, with other {differs}; give this one another name"
        )
    return law


def each(named: Iterable[str | Law]) -> list[Law]:
    """Return laws by name or as objects, each once."""
    laws = list(dict.fromkeys(get(law) for law in named))
    names = [law.name for law in laws]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise LawError(
            f"two different laws are named {twice!r}; write dataclasses.replace(law, name=...) to "
            "give one of them another name"
        )
    return laws


def get(law: str | Law) -> Law:
    """Return a law by name; a law object is returned as it is.

    Besides the names of :func:`available` and :func:`curve_laws` there are ``NAME+shape``, a law of
    N with the shape term of :func:`~bayes_scaling.laws.depth_width.with_shape`; ``broken-n-2`` and
    so on, with more breaks; and ``broken`` and ``m4`` for those in compute.

    Raises
    ------
    LawError
        If no law has that name.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> print(laws.get("power-n-floor").formula)
    floor + A·N^-alpha_N
    >>> laws.get("chinchila")
    Traceback (most recent call last):
    bayes_scaling.errors.LawError: there is no law 'chinchila'; ...
    """
    if isinstance(law, Law):
        return law
    if not isinstance(law, str):
        raise LawError(
            f"law is {shown(law)}; the name of a law such as {DEFAULT!r}, or a "
            "bayes_scaling.laws.Law, is needed"
        )
    found = find(law)
    if found is None:
        names = list(available())
        close = difflib.get_close_matches(law, [*names, *_OF_CURVES], n=1)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        raise LawError(
            f"there is no law {law!r}; there are {', '.join(names)}{meant}, and a law of your own "
            "is there once the package that has it is installed, or in Python after "
            "bayes_scaling.laws.register(law)"
        )
    return found


def find(law: str) -> Law | None:
    """Return a law by name, as :func:`get` does; None where no law has it."""
    name = _SHORT.get(law, law)
    # None of what is installed may take a name of ours, and looking through it takes long.
    if name in _OURS:
        return _OURS[name]
    laws = available()
    if name in laws:
        return laws[name]
    if name in _OF_CURVES:
        return _OF_CURVES[name]
    if name.endswith(_SHAPED):
        flat = find(name.removesuffix(_SHAPED))
        return with_shape(flat) if flat else None
    if match := _BREAKS.fullmatch(name):
        column = next(c for c, (symbol, *_) in FACTORS.items() if symbol.lower() == match[1])
        return broken(column, int(match[2]))
    return None
