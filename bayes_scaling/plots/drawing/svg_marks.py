"""Shapes of markers and patterns of dashes, by matplotlib's names."""

import math
from typing import Any

__all__ = ["POLYGONS", "dashes"]

_DASHES = {"--": (3.7, 1.6), ":": (1.0, 1.65), "-.": (6.4, 1.6, 1.0, 1.6)}
POLYGONS = {
    "s": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "^": ((0, -1), (1, 1), (-1, 1)),
    "v": ((0, 1), (1, -1), (-1, -1)),
    "D": ((0, -1.41), (1.41, 0), (0, 1.41), (-1.41, 0)),
    "P": tuple(
        (x / 3, y / 3)
        for x, y in (
            (-1, -3), (1, -3), (1, -1), (3, -1), (3, 1), (1, 1),
            (1, 3), (-1, 3), (-1, 1), (-3, 1), (-3, -1), (-1, -1),
        )
    ),
    "X": tuple(
        (x / 2, y / 2)
        for x, y in (
            (-2, -1), (-1, -2), (0, -1), (1, -2), (2, -1), (1, 0),
            (2, 1), (1, 2), (0, 1), (-1, 2), (-2, 1), (-1, 0),
        )
    ),
    "*": tuple(
        (math.sin(k * math.pi / 5) * r, -math.cos(k * math.pi / 5) * r)
        for k, r in ((k, 0.382 if k % 2 else 1.0) for k in range(10))
    ),
    "|": ((0, -1), (0, 1)),
}  # fmt: skip


def dashes(style: Any, width: float) -> str | None:
    """Dashes of a line style of matplotlib."""
    pattern = style[1] if isinstance(style, tuple) else _DASHES.get(style, ())
    return " ".join(f"{width * length:.2f}" for length in pattern) or None
