"""Exported tables in a folder, and posteriors as Zarr stores."""

import json
import math
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.io.json import build_table_schema

from bayes_scaling._files import reason, write_bytes
from bayes_scaling._tabular import write_csv, write_parquet
from bayes_scaling.errors import FileError
from bayes_scaling.exports.columns import meaning
from bayes_scaling.exports.tables import tables
from bayes_scaling.inference import Fit
from bayes_scaling.report._given import ResultLike

__all__ = ["FORMATS", "write_tables", "write_zarr"]

FORMATS = ("csv", "parquet")
"""Formats of tables."""
_DESCRIPTOR = "datapackage.json"


def write_tables(
    folder: str | os.PathLike[str],
    fit: Fit,
    *plans: ResultLike | Mapping[str, Any],
    form: str = "csv",
    configs: Any = None,
    seed: int = 0,
) -> dict[str, Path]:
    """Write a fit as tables into a folder, with a descriptor of every column.

    Parameters
    ----------
    folder : path-like
        Where they go; made if missing. Files of the same name are replaced, others left.
    fit, *plans, configs, seed
        As :func:`tables`.
    form : {"csv", "parquet"}
        Format of the tables.

    Returns
    -------
    dict of str to pathlib.Path
        The file of each table, and of ``datapackage.json``, a Data Package descriptor (Frictionless
        Data) with types and meanings of columns, law, loss unit, the point at which amplitudes
        are the loss, hash of the runs and versions.

    Raises
    ------
    FileError
        If the format is none of these, or a file cannot be written.
    ScenarioError
        If a plan belongs to another fit.
    """
    if form not in FORMATS:
        raise FileError(f"format {form!r} is not {' or '.join(FORMATS)}")
    out = Path(folder)
    found = tables(fit, *plans, configs=configs, seed=seed)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {out}: {reason(error)}") from error
    write = write_csv if form == "csv" else write_parquet
    paths = {name: write(out / f"{name}.{form}", table) for name, table in found.items()}
    text = json.dumps(_descriptor(fit, found, form), indent=1, ensure_ascii=False)
    return paths | {_DESCRIPTOR: write_bytes(out / _DESCRIPTOR, text + "\n")}


def _descriptor(fit: Fit, found: Mapping[str, pd.DataFrame], form: str) -> dict[str, Any]:
    attrs = fit.dt.attrs
    meanings = {p.name: p.meaning for p in fit.spec.parameters}
    return {
        "name": "bayes-scaling-fit",
        "title": f"Fit of {fit.law.name} to {attrs['source']}",
        "law": fit.law.name,
        "formula": fit.law.formula,
        "loss_unit": attrs["loss_unit"],
        "params_column": fit.count,
        "reference_point": {name: math.exp(fit.spec.reference[name]) for name in fit.law.inputs},
        "runs_hash": attrs["runs_hash"],
        "versions": json.loads(attrs["versions"]),
        "warnings": list(fit.warnings),
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
    """
    out = Path(path)
    if out.exists() or out.is_symlink():
        raise FileError(f"cannot write {out}: it is there already, and a store needs a new name")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{out.name[:40]}.", dir=out.parent) as beside:
            part = Path(beside) / "store"
            fit.dt.to_zarr(part, mode="w-", zarr_format=2, consolidated=True)
            part.rename(out)
    except OSError as error:
        raise FileError(f"cannot write {out}: {reason(error)}") from error
    return out
