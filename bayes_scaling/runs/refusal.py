"""Why a table of runs cannot be used, and what to write."""

from collections.abc import Sequence

from bayes_scaling.runs.flags import ACCEPTABLE, Flag, how_to_accept

__all__ = ["refusal"]


def refusal(source: str, bad: Sequence[Flag]) -> str:
    """Summarise the flags that are errors in one sentence, which names the first.

    Parameters
    ----------
    source : str
        Name of the table.
    bad : sequence of Flag
        Errors, at least one.
    """
    first = bad[0]
    sentence = first.text[:1].lower() + first.text[1:].rstrip(".")
    meant = [flag.code for flag in bad if flag.code in ACCEPTABLE]
    remedies = [how_to_accept(meant)] if first.code in ACCEPTABLE else []
    if first.row < 0:
        return f"{source}: {sentence} ({'; '.join(remedies)})"
    inside = [flag for flag in bad if flag.row >= 0]
    rows = len({flag.row for flag in inside})
    count = "1 row has" if rows == 1 else f"{rows} rows have"
    codes = tuple(dict.fromkeys(flag.code for flag in inside))
    options = " ".join(f"--exclude-flagged {code}" for code in codes)
    names = ", ".join(map(repr, codes))
    exclude = (
        f"mend the table, or exclude such rows explicitly with {options}, in Python "
        f"runs.exclude({names})"
    )
    return f"{source}, {sentence} ({count} such an error; {'; '.join([exclude, *remedies])})"
