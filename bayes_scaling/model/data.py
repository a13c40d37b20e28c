"""What a table of runs decides of a model, apart from its structure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.model.design import Design
from bayes_scaling.model.spec import Spec

__all__ = ["data_of"]


def data_of(spec: Spec, design: Design) -> dict[str, NDArray[Any]]:
    """What a compiled model can be given anew: everything that a table of runs decides.

    Parameters
    ----------
    spec : Spec
        Its prior medians, ``prior_median``, in the order of its parameters.
    design : Design
        ``x_<input>``, ``family_index``, ``relative_se`` and ``observed_log_loss``, by run.
    """
    return {
        **{f"x_{name}": value for name, value in design.inputs.items()},
        "family_index": design.family,
        "relative_se": design.relative_se,
        "observed_log_loss": design.log_loss,
        "prior_median": np.array([spec.log_median(p) for p in spec.parameters]),
    }
