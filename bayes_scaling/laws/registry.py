"""The laws there are: ours, one explicit line each, and those of installed packages."""

import re
from importlib.metadata import entry_points

from bayes_scaling.errors import LawError
from bayes_scaling.laws.broken import BROKEN, broken
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

__all__ = ["DEFAULT", "ENTRY_POINT_GROUP", "available", "curve_laws", "get"]

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


def curve_laws() -> dict[str, Law]:
    """Laws of training curves by name, which read no table of runs."""
    return dict(_OF_CURVES)


def available() -> dict[str, Law]:
    """All registered laws by name: ours first, then those of other packages.

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
    return laws


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
    laws = available()
    name = _SHORT.get(law, law)
    if name in laws:
        return laws[name]
    if name in _OF_CURVES:
        return _OF_CURVES[name]
    if name.endswith(_SHAPED):
        return with_shape(get(name.removesuffix(_SHAPED)))
    if match := _BREAKS.fullmatch(name):
        column = next(c for c, (symbol, *_) in FACTORS.items() if symbol.lower() == match[1])
        return broken(column, int(match[2]))
    raise LawError(f"there is no law {law!r}; there are {', '.join(laws)}")
