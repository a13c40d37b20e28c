"""Caveats: what a reader must know beside a number."""

from collections.abc import Iterable
from typing import Annotated, Literal

import msgspec

from bayes_scaling.core.records import Record, about

__all__ = ["Caveat", "Datum", "Severity", "texts", "unique"]

Severity = Literal["error", "warning", "note"]
Datum = float | int | str | bool | list[float | int | str | bool] | None
"""A value that a caveat's text states."""


class Caveat(Record, frozen=True, kw_only=True):
    """One thing that a reader of a result must know.

    Examples
    --------
    >>> far = Caveat(
    ...     code="extrapolation",
    ...     severity="warning",
    ...     subject="plan",
    ...     text="The plan is at 30 times the compute of the largest run.",
    ...     data={"times": 30.0},
    ... )
    >>> far.code, far.data["times"]
    ('extrapolation', 30.0)
    >>> print(far)
    The plan is at 30 times the compute of the largest run.
    """

    code: Annotated[str, about("Kind of caveat, for programs: one of a fixed list.")]
    severity: Annotated[Severity, about("How much it matters.")]
    text: Annotated[str, about("One or two sentences for a person.")]
    subject: Annotated[str, about("What it is about: a family, a configuration, a column.")] = ""
    data: Annotated[dict[str, Datum], about("Values that the text states, by name.")] = (
        msgspec.field(default_factory=dict)
    )

    def __str__(self) -> str:
        return self.text


def texts(caveats: Iterable[Caveat]) -> tuple[str, ...]:
    """Texts of caveats, each once."""
    return tuple(dict.fromkeys(caveat.text for caveat in caveats))


def unique(caveats: Iterable[Caveat]) -> tuple[Caveat, ...]:
    """Caveats, each text once."""
    return tuple({caveat.text: caveat for caveat in reversed([*caveats])}.values())[::-1]
