"""What may be spent and what is wanted, as a checked object."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import msgspec

from bayes_scaling.core.arguments import shown
from bayes_scaling.core.records import about
from bayes_scaling.errors import ScenarioError
from bayes_scaling.runs.loss_units import LEGAL, conversion, parse_loss, parse_unit
from bayes_scaling.scenarios.alternatives import Alternative
from bayes_scaling.scenarios.field import quantity
from bayes_scaling.scenarios.limits import Limits, ShapeLimits
from bayes_scaling.scenarios.part import Part
from bayes_scaling.scenarios.prices import Compute, Data, Inference
from bayes_scaling.scenarios.quantities import CURRENCIES
from bayes_scaling.scenarios.risk import Risk
from bayes_scaling.scenarios.version_1_names import attribute, renamed

__all__ = ["Scenario", "checked_scenario"]


class Scenario(Part, frozen=True, kw_only=True):
    """Budgets, prices, limits, and how to judge what they buy.

    Attributes
    ----------
    compute_budget : float, str or None
        Compute in FLOP, or text with a unit ("1e23 FLOP"), as every budget and price may be: of
        training and, where ``inference`` is given, of serving as well.
    risk : Risk or str
        Measure of risk to minimise; one by its name has the default level.
    family : str or None
        Family whose law applies; None where the fit has one family.
    target_loss : float, str or None
        A loss to reach, in ``target_unit``; a text such as "0.83 bits/byte" states both.
    limits : Limits
        Bounds on a configuration.
    money_budget : float, str or None
        Money in ``currency``, for training, data and serving.
    time_budget : str or None
        Wall-clock of training, as text with a unit ("3 weeks"); kept in seconds.
    confidence : float
        Probability with which uncertain costs stay within the budgets.
    compute : Compute, optional
        Devices and their price.
    data : Data, optional
        Price of unique tokens. Without it tokens cost nothing but compute.
    inference : Inference, optional
        Tokens to be served.
    value_per_nat : float, str or None
        Value of a loss that is lower by 1, in the unit of the fit's losses, ``currency``.
    currency : str
        Currency of every price; that of the texts, or else USD, if not given.
    minimise : {"loss", "cost"}
        "loss": the risk of the loss that the budgets buy. "cost": what it takes, in money where
        the price of compute is known and else in compute, to reach the target loss with the
        target probability; budgets are then the most that may be spent.
    target_probability : float
        Probability with which the target is to be reached where cost is minimised.
    shape : ShapeLimits, optional
        Bounds on depth and width, under a law that reads them.
    alternatives : tuple of Alternative
        Other plans to compare with the recommended one.
    target_unit : str or None
        Unit of ``target_loss``, such as "bits/byte"; None for that of the fit's losses.

    Raises
    ------
    ScenarioError
        If a budget lacks the prices it needs, or a number is out of range.

    Examples
    --------
    >>> scenario = bs.Scenario(
    ...     compute_budget="1e22 FLOP",
    ...     risk="cvar",
    ...     compute=bs.Compute("989 TFLOP/s", 0.4, "2.5 USD/hour"),
    ... )
    >>> scenario.compute_budget, scenario.risk.level, scenario.currency
    (1e+22, 0.9, 'USD')
    """

    example: ClassVar[str] = 'Scenario(compute_budget="1e23 FLOP")'

    compute_budget: (
        Annotated[float, quantity("Compute to spend.", "FLOP", '"1e23 FLOP"', gt=0)] | None
    ) = None
    risk: Annotated[Risk, about("Measure of risk to minimise.")] = msgspec.field(
        default_factory=Risk
    )
    family: Annotated[str, about("Whose law; null where the fit has one family.")] | None = None
    target_loss: (
        Annotated[float, quantity("Loss to reach, in target_unit.", "", "2.0", gt=0)] | None
    ) = None
    limits: Annotated[Limits, about("Bounds on a configuration.")] = msgspec.field(
        default_factory=Limits
    )
    money_budget: (
        Annotated[float, quantity("Money to spend.", "currency", '"2.5 MUSD"', gt=0)] | None
    ) = None
    time_budget: (
        Annotated[float, quantity("Wall-clock of training.", "second", '"3 weeks"', gt=0)] | None
    ) = None
    confidence: Annotated[
        float,
        quantity("Probability with which uncertain costs stay within.", "", "0.9", gt=0, lt=1),
    ] = 0.5
    compute: Annotated[Compute | None, about("Devices and their price.")] = None
    data: Annotated[Data | None, about("Price of unique tokens.")] = None
    inference: Annotated[Inference | None, about("Tokens to be served.")] = None
    value_per_nat: (
        Annotated[
            float,
            quantity("Value of a loss that is lower by 1.", "currency", '"50 MUSD"', gt=0),
        ]
        | None
    ) = None
    currency: Annotated[str, about("Of all money.")] = ""
    minimise: Annotated[
        Literal["loss", "cost"],
        about("What is least: the risk within budgets, or the cost of the target."),
    ] = "loss"
    target_probability: Annotated[
        float,
        quantity("Probability with which the target is to be reached.", "", "0.9", gt=0, lt=1),
    ] = 0.9
    shape: Annotated[ShapeLimits | None, about("Bounds on depth and width.")] = None
    alternatives: Annotated[
        tuple[Alternative, ...], about("Plans to compare with the recommended one.")
    ] = ()
    target_unit: (
        Annotated[str, about("Unit of target_loss; null for that of the fit's losses.")] | None
    ) = None

    @classmethod
    def made(cls, values: Mapping[str, Any], *, base_units: bool) -> Self:
        """Make one from values by field, of which some may have names of version 0.1."""
        return super().made(renamed(values), base_units=base_units)

    @classmethod
    def read(cls, values: Mapping[str, Any], *, base_units: bool) -> Mapping[str, Any]:
        """Typed values by field; the target splits into number and unit."""
        read = super().read({**values, **_target(values)}, base_units=base_units)
        return {**read, "currency": read.get("currency") or CURRENCIES[0]}

    if not TYPE_CHECKING:  # A type checker refuses the old names.

        def __getattr__(self, name: str) -> Any:
            return attribute(self, name)

    def check(self) -> None:
        """Refuse budgets without prices, a target that is missing, alternatives of one name."""
        if self.money_budget is not None and not self.priced:
            raise ScenarioError("money_budget needs [compute] with price, speed and utilisation")
        if self.time_budget is not None and (self.compute is None or self.compute.devices is None):
            raise ScenarioError("time_budget needs [compute] with speed, utilisation and devices")
        if self.target_loss is None and self.minimise == "cost":
            raise ScenarioError("to minimise cost there must be a target_loss, such as 2.0")
        if self.target_loss is None and self.risk.measure == "miss":
            raise ScenarioError("risk measure 'miss' needs a target_loss")
        names = [other.name for other in self.alternatives]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ScenarioError(f"two alternatives are named {twice!r}; give each its own name")

    def in_loss_unit(self, unit: str) -> "Scenario":
        """Return the scenario with its target in another unit of loss.

        Parameters
        ----------
        unit : str
            Unit of the losses that the target is compared with.

        Raises
        ------
        ScenarioError
            If the target's unit cannot be turned into it.

        Examples
        --------
        >>> target = bs.Scenario(compute_budget=1e22, target_loss="1 bits/token")
        >>> round(target.in_loss_unit("nats/token").target_loss, 4)
        0.6931
        """
        if self.target_loss is None or self.target_unit == unit:
            return self
        if self.target_unit is None:
            return msgspec.structs.replace(self, target_unit=unit) if parse_unit(unit) else self
        factor = conversion(self.target_unit, unit)
        if factor is None:
            raise ScenarioError(
                f"target_loss is {self.target_loss:g} {self.target_unit}, but the losses of the "
                f"fit are in {unit}, into which that cannot be turned; give it in {unit}"
            )
        loss = factor * self.target_loss
        return msgspec.structs.replace(self, target_loss=loss, target_unit=unit)

    @property
    def target_in_words(self) -> str:
        """The target with its unit, as messages name it."""
        unit = f" {self.target_unit}" if self.target_unit else ""
        return f"target_loss {self.target_loss:.6g}{unit}"

    def check_budget(self) -> None:
        """Check that there is something to keep within, or a cost to minimise.

        Raises
        ------
        ScenarioError
            If there is not.
        """
        budgets = self.compute_budget, self.money_budget, self.time_budget
        if self.minimise == "loss" and all(budget is None for budget in budgets):
            raise ScenarioError(
                'the scenario has no budget; write compute_budget = "1e23 FLOP", or '
                "money_budget or time_budget"
            )

    @property
    def only_compute(self) -> bool:
        """Whether nothing but training compute is limited, so that C = 6·N·D is the budget line."""
        return self.money_budget is None and self.time_budget is None and self.inference is None

    @property
    def affords(self) -> float | None:
        """Budget of the cost that is minimised: money where compute has a price, else FLOP."""
        return self.money_budget if self.priced else self.compute_budget

    def affording(self, amount: float) -> "Scenario":
        """Return the scenario with this budget of the cost that it minimises."""
        if self.priced:
            return msgspec.structs.replace(self, money_budget=amount)
        return msgspec.structs.replace(self, compute_budget=amount)

    @property
    def unit_of_cost(self) -> str:
        """Unit of costs: the currency where compute has a price, else FLOP."""
        return self.currency if self.priced else "FLOP"

    @property
    def priced(self) -> bool:
        """Whether costs count in money: the price of compute is known."""
        return self.compute is not None and self.compute.price is not None


def _target(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Number and unit of a target that may be a text of both."""
    target, unit = values.get("target_loss"), values.get("target_unit")
    if isinstance(target, str):
        read = parse_loss(target)
        if read is None:
            raise ScenarioError(
                f"target_loss is {target!r}; write a number such as 2.0, or one with its unit "
                f'such as "0.83 bits/byte" ({LEGAL})'
            )
        target, stated = read
        if stated is not None and unit is not None and conversion(stated, unit) != 1.0:
            raise ScenarioError(
                f"target_loss is {values['target_loss']!r} but target_unit is {unit!r}; state the "
                "unit once"
            )
        unit = stated or unit
    if unit is not None:
        known = parse_unit(unit) if isinstance(unit, str) else None
        if known is None:
            raise ScenarioError(
                f"target_unit is {unit!r}, which is not a unit of loss; legal are {LEGAL}"
            )
        unit = known.name
    return {"target_loss": target, "target_unit": unit}


def checked_scenario(scenario: object) -> Scenario:
    """Return a scenario as it is.

    Examples
    --------
    >>> checked_scenario(bs.Scenario(compute_budget=1e22)).compute_budget
    1e+22
    """
    if not isinstance(scenario, Scenario):
        raise ScenarioError(
            f"scenario is {shown(scenario)}; write bayes_scaling.Scenario(compute_budget="
            '"1e23 FLOP"), or bayes_scaling.load_scenario("scenario.toml") for a file'
        )
    return scenario
