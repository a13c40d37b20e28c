"""What more training costs, and what a lower loss is worth."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.quantities import in_unit

__all__ = ["TENTH", "Stakes"]

Floats = NDArray[np.float64]

TENTH = 1.1
"""Times as much training as now, by which gains are reckoned where there are no prices."""


@dataclass(frozen=True)
class Stakes:
    """What more training costs, and what a lower loss is worth.

    Parameters
    ----------
    cost : float or None
        Of one step or token (what the curve's axis counts), in ``currency``.
    worth : float or None
        Of a loss lower by 1, in ``currency``.
    least_gain : float
        Where cost or worth are not known: the share of the loss that a tenth more training must
        save for it to pay.
    currency : str
        Of both.

    Raises
    ------
    ScenarioError
        If a number is out of range.
    """

    cost: float | None = None
    worth: float | None = None
    least_gain: float = 1e-3
    currency: str = "USD"

    def __post_init__(self) -> None:
        if (self.cost is None) != (self.worth is None):
            given, other = ("worth", "cost") if self.cost is None else ("cost", "worth")
            raise ScenarioError(f"{given} is given without {other}; give both or none")
        if self.least_gain >= 1:
            raise ScenarioError(f"least_gain is {self.least_gain:g}, a share below 1 is needed")
        for name, example in (("cost", "0.2"), ("worth", "1e6"), ("least_gain", "0.001")):
            value = getattr(self, name)
            if value is not None:
                in_unit(name, value, "", example)

    @property
    def priced(self) -> bool:
        """Whether values are in money."""
        return self.cost is not None and self.worth is not None

    def value(self, gain: Floats, now: float, later: Floats, loss: float) -> Floats:
        """What running from ``now`` on is worth, less its cost, dims as the gain.

        In money, or in loss where cost and worth are not known: each tenth more training then
        costs ``least_gain`` of the present loss.
        """
        if self.cost is not None and self.worth is not None:
            return self.worth * gain - self.cost * (later - now)
        price = self.least_gain * loss / math.log(TENTH)
        return gain - price * np.log(later / now)
