"""Messages on one line and of limited length, whatever names and cells they quote."""

__all__ = ["one_line", "shortened"]

_LONGEST = 1000
"""Characters of a message: names and cells of strangers may have any length."""


def one_line(text: str) -> str:
    """Text on one line: names in messages may hold line ends and other control characters."""
    words = " ".join(text.split())
    return "".join(ch if ch.isprintable() else repr(ch)[1:-1] for ch in words)


def shortened(text: str) -> str:
    """Text with its middle left out where it is long: it begins and ends with what matters."""
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]} … {text[-half:]}"
