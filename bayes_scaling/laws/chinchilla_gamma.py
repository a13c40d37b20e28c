"""The additive law with an outer exponent on the reducible loss."""

from bayes_scaling.laws import common, ops
from bayes_scaling.laws.closed_forms import ClosedForms
from bayes_scaling.laws.coordinates import Additive
from bayes_scaling.laws.law import Inputs, Law, Slopes, Values
from bayes_scaling.laws.parameter import Parameter, Prior

__all__ = ["CHINCHILLA_GAMMA"]


def _log_curve(x: Inputs, p: Values) -> ops.Array:
    gamma = p["gamma"]
    size = ops.log(p["A"]) / gamma - p["alpha_N"] * x["params"]
    data = ops.log(p["B"]) / gamma - p["alpha_D"] * x["tokens"]
    return ops.logaddexp(ops.log(p["floor"]), gamma * ops.logaddexp(size, data))


def _slopes(p: Values) -> Slopes:
    return {
        "A": {"params": p["gamma"] * p["alpha_N"]},
        "B": {"tokens": p["gamma"] * p["alpha_D"]},
    }


def _frontier(p: Values) -> ops.Array:
    return p["gamma"] * p["alpha_N"] * p["alpha_D"] / (p["alpha_N"] + p["alpha_D"])


def _optimum(log_flops_6: ops.Array, p: Values) -> ops.Array:
    # The outer power is monotone, so the optimum is that of the sum inside it.
    inner = (ops.log(p["A"]) - ops.log(p["B"])) / p["gamma"]
    balance = inner + ops.log(p["alpha_N"]) - ops.log(p["alpha_D"])
    return (balance + p["alpha_D"] * log_flops_6) / (p["alpha_N"] + p["alpha_D"])


CHINCHILLA_GAMMA = Law(
    name="chinchilla-gamma",
    formula="floor + (A^(1/gamma)·N^-alpha_N + B^(1/gamma)·D^-alpha_D)^gamma",
    inputs=("params", "tokens"),
    parameters=(
        common.FLOOR,
        common.amplitude("A", "finite size"),
        common.amplitude("B", "finite data"),
        common.exponent("alpha_N", "parameters, inside the outer power", median=0.5, sd=0.5),
        common.exponent("alpha_D", "tokens, inside the outer power", median=0.5, sd=0.5),
        Parameter(
            name="gamma",
            prior=Prior(median=0.6, sd=0.35, spread=0.15),
            unit="1",
            meaning="outer exponent; 1 is the additive law",
            reason="95% between 0.30 and 1.19; most real families want about a half",
        ),
    ),
    reference="the additive law of Hoffmann et al. 2022 (arXiv:2203.15556) under an outer power",
    log_curve=_log_curve,
    slopes=_slopes,
    closed_forms=ClosedForms(_optimum, common.params_exponent_of_two, _frontier),
    coordinates=Additive({"A": ("alpha_N",), "B": ("alpha_D",)}, outer="gamma"),
    remarks=(
        (
            "A and B are losses (the loss each cause alone would add), so they mean the same for "
            "every gamma; the exponents far from the optimum are gamma·alpha_N and gamma·alpha_D."
        ),
    ),
)
