"""The estimator M4 of Alabdulmohsin et al. (2022): a power law that starts from a ceiling."""

from dataclasses import dataclass

from bayes_scaling.laws import common, ops
from bayes_scaling.laws.coordinates import Additive
from bayes_scaling.laws.law import Inputs, Law, Values
from bayes_scaling.laws.parameter import Parameter, Prior

__all__ = ["M4", "inverse"]

_STEPS = 3
"""Halley steps before the last one: together they reach 1e-14 for any curve between its ends."""


def _log_fraction(target: ops.Array, alpha: ops.Array) -> ops.Array:
    """Log of q in (0, 1) with log q - alpha·log(1 - q) equal to the target.

    Halley's method on the log odds w of q, for which the left side is
    w + (alpha - 1)·softplus(w), with slopes between 1 and alpha.
    """
    # The two straight ends of the left side; the greater error of either is at the bend.
    odds = ops.minimum(target, 0.0) + ops.maximum(target, 0.0) / alpha
    for _ in range(_STEPS):
        odds = ops.fixed(_closer(odds, target, alpha))
    return -ops.softplus(-_closer(odds, target, alpha))


def _closer(odds: ops.Array, target: ops.Array, alpha: ops.Array) -> ops.Array:
    """One Halley step."""
    soft = ops.softplus(odds)
    far = ops.exp(-soft)
    bend = (alpha - 1.0) * (1.0 - far)
    value, slope = odds + (alpha - 1.0) * soft - target, 1.0 + bend
    return odds - 2.0 * value * slope / (2.0 * slope * slope - value * bend * far)


def inverse(law: Law, loss: ops.Array, p: Values) -> ops.Array:
    """Log of the input at which the law reaches a loss, relative to the reference point.

    Alabdulmohsin et al. 2022, Eq. 2, solved for x.

    Parameters
    ----------
    law : Law
        One of ``M4``.
    loss : array-like
        Loss between the floor and floor + rise, unit of the loss.
    p : mapping of str to array-like
        Parameter values at the reference point.
    """
    _, amplitude, exponent = law.names[:3]
    fraction = (loss - p["floor"]) / p["rise"]
    log_excess = ops.log(loss - p["floor"]) - p["saturation"] * ops.log1p(-fraction)
    return (ops.log(p[amplitude]) - log_excess) / p[exponent]


@dataclass(frozen=True)
class _Saturating:
    """Log of a power that bends into its ceiling."""

    power: common.Power

    def __call__(self, x: Inputs, p: Values) -> ops.Array:
        target = self.power(x, p) - ops.log(p["rise"])
        return ops.log(p["rise"]) + _log_fraction(target, p["saturation"])


def _law(column: str) -> Law:
    symbol, amplitude, cause = common.FACTORS[column]
    exponent = f"alpha_{symbol}"
    power = common.Power(column, amplitude, exponent)
    return Law(
        name=f"m4-{symbol.lower()}",
        formula=(
            f"(L - floor) / (1 - (L - floor)/rise)^saturation = {amplitude}·{symbol}^-{exponent}"
        ),
        inputs=(column,),
        parameters=(
            common.FLOOR,
            common.amplitude(amplitude, f"finite {cause}, far below the ceiling"),
            common.exponent(exponent, cause, median=0.25, sd=0.8),
            Parameter(
                name="rise",
                prior=Prior(median=3.0, sd=0.5, spread=0.1),
                unit="loss unit",
                meaning="ceiling minus floor: how far above the floor an untrained model starts",
                reason="a guess among all tokens or bytes costs 2 to 8 times the typical loss",
                of_loss=True,
                noncentred=True,
            ),
            Parameter(
                name="saturation",
                prior=Prior(median=1.0, sd=0.7, spread=0.2),
                unit="1",
                meaning="how slowly the curve leaves its ceiling",
                reason="95% between 0.25 and 4; 1 is a logistic curve in log space",
                noncentred=True,
            ),
        ),
        reference="Alabdulmohsin et al. 2022, Eq. 2 (M4), arXiv:2209.06640",
        log_curve=common.Floored(_Saturating(power)),
        slopes=power.slopes,
        coordinates=Additive({amplitude: (exponent,)}),
        limitations=(
            common.of_one_factor(column),
            "Runs far below the ceiling do not inform rise and saturation: they keep their priors.",
        ),
    )


M4: tuple[Law, ...] = tuple(_law(column) for column in common.FACTORS)
