"""Fits as NetCDF files."""

import io
from os import PathLike
from pathlib import Path

import xarray as xr

from bayes_scaling._files import reason, write_bytes
from bayes_scaling.errors import FileError, LawError
from bayes_scaling.inference.tree import SCHEMA
from bayes_scaling.model import Spec

__all__ = ["load", "save"]

_GROUPS = (
    "posterior",
    "prior",
    "posterior_predictive",
    "log_likelihood",
    "log_prior",
    "observed_data",
    "constant_data",
    "held_out",
    "sample_stats",
)
_ATTRIBUTES = ("law", "spec", "runs_hash", "loss_unit", "warnings", "versions")


def save(tree: xr.DataTree, path: str | PathLike[str]) -> Path:
    """Write a DataTree as NetCDF 4, whole or not at all.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    # The file is made in memory: on a full disk HDF5 writes pages of complaints and may crash.
    content = io.BytesIO()
    tree.to_netcdf(content, engine="h5netcdf", encoding=_encoding(tree))
    return write_bytes(path, content.getvalue())


def _encoding(tree: xr.DataTree) -> dict[str, dict[str, dict[str, object]]]:
    encoding: dict[str, dict[str, dict[str, object]]] = {}
    for node in tree.subtree:
        numeric = [
            str(name)
            for name, value in node.data_vars.items()
            if value.ndim and value.dtype.kind in "biuf"
        ]
        # The checksum turns a damaged disk or copy into an error instead of other numbers.
        encoding[node.path] = {
            name: {"zlib": True, "complevel": 1, "fletcher32": True} for name in numeric
        }
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
            _check(source, lazy)
            tree = lazy.load()
    except FileError:
        raise
    # HDF5 reports damage by whatever it stumbles over.
    except Exception as error:
        raise FileError(
            f"cannot read {source}: it is not a NetCDF file, or it is truncated"
        ) from error
    return tree


def _check(source: Path, tree: xr.DataTree) -> None:
    schema = tree.attrs.get("schema")
    if schema != SCHEMA:
        raise FileError(f"{source} is not a fit: its schema is {schema!r}, {SCHEMA!r} is needed")
    missing = [name for name in _GROUPS if name not in tree.children]
    missing += [name for name in _ATTRIBUTES if not isinstance(tree.attrs.get(name), str)]
    if missing:
        raise FileError(f"{source} is not a whole fit: it lacks {', '.join(missing)}")
    try:
        Spec.from_json(tree.attrs["spec"])
    except LawError as error:
        raise FileError(f"{source} cannot be used here: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FileError(f"{source} is not a whole fit: its spec cannot be read") from error
