"""The file of results: a row for each run forecast, appended job by job, read and gone on with."""

import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bayes_scaling.errors import FileError

KEY = ("root", "ratio", "sample", "families", "method")
"""What tells one job from another."""
SCORES = ("error", "crps", "interval", "width", "in_50", "in_80", "in_90", "in_95", "pit")
COLUMNS = (
    *KEY,
    *("row", "rows"),
    *("family", "run", "fitted", "flops", "distance", "loss", "q05", "q50", "q95"),
    *SCORES,
    *("r_hat", "ess", "divergences", "seconds", "caveats", "reason"),
)
"""``families`` names those of the table, ``rows`` counts those of the job and ``row`` numbers them,
``reason`` says why a method gave no forecast."""
TEXT = ("root", "families", "method", "family", "run", "caveats", "reason")


def read(paths: Sequence[Path]) -> pd.DataFrame:
    """Read files of results, whole or parts, and concatenations of them; a cut job is left out."""
    head = ",".join(COLUMNS)
    lines = []
    for path in paths:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        if not text.startswith(head):
            raise FileError(f"{path} is no file of results; write the name of one that run made")
        # A line without its end was cut short.
        lines += [line for line in text.split("\n")[:-1] if line and line != head]
    types = dict.fromkeys(TEXT, "str")
    table = pd.read_csv(io.StringIO("\n".join([head, *lines])), dtype=types)
    table = table.fillna(dict.fromkeys(TEXT, ""))
    table = table.drop_duplicates([*KEY, "row"], ignore_index=True)
    whole = table.groupby(list(KEY))["rows"].transform("size") == table["rows"]
    return table[whole].reset_index(drop=True)


def jobs_in(table: pd.DataFrame) -> set[tuple[object, ...]]:
    """Return the keys of the jobs of a table."""
    return set(table[list(KEY)].itertuples(index=False, name=None))


def resume(path: Path) -> set[tuple[object, ...]]:
    """Cut a file back to its whole jobs and return their keys."""
    if not path.exists() or not path.stat().st_size:
        path.unlink(missing_ok=True)
        append(path, pd.DataFrame(columns=list(COLUMNS)))
        return set()
    table = read([path])
    temporary = path.with_suffix(".part")
    temporary.unlink(missing_ok=True)
    append(temporary, table)
    temporary.replace(path)
    return jobs_in(table)


def append(path: Path, table: pd.DataFrame) -> None:
    """Append rows in one write."""
    text = table.reindex(columns=list(COLUMNS)).to_csv(
        header=not path.exists(), index=False, float_format="%.8g", lineterminator="\n"
    )
    with path.open("a", encoding="utf-8") as file:
        file.write(text)
