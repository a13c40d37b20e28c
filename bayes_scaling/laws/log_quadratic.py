"""Doubt about the form of a law: the law times the exponential of a quadratic in log sizes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement

from bayes_scaling.laws import ops
from bayes_scaling.laws.closed_forms import ClosedForms
from bayes_scaling.laws.law import Inputs, Law, Slopes, Values
from bayes_scaling.laws.parameter import Parameter, Prior

__all__ = ["curvature_names", "log_quadratic", "without_quadratic"]

_LETTERS = {"params": "N", "tokens": "D", "flops": "C"}
_REACH = 6.0
"""Distance from the middle of a family's runs, natural log, at which the quadratic levels off: e^6
is 400 times. Without a limit some draws would have a loss that falls without end."""


@dataclass(frozen=True)
class _Curved:
    """A law times exp(sum of coefficient · s · s'), with s the bounded log sizes."""

    law: Law
    terms: Mapping[str, tuple[str, str]]

    @property
    def sizes(self) -> tuple[str, ...]:
        """The sizes, in the order of the terms."""
        return tuple(dict.fromkeys(name for pair in self.terms.values() for name in pair))

    def __call__(self, x: Inputs, p: Values) -> ops.Array:
        sizes = {name: self._bounded(x, p, name) for name in self.sizes}
        total = self.law.log_curve(x, p)
        for parameter, (one, other) in self.terms.items():
            total = total + ops.log(p[parameter]) * sizes[one] * sizes[other]
        return total

    def slopes(self, p: Values) -> Slopes:
        """Slopes of the law: the quadratic has its own middle."""
        return self.law.slopes(p)

    @staticmethod
    def _bounded(x: Inputs, p: Values, name: str) -> ops.Array:
        centre = p.get(f"centre_{name}")
        away = x[name] if centre is None else x[name] - ops.log(centre)
        return away / (1.0 + (away / _REACH) ** 2) ** 0.5


def _terms(law: Law) -> dict[str, tuple[str, str]]:
    """Sizes of each term of the quadratic, by the name of its parameter."""
    sizes = [name for name in _LETTERS if name in law.inputs]
    found = {}
    for one, other in combinations_with_replacement(sizes, 2):
        letters = _LETTERS[one] + (_LETTERS[other] if other != one else "")
        found[f"curvature_{letters}"] = (one, other)
    return found


def curvature_names(law: Law) -> tuple[str, ...]:
    """Names of the parameters of the quadratic of a law of :func:`log_quadratic`.

    Parameters
    ----------
    law : Law
        Any law; one without a quadratic has none.
    """
    return tuple(law.log_curve.terms) if isinstance(law.log_curve, _Curved) else ()


def log_quadratic(law: Law, sd: float) -> Law:
    """Multiply a law by the exponential of a quadratic in its log sizes.

    With n and d the natural logs of N and D over the geometric middle of a family's runs the loss
    is that of the law times curvature_N^(n²) · curvature_ND^(n·d) · curvature_D^(d²). Beyond e^6
    times the middle n and d level off. At a curvature of 1 it is the law itself.

    Parameters
    ----------
    law : Law
        The law.
    sd : float
        Prior sd of the log of each curvature between families.

    Returns
    -------
    Law
        Of the same name.
    """
    curved = _Curved(law, _terms(law))
    parameters = tuple(
        Parameter(
            name=name,
            # The median over families is 1, as well as anything is known.
            prior=Prior(median=1.0, sd=0.1 * sd, spread=sd),
            unit="1",
            meaning=f"factor of the loss where log {one} times log {other} is 1; 1 is the law",
            reason="learned from the forecasts of real families (docs/calibration.md)",
        )
        for name, (one, other) in curved.terms.items()
    )
    forms = law.closed_forms
    return replace(
        law,
        formula=f"({law.formula}) · exp(quadratic in log {' and log '.join(curved.sizes)})",
        parameters=(*law.parameters, *parameters),
        log_curve=curved,
        slopes=curved.slopes,
        # Exponents stay those of the law inside; the optimum is searched.
        closed_forms=ClosedForms(None, forms.params_exponent, forms.frontier),
        nonmonotone=tuple(dict.fromkeys((*law.nonmonotone, *curved.sizes))),
        centres=curved.sizes,
    )


def without_quadratic(law: Law) -> Law:
    """Return the law inside one of :func:`log_quadratic`, with its present priors.

    Parameters
    ----------
    law : Law
        A law without a quadratic is returned as it is.
    """
    curved = law.log_curve
    if not isinstance(curved, _Curved):
        return law
    kept = tuple(p for p in law.parameters if p.name not in curved.terms)
    return replace(curved.law, parameters=kept)
