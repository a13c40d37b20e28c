"""Farseer (Li et al. 2025): the exponent in tokens depends on the size."""

from bayes_scaling.laws import common, ops
from bayes_scaling.laws.law import Inputs, Law, Values
from bayes_scaling.laws.parameter import Parameter, Prior

__all__ = ["FARSEER"]


def _log_curve(x: Inputs, p: Values) -> ops.Array:
    size, data = x["params"], x["tokens"]
    least = ops.log(p["E"]) - p["E_drop"] * ops.expm1(p["E_power"] * size)
    slope = p["alpha_D"] * ops.exp(-p["alpha_drop"] * ops.expm1(p["alpha_power"] * size))
    level = ops.log(p["B"]) + p["B_drop"] * ops.expm1(-p["B_power"] * size)
    return ops.logaddexp(least, level - slope * data)


def _positive(name: str, prior: Prior, meaning: str, reason: str) -> Parameter:
    return Parameter(
        name=name, prior=prior, unit="1", meaning=meaning, reason=reason, noncentred=True
    )


_POWER = Prior(median=0.15, sd=0.4, spread=0.1)
_POWER_REASON = "the paper's three powers of N are between 0.1 and 0.2"

FARSEER = Law(
    name="farseer",
    formula=(
        "E·exp(-E_drop·(N^E_power - 1)) + B·exp(B_drop·(N^-B_power - 1))"
        "·D^-(alpha_D·exp(-alpha_drop·(N^alpha_power - 1)))"
    ),
    inputs=("params", "tokens"),
    parameters=(
        common.level("E", "loss with endless data at the size of the reference point"),
        common.amplitude("B", "finite data"),
        common.exponent("alpha_D", "tokens at the size of the reference point"),
        _positive(
            "E_drop",
            Prior(median=0.5, sd=0.7, spread=0.2),
            "how fast the loss with endless data falls with size",
            "with E_power 0.15 an exponent of 0.02 to 0.3 in N at the reference point",
        ),
        _positive("E_power", _POWER, "power of N in it", _POWER_REASON),
        _positive(
            "B_drop",
            Prior(median=1.0, sd=0.7, spread=0.2),
            "how fast the loss due to finite data falls with size",
            "with B_power 0.15 an exponent of 0.04 to 0.6 in N at the reference point",
        ),
        _positive("B_power", _POWER, "power of N in it", _POWER_REASON),
        _positive(
            "alpha_drop",
            Prior(median=0.3, sd=0.7, spread=0.2),
            "how fast the exponent in tokens falls with size",
            "between hardly and a third a decade of size",
        ),
        _positive("alpha_power", _POWER, "power of N in it", _POWER_REASON),
    ),
    reference="Li et al. 2025, arXiv:2506.10972; N and D relative to the reference point",
    log_curve=_log_curve,
    nonmonotone=("params",),
    fixed_reference=True,
    limitations=(
        (
            "Where D is far above the middle of the data the loss can rise with N, because the "
            "exponent in tokens falls with size."
        ),
        (
            "Its terms belong to their reference point, so parameters of two tables compare only "
            "as curves; nine parameters need many runs in N and in D."
        ),
    ),
)
