"""Caveats, gathered in the order in which they arise."""

from collections.abc import Iterable, Iterator, Sequence

from bayes_scaling.core.caveat import Caveat, Datum, Severity

__all__ = ["Caveats"]

_MOST = 12
"""Names that stand in the data of a caveat: logs may have very many."""


class Caveats:
    """Caveats in the order in which they arise."""

    def __init__(self, known: Iterable[Caveat] = ()) -> None:
        self._found = list(known)

    def __iter__(self) -> Iterator[Caveat]:
        return iter(self._found)

    def add(
        self, code: str, text: str, severity: Severity = "note", **data: Datum | Sequence[str]
    ) -> None:
        """Add a caveat with its code, its text and the values that the text states."""
        plain: dict[str, Datum] = {
            name: value if isinstance(value, str | int | float | None) else [*value][:_MOST]
            for name, value in data.items()
        }
        self._found.append(Caveat(code=code, severity=severity, text=text, data=plain))
