"""Reference frames: at which sizes, and in which unit of loss, parameters are stated.

Results are stated at one reference point for all families, in the unit of the table. So are weak
priors. A prior learned from many studies instead holds at the middle of a family's own runs, in
units of its own typical loss, whatever its tokenizer and its sizes. Such a
model is built in standardised terms, and its draws are brought back to those of the results.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.laws import Law, Parameter

__all__ = ["Design", "ReferenceFrame"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Design:
    """The runs of a fit as arrays along ``run``.

    Parameters
    ----------
    inputs : dict of str to (run,) array
        Log inputs relative to the common reference point.
    family : (run,) array of int
        Index into the families of the specification.
    log_loss : (run,) array
        Natural log of the loss.
    relative_se : (run,) array
        Known standard error of the loss divided by the loss; 0 where none is known.
    run : (run,) array of str
        Names of the runs.
    """

    inputs: Mapping[str, Floats]
    family: NDArray[np.int64]
    log_loss: Floats
    relative_se: Floats
    run: tuple[str, ...]
    centres: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class ReferenceFrame:
    """Reference points and units of the parameters, from a table of runs.

    Parameters
    ----------
    reference : dict of str to float
        By input, natural log of the common reference point; amplitudes are the loss there.
    centres : dict of str to tuple of float
        By input, natural log of each family's geometric middle.
    loss_scale : float
        Typical loss, the unit of priors that are relative to the loss.
    loss_scales : tuple of float
        That of each family.
    own : bool
        Whether priors hold at each family's own middle and in units of its own typical loss, and
        not at the common reference point.
    """

    reference: Mapping[str, float]
    centres: Mapping[str, tuple[float, ...]]
    loss_scale: float
    loss_scales: tuple[float, ...] = ()
    own: bool = False

    @property
    def standard(self) -> "ReferenceFrame":
        """The frame that :meth:`standardise` leads to, where the model is stated."""
        if not self.own:
            return self
        return replace(
            self,
            reference=dict.fromkeys(self.reference, 0.0),
            centres={name: (0.0,) * len(values) for name, values in self.centres.items()},
            loss_scale=1.0,
            loss_scales=(1.0,) * len(self.loss_scales),
            own=False,
        )

    @property
    def shift(self) -> dict[str, Floats]:
        """By input, log of each family's middle over the reference point."""
        return {n: np.asarray(self.centres[n]) - self.reference[n] for n in self.reference}

    def centre_values(self, law: Law) -> dict[str, Floats]:
        """Middles of families that the curve of a law reads, over the reference point, by family.

        Parameters
        ----------
        law : Law
            See :attr:`Law.centres`. None where priors hold at the common reference point.
        """
        if not self.own:
            return {}
        return {f"centre_{name}": np.exp(self.shift[name]) for name in law.centres}

    def log_median(self, parameter: Parameter) -> float:
        """Natural log of the prior median in the parameter's unit."""
        scale = self.loss_scale if parameter.of_loss else 1.0
        return math.log(parameter.prior.median * scale)

    def standardise(self, design: Design) -> Design:
        """Return the runs in the frame in which priors hold.

        Parameters
        ----------
        design : Design
            Inputs relative to the reference point, losses in the unit of the table. The same is
            returned where priors hold there.
        """
        if not self.own:
            return design
        inputs = {n: value - self.shift[n][design.family] for n, value in design.inputs.items()}
        log_loss = design.log_loss - np.log(self.loss_scales)[design.family]
        return replace(design, inputs=inputs, log_loss=log_loss, centres={})

    def unstandardise(self, law: Law, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Named parameters at the common reference point and in the unit of the loss.

        Parameters
        ----------
        law : Law
            Whose parameters.
        values : mapping of str to array or PyTensor variable
            In standardised terms, as :func:`bayes_scaling.model.nodes.named_values` names them;
            the last axis of a parameter is that of families. Medians over families become those
            of families whose middle is the reference point.
        """
        if not self.own:
            return values
        back = {name: -shift for name, shift in self.shift.items()}
        moved = law.move({name: values[name] for name in law.names}, back)
        result = {**values, **{name: moved[name] for name in law.names}}
        for name in [p.name for p in law.parameters if p.of_loss]:
            result[name] = result[name] * np.array(self.loss_scales)
            if (median := f"{name}_population") in values:
                result[median] = values[median] * self.loss_scale
        return result
