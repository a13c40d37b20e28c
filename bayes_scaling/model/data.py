"""What a table of runs decides of a model, apart from its structure."""

from typing import Any

from numpy.typing import NDArray

from bayes_scaling.model.frame import Design, ReferenceFrame
from bayes_scaling.model.nodes import PRIOR_MEDIAN, prior_medians
from bayes_scaling.model.spec import Spec

__all__ = ["data_of"]


def data_of(spec: Spec, frame: ReferenceFrame, design: Design) -> dict[str, NDArray[Any]]:
    """What a compiled model can be given anew: everything that a table of runs decides.

    Parameters
    ----------
    spec, frame : Spec, ReferenceFrame
        Prior medians in standardised terms, ``prior_median``, in the order of the parameters.
    design : Design
        Standardised: ``x_<input>``, ``family_index``, ``relative_se`` and ``observed_log_loss``,
        by run.
    """
    design = frame.standardise(design)
    return {
        **{f"x_{name}": value for name, value in design.inputs.items()},
        "family_index": design.family,
        "relative_se": design.relative_se,
        "observed_log_loss": design.log_loss,
        PRIOR_MEDIAN: prior_medians(spec, frame),
    }
