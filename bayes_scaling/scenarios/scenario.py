"""What may be spent and what is wanted, as a checked object."""

import math
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, cast, get_args

from bayes_scaling.core.arguments import needs, shown
from bayes_scaling.errors import ScenarioError
from bayes_scaling.runs.loss_units import LEGAL, conversion, parse_loss, parse_unit
from bayes_scaling.scenarios.alternatives import Alternative
from bayes_scaling.scenarios.amounts import Fixed, LogNormal, Pert
from bayes_scaling.scenarios.costs import Compute, Data, Inference
from bayes_scaling.scenarios.limits import Limits, ShapeLimits
from bayes_scaling.scenarios.quantities import CURRENCIES, currency_of, in_unit
from bayes_scaling.scenarios.risk import Measure, Risk

__all__ = ["Limits", "Scenario", "checked_scenario"]

Minimise = Literal["loss", "cost"]


@dataclass(frozen=True)
class Scenario:
    """Budgets, prices, limits, and how to judge what they buy.

    Parameters
    ----------
    budget_flops : float, str or None
        Compute in FLOP, or text with a unit ("1e23 FLOP"), as every budget and price may be: of
        training and, where ``inference`` is given, of serving as well.
    risk : Risk or str
        What to minimise; a measure by its name has the usual level.
    family : str or None
        Whose law; None where the fit has one family.
    target_loss : float, str or None
        A loss to reach, in ``target_unit``; a text such as "0.83 bits/byte" states both.
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
        What a loss lower by 1, in the unit of the fit's losses, is worth, ``currency``.
    currency : str
        Of every price; that of the texts, or else USD, if not given.
    minimise : {"loss", "cost"}
        "loss": the risk of the loss that the budgets buy. "cost": what it takes, in money where
        the price of compute is known and else in compute, to reach the target loss with the
        target probability; budgets are then the most that may be spent.
    target_probability : float
        With which the target is to be reached where cost is minimised.
    shape : ShapeLimits, optional
        What the hardware allows of depth and width, under a law that reads them.
    alternatives : tuple of Alternative
        Other plans to be held against the recommended one.
    target_unit : str or None
        Unit of ``target_loss``, such as "bits/byte"; None for that of the fit's losses.

    Raises
    ------
    ScenarioError
        If a budget lacks the prices it needs, or a number is out of range.
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
    currency: str = ""
    minimise: Minimise = "loss"
    target_probability: float = 0.9
    shape: ShapeLimits | None = None
    alternatives: tuple[Alternative, ...] = ()
    target_unit: str | None = None

    def __post_init__(self) -> None:
        self._read_target()
        self._check_parts()
        code = self._currency()
        object.__setattr__(self, "currency", code)
        for name, unit, example in (
            ("budget_flops", "FLOP", '"1e23 FLOP"'),
            ("money", code, f'"2.5 M{code}"'),
            ("seconds", "second", '"3 weeks"'),
            ("target_loss", "", "2.0"),
            ("worth", code, f'"5 M{code}"'),
        ):
            value = getattr(self, name)
            if value is not None:
                # The name says that a plain number of them is in seconds.
                known = unit if isinstance(value, str) or unit != "second" else ""
                object.__setattr__(self, name, in_unit(name, value, known, example))
        for name in ("confidence", "target_probability"):
            value = getattr(self, name)
            share = in_unit(name, value, "", "0.9")
            if not 0 < share < 1:
                raise ScenarioError(f"{name} is {shown(value)}, a number between 0 and 1 is needed")
            object.__setattr__(self, name, share)
        if not (isinstance(self.minimise, str) and self.minimise in get_args(Minimise)):
            raise ScenarioError(f"minimise is {shown(self.minimise)}; it can be 'loss' or 'cost'")
        self._check_prices()
        self._check_names()

    def _read_target(self) -> None:
        """Split a target that is a text into number and unit, and check the unit."""
        target, unit = self.target_loss, self.target_unit
        if isinstance(target, str):
            read = parse_loss(target)
            if read is None:
                raise ScenarioError(
                    f"target_loss is {target!r}; write a number such as 2.0, or one with its unit "
                    f'such as "0.83 bits/byte" ({LEGAL})'
                )
            target, said = read
            if said is not None and unit is not None and conversion(said, unit) != 1.0:
                raise ScenarioError(
                    f"target_loss is {self.target_loss!r} but target_unit is {unit!r}; state the "
                    "unit once"
                )
            unit = said or unit
        if unit is not None:
            known = parse_unit(unit) if isinstance(unit, str) else None
            if known is None:
                raise ScenarioError(
                    f"target_unit is {unit!r}, which is not a unit of loss; legal are {LEGAL}"
                )
            unit = known.name
        object.__setattr__(self, "target_loss", target)
        object.__setattr__(self, "target_unit", unit)

    def in_loss_unit(self, unit: str) -> "Scenario":
        """The same with its target in another unit of loss.

        Parameters
        ----------
        unit : str
            That of the losses the target is held against.

        Raises
        ------
        ScenarioError
            If the target's unit cannot be turned into it.
        """
        if self.target_loss is None or self.target_unit == unit:
            return self
        if self.target_unit is None:
            return replace(self, target_unit=unit) if parse_unit(unit) else self
        factor = conversion(self.target_unit, unit)
        if factor is None:
            raise ScenarioError(
                f"target_loss is {self.target_loss:g} {self.target_unit}, but the losses of the "
                f"fit are in {unit}, into which that cannot be turned; give it in {unit}"
            )
        return replace(self, target_loss=factor * self.target_loss, target_unit=unit)

    @property
    def target_in_words(self) -> str:
        """The target with its unit, as messages name it."""
        unit = f" {self.target_unit}" if self.target_unit else ""
        return f"target_loss {self.target_loss:.6g}{unit}"

    def _currency(self) -> str:
        """The one currency of all prices: as it is named, or as texts have it, or the first."""
        parts = {"compute": self.compute, "data": self.data}
        prices = {
            f"price of {name}": f"1 {part.currency}"
            for name, part in parts.items()
            if part is not None and part.currency
        }
        found = currency_of({"money": self.money, "worth": self.worth}, prices)
        if self.currency and found not in (None, self.currency):
            raise ScenarioError(
                f"currency is {self.currency!r}, and prices are in {found}; there is no rate "
                "between them, so write all of them in one currency"
            )
        return self.currency or found or CURRENCIES[0]

    def _check_parts(self) -> None:
        """See that every part is what it should be; a risk may be given by its name."""
        risk: Any = self.risk
        if isinstance(risk, str):
            object.__setattr__(self, "risk", Risk(cast("Measure", risk)))
        needs(
            self.risk,
            Risk,
            "risk",
            "write Risk('cvar', level=0.9) or a name: 'cvar'",
            ScenarioError,
        )
        needs(self.limits, Limits, "limits", "write Limits(max_params=1e12)", ScenarioError)
        for name, kind, example in (
            ("compute", Compute, 'Compute("989 TFLOP/s", 0.4, "2.5 USD/hour")'),
            ("data", Data, 'Data("0.5 USD/Mtoken")'),
            ("inference", Inference, 'Inference("20 Ttoken")'),
            ("shape", ShapeLimits, "ShapeLimits(width_multiple=128)"),
        ):
            if getattr(self, name) is not None:
                needs(getattr(self, name), kind, name, f"write {example}", ScenarioError)
        family, currency = self.family, self.currency
        if family is not None and not (isinstance(family, str) and family):
            raise ScenarioError(f"family is {shown(family)}, the name of a family is needed")
        if not (isinstance(currency, str) and (currency.isalpha() or not currency)):
            raise ScenarioError(f"currency is {shown(currency)}, letters are needed, like 'USD'")
        others = self.alternatives
        given = (others,) if isinstance(others, Alternative) else others
        if not (
            isinstance(given, list | tuple) and all(isinstance(one, Alternative) for one in given)
        ):
            raise ScenarioError(
                f"alternatives is {shown(others)}, a tuple of Alternative is needed, like "
                "(Alternative('twenty a parameter', tokens_per_param=20),)"
            )
        object.__setattr__(self, "alternatives", tuple(given))

    def _check_names(self) -> None:
        names = [other.name for other in self.alternatives]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ScenarioError(f"two alternatives are named {twice!r}; give each its own name")

    def check_budget(self) -> None:
        """See that there is something to keep within, or a cost to minimise.

        Raises
        ------
        ScenarioError
            If there is not.
        """
        budgets = self.budget_flops, self.money, self.seconds
        if self.minimise == "loss" and all(budget is None for budget in budgets):
            raise ScenarioError(
                'the scenario has no budget; write [budget] compute = "1e23 FLOP", or money or time'
            )

    @property
    def affords(self) -> float | None:
        """The budget of what is minimised where that is cost: money where it has a price."""
        return self.money if self.priced else self.budget_flops

    def affording(self, amount: float) -> "Scenario":
        """The same with this budget of what is minimised where that is cost."""
        if self.priced:
            return replace(self, money=amount)
        return replace(self, budget_flops=amount)

    @property
    def unit_of_cost(self) -> str:
        """Of costs: the currency where prices are known, else FLOP."""
        return self.currency if self.priced else "FLOP"

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
            "target_unit": self.target_unit,
            "worth": self.worth,
            "minimise": self.minimise,
            "target_probability": self.target_probability if self.minimise == "cost" else None,
            "risk": asdict(self.risk),
            "limits": limits,
            "shape": None if self.shape is None else asdict(self.shape),
            "alternatives": [asdict(other) for other in self.alternatives],
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
        # That of the scenario is the one of all prices.
        if name != "currency"
    }


def checked_scenario(scenario: object) -> Scenario:
    """A scenario as it is.

    Raises
    ------
    ScenarioError
        If it is none.
    """
    if not isinstance(scenario, Scenario):
        raise ScenarioError(
            f'scenario is {shown(scenario)}; write bayes_scaling.Scenario("1e23 FLOP"), or '
            'bayes_scaling.load_scenario("scenario.toml") for a file'
        )
    return scenario
