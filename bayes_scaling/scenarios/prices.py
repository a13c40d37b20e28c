"""What configurations cost: devices, data and the tokens a model will serve."""

from typing import Annotated, ClassVar

import msgspec

from bayes_scaling.core.records import about
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.amounts import Amount, Fixed
from bayes_scaling.scenarios.field import quantity, uncertain
from bayes_scaling.scenarios.part import Part

__all__ = ["Compute", "Data", "Inference"]

Currency = Annotated[str, about("Of the price; that of its text or of the scenario if not given.")]


def _nothing() -> Amount:
    return Fixed(0.0)


class Compute(Part, frozen=True):
    """Devices, and what they cost.

    Attributes
    ----------
    speed : Amount
        Peak of one device, FLOP/s.
    utilisation : Amount
        Share of the peak that training makes use of, 0 to 1.
    price : Amount or None
        Price of one device, currency per second.
    devices : float or None
        Number of devices; a budget of time needs it.
    currency : str or None
        Currency of the price; that of its text if not given.

    Raises
    ------
    ScenarioError
        If a number is out of range or of another dimension.

    Notes
    -----
    An amount is one of :mod:`bayes_scaling.scenarios.amounts` in the unit named above, or what a
    scenario file has: text with a unit ("989 TFLOP/s"), or a mapping of low, likely and high, or
    of q05 and q95.

    Examples
    --------
    >>> devices = bs.Compute("989 TFLOP/s", 0.4, "3.6 USD/hour")
    >>> devices.speed, devices.utilisation, devices.price, devices.currency
    (989000000000000.0, 0.4, 0.001, 'USD')
    """

    place: ClassVar[str] = "compute."
    example: ClassVar[str] = 'Compute("989 TFLOP/s", 0.4, "2.5 USD/hour")'

    speed: Annotated[Amount, uncertain("Peak of one device.", "FLOP/second", '"989 TFLOP/s"')]
    utilisation: Annotated[Amount, uncertain("Share of it that training uses.", "", "0.4", le=1)]
    price: (
        Annotated[Amount, uncertain("Of one device.", "currency/second", '"2.5 USD/hour"')] | None
    ) = None
    devices: Annotated[float, quantity("How many there are.", "device", "512", gt=0)] | None = None
    currency: Currency | None = None


class Data(Part, frozen=True):
    """Unique tokens, and what they cost.

    Attributes
    ----------
    price : Amount
        Price of acquiring and curating one token, currency.
    owned : float
        Tokens already there, which cost nothing.
    currency : str or None
        Currency of the price; that of its text if not given.

    Raises
    ------
    ScenarioError
        If a number is out of range or of another dimension; for amounts see :class:`Compute`.

    Examples
    --------
    >>> bs.Data("0.5 USD/Mtoken", owned="2 Ttoken").owned
    2000000000000.0
    """

    place: ClassVar[str] = "data."
    example: ClassVar[str] = 'Data("0.5 USD/Mtoken")'

    price: Annotated[
        Amount,
        uncertain(
            "Of acquiring and curating a unique token.", "currency/token", '"0.5 USD/Mtoken"', ge=0
        ),
    ]
    owned: Annotated[float, quantity("Tokens already there.", "token", '"2 Ttoken"', ge=0)] = 0.0
    currency: Currency | None = None


class Inference(Part, frozen=True):
    """Tokens that the model will serve in its life.

    Attributes
    ----------
    prompt_tokens, output_tokens : Amount
        Tokens read and written.
    prompt_utilisation, output_utilisation : Amount or None
        Share of a device's peak in reading and writing; that of training if not given.

    Raises
    ------
    ScenarioError
        If a number is out of range or of another dimension; for amounts see :class:`Compute`.

    Examples
    --------
    >>> bs.Inference("20 Ttoken", output_utilisation=0.1).prompt_tokens
    20000000000000.0
    """

    place: ClassVar[str] = "inference."
    example: ClassVar[str] = 'Inference("20 Ttoken")'

    prompt_tokens: Annotated[
        Amount, uncertain("Tokens read in the model's life.", "token", '"20 Ttoken"', ge=0)
    ] = msgspec.field(default_factory=_nothing)
    output_tokens: Annotated[
        Amount, uncertain("Tokens written in the model's life.", "token", '"5 Ttoken"', ge=0)
    ] = msgspec.field(default_factory=_nothing)
    prompt_utilisation: (
        Annotated[Amount, uncertain("Share of the peak in reading.", "", "0.4", le=1)] | None
    ) = None
    output_utilisation: (
        Annotated[Amount, uncertain("Share of the peak in writing.", "", "0.1", le=1)] | None
    ) = None

    def check(self) -> None:
        """Refuse a model that serves nothing."""
        if self.prompt_tokens == self.output_tokens == _nothing():
            raise ScenarioError("inference has no tokens; it needs prompt_tokens or output_tokens")
