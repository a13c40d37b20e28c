"""Quality flags: what looks wrong in a table of runs. A flag never changes or drops a row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from bayes_scaling.runs._design_checks import off_law, repeated_rows, unit_checks
from bayes_scaling.runs._finding import Severity
from bayes_scaling.runs._mixture_checks import mixtures
from bayes_scaling.runs._raw import Places
from bayes_scaling.runs._value_checks import bad_values, doubtful_values
from bayes_scaling.runs.columns import COLUMNS

__all__ = ["CODES", "Flag", "Severity", "find_flags"]

CODES: dict[str, str] = {
    "missing-value": "a value that every run needs is blank",
    "missing-family": "the table has families but this row names none",
    "nonpositive": "a value that must be above zero is not",
    "not-finite": "a value is infinite",
    "mixed-units": "losses in different units",
    "mixed-tokenizers": "losses per token under different tokenizers",
    "loss-unit": "a loss out of range for its unit, or of an unknown unit",
    "duplicate": "the same run twice",
    "duplicate-run-id": "one run id for different runs",
    "mid-training": "an intermediate checkpoint of a run that also has a later one",
    "flops-mismatch": "compute more than a factor 2 from 6·N·D",
    "not-cooled": "loss read before the learning rate was decayed",
    "mixed-counts": "parameters counted with embeddings in some rows and without in others",
    "mixed-schedules": "a learning-rate schedule other than the family's usual one",
    "few-tokens": "fewer tokens than parameters",
    "off-law": "far off any smooth law through its family",
    "unique-exceeds-tokens": "more unique tokens than tokens seen",
    "unknown-role": "a role that is neither fit nor target",
    "repeated-data": "fewer unique tokens than tokens seen",
    "single-run-family": "the only run of its family",
    "derived": "values derived from C = 6·N·D",
    "unit-converted": "losses converted to nats",
}
"""What each code of a flag means."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing that looks wrong, or that a reader should know.

    Parameters
    ----------
    row : int
        Row of :attr:`Runs.table`, from 0; -1 for the table as a whole.
    run : str
        Label of the run, or "".
    code : str
        What kind of flag, one of ``CODES``.
    severity : {"error", "warning", "note"}
        An error keeps the row out of any fit until it is mended or explicitly excluded.
    column : str
        Canonical column concerned.
    message : str
        One sentence for a person, with the place in the source.
    """

    row: int
    run: str
    code: str
    severity: Severity
    column: str
    message: str


def find_flags(table: pd.DataFrame, places: Places) -> tuple[Flag, ...]:
    """Look a canonical table over.

    Parameters
    ----------
    table : pandas.DataFrame
        As :attr:`Runs.table`.
    places : Places
        Where its rows stood in the source.

    Returns
    -------
    tuple of Flag
        Flags of the whole table first, then by row.
    """
    # Values at the edge of float64 overflow in comparisons, which is what the flags report.
    with np.errstate(all="ignore"):
        found = [*bad_values(table), *unit_checks(table), *mixtures(table)]
        unusable = {finding.row for finding in found if finding.severity == "error"}
        found += [*doubtful_values(table), *repeated_rows(table), *off_law(table, unusable)]
    order = {code: place for place, code in enumerate(CODES)}
    columns = {entry.name: place for place, entry in enumerate(COLUMNS)}
    names = table["run"].tolist()
    flags = [
        Flag(
            finding.row,
            names[finding.row] if finding.row >= 0 else "",
            finding.code,
            finding.severity,
            finding.column,
            _sentence(finding.text, finding.row, names, places),
        )
        for finding in found
    ]
    return tuple(sorted(flags, key=lambda flag: (flag.row, order[flag.code], columns[flag.column])))


def _sentence(text: str, row: int, names: Sequence[str], places: Places) -> str:
    if row < 0:
        return f"{text}."
    label = f" (run {names[row]!r})" if names[row] else ""
    return f"{places.short(row).capitalize()}{label}: {text}."
