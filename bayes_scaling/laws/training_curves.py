"""Laws of training curves: the loss of one run against steps or tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bayes_scaling.laws import common, ops
from bayes_scaling.laws.broken import BROKEN
from bayes_scaling.laws.coordinates import Additive
from bayes_scaling.laws.law import Inputs, Law, Slopes, Values
from bayes_scaling.laws.m4 import M4
from bayes_scaling.laws.parameter import Parameter, Prior
from bayes_scaling.laws.power import POWER

__all__ = ["CURVES", "DEFAULT_CURVES"]

_MOST = 100.0
"""Largest exponent of exp, which keeps its value finite."""
_WIDE = "curves are of errors, losses and perplexities, in any unit"


@dataclass(frozen=True)
class _OfTime:
    """A law of tokens that reads ``t`` in their place."""

    law: Law

    def __call__(self, x: Inputs, p: Values) -> ops.Array:
        return self.law.log_curve({"tokens": x["t"]}, p)

    def slopes(self, p: Values) -> Slopes:
        """Slopes of the law."""
        slopes = self.law.slopes(p).items()
        return {amplitude: {"t": by_input["tokens"]} for amplitude, by_input in slopes}


def _curve(
    law: Law, name: str, priors: Mapping[str, Prior], limitations: tuple[str, ...] = ()
) -> Law:
    """A law of tokens as one of ``t``, with priors wide enough for any curve."""
    of_time = _OfTime(law)
    parameters = tuple(
        replace(parameter, prior=priors[parameter.name], reason=_WIDE)
        if parameter.name in priors
        else parameter
        for parameter in law.parameters
    )
    return replace(
        law,
        name=name,
        formula=law.formula.replace("D", "t"),
        inputs=("t",),
        parameters=parameters,
        log_curve=of_time,
        slopes=of_time.slopes,
        limitations=limitations,
    )


def _of_tokens(laws: tuple[Law, ...], name: str) -> Law:
    return next(law for law in laws if law.name == name)


_FLOOR = Prior(0.4, 0.8, 0.25)

POWER_CURVE = _curve(
    _of_tokens(POWER, "power-d-floor"),
    "curve-power",
    {"floor": _FLOOR, "B": Prior(0.3, 1.0, 0.3), "alpha_D": Prior(0.3, 0.8, 0.2)},
)
M4_CURVE = _curve(
    _of_tokens(M4, "m4-d"),
    "curve-m4",
    {
        "floor": _FLOOR,
        # A curve that has hardly left its ceiling has an amplitude far above it.
        "B": Prior(0.5, 2.5, 0.3),
        "alpha_D": Prior(0.4, 0.8, 0.2),
        "rise": Prior(1.5, 0.7, 0.1),
        "saturation": Prior(0.7, 1.0, 0.2),
    },
    ("It falls from a ceiling: a curve that is flat at first and falls later is no surprise.",),
)
BROKEN_CURVE = _curve(
    _of_tokens(BROKEN, "broken-d"),
    "curve-broken",
    {
        "floor": _FLOOR,
        "B": Prior(0.4, 1.0, 0.3),
        # Flat before the break is common.
        "alpha_D": Prior(0.1, 1.5, 0.2),
        "break_1": Prior(1.35, 1.5, 0.3),
        "alpha_D_1": Prior(0.35, 0.8, 0.2),
        "width_1": Prior(0.7, 0.6, 0.2),
    },
)


def _descent(x: Inputs, p: Values) -> ops.Array:
    t = x["t"]
    first, last = p["alpha_t"], p["alpha_t_2"]
    middle = ops.log(p["middle"])
    one = ops.log(p["break_1"])
    two = one + p["break_2"]
    reducible = ops.log(p["A"]) - first * t
    for before, after, at, width in (
        (first, middle, one, p["width_1"]),
        (middle, last, two, p["width_2"]),
    ):
        reducible = reducible - (after - before) * width * ops.softplus((t - at) / width)
    return ops.logaddexp(ops.log(p["floor"]), reducible)


def _descent_slopes(p: Values) -> Slopes:
    return {"A": {"t": p["alpha_t"]}, "break_1": {"t": 1.0}}


def _break(number: int, median: float, sd: float, meaning: str, unit: str) -> tuple[Parameter, ...]:
    return (
        Parameter(
            name=f"break_{number}",
            prior=Prior(median, sd, 0.3),
            unit=unit,
            meaning=meaning,
            reason="within the curve, where it can be seen",
        ),
        Parameter(
            name=f"width_{number}",
            prior=Prior(0.5, 0.6, 0.2),
            unit="natural log",
            meaning=f"how gradual break {number} is; f_{number} of the paper",
            reason="published breaks take between a factor of 1.5 and a decade",
        ),
    )


DESCENT_CURVE = Law(
    name="curve-descent",
    formula="floor + A·t^-alpha_t with two breaks, after the first of which it may rise",
    inputs=("t",),
    parameters=(
        replace(common.FLOOR, prior=_FLOOR, reason=_WIDE),
        replace(common.amplitude("A", "a short run"), prior=Prior(0.4, 1.0, 0.3)),
        common.exponent("alpha_t", "t before the first break", median=0.3, sd=1.0),
        *_break(1, 0.6, 1.0, "where the curve turns", "t"),
        Parameter(
            name="middle",
            prior=Prior(1.0, 0.3, 0.1),
            unit="1",
            meaning="e to the exponent between the breaks: below 1 the curve rises there",
            reason="exponents of either sign, 95% between -0.6 and 0.6",
        ),
        *_break(2, 1.0, 0.7, "where it turns again, in logs beyond the first", "natural log"),
        common.exponent("alpha_t_2", "t after the second break", median=0.35, sd=0.8),
    ),
    reference="Caballero et al. 2022, Eq. 1 with two breaks, arXiv:2210.14891",
    log_curve=_descent,
    slopes=_descent_slopes,
    coordinates=Additive({"A": ("alpha_t",)}),
    nonmonotone=("t",),
    limitations=("Double descent: between its breaks the loss may rise.",),
)


def _decaying(x: Inputs, p: Values) -> ops.Array:
    power = p["power_t"]
    # (t^b - 1)/b tends to log t, and the curve to a power law, as b tends to 0.
    gone = p["rate_t"] * ops.expm1(ops.minimum(power * x["t"], _MOST)) / power
    reducible = ops.log(p["A"]) - ops.minimum(gone, _MOST)
    return ops.logaddexp(ops.log(p["floor"]), reducible)


DECAY_CURVE = Law(
    name="curve-decay",
    formula="floor + A·exp(-rate_t·(t^power_t - 1)/power_t)",
    inputs=("t",),
    parameters=(
        replace(common.FLOOR, prior=_FLOOR, reason=_WIDE),
        replace(common.amplitude("A", "a short run"), prior=Prior(0.3, 1.0, 0.3)),
        Parameter(
            name="rate_t",
            prior=Prior(0.5, 0.8, 0.2),
            unit="1",
            meaning="exponent of the reducible loss at the reference point",
            reason="as the exponents of power laws of curves",
        ),
        Parameter(
            name="power_t",
            prior=Prior(0.6, 0.7, 0.2),
            unit="1",
            meaning="growth of that exponent with t: 0 of a power law, 1 of an exponential",
            reason="95% between 0.15 and 2.4: from nearly a power to faster than an exponential",
        ),
    ),
    reference="Domhan et al. 2015, Table 1 (Janoschek, Weibull), IJCAI",
    log_curve=_decaying,
    slopes=common.Power("t", "A", "rate_t").slopes,
    coordinates=Additive({"A": ("rate_t",)}),
    fixed_reference=True,
    limitations=("It levels off faster than any power; its terms belong to the reference point.",),
)


def _annealed(x: Inputs, p: Values) -> ops.Array:
    reducible = ops.log(p["A"]) - p["alpha_t"] * x["lr_sum"]
    # Tissue's own difference to first order, and never below the floor.
    gone = ops.exp(ops.minimum(ops.log(p["drop"]) + x["lr_drop"] - reducible, _MOST))
    return ops.logaddexp(ops.log(p["floor"]), reducible - gone)


def _annealed_slopes(p: Values) -> Slopes:
    return {"A": {"lr_sum": p["alpha_t"]}, "drop": {"lr_drop": -1.0}}


ANNEALED_CURVE = Law(
    name="curve-annealed",
    formula="floor + R·exp(-drop·S2/R), with R = A·S1^-alpha_t",
    inputs=("lr_sum", "lr_drop"),
    parameters=(
        replace(common.FLOOR, prior=_FLOOR, reason=_WIDE),
        replace(common.amplitude("A", "a short run"), prior=Prior(0.3, 1.0, 0.3)),
        common.exponent("alpha_t", "the sum of learning rates S1", median=0.3, sd=0.8),
        Parameter(
            name="drop",
            prior=Prior(0.05, 1.0, 0.3),
            unit="loss unit",
            meaning="loss that the cool-down of the plan takes away, at small S2",
            reason="published cool-downs take one to twenty percent of the loss",
            of_loss=True,
        ),
    ),
    reference="Tissue et al. 2024, Eq. 1 (L0 + A·S1^-alpha - C·S2), arXiv:2408.11029",
    log_curve=_annealed,
    slopes=_annealed_slopes,
    coordinates=Additive({"A": ("alpha_t",)}),
    limitations=(
        (
            "S1 is the sum of learning rates, S2 how far and how long ago they were lowered: a "
            "point before the cool-down foresees the loss after it."
        ),
        "The part that cools down is kept above 0, where the published law would cross the floor.",
    ),
)

CURVES: tuple[Law, ...] = (
    POWER_CURVE, M4_CURVE, BROKEN_CURVE, DESCENT_CURVE, DECAY_CURVE, ANNEALED_CURVE
)  # fmt: skip

DEFAULT_CURVES = ("curve-power", "curve-m4", "curve-broken", "curve-descent")
"""Averaged by how well they explain a curve, where no learning rate is known."""
