"""Numbers as people read them: the same words in sentences, tables and on axes."""

import math

__all__ = [
    "axis_count",
    "axis_power",
    "count",
    "flops",
    "joined",
    "loss",
    "number",
    "percent",
    "plain_number",
    "quoted",
    "times",
]

NOTHING = "–"
_WORDS = ((1e12, " trillion", "T"), (1e9, " billion", "B"), (1e6, " million", "M"))
_THOUSAND = (1e3, " thousand", "k")
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _digits(value: float, digits: int) -> str:
    """Significant digits, zeros kept, without an exponent or a bare point."""
    return f"{value:#.{digits}g}".rstrip(".")


def number(value: float | None, digits: int = 4) -> str:
    """Any number with so many significant digits; a dash where there is none."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:,.0f}"
    return _scientific(value, digits)


def _scientific(value: float, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    return f"{mantissa} × 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def loss(value: float | None) -> str:
    """A loss with four significant digits."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return _digits(value, 4) if 1e-4 <= abs(value) < 1e4 else _scientific(value, 4)


def count(value: float | None) -> str:
    """Parameters or tokens in words: 70.2 billion.

    Examples
    --------
    >>> count(7.02e10), count(1.4e12), count(950.0)
    ('70.2 billion', '1.40 trillion', '950')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    for size, word, _ in (*_WORDS, _THOUSAND):
        # 999.6 million would print as 1.00e+03 million, so rounding decides the word.
        if value >= size * 0.9995:
            scaled = value / size
            return (_digits(scaled, 3) if scaled < 999.5 else f"{scaled:,.0f}") + word
    return f"{value:.3g}"


def flops(value: float | None) -> str:
    """Compute in FLOP as a power of ten, without the unit.

    Examples
    --------
    >>> flops(5.76e23)
    '5.76 × 10²³'
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    return _scientific(value, 3)


def percent(value: float | None) -> str:
    """A probability or share; never 0% or 100% unless it is."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if 0 < value < 0.01:
        return "under 1%"
    if 0.99 < value < 1:
        return "over 99%"
    return f"{100 * value:.0f}%"


def times(decades: float) -> str:
    """A ratio of compute given in decades: ``times(1.5)`` is 31.6."""
    ratio = float(f"{10.0**decades:.3g}")
    return f"{ratio:.3g}" if ratio < 1000 else f"{ratio:,.0f}"


def joined(words: list[str], most: int = 6) -> str:
    """Words as a list in a sentence, the tail counted where it is long."""
    if len(words) > most:
        return ", ".join(words[:most]) + f" and {len(words) - most} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def quoted(names: list[str], most: int = 6) -> str:
    """Names in quotation marks as a list in a sentence."""
    return joined([repr(name) for name in names], most)


def axis_count(value: float, _position: object = None) -> str:
    """Tick label of a count: 500M, 7B."""
    for size, _, letter in (*_WORDS, _THOUSAND):
        if value >= size * 0.9995:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def axis_power(value: float, _position: object = None) -> str:
    """Tick label of a power of ten, in plain Unicode (no mathematical text to parse)."""
    if not (_known(value) and value > 0):
        return ""
    exponent = math.floor(math.log10(value) + 1e-9)
    mantissa = value / 10.0**exponent
    power = f"10{str(exponent).translate(_SUPERSCRIPT)}"
    return power if abs(mantissa - 1) < 1e-6 else f"{mantissa:.2g}×{power}"


def plain_number(value: float, _position: object = None) -> str:
    """Tick label of a number of few digits: 0.05, 2.5."""
    return f"{value:.3g}"
