"""Populations: priors of a law learned from many real families, and its discrepancy."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from bayes_scaling.core.arguments import is_number, shown
from bayes_scaling.errors import LawError
from bayes_scaling.laws import Law, Prior
from bayes_scaling.model.discrepancy import Discrepancy

__all__ = ["Curvature", "Population", "population"]

LEARNED_SPREAD_SD = 0.1
"""Sd of the log of a learned between-family standard deviation: that of fourteen independent roots
is known to within 0.19. Were it free, families with correlated errors would widen it."""

MOST_SD = 1.0
"""Of the log of a curvature: e times the loss where n and d are 1, with which nothing is known."""

SCHEMA = "bayes_scaling.population/1"


@dataclass(frozen=True)
class Curvature:
    """Doubt about the form of a law: a quadratic in log sizes, in a share of the draws.

    Parameters
    ----------
    share : float
        Share of the posterior draws that have it, above 0 and up to 1.
    sd : float
        Prior sd of the log of each of its parameters between families, up to 1.

    Raises
    ------
    LawError
        If a number is none of these.
    """

    share: float
    sd: float

    def __post_init__(self) -> None:
        for name, low, high in (("share", 0.0, 1.0), ("sd", 0.0, MOST_SD)):
            value = getattr(self, name)
            if not (is_number(value) and low < value <= high):
                raise LawError(
                    f"{name} of a curvature is {shown(value)}, a number above {low:g} and up to "
                    f"{high:g} is needed; curvature=None takes the law as it is"
                )


@dataclass(frozen=True)
class Population:
    """Priors of one law learned from families of runs.

    Parameters
    ----------
    law : str
        Name of the law.
    priors : dict of str to (float, float, float)
        By parameter: median over families, how well the log of that median is known (sd), and how
        much families differ from it (sd of the log). Those of a loss count in units of the
        typical loss of a table.
    discrepancy : Discrepancy
        The law's error beyond the data.
    families : tuple of str
        Where it was learned.
    curvature : Curvature or None
        Doubt about the form of the law; None where it is taken as it is.
    """

    law: str
    priors: Mapping[str, tuple[float, float, float]]
    discrepancy: Discrepancy
    families: tuple[str, ...]
    curvature: Curvature | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.curvature, Curvature | None):
            raise LawError(
                f"curvature of a population is {shown(self.curvature)}; a Curvature or None is "
                "needed"
            )

    def applied(self, law: Law) -> Law:
        """Return the law with these priors."""
        reason = f"learned from {len(self.families)} families (docs/calibration.md)"
        changed = []
        for parameter in law.parameters:
            if parameter.name not in self.priors:
                changed.append(parameter)
                continue
            prior = Prior(*self.priors[parameter.name])
            changed.append(replace(parameter, prior=prior, reason=reason))
        return replace(law, parameters=tuple(changed))

    def to_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return {
            "priors": {name: list(value) for name, value in self.priors.items()},
            "discrepancy": asdict(self.discrepancy),
            "families": list(self.families),
            "curvature": asdict(self.curvature) if self.curvature else None,
        }

    @classmethod
    def from_dict(cls, law: str, content: Mapping[str, Any]) -> "Population":
        """Read back what :meth:`to_dict` gave."""
        return cls(
            law=law,
            priors={name: (v[0], v[1], v[2]) for name, v in content["priors"].items()},
            discrepancy=Discrepancy(**content["discrepancy"]),
            families=tuple(content["families"]),
            curvature=Curvature(**content["curvature"]) if content.get("curvature") else None,
        )


@cache
def _shipped() -> Mapping[str, Any]:
    text = (files("bayes_scaling.model") / "population.json").read_text(encoding="utf-8")
    laws: Mapping[str, Any] = json.loads(text)["laws"]
    return laws


def population(law: str, *, without: str | None = None) -> Population | None:
    """Return the shipped population of a law, or None if there is none.

    Parameters
    ----------
    law : str
        Name of the law.
    without : str, optional
        A root (what studies share that share runs or makers, see ``bs.datasets.list()``) whose
        families did not inform it: to forecast runs of a bundled study as one that was never seen.

    Raises
    ------
    LawError
        If no family of that root informed the population of the law.

    Examples
    --------
    >>> from bayes_scaling.model import population
    >>> population("chinchilla-gamma").discrepancy.power > 0
    True
    >>> "olmo_ladder" in population("chinchilla-gamma", without="olmo").families
    False
    >>> population("m4-n") is None
    True
    """
    content = _shipped().get(law)
    if content is None:
        return None
    if without is not None:
        known = content["without"]
        if not isinstance(without, str) or without not in known:
            raise LawError(
                f"without is {without!r}; the population of {law!r} was learned from the roots "
                f"{', '.join(known)}"
            )
        content = known[without]
    return Population.from_dict(law, content)
