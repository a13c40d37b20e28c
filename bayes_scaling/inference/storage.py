"""Fits as NetCDF files."""

from os import PathLike
from pathlib import Path

import numpy as np
import xarray as xr

from bayes_scaling._files import reason, write_via
from bayes_scaling.errors import FileError
from bayes_scaling.inference.tree import SCHEMA

__all__ = ["load", "save"]

_GROUPS = ("posterior", "observed_data", "constant_data")


def save(tree: xr.DataTree, path: str | PathLike[str]) -> Path:
    """Write a DataTree as NetCDF 4, whole or not at all.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    return write_via(
        path, lambda part: tree.to_netcdf(part, engine="h5netcdf", encoding=_encoding(tree))
    )


def _encoding(tree: xr.DataTree) -> dict[str, dict[str, dict[str, object]]]:
    encoding: dict[str, dict[str, dict[str, object]]] = {}
    for node in tree.subtree:
        numeric = [
            str(name)
            for name, value in node.data_vars.items()
            if value.ndim and np.issubdtype(value.dtype, np.floating)
        ]
        encoding[node.path] = {name: {"zlib": True, "complevel": 1} for name in numeric}
    return encoding


def load(path: str | PathLike[str]) -> xr.DataTree:
    """Read a DataTree into memory and check that it is a fit.

    Raises
    ------
    FileError
        If the file cannot be read, is truncated, or is not a fit.
    """
    source = Path(path)
    try:
        with source.open("rb"):
            pass
    except OSError as error:
        raise FileError(f"cannot read {source}: {reason(error)}") from error
    try:
        with xr.open_datatree(source, engine="h5netcdf") as lazy:
            tree = lazy.load()
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise FileError(
            f"cannot read {source}: it is not a NetCDF file, or it is truncated"
        ) from error
    schema = tree.attrs.get("schema")
    missing = [name for name in _GROUPS if name not in tree.children]
    if schema != SCHEMA or missing or "spec" not in tree.attrs:
        raise FileError(
            f"{source} is not a fit: its schema is {schema!r}, {SCHEMA!r} is needed"
            if schema != SCHEMA
            else f"{source} is not a whole fit: it lacks {', '.join(missing) or 'its spec'}"
        )
    return tree
