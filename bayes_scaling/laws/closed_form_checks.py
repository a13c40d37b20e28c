"""Closed forms of a law against the numeric search along C = 6·N·D."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.errors import LawError
from bayes_scaling.laws.closed_forms import ClosedForms
from bayes_scaling.laws.compute_optimum import numeric
from bayes_scaling.laws.law import Law
from bayes_scaling.laws.law_inputs import inputs_at
from bayes_scaling.laws.signature import fixed_points

__all__ = ["check_closed_forms"]

Floats = NDArray[np.float64]

_BUDGETS = np.array([-6.0, 0.0, 6.0, 12.0])
"""Logs of C / 6 relative to the reference point."""
_RANGE = 100.0
"""How far from the middle of the budget line, in log N, the minimum is searched."""
_LEVELS = {"batch_tokens": -100.0, "step": 100.0}
"""Typical values: a batch far below the critical one, so that compute is all that counts."""
_TOLERANCE = 1e-4
_FLAT = 1e-12
"""Difference in log loss that a search does not see."""


@lru_cache(maxsize=256)
def check_closed_forms(law: Law) -> None:
    """Hold the closed forms of a law against a search, once for equal laws.

    That is at several budgets, and at parameters about the medians of the priors, taken as those
    at the reference point. Every token is fresh, inputs with a best value have it, and batches are
    small.
    """
    forms = law.closed_forms
    if forms == ClosedForms():
        return
    # Axes: budget, draw.
    values = {name: value[None, :] for name, value in _draws(law).items()}
    log_c = np.repeat(_BUDGETS[:, None], values[law.names[0]].size, axis=1)
    with np.errstate(all="ignore"):
        found, loss = _searched(law, values, log_c)
        # A loss without a minimum inside has no frontier.
        step, grown = np.diff(log_c, axis=0), np.diff(found, axis=0)
        if forms.optimum is not None:
            value = _evaluated(law, "optimum", forms.optimum, (log_c, values), log_c)
            flat = np.abs(_log_loss(law, values, value, log_c) - loss) < _FLAT
            _hold(law, "optimum", "log N*", np.where(flat, found, value), found)
        if forms.params_exponent is not None:
            value = _evaluated(law, "params_exponent", forms.params_exponent, (values,), step)
            _hold(law, "params_exponent", "d log N* / d log C", value, grown / step)
        if forms.frontier is not None:
            value = _evaluated(law, "frontier", forms.frontier, (values,), step)
            floor = values["floor"] if law.has_floor else 0.0
            fall = -np.diff(np.log(np.exp(loss) - floor), axis=0) / step
            fall = np.where(np.isnan(grown), np.nan, fall)
            _hold(law, "frontier", "-d log(loss - floor) / d log C", value, fall)


def _draws(law: Law) -> dict[str, Floats]:
    """Parameters within half a prior sd of the medians."""
    _, unit = fixed_points(law)
    return {
        p.name: p.prior.median * np.exp(p.prior.sd * (unit[p.name] - 0.5) / 0.6)
        for p in law.parameters
    }


def _log_loss(law: Law, values: Mapping[str, Any], log_n: Floats, log_c: Floats) -> Floats:
    """Log loss at sizes along the budget line."""
    log_d = log_c - log_n
    where = inputs_at(law, log_n, log_d, dict.fromkeys(law.inputs, 0.0) | _LEVELS)
    where |= {name: best(values) for name, best in law.best.items()}
    return np.asarray(law.log_curve({name: where[name] for name in law.inputs}, values))


def _searched(law: Law, values: Mapping[str, Any], log_c: Floats) -> tuple[Floats, Floats]:
    """Log N* and the log loss there; NaN where the loss falls without end."""
    flat = {name: np.broadcast_to(value, log_c.shape).ravel() for name, value in values.items()}
    budget = log_c.ravel()

    def along(off: Floats) -> Floats:
        size = np.broadcast_to(budget / 2 + off, np.broadcast_shapes(off.shape, budget.shape))
        found = np.broadcast_to(_log_loss(law, flat, size, budget), size.shape)
        # So far out an expression may overflow, and NaN would be taken for the least.
        return np.where(np.isnan(found), np.inf, found)

    off = numeric(along, (-_RANGE, _RANGE), budget.size)
    loss = along(off)
    endless = (np.abs(off) > _RANGE - 1.0) & (along(np.zeros_like(off)) - loss > _FLAT)
    found = np.where(endless, np.nan, budget / 2 + off)
    return found.reshape(log_c.shape), loss.reshape(log_c.shape)


def _evaluated(
    law: Law, name: str, form: Callable[..., Any], of: tuple[Any, ...], like: Floats
) -> Floats:
    """Evaluate a closed form for every budget and draw."""
    try:
        return np.broadcast_to(np.asarray(form(*of), dtype=np.float64), like.shape)
    # The expression is a user's, and may raise anything.
    except Exception as error:
        raise LawError(
            f"{name} of law {law.name!r} cannot be evaluated on NumPy arrays "
            f"({type(error).__name__}: {error}); see bayes_scaling.laws.ClosedForms"
        ) from error


def _hold(law: Law, name: str, what: str, value: Floats, found: Floats) -> None:
    """Refuse a closed form that is not what was found."""
    wrong = ~(np.abs(value - found) <= _TOLERANCE * np.maximum(1.0, np.abs(found)))
    if wrong.any():
        at = tuple(np.argwhere(wrong)[0])
        finds = "no minimum" if np.isnan(found[at]) else f"{found[at]:.6g}"
        raise LawError(
            f"closed form {name} of law {law.name!r} gives {what} = {value[at]:.6g} where the "
            f"numeric search along C = 6·N·D finds {finds}; correct it, or leave it out: plans "
            "are searched without it"
        )
