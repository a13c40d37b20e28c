"""Bounds of legal numbers: everything that a user gives is checked against these."""

__all__ = ["LARGEST", "SMALLEST", "legal", "meant"]

SMALLEST, LARGEST = 1e-60, 1e60
"""Smallest and largest magnitude of a number, in any unit.

Prices of a FLOP are about 1e-18 of a currency, the compute of all machines ever built is below 1e40
FLOP; and from here squares and products of several are still far inside of what a float holds."""


def meant(value: float, *, zero: bool = False) -> bool:
    """Return whether a number is above 0 (or 0, where that is legal) and of a legal magnitude."""
    return SMALLEST <= value <= LARGEST or (zero and value == 0)


def legal(*, zero: bool = False, most: float = LARGEST) -> str:
    """Describe the numbers that :func:`meant` accepts."""
    return f"of 0 or more, at most {most:g}" if zero else f"above 0, from {SMALLEST:g} to {most:g}"
