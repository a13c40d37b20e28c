"""The additive law of Hoffmann et al. (2022)."""

from bayes_scaling.laws import common, ops
from bayes_scaling.laws.closed_forms import ClosedForms
from bayes_scaling.laws.coordinates import Additive
from bayes_scaling.laws.law import Inputs, Law, Values

__all__ = ["CHINCHILLA"]


def _log_curve(x: Inputs, p: Values) -> ops.Array:
    size = ops.log(p["A"]) - p["alpha_N"] * x["params"]
    data = ops.log(p["B"]) - p["alpha_D"] * x["tokens"]
    return ops.logaddexp(ops.log(p["floor"]), ops.logaddexp(size, data))


def _optimum(log_flops_6: ops.Array, p: Values) -> ops.Array:
    # Hoffmann et al., Eq. 4: G (C/6)^a with G = (alpha A / (beta B))^(1 / (alpha + beta)).
    balance = ops.log(p["alpha_N"] * p["A"]) - ops.log(p["alpha_D"] * p["B"])
    return (balance + p["alpha_D"] * log_flops_6) / (p["alpha_N"] + p["alpha_D"])


CHINCHILLA = Law(
    name="chinchilla",
    formula="floor + A·N^-alpha_N + B·D^-alpha_D",
    inputs=("params", "tokens"),
    parameters=(
        common.FLOOR,
        common.amplitude("A", "finite size"),
        common.amplitude("B", "finite data"),
        common.exponent("alpha_N", "parameters"),
        common.exponent("alpha_D", "tokens"),
    ),
    reference="Hoffmann et al. 2022, Eq. 2 and 4, arXiv:2203.15556",
    log_curve=_log_curve,
    slopes=common.slopes_of_two,
    closed_forms=ClosedForms(_optimum, common.params_exponent_of_two, common.frontier_of_two),
    coordinates=Additive({"A": ("alpha_N",), "B": ("alpha_D",)}),
    limitations=(
        (
            "Fitted to small runs it tends to overestimate the floor: forecasts far beyond the "
            "data come out too high, and their intervals too narrow."
        ),
    ),
)
