"""What the caller says of a log, and how its names are written in messages."""

from collections.abc import Sequence
from dataclasses import dataclass

from bayes_scaling.errors import DataError
from bayes_scaling.runs.reading.raw_table import show

__all__ = ["ORDER", "Asked", "given", "listed"]

ORDER = "order"
"""What t= may be where no column or tag is called so: points are counted as they were logged."""

_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """What the caller says of a log; None is to be guessed.

    Attributes
    ----------
    metric, t, run, lr : str or None
        Names of columns or tags.
    join : bool
        Whether segments of one run are joined.
    """

    metric: str | None = None
    t: str | None = None
    run: str | None = None
    lr: str | None = None
    join: bool = True

    def counts(self, names: Sequence[str]) -> bool:
        """Whether points are to be counted, rather than placed by a column or tag."""
        return self.t == ORDER and ORDER not in names


def listed(names: Sequence[str]) -> str:
    """Names for a message: shortened each, and in number."""
    more = len(names) - _SHOWN
    return ", ".join(map(show, names[:_SHOWN])) + (f" and {more} more" if more > 0 else "")


def given(keyword: str, name: str, names: Sequence[str], source: str, word: str) -> str:
    """The name that the caller gave for ``keyword``.

    Raises
    ------
    DataError
        If the source has no such column or tag.
    """
    if name not in names:
        raise DataError(
            f"{source} has no {word} {name!r}, which {keyword}= names; its {word}s are "
            f"{listed(names)}"
        )
    return name
