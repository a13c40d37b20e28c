"""Exported tables in a folder, and posteriors as Zarr stores."""

import json
import math
import os
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.json import build_table_schema

from bayes_scaling.core.caveat import texts
from bayes_scaling.core.data_package import DESCRIPTOR, write_package
from bayes_scaling.core.files import path_of, reason
from bayes_scaling.core.spreadsheet_text import quoted_table
from bayes_scaling.core.tabular import write_csv, write_parquet
from bayes_scaling.core.temporary_files import clear_leftovers, neighbour
from bayes_scaling.errors import FileError
from bayes_scaling.exports.column_types import meaning
from bayes_scaling.exports.tables import tables
from bayes_scaling.inference import Fit
from bayes_scaling.inference.fit_result import check_fit
from bayes_scaling.results.belonging import ResultLike

__all__ = ["FORMATS", "write_tables", "write_zarr"]

FORMATS = ("csv", "parquet")
"""Formats of tables."""
_NAME = "bayes-scaling-fit"


def write_tables(
    folder: str | os.PathLike[str],
    fit: Fit,
    *plans: ResultLike,
    form: str = "csv",
    configs: Any = None,
    seed: int = 0,
    raw: bool = False,
) -> dict[str, Path]:
    """Write a fit as tables into a folder, with a descriptor of every column.

    The tables of an earlier export there are replaced as a whole, and never stand beside new ones;
    other files are left.

    Parameters
    ----------
    folder : path-like
        Where they go; made if missing.
    fit, *plans, configs, seed
        As :func:`tables`.
    form : {"csv", "parquet"}
        Format of the tables.
    raw : bool
        CSV only: whether text that a spreadsheet would run as a formula (``=``, ``+``, ``-`` or
        ``@`` first, and no number) is left as it is. Without, an apostrophe stands before it,
        which :func:`bayes_scaling.load_runs` takes away.

    Returns
    -------
    dict of str to pathlib.Path
        The file of each table, and of ``datapackage.json``, a Data Package descriptor (Frictionless
        Data) with types and meanings of columns, size and hash of each file, law, loss unit, the
        point at which amplitudes are the loss, hash of the fit and its runs, and versions. It
        appears last: tables without it, or of another hash, are of an export that was cut off.

    Raises
    ------
    FileError
        If the format is none of these, a file cannot be written, or one of these names is that of
        a file which no export wrote.
    ScenarioError
        If a plan belongs to another fit.

    Examples
    --------
    >>> bs.write_tables("exported", bs.load_fit("fit.nc"))["runs"].name
    'runs.csv'
    """
    if form not in FORMATS:
        raise FileError(f"format {form!r} is not {' or '.join(FORMATS)}")
    target = path_of(folder)
    quoting = form == "csv" and not raw
    found = {
        name: quoted_table(table) if quoting else table
        for name, table in tables(fit, *plans, configs=configs, seed=seed).items()
    }
    files = {name: f"{name}.{form}" for name in found}

    def fill(part: Path) -> None:
        for name, table in found.items():
            if form == "csv":
                write_csv(part / files[name], table, raw=True)  # quoted already
            else:
                write_parquet(part / files[name], table)

    descriptor = _descriptor(fit, found, form) | {"formulas": "quoted" if quoting else "raw"}
    out = write_package(target, descriptor, fill)
    return {name: out / file for name, file in files.items()} | {DESCRIPTOR: out / DESCRIPTOR}


def _descriptor(fit: Fit, found: Mapping[str, pd.DataFrame], form: str) -> dict[str, Any]:
    attrs = fit.dt.attrs
    meanings = {entry.name: f"{entry.meaning}, {entry.unit}" for entry in fit.law.own_inputs}
    meanings |= {p.name: p.meaning for p in fit.spec.parameters}
    return {
        "name": _NAME,
        "title": f"Fit of {fit.law.name} to {attrs['source']}",
        "law": fit.law.name,
        "formula": fit.law.formula,
        "loss_unit": attrs["loss_unit"],
        "params_column": fit.count,
        "reference_point": {name: math.exp(fit.frame.reference[name]) for name in fit.law.inputs},
        "fit_hash": _hash(fit),
        "runs_hash": attrs["runs_hash"],
        "versions": json.loads(attrs["versions"]),
        "warnings": list(texts(fit.caveats)),
        "resources": [
            {
                "name": name,
                "path": f"{name}.{form}",
                "format": form,
                "schema": _schema(table, meanings),
            }
            for name, table in found.items()
        ],
    }


def _hash(fit: Fit) -> str:
    """SHA-256 of the posterior: another sampling of the same runs has another."""
    digest = sha256(str(fit.dt.attrs["spec"]).encode())
    for name in sorted(map(str, fit.posterior.data_vars)):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(fit.posterior[name].to_numpy()).tobytes())
    return digest.hexdigest()


def _schema(table: pd.DataFrame, meanings: Mapping[str, str]) -> dict[str, Any]:
    fields: Any = build_table_schema(table, index=False, version=False)["fields"]
    return {
        "fields": [
            {"name": str(field["name"]), "type": field["type"]}
            | _described(meanings.get(str(field["name"])) or meaning(str(field["name"])))
            for field in fields
        ]
    }


def _described(text: str) -> dict[str, str]:
    return {"description": text} if text else {}


def write_zarr(path: str | os.PathLike[str], fit: Fit) -> Path:
    """Write every group of a fit as a Zarr store (format 2, consolidated), whole or not at all.

    ``arviz.from_zarr`` and ``xarray.open_datatree`` read it. It is not read back as a fit: filters
    of a Zarr store can be pickles, which run code, so fits are kept as NetCDF.

    Parameters
    ----------
    path : path-like
        The store, a folder that is not there yet.
    fit : Fit
        The fit.

    Raises
    ------
    FileError
        If there is something at ``path``, or it cannot be written.

    Examples
    --------
    >>> bs.write_zarr("fit.zarr", bs.load_fit("fit.nc")).name
    'fit.zarr'
    """
    check_fit(fit)
    out = path_of(path)
    if out.exists() or out.is_symlink():
        raise FileError(f"cannot write {out}: it is there already, and a store needs a new name")
    clear_leftovers(out)
    beside = neighbour(out)
    try:
        beside.mkdir()
        try:
            fit.dt.to_zarr(beside / "store", mode="w-", zarr_format=2, consolidated=True)
            (beside / "store").rename(out)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        raise FileError(f"cannot write {out}: {reason(error)}") from error
    return out
