"""Shared parts of laws: parameters with their priors, and closed forms of two terms."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bayes_scaling.laws import ops
from bayes_scaling.laws.law import Inputs, Slopes, Values
from bayes_scaling.laws.parameter import Parameter, Prior

__all__ = [
    "FACTORS",
    "FLOOR",
    "Floored",
    "Power",
    "amplitude",
    "exponent",
    "frontier_of_two",
    "level",
    "of_one_factor",
    "params_exponent_of_two",
    "slopes_of_two",
]

FACTORS: Mapping[str, tuple[str, str, str]] = {
    "params": ("N", "A", "parameters"),
    "tokens": ("D", "B", "tokens"),
    "flops": ("C", "K", "compute"),
}
"""By input of a law of one factor: its symbol, the name of its amplitude, what is finite."""

FLOOR = Parameter(
    name="floor",
    prior=Prior(median=0.5, sd=0.7, spread=0.25),
    unit="loss unit",
    meaning="irreducible loss, left at infinite size and data",
    reason=(
        "between a tenth of the typical loss and above it; published floors are 0.4 to 0.8 of "
        "the losses they were fitted to"
    ),
    of_loss=True,
)


def amplitude(name: str, cause: str) -> Parameter:
    """Loss that one cause adds at the reference point."""
    return Parameter(
        name=name,
        prior=Prior(median=0.2, sd=1.0, spread=0.3),
        unit="loss unit",
        meaning=f"loss due to {cause} at the reference point",
        reason="a few percent to all of the typical loss in the middle of the data",
        of_loss=True,
    )


def level(name: str, meaning: str) -> Parameter:
    """Whole loss at the reference point, for a law without a floor."""
    return Parameter(
        name=name,
        prior=Prior(median=1.0, sd=0.5, spread=0.2),
        unit="loss unit",
        meaning=meaning,
        reason="the typical loss, within a factor of 2.7",
        of_loss=True,
    )


def exponent(name: str, of: str, median: float = 0.35, sd: float = 0.6) -> Parameter:
    """Exponent with which a loss term falls."""
    return Parameter(
        name=name,
        prior=Prior(median=median, sd=sd, spread=0.2),
        unit="1",
        meaning=f"exponent in {of}",
        reason=(
            f"95% between {median * 2.718 ** (-1.96 * sd):.2f} and "
            f"{median * 2.718 ** (1.96 * sd):.2f}, which covers the published fits"
        ),
    )


# Classes rather than local functions, so that laws can be pickled.
@dataclass(frozen=True)
class Power:
    """Log of a power of one input, with the slope of its amplitude."""

    column: str
    amplitude: str
    exponent: str

    def __call__(self, x: Inputs, p: Values) -> ops.Array:
        """Log of the power."""
        return ops.log(p[self.amplitude]) - p[self.exponent] * x[self.column]

    def slopes(self, p: Values) -> Slopes:
        """Slope of the log amplitude in the log of the input."""
        return {self.amplitude: {self.column: p[self.exponent]}}


@dataclass(frozen=True)
class Floored:
    """Log of the floor and a reducible loss together."""

    reducible: Callable[[Inputs, Values], ops.Array]

    def __call__(self, x: Inputs, p: Values) -> ops.Array:
        """Log of the loss."""
        return ops.logaddexp(ops.log(p["floor"]), self.reducible(x, p))


def of_one_factor(column: str) -> str:
    """Return the limitation of a law of one input."""
    return (
        f"It reads {column} alone: fit it to runs in which nothing else held the loss back, or "
        "the exponent is that of the mixture."
    )


def slopes_of_two(p: Values) -> Slopes:
    """Slopes of A in N and of B in D, for a law whose loss falls as N^-alpha_N and D^-alpha_D."""
    return {"A": {"params": p["alpha_N"]}, "B": {"tokens": p["alpha_D"]}}


def frontier_of_two(p: Values) -> ops.Array:
    """Exponent of the optimal loss in C = 6·N·D (Hoffmann et al. 2022, after Eq. 4)."""
    return p["alpha_N"] * p["alpha_D"] / (p["alpha_N"] + p["alpha_D"])


def params_exponent_of_two(p: Values) -> ops.Array:
    """Exponent of the optimal N in C = 6·N·D (Hoffmann et al. 2022, Eq. 4)."""
    return p["alpha_D"] / (p["alpha_N"] + p["alpha_D"])
