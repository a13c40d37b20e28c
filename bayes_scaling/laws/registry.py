"""The laws there are: ours, one explicit line each, and those of installed packages."""

import difflib
import re
from dataclasses import replace
from importlib.metadata import entry_points

from bayes_scaling._given import shown
from bayes_scaling.errors import LawError
from bayes_scaling.laws.broken import BROKEN, broken
from bayes_scaling.laws.checking import check_law, difference, signature
from bayes_scaling.laws.chinchilla import CHINCHILLA
from bayes_scaling.laws.chinchilla_gamma import CHINCHILLA_GAMMA
from bayes_scaling.laws.common import FACTORS
from bayes_scaling.laws.curves import CURVES
from bayes_scaling.laws.data_constrained import DATA_CONSTRAINED
from bayes_scaling.laws.depth_width import DEPTH_WIDTH, GEMSTONES, with_shape
from bayes_scaling.laws.farseer import FARSEER
from bayes_scaling.laws.kaplan import KAPLAN
from bayes_scaling.laws.kaplan_steps import KAPLAN_STEPS
from bayes_scaling.laws.law import Law
from bayes_scaling.laws.m4 import M4
from bayes_scaling.laws.power import POWER
from bayes_scaling.laws.product import PRODUCT, PRODUCT_FLOOR

__all__ = [
    "DEFAULT",
    "ENTRY_POINT_GROUP",
    "available",
    "curve_laws",
    "ensure_registered",
    "get",
    "register",
    "registered",
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
    """Laws of training curves by name, which read no table of runs."""
    return dict(_OF_CURVES)


def available() -> dict[str, Law]:
    """All registered laws by name: ours, those of other packages, those of this process.

    Raises
    ------
    LawError
        If an installed package registers something that is not a law, or takes a name twice.
    """
    laws = dict(_OURS)
    for point in entry_points(group=ENTRY_POINT_GROUP):
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


def register(law: Law) -> Law:
    """Make a law known by its name in this process, as an installed package does for every one.

    A fit is kept with the name of its law, so a process that loads it registers the law again.

    Parameters
    ----------
    law : Law
        The law, under a name of its own. The same law may be registered again.

    Returns
    -------
    Law
        The same.

    Raises
    ------
    LawError
        If it is not a law, would fail after it was fitted, or another law has its name.
    """
    if not isinstance(law, Law):
        raise LawError(f"{shown(law)} is not a law; write a bayes_scaling.laws.Law")
    check_law(law)
    known = _find(law.name)
    if known is None:
        _REGISTERED[law.name] = law
        return law
    differs = _difference(law, known)
    if differs is None and law.parameters != known.parameters:
        differs = "priors"
    if differs is not None:
        raise LawError(
            f"there is a law {law.name!r} already, with other {differs}; give this one another name"
        )
    return law


def registered(law: str | Law) -> Law:
    """A law that a fit can be made of: its name finds the same law again.

    Parameters
    ----------
    law : str or Law
        A name, or a law, whose priors may be others than those of the law of its name.

    Raises
    ------
    LawError
        If no law has that name, or another one.
    """
    if not isinstance(law, Law):
        return get(law)
    known = _find(law.name)
    if known is None:
        raise LawError(
            f"law {law.name!r} is not registered, so a fit of it could not be used; write "
            "bayes_scaling.laws.register(law) first"
        )
    if replace(law, parameters=known.parameters) == known:
        return law
    check_law(law)
    differs = _difference(law, known)
    if differs is not None:
        raise LawError(
            f"the law given has the name of the registered law {law.name!r}, with other "
            f"{differs}; give it another name, and write bayes_scaling.laws.register(law) first"
        )
    return law


def ensure_registered(law: Law) -> None:
    """Register the law of another process where its name is not known here."""
    if _find(law.name) is None:
        register(law)


def _difference(first: Law, second: Law) -> str | None:
    """In which expression two laws of one name differ, or in their parameters."""
    if first.names != second.names:
        return f"parameters ({', '.join(second.names)})"
    one, other = (signature(law, closed_forms=True) for law in (first, second))
    return difference(one, other)


def get(law: str | Law) -> Law:
    """A law by name; a law object is returned as it is.

    Besides the names of :func:`available` and :func:`curve_laws` there are ``NAME+shape``, a law of
    N with the shape term of :func:`~bayes_scaling.laws.depth_width.with_shape`; ``broken-n-2`` and
    so on, with more breaks; and ``broken`` and ``m4`` for those in compute.

    Raises
    ------
    LawError
        If no law has that name.
    """
    if isinstance(law, Law):
        return law
    if not isinstance(law, str):
        raise LawError(
            f"law is {shown(law)}; the name of a law such as {DEFAULT!r}, or a "
            "bayes_scaling.laws.Law, is needed"
        )
    found = _find(law)
    if found is None:
        names = list(available())
        close = difflib.get_close_matches(law, [*names, *_OF_CURVES], n=1)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        raise LawError(
            f"there is no law {law!r}; there are {', '.join(names)}{meant}, and a law of your own "
            "is there after bayes_scaling.laws.register(law)"
        )
    return found


def _find(law: str) -> Law | None:
    laws = available()
    name = _SHORT.get(law, law)
    if name in laws:
        return laws[name]
    if name in _OF_CURVES:
        return _OF_CURVES[name]
    if name.endswith(_SHAPED):
        flat = _find(name.removesuffix(_SHAPED))
        return with_shape(flat) if flat else None
    if match := _BREAKS.fullmatch(name):
        column = next(c for c, (symbol, *_) in FACTORS.items() if symbol.lower() == match[1])
        return broken(column, int(match[2]))
    return None
