"""Text and numbers of an SVG."""

from html import escape

import numpy as np
from numpy.typing import NDArray

__all__ = ["coordinates", "element", "lines_of", "text", "width_of"]

_FONT = "DejaVu Sans, Verdana, Arial, sans-serif"
_NARROW, _WIDE = set("fijlrtI.,:;'|!()[]/ -·⁰¹²³⁴⁵⁶⁷⁸⁹⁻"), set("mwMW%@×≤≥…")
_EM = {"narrow": 0.38, "wide": 0.92, "capital": 0.69, "other": 0.62, "foreign": 1.0}
_LAST_LATIN = 0x24F


def width_of(words: str, size: float) -> float:
    """Width of a line of text in points, at most what usual fonts without serifs need."""
    return size * sum(_em(character) for character in words)


def _em(character: str) -> float:
    if character in _NARROW:
        return _EM["narrow"]
    if character in _WIDE:
        return _EM["wide"]
    if ord(character) > _LAST_LATIN:
        return _EM["foreign"]
    return _EM["capital" if character.isupper() else "other"]


def lines_of(words: object) -> list[str]:
    """Lines of a text that was written for matplotlib, where a dollar is escaped."""
    return str(words).replace(r"\$", "$").split("\n")


def element(name: str, body: str = "", **attributes: object) -> str:
    """An element; underscores in names of attributes stand for hyphens."""
    listed = "".join(
        f' {key.replace("_", "-")}="{escape(_short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return f"<{name}{listed}>{body}</{name}>" if body else f"<{name}{listed}/>"


def _short(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def text(x: float, y: float, words: str, size: float, **attributes: object) -> str:
    """One line of text whose baseline starts, or is centred, at a place."""
    return element("text", escape(words), x=x, y=y, font_size=size, font_family=_FONT, **attributes)


def coordinates(x: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Pairs of numbers to a tenth of a point."""
    pairs = np.column_stack([x, y]).ravel().tolist()
    return ("%.1f,%.1f " * len(x) % tuple(pairs)).rstrip()
