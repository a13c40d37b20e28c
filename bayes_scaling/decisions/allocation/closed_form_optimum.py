"""Loss along C = 6·N·D, and the compute-optimal size of every draw in closed form."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.model import ReferenceFrame, Spec

__all__ = ["closed_form"]

Floats = NDArray[np.float64]


def closed_form(
    spec: Spec, frame: ReferenceFrame, values: Mapping[str, Floats], log_flops: float
) -> Floats:
    """Compute the log of the compute-optimal N by the law's own formula, dims (sample,).

    Hoffmann et al. 2022, Eq. 4, in logs relative to the reference point.
    """
    optimum = spec.law.closed_forms.optimum
    if optimum is None:
        raise ValueError(f"law {spec.law.name!r} has no closed-form optimum")
    reference = frame.reference
    left = log_flops - np.log(6.0) - reference["params"] - reference["tokens"]
    result: Floats = optimum(left, values) + reference["params"]
    return result
