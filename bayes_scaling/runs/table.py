"""The table of runs: frozen, flagged, with a hash."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from bayes_scaling.errors import DataError
from bayes_scaling.runs.checks.row_values import is_target
from bayes_scaling.runs.checks.sweeps import best_rows
from bayes_scaling.runs.columns import COLUMNS
from bayes_scaling.runs.family_summary import as_html, flag_table, summarise
from bayes_scaling.runs.finding import Finding
from bayes_scaling.runs.fingerprint import fingerprint
from bayes_scaling.runs.flags import ACCEPTABLE, CODES, LOADED, Flag, as_flags, flags_again
from bayes_scaling.runs.input_columns import Input
from bayes_scaling.runs.own_inputs import joined, read_own
from bayes_scaling.runs.reading.raw_table import Places
from bayes_scaling.runs.refusal import refusal
from bayes_scaling.runs.selection import chosen_rows, group_columns

__all__ = ["Runs"]


@dataclass(frozen=True, eq=False, repr=False)
class Runs:
    """Training runs under canonical columns; made by :func:`load_runs`.

    Attributes
    ----------
    table : pandas.DataFrame
        Canonical columns first (float64 numbers; see ``COLUMNS`` for units), then the other
        columns of the source untouched. Always there: run, family, params, tokens, flops, loss,
        loss_unit, flops_derived. A copy: changing it does not change the runs.
    source : str
        Name of the file, or "data frame".
    flags : tuple of Flag
        What looks wrong, or deserves to be known.
    count : str
        Which count ``params`` holds: "params" or "params_nonemb".
    excluded : dict of str to int
        Rows removed by :meth:`exclude`, by flag code, and by :meth:`best` under "best-of".
    accepted : tuple of str
        Codes whose errors were accepted when loading; they are warnings.
    inputs : tuple of Input
        Columns beside the canonical ones that a law reads (:meth:`with_inputs`).
    """

    _table: pd.DataFrame
    _places: Places
    flags: tuple[Flag, ...]
    count: str = "params"
    _excluded: Mapping[str, int] = field(default_factory=dict)
    accepted: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """Table of all rows, as a copy (lazy: pandas copies on write)."""
        return self._table.copy(deep=False)

    @property
    def source(self) -> str:
        """Name of the file, or "data frame"."""
        return self._places.source

    @property
    def excluded(self) -> dict[str, int]:
        """Rows removed by :meth:`exclude`, by flag code, and by :meth:`best` under "best-of"."""
        return dict(self._excluded)

    @property
    def families(self) -> tuple[str, ...]:
        """Families in order of first appearance."""
        return tuple(dict.fromkeys(self._table["family"].tolist()))

    @property
    def loss_unit(self) -> str:
        """Unit of the losses, or "mixed" when families differ."""
        units = dict.fromkeys(self._table["loss_unit"].tolist())
        return next(iter(units)) if len(units) == 1 else "mixed"

    @cached_property
    def hash(self) -> str:
        """SHA-256 (hex) of what a fit can see: numbers, families, run labels, roles, units.

        The order of rows counts; columns that are neither canonical nor among ``inputs``, flags
        and the source's name do not. It is the same in every process and on every platform.
        """
        return fingerprint(self._table, self.count, [entry.name for entry in self.inputs])

    def with_inputs(self, inputs: Iterable[Input]) -> "Runs":
        """Return the runs with the inputs of a law read as numbers, and flagged anew.

        Parameters
        ----------
        inputs : iterable of Input
            As :attr:`bayes_scaling.laws.Law.own_inputs`; those that the source lacks stay away.

        Returns
        -------
        Runs
            The same if there is nothing new.

        Raises
        ------
        DataError
            If two columns can be one input and differ, or a cell is no number or out of range.
        LawError
            If two laws declare one name differently.
        """
        together = joined(self.inputs, inputs)
        new = together[len(self.inputs) :]
        if not new:
            return self
        canonical = [entry.name for entry in (*COLUMNS, *self.inputs)]
        others = self._table.drop(columns=canonical, errors="ignore")
        named, found = read_own(others, self._places, new)
        table = self._table.drop(columns=list(named.values())).assign(**found)
        return self._flagged(table, self._places, self._excluded, together)

    def fit_rows(self) -> pd.DataFrame:
        """Rows that a fit uses: all whose role is not "target".

        Returns
        -------
        pandas.DataFrame
            Columns as in ``table``, with a fresh index.

        Raises
        ------
        DataError
            If one of these rows has an error flag, or there are none.
        """
        rows = self._usable(~is_target(self._table))
        if not len(rows):
            raise DataError(f"{self.source} has no run to fit; every role is 'target'")
        return rows

    def without_targets(self) -> "Runs":
        """The runs whose role is not "target"; the same runs if there is none."""
        target = is_target(self._table)
        return self if not target.any() or target.all() else self.select(~target)

    def targets(self) -> pd.DataFrame:
        """Rows whose role is "target": kept out of fits, there to be forecast and scored.

        Returns
        -------
        pandas.DataFrame
            Columns as in ``table``, with a fresh index. A loss not yet known is NaN.

        Raises
        ------
        DataError
            If one of these rows has an error flag.
        """
        return self._usable(is_target(self._table))

    def _usable(self, use: NDArray[np.bool_]) -> pd.DataFrame:
        bad = [
            flag
            for flag in self.flags
            if flag.severity == "error" and (flag.row < 0 or use[flag.row])
        ]
        if bad:
            raise DataError(refusal(self.source, bad))
        return self._table[use].reset_index(drop=True)

    def plausible(self) -> "Runs":
        """Return the runs, or refuse those in no plausible unit.

        Raises
        ------
        DataError
            If sizes, compute or losses are in no plausible unit and this was not accepted.
        """
        bad = [flag for flag in self.flags if flag.severity == "error" and flag.code in ACCEPTABLE]
        if bad:
            raise DataError(refusal(self.source, bad))
        return self

    def exclude(self, *codes: str) -> "Runs":
        """Remove, explicitly, the rows that have a flag of the given codes.

        Parameters
        ----------
        *codes : str
            Flag codes, such as "off-law". Rows are flagged anew afterwards.

        Returns
        -------
        Runs
            The other rows, with the counts in ``excluded``.

        Raises
        ------
        DataError
            If a code does not exist, or no row would be left.
        """
        counts = dict(self._excluded)
        gone: set[int] = set()
        for code in codes:
            if code not in CODES:
                raise DataError(f"{code!r} is not a flag code; legal are {', '.join(CODES)}")
            rows = {flag.row for flag in self.flags if flag.code == code and flag.row >= 0}
            counts[code] = counts.get(code, 0) + len(rows - gone)
            gone |= rows
        keep = [row for row in range(len(self)) if row not in gone]
        if not keep:
            raise DataError(
                f"excluding {', '.join(codes)} leaves no run of the {len(self)} in {self.source}"
            )
        return self._take(keep, counts)

    def best(self, by: Iterable[str] = ("params", "tokens")) -> "Runs":
        """Keep, of the runs of a family that are equal in some columns, the one of lowest loss.

        For sweeps of learning rates or batch sizes, of which a law describes the well tuned runs.
        The lowest of many losses is too low by about the noise of a run.

        Parameters
        ----------
        by : iterable of str
            Columns of ``table``; numbers within 1% are equal. Targets are kept apart from runs to
            fit.

        Returns
        -------
        Runs
            The rows kept, with the number of the others in ``excluded`` under "best-of", and a
            flag for it. Rows without a loss stay where their group has none with one.

        Raises
        ------
        DataError
            If there is no such column.
        """
        names = group_columns(by, self._table, self.source)
        keep = best_rows(self._table, names)
        gone = int(np.sum(~keep))
        if not gone:
            return self
        text = (
            f"{gone} of {len(self)} rows were left out, because of each family, "
            f"{' and '.join(names)} the run of lowest loss was kept"
        )
        flagged = as_flags([Finding(-1, "best-of", "warning", "loss", text)], [], self._places)
        counts = dict(self._excluded)
        counts["best-of"] = counts.get("best-of", 0) + gone
        kept = self._take([int(row) for row in np.flatnonzero(keep)], counts)
        return replace(kept, flags=(*flagged, *kept.flags))

    def with_history(self, other: "Runs") -> "Runs":
        """Return the runs with the exclusions of others of which they are a new reading."""
        loading = [flag for flag in other.flags if flag.code in LOADED and flag not in self.flags]
        return replace(self, flags=(*loading, *self.flags), _excluded=other.excluded)

    def select(self, mask: ArrayLike | Callable[[pd.DataFrame], ArrayLike]) -> "Runs":
        """Keep the rows where ``mask`` is true, in order, and flag them anew.

        Parameters
        ----------
        mask : array-like of bool, or callable
            One value per row, or a function of ``table`` that returns them.

        Returns
        -------
        Runs
            The rows kept.

        Raises
        ------
        DataError
            If the mask is not one boolean per row, or keeps none.
        """
        rows = mask(self.table) if callable(mask) else mask
        keep = chosen_rows(rows, len(self), self.source)
        return self._take(keep, self._excluded)

    def _take(self, keep: list[int], excluded: Mapping[str, int]) -> "Runs":
        table = self._table.iloc[keep].reset_index(drop=True)
        return self._flagged(table, self._places.take(keep), excluded, self.inputs)

    def _flagged(
        self,
        table: pd.DataFrame,
        places: Places,
        excluded: Mapping[str, int],
        inputs: tuple[Input, ...],
    ) -> "Runs":
        """Another table of these runs, flagged anew."""
        names = [entry.name for entry in inputs]
        flags = flags_again(self.flags, table, places, self.accepted, names)
        return replace(
            self,
            _table=table,
            _places=places,
            flags=flags,
            _excluded=dict(excluded),
            inputs=inputs,
        )

    def flag_table(self) -> pd.DataFrame:
        """Return the flags as a table.

        Returns
        -------
        pandas.DataFrame
            Columns row, run, code, severity, column, message; one row per flag.
        """
        return flag_table(self.flags)

    def summary(self) -> pd.DataFrame:
        """Summarise each family in one row: counts of runs and flags, and ranges.

        Returns
        -------
        pandas.DataFrame
            Columns family, runs, targets, then _min and _max of params (parameters), tokens
            (tokens), flops (FLOP) and loss, then loss_unit and errors, warnings, notes: the
            number of rows with a flag of that severity.
        """
        return summarise(self._table, self.flags)

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        families = len(self.families)
        noun = "family" if families == 1 else "families"
        return (
            f"<Runs from {self.source}: {len(self)} runs, {families} {noun}, loss in "
            f"{self.loss_unit}, {len(self.flags)} flags>"
        )

    def _repr_html_(self) -> str:
        return as_html(repr(self).strip("<>"), self.summary(), self.flags)
