"""Broken power laws of Caballero et al. (2022) in one factor."""

from dataclasses import dataclass, replace

from bayes_scaling.errors import LawError
from bayes_scaling.laws import common, ops
from bayes_scaling.laws.coordinates import Additive
from bayes_scaling.laws.law import Inputs, Law, Slopes, Values
from bayes_scaling.laws.parameter import Parameter, Prior

__all__ = ["BROKEN", "broken"]

MOST_BREAKS = 4
"""Largest number of breaks that a table of runs can identify."""


def broken(column: str, breaks: int = 1) -> Law:
    """Return the law of one input with breaks between power laws.

    Caballero et al. 2022, Eq. 1, with the exponent of every segment in place of the change at a
    break: positive exponents keep the loss falling.

    Parameters
    ----------
    column : {"params", "tokens", "flops"}
        The input.
    breaks : int
        How many, 0 to 4; with 0 it is the power law with a floor.

    Returns
    -------
    Law
        Named ``broken-n``, ``-d`` or ``-c``, with ``-2`` and so on for more than one break.

    Raises
    ------
    LawError
        If the input or the number of breaks is not one of these.

    Examples
    --------
    >>> from bayes_scaling import laws
    >>> laws.broken("tokens", 2).name
    'broken-d-2'
    """
    if column not in common.FACTORS:
        raise LawError(
            f"a broken power law of {column!r} does not exist; it can be of "
            f"{', '.join(common.FACTORS)}"
        )
    if breaks not in range(MOST_BREAKS + 1):
        raise LawError(f"breaks is {breaks!r}; it can be 0 to {MOST_BREAKS}")
    symbol, amplitude, cause = common.FACTORS[column]
    first = f"alpha_{symbol}"
    segments = _Segments(common.Power(column, amplitude, first), breaks)
    suffix = f"-{breaks}" if breaks != 1 else ""
    return Law(
        name=f"broken-{symbol.lower()}{suffix}",
        formula=(
            f"floor + {amplitude}·{symbol}^-{first}·Π_i (1 + ({symbol}/break_i)^(1/width_i))"
            f"^(-({first}_i - {first}_(i-1))·width_i)"
        ),
        inputs=(column,),
        parameters=(
            common.FLOOR,
            common.amplitude(amplitude, f"finite {cause}, continued from before the break"),
            common.exponent(first, f"{cause} before the first break", median=0.25, sd=0.6),
            *(p for i in range(1, breaks + 1) for p in _of_break(i, first, cause, column)),
        ),
        reference="Caballero et al. 2022, Eq. 1, arXiv:2210.14891",
        log_curve=common.Floored(segments),
        slopes=segments.slopes,
        coordinates=Additive({amplitude: (first,)}),
        limitations=(
            common.of_one_factor(column),
            "A break beyond the data is not foreseen: the last exponent that was seen goes on.",
            (
                "On runs in which another factor varies as well, as in the bundled ones, a few of "
                "64,000 draws diverge: no curve of one factor describes them."
            ),
        ),
    )


@dataclass(frozen=True)
class _Segments:
    """Log of a power whose exponent changes at breaks."""

    power: common.Power
    breaks: int

    def __call__(self, x: Inputs, p: Values) -> ops.Array:
        first, column = self.power.exponent, self.power.column
        result = self.power(x, p)
        before, at = p[first], 0.0
        for i in range(1, self.breaks + 1):
            place = p[f"break_{i}"]
            at = ops.log(place) if i == 1 else at + place
            after, width = p[f"{first}_{i}"], p[f"width_{i}"]
            result = result - (after - before) * width * ops.softplus((x[column] - at) / width)
            before = after
        return result

    def slopes(self, p: Values) -> Slopes:
        """The first break moves with the reference point."""
        return self.power.slopes(p) | ({"break_1": {self.power.column: 1.0}} if self.breaks else {})


def _of_break(i: int, first: str, cause: str, column: str) -> tuple[Parameter, ...]:
    place = Parameter(
        name=f"break_{i}",
        prior=Prior(median=1.0, sd=1.2, spread=0.3) if i == 1 else Prior(1.5, 0.7, 0.2),
        unit=column if i == 1 else "natural log",
        meaning=f"where break {i} lies" + ("" if i == 1 else ", in logs beyond the one before"),
        reason=(
            "within a factor of 10 of the middle of the data, where runs can show it"
            if i == 1
            else "a factor of 1.5 to 350 beyond the break before"
        ),
        noncentred=True,
    )
    width = Parameter(
        name=f"width_{i}",
        prior=Prior(median=0.5, sd=0.4, spread=0.2),
        unit="natural log",
        meaning=f"how gradual break {i} is; f_i of the paper",
        reason="published breaks take between a factor of 1.5 and a decade",
        noncentred=True,
    )
    after = common.exponent(f"{first}_{i}", f"{cause} after break {i}", median=0.25, sd=0.5)
    after = replace(after, noncentred=True)
    return place, after, width


BROKEN: tuple[Law, ...] = tuple(broken(column) for column in common.FACTORS)
