"""Loading a table of runs: from any source to canonical columns, units and flags."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bayes_scaling.errors import DataError
from bayes_scaling.runs.checks.family_names import unnamed_families
from bayes_scaling.runs.columns import COLUMNS, column, listing, require, resolve
from bayes_scaling.runs.finding import number
from bayes_scaling.runs.flags import Flag, as_flags, check_accepted, demoted, find_flags
from bayes_scaling.runs.loss_names import loss_name
from bayes_scaling.runs.loss_units import row_units
from bayes_scaling.runs.reading.cells import infer, same_numbers, to_bool, to_float, to_text
from bayes_scaling.runs.reading.raw_table import RawTable
from bayes_scaling.runs.reading.sources import read_table
from bayes_scaling.runs.sizes import SIZES, derive
from bayes_scaling.runs.table import Runs

__all__ = ["Count", "load_runs", "recount"]

Count = Literal["params", "params_nonemb"]
Cells = dict[str, pd.Series]

_ONLY_FAMILY = "all"


@dataclass(frozen=True, slots=True)
class _Options:
    """Options of :func:`load_runs`."""

    columns: Mapping[str, str] | None
    loss_unit: str | None
    family: str | None
    count: Count
    accepted: tuple[str, ...]


def load_runs(
    source: str | os.PathLike[str] | pd.DataFrame | Runs,
    *,
    columns: Mapping[str, str] | None = None,
    loss_unit: str | None = None,
    family: str | None = None,
    count: Count = "params",
    accept: Iterable[str] = (),
) -> Runs:
    """Load a table of training runs.

    Columns are found by their canonical name or a single alias (see ``COLUMNS``). Needed are the
    loss and two of params (parameters), tokens (tokens) and flops (FLOP); the third follows, row
    by row, from C = 6·N·D. Nothing is dropped: what looks wrong is flagged in ``Runs.flags``.

    Parameters
    ----------
    source : path-like, pandas.DataFrame or Runs
        CSV, TSV, Parquet or JSON lines, by suffix; a data frame; or runs already loaded, which
        are returned as they are.
    columns : mapping of str to str, optional
        Canonical name to source column, where the names are ambiguous.
    loss_unit : str, optional
        Unit of the losses: nats or bits, per token, byte or char, or "unknown". By default what
        the table states, else nats/token. Losses, and all results, stay in it; where a table
        has both bits and nats, all become nats.
    family : str, optional
        Family of the rows that name none. By default "all" when the table has no families.
    count : {"params", "params_nonemb"}
        Which parameter count the column ``params`` is to hold. With "params_nonemb" the count
        including embeddings is kept as the extra column ``params_total``.
    accept : iterable of str
        Codes of errors to accept, among ``ACCEPTABLE``, where the table is meant as it stands:
        "implausible-size" for models of a hundred parameters. They stay as warnings.

    Returns
    -------
    Runs
        The runs in the order of the source.

    Raises
    ------
    FileError
        If the file cannot be read or does not match its suffix.
    DataError
        If a column is missing or ambiguous, a cell is not what its column needs, or a code cannot
        be accepted.

    Examples
    --------
    >>> runs = bs.load_runs("runs.csv")
    >>> len(runs), runs.loss_unit
    (40, 'nats/token')
    """
    options = _Options(columns, loss_unit, family, count, check_accepted(accept))
    if isinstance(source, Runs):
        return _as_loaded(source, options)
    if count not in {"params", "params_nonemb"}:
        raise DataError(f"count={count!r} is not legal; it is 'params' or 'params_nonemb'")
    return _assemble(read_table(source), options)


def recount(source: str | os.PathLike[str] | pd.DataFrame | Runs, count: Count) -> Runs:
    """Load runs, or load them again, with another count of parameters.

    Parameters
    ----------
    source : path-like, pandas.DataFrame or Runs
        As for :func:`load_runs`. FLOP that were derived are derived anew from the new count.
    count : {"params", "params_nonemb"}
        What ``params`` is to hold.

    Returns
    -------
    Runs
        In the order of the source.
    """
    if not isinstance(source, Runs):
        return load_runs(source, count=count)
    if source.count == count:
        return source
    if count == "params_nonemb" and "params_nonemb" not in source.table:
        raise DataError(f"{source.source} has no column for params_nonemb to count by")
    table = source.table
    table["flops"] = table["flops"].where(~table["flops_derived"])
    table = table.drop(columns=[name for name in table if str(name).endswith("_derived")])
    if "params_total" in table:
        table["params"] = table.pop("params_total")
    again = load_runs(table, count=count, accept=source.accepted).with_history(source)
    return again.with_inputs(source.inputs)


def _assemble(raw: RawTable, options: _Options) -> Runs:
    found = resolve(raw.names, options.columns, raw.places.source, same=same_numbers(raw))
    counted = _choose_count(found, raw, options.count)
    require(counted, raw.names, raw.places.source, loss=True)
    cells = _read_cells(raw, found)
    _apply_count(cells, options.count)
    converted = _one_unit(cells, raw, found, options.loss_unit)
    _fill_sizes(cells, len(raw.frame))
    cells["family"] = _families(cells.get("family"), options.family, len(raw.frame))
    cells.setdefault("run", pd.Series([""] * len(raw.frame), dtype="str"))
    ordered = {entry.name: cells[entry.name] for entry in COLUMNS if entry.name in cells}
    table = pd.DataFrame(ordered | _extras(raw, found, cells))
    in_bits = table["loss_unit"].str.startswith("bits").any()
    stated = options.loss_unit is not None or "loss_unit" in found or bool(in_bits)
    findings = [*loss_name(found["loss"], unit_stated=stated)]
    if "family" not in found and options.family is None:
        others = [name for name in table if name not in ordered]
        findings += unnamed_families(table[["params", *others]])
    named = demoted(findings, options.accepted)
    flags = (
        *converted,
        *as_flags(named, [], raw.places),
        *find_flags(table, raw.places, options.accepted),
    )
    return Runs(table, raw.places, flags, options.count, accepted=options.accepted)


def _as_loaded(runs: Runs, options: _Options) -> Runs:
    if (
        options.columns
        or options.loss_unit is not None
        or options.family is not None
        or options.count not in {"params", runs.count}
        or not set(options.accepted) <= set(runs.accepted)
    ):
        raise DataError(
            f"the runs from {runs.source} are loaded already; give columns, loss_unit, family, "
            "count and accept when loading them from their source"
        )
    return runs


def _choose_count(found: dict[str, str], raw: RawTable, count: Count) -> dict[str, str]:
    """Return what is found, with ``params`` standing for the requested parameter count."""
    chosen = dict(found)
    if count == "params_nonemb":
        chosen.pop("params", None)
        if "params_nonemb" not in found:
            accepted = ", ".join(("params_nonemb", *column("params_nonemb").aliases))
            raise DataError(
                f"{raw.places.source} has no column for params_nonemb (accepted: {accepted}), "
                f"which count='params_nonemb' asks for; its columns are {listing(raw.names)}"
            )
        chosen["params"] = found["params_nonemb"]
    return chosen


def _read_cells(raw: RawTable, found: Mapping[str, str]) -> Cells:
    cells: Cells = {}
    for canonical, name in found.items():
        values = raw.frame[name]
        kind = column(canonical).kind
        if kind == "number":
            cells[canonical] = pd.Series(to_float(values, name, raw.places))
        elif kind == "text":
            cells[canonical] = to_text(values, name, raw.places)
        else:
            cells[canonical] = to_bool(values, name, raw.places)
    return cells


def _apply_count(cells: Cells, count: Count) -> None:
    if count == "params_nonemb":
        if "params" in cells:
            cells["params_total"] = cells["params"]
        cells["params"] = cells["params_nonemb"]


def _one_unit(
    cells: Cells, raw: RawTable, found: Mapping[str, str], argument: str | None
) -> tuple[Flag, ...]:
    rows = len(raw.frame)
    name = found.get("loss_unit", "loss_unit")
    units, factors = row_units(
        cells.get("loss_unit"),
        argument,
        rows,
        raw.places,
        name=name,
        loss_name=found.get("loss", ""),
    )
    for canonical in ("loss", "loss_se"):
        if canonical in cells:
            cells[canonical] = cells[canonical] * factors
    cells["loss_unit"] = pd.Series(units, dtype="str")
    count = int(np.sum(factors != 1.0))
    if not count:
        return ()
    text = (
        f"The loss of {'every row' if count == rows else f'{count} of {rows} rows'} was converted "
        f"from bits to nats (times {number(np.log(2.0))}), since the table has both."
    )
    code = "unit-converted"
    return (Flag(code=code, severity="note", subject="loss", text=text, row=-1, run=""),)


def _fill_sizes(cells: Cells, rows: int) -> None:
    stated = {name: cells[name].to_numpy(dtype=np.float64) for name in SIZES if name in cells}
    sizes, derived = derive(stated, rows)
    for name in SIZES:
        cells[name] = pd.Series(sizes[name])
        mark = f"{name}_derived"
        marked = derived[name] | _marked(cells.get(mark), rows)
        if name == "flops" or marked.any():
            cells[mark] = pd.Series(marked)
        else:
            cells.pop(mark, None)


def _marked(stated: pd.Series | None, rows: int) -> NDArray[np.bool_]:
    """Read the marks of derived cells in a table that this package saved."""
    if stated is None:
        return np.zeros(rows, dtype=np.bool_)
    return stated.fillna(value=False).to_numpy(dtype=np.bool_)


def _families(stated: pd.Series | None, default: str | None, rows: int) -> pd.Series:
    if stated is None:
        return pd.Series([default or _ONLY_FAMILY] * rows, dtype="str")
    if default is None:
        default = "" if (stated != "").any() else _ONLY_FAMILY
    return stated.where(stated != "", default)


def _extras(raw: RawTable, found: Mapping[str, str], cells: Cells) -> Cells:
    """Columns of the source that are not canonical, as they are, after the canonical ones."""
    used = set(found.values())
    extras: Cells = {}
    if "params_total" in cells:
        extras["params_total"] = cells["params_total"]
    taken = {entry.name for entry in COLUMNS} | set(raw.names) | set(extras)
    for name in raw.names:
        if name in used:
            continue
        label = name
        if name in {entry.name for entry in COLUMNS} or name in extras:
            # A column passed over through columns= must not pose as the canonical one.
            label = f"source_{name}"
            while label in taken:
                label = f"source_{label}"
        extras[label] = infer(raw.frame[name]) if raw.textual else raw.frame[name]
        taken.add(label)
    return extras
