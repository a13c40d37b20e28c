"""Utility of training further: the value of a lower loss less the cost of training."""

import math
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.core.old_names import old_names
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["TENTH", "Stakes", "Utility"]

Floats = NDArray[np.float64]

TENTH = 1.1
"""Factor on the present length by which gains are measured where there are no prices."""


@old_names(worth="value_per_nat")
@dataclass(frozen=True)
class Utility:
    """Utility of training further: the value of a lower loss less the cost of training.

    Parameters
    ----------
    cost : float or None
        Cost of one step or token (what the curve's axis counts), in ``currency``.
    value_per_nat : float or None
        Value of a loss lower by 1, in ``currency``.
    least_gain : float
        Fraction of the loss that a tenth more training must save to pay, where cost or value are
        not known.
    currency : str
        Unit of both.

    Raises
    ------
    ScenarioError
        If a number is out of range.

    Examples
    --------
    >>> utility = Utility(cost=0.4, value_per_nat=2e6)
    >>> utility.value(np.array([1e-3]), 1000.0, np.array([2000.0]), loss=2.5)
    array([1600.])
    """

    cost: float | None = None
    value_per_nat: float | None = None
    least_gain: float = 1e-3
    currency: str = "USD"

    def __post_init__(self) -> None:
        if (self.cost is None) != (self.value_per_nat is None):
            known, other = (
                ("value_per_nat", "cost") if self.cost is None else ("cost", "value_per_nat")
            )
            raise ScenarioError(f"{known} is given without {other}; give both or none")
        if self.least_gain >= 1:
            raise ScenarioError(f"least_gain is {self.least_gain:g}, a fraction below 1 is needed")
        examples = {"cost": "0.2", "value_per_nat": "1e6", "least_gain": "0.001"}
        for name, example in examples.items():
            value = getattr(self, name)
            if value is not None:
                in_unit(name, value, "", example)

    @property
    def priced(self) -> bool:
        """Whether values are in money."""
        return self.cost is not None and self.value_per_nat is not None

    def value(self, gain: Floats, now: float, later: Floats, loss: float) -> Floats:
        """Return the value of training from one place to another, less its cost.

        Parameters
        ----------
        gain : array
            Loss saved.
        now, later : float, array
            Positions, in steps or tokens.
        loss : float
            Present loss.

        Returns
        -------
        array
            Dims as the gain; in money, or in loss where cost and value are not known: each tenth
            more training then costs ``least_gain`` of the present loss.
        """
        if self.cost is not None and self.value_per_nat is not None:
            return self.value_per_nat * gain - self.cost * (later - now)
        price = self.least_gain * loss / math.log(TENTH)
        return gain - price * np.log(later / now)


class Stakes(Utility):
    """Utility under the name of version 0.1, which is deprecated."""

    def __post_init__(self) -> None:
        warnings.warn("Stakes is deprecated; use Utility", DeprecationWarning, stacklevel=4)
        super().__post_init__()
