"""The law of Muennighoff et al. (2023) for repeated data."""

from dataclasses import replace

from bayes_scaling.laws import ops
from bayes_scaling.laws.chinchilla import CHINCHILLA
from bayes_scaling.laws.law import Inputs, Law, Values
from bayes_scaling.laws.parameter import Parameter, Prior

__all__ = ["DATA_CONSTRAINED"]

_MOST = 50.0
"""Log of a repetition beyond which another changes nothing in double precision."""


def _effective(log_ratio: ops.Array, constant: ops.Array) -> ops.Array:
    """Log of the effective ratio, for a ratio of 1 or more; 0 where it is less.

    Section 3.1 with R = ratio - 1 repetitions: 1 + R* (1 - exp(-R / R*)).
    """
    repeats = ops.expm1(ops.minimum(ops.maximum(log_ratio, 0.0), _MOST))
    return ops.log1p(-constant * ops.expm1(-repeats / constant))


def _log_curve(x: Inputs, p: Values) -> ops.Array:
    unique = ops.minimum(x["unique_tokens"], x["tokens"])
    # The size that is compute-optimal for the unique tokens, where the marginal gains of the two
    # terms are equal; parameters beyond it count for less, as repeated tokens do.
    gain = ops.log(p["alpha_N"] * p["A"]) - ops.log(p["alpha_D"] * p["B"])
    base = (gain + p["alpha_D"] * unique) / p["alpha_N"]
    effective = {
        "params": ops.minimum(x["params"], base) + _effective(x["params"] - base, p["R_N"]),
        "tokens": unique + _effective(x["tokens"] - unique, p["R_D"]),
    }
    return CHINCHILLA.log_curve(effective, p)


def _constant(name: str, of: str, median: float) -> Parameter:
    return Parameter(
        name=name,
        prior=Prior(median=median, sd=0.5, spread=0.2),
        unit="1",
        meaning=f"how many repetitions of {of} count for about 63% of as many fresh ones",
        reason=(
            f"Muennighoff et al. found {median:g}; few epochs hardly inform it, and a free fit to "
            "up to four of them gave 4 where later epochs gave 80"
        ),
        noncentred=True,
    )


DATA_CONSTRAINED: Law = replace(
    CHINCHILLA,
    name="data-constrained",
    formula="floor + A·N'^-alpha_N + B·D'^-alpha_D, D' = U + U·R_D·(1 - exp(-(D/U - 1)/R_D))",
    inputs=("params", "tokens", "unique_tokens"),
    parameters=(
        *CHINCHILLA.parameters,
        _constant("R_D", "tokens", 15.4),
        _constant("R_N", "parameters beyond those optimal for the unique tokens", 5.3),
    ),
    reference="Muennighoff et al. 2023, Section 3 and Appendix A, arXiv:2305.16264",
    log_curve=_log_curve,
    shared_reference={"unique_tokens": "tokens"},
    limitations=(
        *CHINCHILLA.limitations,
        (
            "Its loss never rises with more epochs, so runs that overfit lie above it; N' is N up "
            "to the size that is compute-optimal for the unique tokens U."
        ),
    ),
)
