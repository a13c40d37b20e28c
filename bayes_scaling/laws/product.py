"""The product of three power laws, in parameters, tokens and compute."""

from dataclasses import replace

from bayes_scaling.laws import common, ops
from bayes_scaling.laws.coordinates import Additive, Chained, Product
from bayes_scaling.laws.law import Inputs, Law, Slopes, Values
from bayes_scaling.laws.parameter import Parameter

__all__ = ["PRODUCT", "PRODUCT_FLOOR"]

_EXPONENTS = {"params": "alpha_N", "tokens": "alpha_D", "flops": "alpha_C"}


def _log_power(x: Inputs, p: Values) -> ops.Array:
    return (
        ops.log(p["L0"])
        - p["alpha_N"] * x["params"]
        - p["alpha_D"] * x["tokens"]
        - p["alpha_C"] * x["flops"]
    )


def _log_curve_floor(x: Inputs, p: Values) -> ops.Array:
    return ops.logaddexp(ops.log(p["floor"]), _log_power(x, p))


def _slopes(p: Values) -> Slopes:
    return {"L0": {column: p[name] for column, name in _EXPONENTS.items()}}


def _exponent(name: str, of: str) -> Parameter:
    return common.exponent(name, of, median=0.06, sd=0.8)


PRODUCT = Law(
    name="product",
    formula="L0·(N/N0)^-alpha_N·(D/D0)^-alpha_D·(C/C0)^-alpha_C",
    inputs=("params", "tokens", "flops"),
    parameters=(
        common.level("L0", "loss at the reference point (N0, D0, C0)"),
        _exponent("alpha_N", "parameters"),
        _exponent("alpha_D", "tokens"),
        _exponent("alpha_C", "compute"),
    ),
    reference="product of the single-factor laws of Kaplan et al. 2020, arXiv:2001.08361",
    log_curve=_log_power,
    slopes=_slopes,
    coordinates=Product(),
    limitations=(
        (
            "Where C = 6·N·D only alpha_N + alpha_C and alpha_D + alpha_C can be learned; the "
            "split between them is the prior's."
        ),
        (
            "With C = 6·N·D it has no compute-optimal size inside the limits: everything goes to "
            "the factor with the larger exponent."
        ),
    ),
)

PRODUCT_FLOOR = replace(
    PRODUCT,
    name="product-floor",
    formula="floor + L0·(N/N0)^-alpha_N·(D/D0)^-alpha_D·(C/C0)^-alpha_C",
    parameters=(
        common.FLOOR,
        common.amplitude("L0", "finite size, data and compute"),
        common.exponent("alpha_N", "parameters", median=0.15, sd=0.8),
        common.exponent("alpha_D", "tokens", median=0.15, sd=0.8),
        common.exponent("alpha_C", "compute", median=0.1, sd=0.8),
    ),
    log_curve=_log_curve_floor,
    # The slopes of the curve are collinear as the exponents are, so both maps are wanted.
    coordinates=Chained(Additive({"L0": tuple(_EXPONENTS.values())}), Product()),
)
