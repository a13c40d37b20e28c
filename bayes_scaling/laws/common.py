"""Parameters that several laws share, with their priors and the reasons for them."""

from bayes_scaling.laws.law import Parameter, Prior

__all__ = ["FLOOR", "amplitude", "exponent", "level"]

FLOOR = Parameter(
    name="floor",
    prior=Prior(median=0.5, sd=0.7, spread=0.25),
    unit="nats",
    meaning="irreducible loss, left at infinite size and data",
    reason=(
        "between a tenth of the typical loss and above it; published floors are 0.4 to 0.8 of "
        "the losses they were fitted to"
    ),
    of_loss=True,
)


def amplitude(name: str, cause: str) -> Parameter:
    """Loss that one cause adds at the reference point, in nats."""
    return Parameter(
        name=name,
        prior=Prior(median=0.2, sd=1.0, spread=0.3),
        unit="nats",
        meaning=f"loss due to {cause} at the reference point",
        reason="a few percent to all of the typical loss in the middle of the data",
        of_loss=True,
    )


def level(name: str, meaning: str) -> Parameter:
    """Whole loss at the reference point, for a law without a floor, in nats."""
    return Parameter(
        name=name,
        prior=Prior(median=1.0, sd=0.5, spread=0.2),
        unit="nats",
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
