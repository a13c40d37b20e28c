"""Tables of configurations to forecast: read like runs, but every column is kept as it was."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.core.bounds import legal, meant
from bayes_scaling.core.caveat import Caveat, deprecated_texts
from bayes_scaling.errors import DataError
from bayes_scaling.runs.checks.size_values import implausible_sizes
from bayes_scaling.runs.columns import column, require, resolve
from bayes_scaling.runs.finding import Finding
from bayes_scaling.runs.flags import check_accepted, demoted, how_to_accept
from bayes_scaling.runs.input_columns import INPUTS, OPTIONAL, Input
from bayes_scaling.runs.own_inputs import numbers_of, read_own
from bayes_scaling.runs.reading.cells import same_numbers, to_text
from bayes_scaling.runs.reading.raw_table import Places, RawTable
from bayes_scaling.runs.reading.sources import read_table
from bayes_scaling.runs.sizes import SIZES, derive

__all__ = ["Configs", "load_configs"]


@dataclass(frozen=True, eq=False)
class Configs:
    """Configurations to forecast.

    Attributes
    ----------
    original : pandas.DataFrame
        Every column, value and row of the source in its order; cells of a text file as text.
    table : pandas.DataFrame
        float64 params (parameters), tokens (tokens), flops (FLOP; 6·N·D where blank), and the
        other inputs of laws that the source has (NaN: not stated), then family (text, or None
        where not named). Row i belongs to row i of ``original``.
    places : Places
        Where each row stood in the source.
    caveats : tuple of Caveat
        What looked wrong and was accepted, by the codes of flags.
    accepted : tuple of str
        The codes that were.
    """

    original: pd.DataFrame
    table: pd.DataFrame
    places: Places
    caveats: tuple[Caveat, ...] = ()
    accepted: tuple[str, ...] = ()

    doubts = deprecated_texts("doubts")

    def __len__(self) -> int:
        return len(self.table)

    @property
    def source(self) -> str:
        """Name of the file, or "data frame"."""
        return self.places.source

    def with_inputs(self, inputs: Iterable[Input]) -> "Configs":
        """Return the configurations with the inputs of a law read as numbers (``Law.own_inputs``).

        Raises
        ------
        DataError
            If two columns can be one input and differ, or a cell is no number or out of range.
        """
        _, found = read_own(self.original, self.places, tuple(inputs))
        return replace(self, table=self.table.assign(**found)) if found else self


def load_configs(
    source: str | os.PathLike[str] | pd.DataFrame,
    columns: Mapping[str, str] | None = None,
    *,
    accept: Iterable[str] = (),
) -> Configs:
    """Load the configurations to forecast, for example ``predict --at CONFIGS.csv``.

    Parameters
    ----------
    source : path-like or pandas.DataFrame
        CSV, TSV, Parquet or JSON lines, by suffix, or a data frame, with two of params
        (parameters), tokens (tokens) and flops (FLOP) in every row; the third is derived.
    columns : mapping of str to str, optional
        Canonical name to source column, where the names are ambiguous.
    accept : iterable of str
        Codes of errors to accept, such as "implausible-size", where the table is meant as it
        stands. They stay as ``caveats``.

    Returns
    -------
    Configs
        The table to predict at and the original.

    Raises
    ------
    FileError
        If the file cannot be read or does not match its suffix.
    DataError
        If a column is missing or ambiguous, or a value is blank, not a number, infinite, not
        above zero or not plausible.

    Examples
    --------
    >>> from bayes_scaling.runs import load_configs
    >>> load_configs("configs.csv").table["flops"].tolist()
    [1.2e+20, 5.88e+21, 1.2e+20]
    """
    accepted = check_accepted(accept)
    raw = read_table(source)
    place = raw.places.source
    wanted = (*INPUTS.values(), column("family"))
    named = resolve(raw.names, columns, place, wanted, same=same_numbers(raw))
    require(named, raw.names, place, loss=False)
    numbers = numbers_of(raw, named, INPUTS.values())
    sizes, derived = derive(numbers, len(raw.frame))
    _complete(sizes, derived, raw)
    table = pd.DataFrame(sizes | {name: numbers[name] for name in OPTIONAL if name in numbers})
    table["family"] = _families(raw, named)
    marks = {f"{name}_derived": pd.Series(mark) for name, mark in derived.items()}
    found = demoted(implausible_sizes(table.assign(**marks), "configurations"), accepted)
    return Configs(raw.frame, table, raw.places, _accepted(found, raw), accepted)


def _accepted(found: Sequence[Finding], raw: RawTable) -> tuple[Caveat, ...]:
    """Caveats of what was accepted; an error if something was not."""
    places = raw.places
    texts = [
        f"{places.source if finding.row < 0 else places.full(finding.row)}: {finding.text}"
        for finding in found
    ]
    bad = [finding.severity == "error" for finding in found]
    if any(bad):
        code = found[bad.index(True)].code
        raise DataError(f"{texts[bad.index(True)]} ({how_to_accept([code])})")
    return tuple(
        Caveat(code=f.code, severity=f.severity, subject=f.column, text=f"{text}.")
        for f, text in zip(found, texts, strict=True)
    )


def _complete(
    sizes: Mapping[str, NDArray[np.float64]],
    derived: Mapping[str, NDArray[np.bool_]],
    raw: RawTable,
) -> None:
    for row in range(len(raw.frame)):
        blank = [name for name in SIZES if np.isnan(sizes[name][row])]
        if blank:
            raise DataError(
                f"{raw.places.full(row)}: {' and '.join(blank)} are blank; two of params, tokens "
                "and flops are needed in every row"
            )
        for name in SIZES:
            size = sizes[name][row]
            if derived[name][row] and not meant(size):
                raise DataError(
                    f"{raw.places.full(row)}: {name} derived from C = 6·N·D is {size:g}; it must "
                    f"be finite and above zero ({legal()})"
                )


def _families(raw: RawTable, found: Mapping[str, str]) -> "pd.Series[str]":
    texts = [""] * len(raw.frame)
    if "family" in found:
        name = found["family"]
        texts = to_text(raw.frame[name], name, raw.places).tolist()
    return pd.Series([text or None for text in texts], dtype=object)
