"""What may be spent and what is wanted, as a checked object."""

import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from bayes_scaling.decisions.amounts import Fixed, LogNormal, Pert
from bayes_scaling.decisions.costs import Compute, Data, Inference
from bayes_scaling.decisions.limits import Limits
from bayes_scaling.decisions.risk import Risk
from bayes_scaling.decisions.units import in_unit
from bayes_scaling.errors import ScenarioError

__all__ = ["Limits", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """Budgets, prices, limits, and how to judge what they buy.

    Parameters
    ----------
    budget_flops : float or None
        Compute in FLOP: of training and, where ``inference`` is given, of serving as well.
    risk : Risk
        What to minimise.
    family : str or None
        Whose law; None where the fit has one family.
    target_loss : float or None
        A loss to reach, in the loss unit of the fit.
    limits : Limits
        Bounds on a configuration.
    money : float or None
        Budget in ``currency``, for training, data and serving.
    seconds : float or None
        Wall-clock of training, seconds.
    confidence : float
        Probability with which uncertain costs stay within the budgets.
    compute : Compute, optional
        Devices and their price.
    data : Data, optional
        Price of unique tokens. Without it tokens cost nothing but compute.
    inference : Inference, optional
        Tokens to be served.
    worth : float or None
        What a loss lower by 1 is worth, ``currency``.
    currency : str
        Of every price.

    Raises
    ------
    ScenarioError
        If there is no budget, a budget lacks the prices it needs, or a number is out of range.
    """

    budget_flops: float | None = None
    risk: Risk = field(default_factory=Risk)
    family: str | None = None
    target_loss: float | None = None
    limits: Limits = field(default_factory=Limits)
    money: float | None = None
    seconds: float | None = None
    confidence: float = 0.5
    compute: Compute | None = None
    data: Data | None = None
    inference: Inference | None = None
    worth: float | None = None
    currency: str = "USD"

    def __post_init__(self) -> None:
        budgets = {
            "budget": (self.budget_flops, '"1e23 FLOP"'),
            "money": (self.money, '"2.5 MUSD"'),
            "time": (self.seconds, '"3 weeks"'),
            "target_loss": (self.target_loss, "2.0"),
            "worth": (self.worth, '"5 MUSD"'),
        }
        for name, (value, example) in budgets.items():
            if value is not None:
                in_unit(name, value, "", example)
        if self.budget_flops is None and self.money is None and self.seconds is None:
            raise ScenarioError(
                'the scenario has no budget; write [budget] compute = "1e23 FLOP", or money or time'
            )
        if not 0 < self.confidence < 1:
            raise ScenarioError(
                f"confidence is {self.confidence!r}, a number between 0 and 1 is needed"
            )
        self._check_prices()

    @property
    def priced(self) -> bool:
        """Whether costs count in money: the price of compute is known."""
        return self.compute is not None and self.compute.price is not None

    def to_dict(self) -> dict[str, Any]:
        """Everything that was asked, as plain values; limits that are none are left out."""
        limits = {name: v for name, v in asdict(self.limits).items() if math.isfinite(v) and v}
        return {
            "budget_flops": self.budget_flops,
            "money": self.money,
            "seconds": self.seconds,
            "confidence": self.confidence,
            "currency": self.currency,
            "family": self.family,
            "target_loss": self.target_loss,
            "worth": self.worth,
            "risk": asdict(self.risk),
            "limits": limits,
            **{
                name: None if part is None else _plain(part)
                for name, part in (
                    ("compute", self.compute),
                    ("data", self.data),
                    ("inference", self.inference),
                )
            },
        }

    def _check_prices(self) -> None:
        if self.money is not None and not self.priced:
            raise ScenarioError(
                "a budget of money needs [compute] with price, speed and utilisation"
            )
        if self.seconds is not None and (self.compute is None or self.compute.devices is None):
            raise ScenarioError(
                "a budget of time needs [compute] with speed, utilisation and devices"
            )


def _plain(part: Compute | Data | Inference) -> dict[str, Any]:
    """Amounts by the numbers that were given."""
    values = {entry.name: getattr(part, entry.name) for entry in fields(part)}
    return {
        name: value.to_dict() if isinstance(value, Fixed | Pert | LogNormal) else value
        for name, value in values.items()
    }
