"""Loss along C = 6·N·D, and the compute-optimal size of every draw in closed form."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.model import ReferenceFrame, Spec, Typical

__all__ = ["closed_form", "log_loss_at"]

Floats = NDArray[np.float64]


def log_loss_at(
    spec: Spec,
    frame: ReferenceFrame,
    values: Mapping[str, Floats],
    log_params: Floats,
    log_tokens: Floats,
    *,
    log_unique: Floats | None = None,
    usual: Typical | None = None,
    stated: Mapping[str, Floats] | None = None,
) -> Floats:
    """Log loss of N parameters trained on D tokens, C = 6·N·D.

    Inputs with a best value take it, draw by draw.

    Parameters
    ----------
    spec, frame : Spec, ReferenceFrame
        Law and reference point.
    values : mapping of str to array
        Parameters at the reference point, dims (..., sample) that broadcast with the sizes.
    log_params, log_tokens : array
        Natural logs of N and D.
    log_unique : array, optional
        Natural log of the unique tokens; every token is fresh if not given.
    usual : Typical, optional
        Batch and shape, where the law reads them.
    stated : mapping of str to array, optional
        Natural logs of further inputs, in place of what is usual or best.
    """
    where = {
        "params": log_params,
        "tokens": log_tokens,
        "flops": log_params + log_tokens + np.log(6.0),
        "unique_tokens": log_tokens if log_unique is None else log_unique,
    }
    if usual and not set(spec.law.inputs) <= set(where):
        where |= usual.logs(where["params"], where["tokens"])
    where |= {name: best(values) + frame.reference[name] for name, best in spec.law.best.items()}
    where |= stated or {}
    x = {name: where[name] - frame.reference[name] for name in spec.law.inputs}
    result: Floats = spec.law.log_curve(x, values)
    return result


def closed_form(
    spec: Spec, frame: ReferenceFrame, values: Mapping[str, Floats], log_flops: float
) -> Floats:
    """Log of the compute-optimal N by the law's own formula, dims (sample,).

    Hoffmann et al. 2022, Eq. 4, in logs relative to the reference point.
    """
    optimum = spec.law.closed_forms.optimum
    if optimum is None:
        raise ValueError(f"law {spec.law.name!r} has no closed-form optimum")
    reference = frame.reference
    left = log_flops - np.log(6.0) - reference["params"] - reference["tokens"]
    result: Floats = optimum(left, values) + reference["params"]
    return result
