"""Caveats of an import: decisions made in reading a log."""

from collections.abc import Iterator, Sequence

from bayes_scaling.core.caveat import Caveat, Datum

__all__ = ["Caveats"]

_MOST = 12
"""Names that stand in the data of a caveat: logs may have very many."""


class Caveats:
    """Caveats of a log, in the order in which its parts are read."""

    def __init__(self) -> None:
        self._found: list[Caveat] = []

    def __iter__(self) -> Iterator[Caveat]:
        return iter(self._found)

    def add(self, code: str, text: str, **data: Datum | Sequence[str]) -> None:
        """Add a note with its code, its text and the values that the text states."""
        plain: dict[str, Datum] = {
            name: value if isinstance(value, str | int | float | None) else [*value][:_MOST]
            for name, value in data.items()
        }
        self._found.append(Caveat(code=code, severity="note", text=text, data=plain))
