"""The law of Kaplan et al. (2020) in parameters and steps, with the critical batch size."""

from bayes_scaling.laws import common, ops
from bayes_scaling.laws.closed_forms import ClosedForms
from bayes_scaling.laws.coordinates import Additive
from bayes_scaling.laws.law import Inputs, Law, Slopes, Values
from bayes_scaling.laws.parameter import Parameter, Prior

__all__ = ["KAPLAN_STEPS"]

_STEPS = 4
"""Halley steps before the last one: together they reach 1e-14 on either side of B_crit."""


def _log_curve(x: Inputs, p: Values) -> ops.Array:
    size = ops.log(p["A"]) - p["alpha_N"] * x["params"]
    steps = ops.log(p["S"]) - p["alpha_S"] * x["step"]
    batch = ops.log(p["B_crit"]) - x["batch_tokens"]
    # Eq. 5.4: S_min = S / (1 + B_crit(L) / B), and B_crit(L) falls with the loss itself (Eq. 1.4),
    # so the loss solves an equation; the endless batch is a start from below.
    log_loss = ops.logaddexp(size, steps)
    for _ in range(_STEPS):
        log_loss = ops.fixed(_closer(log_loss, size, steps, batch, p))
    return _closer(log_loss, size, steps, batch, p)


def _closer(
    log_loss: ops.Array, size: ops.Array, steps: ops.Array, batch: ops.Array, p: Values
) -> ops.Array:
    """One Halley step."""
    waste = ops.softplus(batch - log_loss / p["alpha_B"])
    second = steps + p["alpha_S"] * waste
    right = ops.logaddexp(size, second)
    weight, small = ops.exp(second - right), ops.exp(-waste)
    ratio = p["alpha_S"] / p["alpha_B"]
    inner = -ratio * (1.0 - small)
    value, slope = right - log_loss, weight * inner - 1.0
    curve = weight * ((1.0 - small) * small * ratio / p["alpha_B"] + inner * inner * (1.0 - weight))
    return log_loss - 2.0 * value * slope / (2.0 * slope * slope - value * curve)


def _slopes(p: Values) -> Slopes:
    return {
        "A": {"params": p["alpha_N"]},
        "S": {"step": p["alpha_S"]},
        "B_crit": {"batch_tokens": 1.0},
    }


def _frontier(p: Values) -> ops.Array:
    # Eq. 6.4 (and B.9): the three exponents add as resistances do.
    return 1.0 / (1.0 / p["alpha_S"] + 1.0 / p["alpha_B"] + 1.0 / p["alpha_N"])


def _params_exponent(p: Values) -> ops.Array:
    # Eq. 6.5: N grows with C_min as the frontier exponent over its own.
    return _frontier(p) / p["alpha_N"]


KAPLAN_STEPS = Law(
    name="kaplan-steps",
    formula="A·N^-alpha_N + S·S_min^-alpha_S, S_min = steps / (1 + B_crit·L^(-1/alpha_B) / batch)",
    inputs=("params", "step", "batch_tokens"),
    parameters=(
        common.amplitude("A", "finite size"),
        common.amplitude("S", "finitely many steps with an endless batch"),
        common.exponent("alpha_N", "parameters", median=0.12, sd=0.8),
        common.exponent("alpha_S", "steps", median=0.5, sd=0.6),
        Parameter(
            name="B_crit",
            prior=Prior(median=10.0, sd=1.2, spread=0.3),
            unit="tokens",
            meaning="critical batch size where the loss is 1",
            reason="batches of a tenth to ten times the critical one at a loss of 1.6 nats",
            noncentred=True,
        ),
        Parameter(
            name="alpha_B",
            prior=Prior(median=0.21, sd=0.2, spread=0.1),
            unit="1",
            meaning="the critical batch size grows as loss^(-1/alpha_B)",
            reason="0.21 in the paper; a table with one batch size does not inform it",
            noncentred=True,
        ),
    ),
    reference="Kaplan et al. 2020, Eq. 1.4, 1.6, 5.4 and 6.4, arXiv:2001.08361",
    log_curve=_log_curve,
    slopes=_slopes,
    unit_dependent=True,
    closed_forms=ClosedForms(params_exponent=_params_exponent, frontier=_frontier),
    coordinates=Additive({"A": ("alpha_N",), "S": ("alpha_S",)}, floor=False),
    limitations=(
        "It has no floor: it falls to zero, so far forecasts come out too low where there is one.",
        (
            "With one batch size in the table the critical batch size stays with the prior, and "
            "sampling takes many times longer than with several."
        ),
        (
            "The prior of B_crit is set for losses in nats per token; in another unit the loss is "
            "1 elsewhere, and a table with one batch size does not correct it."
        ),
        "alpha_C and params_exponent hold for training far below the critical batch size.",
    ),
)
