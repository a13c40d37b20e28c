"""Flags: properties of points of a curve that a reader must know."""

from typing import Annotated, Literal

from bayes_scaling.core.records import Record, about

__all__ = ["Flag", "FlagCode"]

FlagCode = Literal[
    "not finite", "restarted", "before training",
    "outliers", "spike", "dip", "level-shift", "diverged",
]  # fmt: skip


class Flag(Record, frozen=True, kw_only=True):
    """Property of some points of a curve that a reader must know.

    Examples
    --------
    >>> curve = bs.Curve.of("a", [1, 2, 3, 2, 3, 4], [5.0, 4.0, 3.8, 4.1, 3.7, 3.5])
    >>> print(curve.flags[0])
    restarted, 2 points from 2 to 3: logged again after a restart: the later is kept
    """

    run: Annotated[str, about("Whose curve.")]
    code: Annotated[
        FlagCode, about("What it is: the first three are of reading, the others of cleaning.")
    ]
    first: Annotated[float, about("First point, in what the axis counts.")]
    last: Annotated[float, about("Last point, in what the axis counts.")]
    points: Annotated[int, about("Number of points.", ge=0)]
    meaning: Annotated[str, about("In words, and what was done.")]
    loss_from: Annotated[float | None, about("Loss of the curve there.", "loss")] = None
    loss_to: Annotated[
        float | None, about("Their loss: the farthest, the level, a typical outlier.", "loss")
    ] = None
    probability: Annotated[
        float | None, about("That it returns, stays, or has diverged.", "probability")
    ] = None

    def __str__(self) -> str:
        change = ""
        if self.loss_from is not None and self.loss_to is not None:
            change = f" (loss {self.loss_from:.4g} to {self.loss_to:.4g})"
        points = f"{self.points} point{'s' * (self.points > 1)}"
        where = f"from {self.first:.6g} to {self.last:.6g}"
        return f"{self.code}, {points} {where}{change}: {self.meaning}"
