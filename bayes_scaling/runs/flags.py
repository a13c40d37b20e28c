"""Quality flags: what looks wrong in a table of runs. A flag never changes or drops a row."""

from collections.abc import Collection, Iterable, Sequence
from typing import Annotated

import numpy as np
import pandas as pd

from bayes_scaling.core.caveat import Caveat, Severity
from bayes_scaling.core.records import about
from bayes_scaling.errors import DataError
from bayes_scaling.runs.checks.family_names import similar_families
from bayes_scaling.runs.checks.loss_values import loss_checks
from bayes_scaling.runs.checks.mixtures import mixtures
from bayes_scaling.runs.checks.row_comparisons import off_law, repeated_rows, unit_checks
from bayes_scaling.runs.checks.row_values import bad_values, doubtful_values
from bayes_scaling.runs.checks.size_values import IMPLAUSIBLE, implausible_sizes
from bayes_scaling.runs.checks.sweeps import sweeps
from bayes_scaling.runs.columns import COLUMNS
from bayes_scaling.runs.finding import Finding
from bayes_scaling.runs.reading.raw_table import Places

__all__ = [
    "ACCEPTABLE",
    "CODES",
    "LOADED",
    "Flag",
    "Severity",
    "as_flags",
    "check_accepted",
    "demoted",
    "find_flags",
    "flags_again",
    "how_to_accept",
]

CODES: dict[str, str] = {
    "loss-name": "the column of the loss is named after something else",
    "no-family": "no column of families, though another column distinguishes them",
    "similar-families": "families whose names differ in case, spaces or punctuation only",
    "implausible-size": "parameters or tokens that no training run has",
    "flops-unit": "compute in another unit than FLOP, by its ratio to 6·N·D",
    "sweep": "many runs at one size that differ in settings of the training",
    "best-of": "of runs of one size the best alone was kept",
    "rising-loss": "a loss that rises with parameters and tokens",
    "implausible-loss": "losses that a cross-entropy in their unit cannot have",
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
    "mixed-schedules": "a learning-rate schedule other than that of most runs of the family",
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

ACCEPTABLE = frozenset(
    {"flops-unit", "implausible-loss", "implausible-size", "loss-name", "no-family"}
    | {"rising-loss", "similar-families", "sweep"}
)
"""Codes of errors that a reader may accept, where the table is meant as it stands."""

LOADED = frozenset({"best-of", "loss-name", "no-family", "unit-converted"})
"""Codes of what is known when a table is loaded, and cannot be seen in its rows afterwards."""


class Flag(Caveat, frozen=True, kw_only=True):
    """A quality flag of a table of runs.

    Its ``code`` is one of ``CODES``, its ``subject`` a canonical column. An error keeps the row out
    of any fit until it is mended or explicitly excluded. The text gives the place in the source.
    """

    row: Annotated[int, about("Row of Runs.table, from 0; -1 for the table as a whole.", ge=-1)]
    run: Annotated[str, about("Label of the run, or empty.")]

    @property
    def column(self) -> str:
        """Canonical column concerned, the ``subject``."""
        return self.subject

    @property
    def message(self) -> str:
        """Text of the flag."""
        return self.text


def check_accepted(accept: Iterable[str]) -> tuple[str, ...]:
    """Codes to accept, each once."""
    codes = (accept,) if isinstance(accept, str) else tuple(dict.fromkeys(accept))
    for code in codes:
        if code not in ACCEPTABLE:
            raise DataError(
                f"{code!r} is not an error that can be accepted; these are "
                f"{', '.join(sorted(ACCEPTABLE))}"
            )
    return codes


def how_to_accept(codes: Iterable[str]) -> str:
    """Write how to accept a finding."""
    several = tuple(dict.fromkeys(codes))
    options = " ".join(f"--accept {code}" for code in several)
    return f"if it is meant, write {options}, in Python accept={list(several)}"


def demoted(findings: Iterable[Finding], accept: Collection[str]) -> list[Finding]:
    """Findings, with errors of the accepted codes as warnings."""
    return [
        finding._replace(severity="warning")
        if finding.severity == "error" and finding.code in accept
        else finding
        for finding in findings
    ]


def find_flags(
    table: pd.DataFrame, places: Places, accept: Collection[str] = (), inputs: Sequence[str] = ()
) -> tuple[Flag, ...]:
    """Look a canonical table over.

    Parameters
    ----------
    table : pandas.DataFrame
        As :attr:`Runs.table`.
    places : Places
        Where its rows stood in the source.
    accept : collection of str
        Codes whose errors are warnings.
    inputs : sequence of str
        Columns beside the canonical ones that a law reads.

    Returns
    -------
    tuple of Flag
        Flags of the whole table first, then by row.
    """
    # Values at the edge of float64 overflow in comparisons, which is what the flags report.
    with np.errstate(all="ignore"):
        found = [*bad_values(table), *unit_checks(table), *mixtures(table)]
        found += [*implausible_sizes(table), *loss_checks(table)]
        found += [*similar_families(table), *sweeps(table, inputs)]
        unusable = {finding.row for finding in found if finding.severity == "error"}
        found += [*doubtful_values(table), *repeated_rows(table), *off_law(table, unusable)]
    if any(finding.code == IMPLAUSIBLE and finding.severity == "error" for finding in found):
        # A wrong unit of N or D puts 6·N·D off as well, and is named by itself.
        found = [finding for finding in found if finding.code != "flops-unit"]
    return as_flags(demoted(found, accept), table["run"].tolist(), places)


def flags_again(
    before: Sequence[Flag],
    table: pd.DataFrame,
    places: Places,
    accept: Collection[str],
    inputs: Sequence[str],
) -> tuple[Flag, ...]:
    """Flags of a table that was made of another one, parameters as of :func:`find_flags`.

    Parameters
    ----------
    before : sequence of Flag
        Of the other table.
    """
    # What happened while loading stays true, and cannot be seen in the table any more.
    loading = tuple(flag for flag in before if flag.code in LOADED)
    # Some runs of a table cannot show that all of them are in a wrong unit, or no runs at all.
    known = {flag.code for flag in before}
    found = find_flags(table, places, accept, inputs)
    return (*loading, *(f for f in found if f.code in known or f.code not in ACCEPTABLE))


def as_flags(findings: Iterable[Finding], names: Sequence[str], places: Places) -> tuple[Flag, ...]:
    """Findings as flags, with the labels and places of their rows, in order."""
    order = {code: place for place, code in enumerate(CODES)}
    columns = {entry.name: place for place, entry in enumerate(COLUMNS)}
    flags = [
        Flag(
            code=finding.code,
            severity=finding.severity,
            subject=finding.column,
            text=_sentence(finding.text, finding.row, names, places),
            row=finding.row,
            run=names[finding.row] if finding.row >= 0 else "",
        )
        for finding in findings
    ]
    return tuple(sorted(flags, key=lambda flag: (flag.row, order[flag.code], columns[flag.column])))


def _sentence(text: str, row: int, names: Sequence[str], places: Places) -> str:
    if row < 0:
        return f"{text}."
    label = f" (run {names[row]!r})" if names[row] else ""
    return f"{places.short(row).capitalize()}{label}: {text}."
