"""Specification of the model, without PyMC and without data: law, priors, pooling, noise."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

from bayes_scaling.core.display import brief
from bayes_scaling.errors import LawError
from bayes_scaling.laws import Law, Parameter, Prior
from bayes_scaling.laws.log_quadratic import without_quadratic
from bayes_scaling.model.discrepancy import Discrepancy

__all__ = ["BORROWS", "NOISE", "NU", "Noise", "Pooling", "Spec", "pooling_by_parameter"]

Pooling = Literal["partial", "shared", "none"]
"""Over families: drawn from one population, equal in all, or each from the prior by itself."""
Noise = Literal["student-t", "normal"]
"""Distribution of log loss about the curve."""

BORROWS = 20
"""Up to this many runs a family is forecast better with help from the others of its table; with
more, the error of the law that they have in common does more harm (docs/calibration.md)."""

NOISE = Parameter(
    name="sigma",
    prior=Prior(median=0.01, sd=1.0, spread=0.4),
    unit="log loss",
    meaning="scale of run-to-run noise on log loss",
    reason="95% between 0.14% and 7% of the loss; seeds of one configuration differ by 0.1 to 1%",
)
NU = Parameter(
    name="nu",
    prior=Prior(median=4.0, sd=1.0, spread=0.2),
    unit="1",
    meaning="degrees of freedom of the noise above 2, the same for all families",
    reason="95% between 0.6 (a few wild runs) and 28 (nearly normal)",
)
SPREAD_SD = 0.5
"""Sd of the log of a between-family standard deviation: boundary-avoiding, since two families are
never exactly equal, and a spread that may be zero cannot be sampled well with few families."""


@dataclass(frozen=True, repr=False)
class Spec:
    """Specification of a hierarchical model: of the data it holds the families' names only.

    Parameters
    ----------
    law : Law
        With the priors in force.
    families : tuple of str
        In the order of the ``family`` dimension.
    pooling : dict of str to {"partial", "shared", "none"}
        By parameter, ``sigma`` included.
    noise : {"student-t", "normal"}
        Distribution of log loss about the curve.
    noise_parameter, nu_parameter : Parameter
        Scale and degrees of freedom of the noise.
    spread_sd : float
        Sd of the log of every between-family standard deviation.
    prior : str
        Where the priors come from: "weak", "population", or "own".
    discrepancy : Discrepancy or None
        The law's error beyond the data, where it is known how that grows.
    curvature_share : float
        Share of the posterior draws in which the law, then one of
        :func:`bayes_scaling.laws.log_quadratic.log_quadratic`, has its quadratic. The posterior is
        a mixture of two with fixed weights, see :attr:`components`.
    """

    law: Law
    families: tuple[str, ...]
    pooling: Mapping[str, Pooling]
    noise: Noise
    noise_parameter: Parameter = NOISE
    nu_parameter: Parameter = NU
    spread_sd: float = SPREAD_SD
    prior: str = "weak"
    discrepancy: Discrepancy | None = None
    curvature_share: float = 0.0

    def __repr__(self) -> str:
        count = len(self.families)
        pooling = ", ".join(f"{name} {kind}" for name, kind in self.pooling.items())
        share = self.curvature_share
        quadratic = f", a quadratic in {share:.2g} of the draws" if share else ""
        return brief(
            f"<Spec of law {self.law.name!r}, {count} famil{'ies' if count > 1 else 'y'}, "
            f"{self.noise} noise, {self.prior} priors{quadratic}; pooling: {pooling}>"
        )

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Every parameter that families have: the law's, then the noise scale."""
        return (*self.law.parameters, self.noise_parameter)

    def pooled(self, *kinds: Pooling) -> tuple[Parameter, ...]:
        """The parameters that are pooled in one of these ways."""
        return tuple(p for p in self.parameters if self.pooling[p.name] in kinds)

    def log_sd(self, parameter: Parameter) -> float:
        """Prior sd of the log of a parameter: of its population, or of a family alone."""
        prior = parameter.prior
        if self.pooling[parameter.name] == "none":
            return math.hypot(prior.sd, prior.spread)
        return prior.sd

    @property
    def components(self) -> tuple[tuple["Spec", float], ...]:
        """The models whose posteriors are mixed, with their shares of the draws."""
        if not self.curvature_share:
            return ((self, 1.0),)
        law = without_quadratic(self.law)
        pooling = {name: self.pooling[name] for name in (*law.names, self.noise_parameter.name)}
        plain = replace(self, law=law, pooling=pooling, curvature_share=0.0)
        curved = replace(self, curvature_share=0.0)
        if self.curvature_share == 1.0:
            return ((curved, 1.0),)
        return ((plain, 1.0 - self.curvature_share), (curved, self.curvature_share))

    def same_density(self, other: "Spec") -> bool:
        """Return whether another model differs in its discrepancy only, which no density reads."""
        return replace(self, discrepancy=None) == replace(other, discrepancy=None)


def pooling_by_parameter(
    law: Law,
    pooling: Pooling | Literal["auto"] | Mapping[str, Pooling],
    counts: Collection[int],
    *,
    learned: bool,
) -> dict[str, Pooling]:
    """Return how each parameter is pooled, from one word or a word by parameter.

    With one family there is nothing to pool over, and every parameter is "none".

    Parameters
    ----------
    law : Law
        The law.
    pooling : {"auto", "partial", "shared", "none"} or mapping
        "auto" is "none" where priors are learned and every family has more than ``BORROWS`` runs,
        and "partial" otherwise.
    counts : collection of int
        Runs of each family.
    learned : bool
        Whether the prior of a family is learned from other families.
    """
    names = (*law.names, NOISE.name)
    if not isinstance(pooling, str | Mapping):
        raise LawError(
            f"pooling is {pooling!r}; it can be auto, {', '.join(get_args(Pooling))}, or one of "
            "these by parameter"
        )
    if pooling == "auto":
        pooling = "none" if learned and min(counts) > BORROWS else "partial"
    by_name = dict.fromkeys(names, pooling) if isinstance(pooling, str) else dict(pooling)
    for name, kind in by_name.items():
        if name not in names:
            raise LawError(f"pooling names {name!r}; law {law.name!r} has {', '.join(names)}")
        if kind not in get_args(Pooling):
            raise LawError(
                f"pooling of {name!r} is {kind!r}; it can be {', '.join(get_args(Pooling))} or, "
                "for all parameters at once, auto"
            )
    if len(counts) == 1:
        return dict.fromkeys(names, "none")
    return {name: by_name.get(name, "partial") for name in names}
