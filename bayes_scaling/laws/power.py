"""Power laws of a single factor: parameters, tokens or compute, with and without a floor."""

from bayes_scaling.laws import common
from bayes_scaling.laws.coordinates import Additive
from bayes_scaling.laws.law import Law

__all__ = ["POWER"]


def _law(column: str, equation: str) -> tuple[Law, Law]:
    """The law of one input without a floor, and with one."""
    symbol, amplitude, cause = common.FACTORS[column]
    exponent = f"alpha_{symbol}"
    power = common.Power(column, amplitude, exponent)
    limitation = common.of_one_factor(column)
    reference = f"Kaplan et al. 2020, Eq. {equation}, arXiv:2001.08361"
    plain = Law(
        name=f"power-{symbol.lower()}",
        formula=f"{amplitude}·{symbol}^-{exponent} = ({symbol}_c/{symbol})^{exponent}",
        inputs=(column,),
        parameters=(
            common.level(amplitude, f"loss at the reference point {symbol}0"),
            common.exponent(exponent, cause, median=0.08, sd=0.8),
        ),
        reference=reference,
        log_curve=power,
        slopes=power.slopes,
        limitations=(
            limitation,
            "It falls to zero without a floor, so far forecasts come out too low.",
        ),
    )
    floored = Law(
        name=f"power-{symbol.lower()}-floor",
        formula=f"floor + {amplitude}·{symbol}^-{exponent}",
        inputs=(column,),
        parameters=(
            common.FLOOR,
            common.amplitude(amplitude, f"finite {cause}"),
            common.exponent(exponent, cause, median=0.25, sd=0.8),
        ),
        reference=f"{reference}, with an irreducible loss (Henighan et al. 2020, arXiv:2010.14701)",
        log_curve=common.Floored(power),
        slopes=power.slopes,
        coordinates=Additive({amplitude: (exponent,)}),
        limitations=(limitation,),
    )
    return plain, floored


POWER: tuple[Law, ...] = (
    *_law("params", "1.1"),
    *_law("tokens", "1.2"),
    *_law("flops", "1.3"),
)
