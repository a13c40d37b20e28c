"""What a check reports, before it is tied to a place in the source."""

from typing import Literal, NamedTuple

__all__ = ["Finding", "Severity", "number"]

Severity = Literal["error", "warning", "note"]


class Finding(NamedTuple):
    """A flag without its run label and place; ``text`` has no capital and no full stop."""

    row: int
    code: str
    severity: Severity
    column: str
    text: str


def number(value: float) -> str:
    """Write a number for a sentence."""
    return f"{value:.4g}"
