"""The law of Kaplan et al. (2020) in parameters and tokens."""

from bayes_scaling.laws import common, ops
from bayes_scaling.laws.closed_forms import ClosedForms
from bayes_scaling.laws.coordinates import Additive
from bayes_scaling.laws.law import Inputs, Law, Values

__all__ = ["KAPLAN"]


def _log_curve(x: Inputs, p: Values) -> ops.Array:
    # With A = N_c^alpha_N and B = D_c^alpha_D, both terms of Eq. 1.5 are those of the loss to the
    # power 1 / alpha_D.
    size = (ops.log(p["A"]) - p["alpha_N"] * x["params"]) / p["alpha_D"]
    data = ops.log(p["B"]) / p["alpha_D"] - x["tokens"]
    return p["alpha_D"] * ops.logaddexp(size, data)


def _optimum(log_flops_6: ops.Array, p: Values) -> ops.Array:
    # alpha_N / alpha_D times the first term of the sum equals the second.
    balance = ops.log(p["alpha_N"]) - ops.log(p["alpha_D"])
    ratio = (ops.log(p["A"]) - ops.log(p["B"])) / p["alpha_D"]
    return (balance + ratio + log_flops_6) / (1.0 + p["alpha_N"] / p["alpha_D"])


KAPLAN = Law(
    name="kaplan",
    formula="(A^(1/alpha_D)·N^-(alpha_N/alpha_D) + B^(1/alpha_D)·D^-1)^alpha_D",
    inputs=("params", "tokens"),
    parameters=(
        common.amplitude("A", "finite size"),
        common.amplitude("B", "finite data"),
        common.exponent("alpha_N", "parameters", median=0.12, sd=0.8),
        common.exponent("alpha_D", "tokens", median=0.12, sd=0.8),
    ),
    reference="Kaplan et al. 2020, Eq. 1.5, arXiv:2001.08361; A = N_c^alpha_N, B = D_c^alpha_D",
    log_curve=_log_curve,
    slopes=common.slopes_of_two,
    closed_forms=ClosedForms(_optimum, common.params_exponent_of_two, common.frontier_of_two),
    coordinates=Additive({"A": ("alpha_N",), "B": ()}, outer="alpha_D", floor=False, inside=False),
    limitations=(
        "It has no floor: it falls to zero, so far forecasts come out too low where there is one.",
        "Kaplan et al. count N without embeddings; check which count your runs have.",
    ),
)
