"""Fits as NetCDF files."""

import io
import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter, warn

import xarray as xr

from bayes_scaling.core.caveat import Caveat, version_1
from bayes_scaling.core.files import FileWarning, reason, write_bytes
from bayes_scaling.errors import FileError, LawError
from bayes_scaling.inference.storage import netcdf
from bayes_scaling.inference.storage.checksum import ATTRIBUTE, checksum
from bayes_scaling.inference.storage.structure import missing, problem
from bayes_scaling.inference.tree import SCHEMA, VERSION_1
from bayes_scaling.laws import Law
from bayes_scaling.model.spec_json import read_spec

__all__ = ["STUMBLES", "load", "save"]

_LARGEST = 2**32
"""Bytes of a file that is read: a thousand times those of a typical fit."""
STUMBLES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What HDF5 and what reads it raise over a damaged file."""


def save(tree: xr.DataTree, path: str | PathLike[str]) -> Path:
    """Write a DataTree as NetCDF 4 with its checksum, whole or not at all."""
    sealed = tree.copy(deep=False)
    # The file is made in memory: on a full disk HDF5 writes pages of complaints and may crash.
    content = io.BytesIO()
    try:
        sealed.attrs = {**tree.attrs, ATTRIBUTE: checksum(tree)}
        sealed.to_netcdf(content, engine="h5netcdf", encoding=_encoding(tree))
        kept = checksum(netcdf.read(content.getvalue(), (SCHEMA,))) == sealed.attrs[ATTRIBUTE]
    except FileError as error:
        raise FileError(f"cannot write {path}: of this fit {error}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise FileError(f"cannot write {path}: NetCDF does not hold this fit: {error}") from error
    if not kept:
        raise FileError(
            f"cannot write {path}: the fit holds values or attributes that change when they are "
            "written as NetCDF; numbers and text are needed"
        )
    return write_bytes(path, content.getvalue())


def _encoding(tree: xr.DataTree) -> dict[str, dict[str, dict[str, object]]]:
    """How values are stored; those of draws hardly compress, and inflating them takes long."""
    # Other readers of the file have no use for our checksum: this one HDF5 itself looks at.
    checked: dict[str, object] = {"fletcher32": True}
    return {
        node.path: {
            str(name): checked
            if value.dtype.kind == "f"
            else checked | {"zlib": True, "complevel": 1}
            for name, value in node.data_vars.items()
            if value.ndim and value.dtype.kind in "biuf"
        }
        for node in tree.subtree
    }


def load(path: str | PathLike[str], law: Law | None = None) -> xr.DataTree:
    """Read a DataTree into memory and check that it is a fit, and the one that was saved.

    Parameters
    ----------
    path : path
        The file.
    law : Law, optional
        The law that was fitted; the one of its name here if not given.

    Warns
    -----
    FileWarning
        If the file has no checksum, as those of early versions; the fit then has a caveat of code
        "no-checksum".
    """
    source = Path(path)
    tree = _read(source)
    altered, stated = _is_altered(tree.attrs, checksum(tree)), tree.attrs.pop(ATTRIBUTE, None)
    if tree.attrs["schema"] == VERSION_1:
        _upgrade(tree)
    try:
        _check(source, tree, law)
    except FileError as error:
        if altered:
            raise FileError(f"{error}; its checksum says that it was altered") from error
        raise
    if altered:
        raise FileError(
            f"{source} is not the fit that was saved: its checksum says that it was altered or "
            "damaged; copy it again, or fit again"
        )
    if stated is None:
        _without_checksum(source, tree)
    return tree


def _is_altered(attributes: Mapping[Any, Any], true: str) -> bool:
    """Return whether a checksum, under any name, differs from that of the content."""
    kind = true.partition(":")[0]
    seals = {name: value for name, value in attributes.items() if str(value).startswith(kind)}
    seals |= {name: value for name, value in attributes.items() if name == ATTRIBUTE}
    return any(value != true for value in seals.values())


def _read(source: Path) -> xr.DataTree:
    """The tree in a file, whatever it holds."""
    try:
        with source.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise FileError(f"cannot read {source}: {why}") from error
    if len(content) > _LARGEST:
        raise FileError(f"cannot read {source}: it is larger than {_LARGEST:,} bytes")
    truncated = f"cannot read {source}: it is not a NetCDF file, or it is truncated"
    if not netcdf.is_netcdf(content):
        raise FileError(truncated)
    try:
        # What a damaged file is warned about is found by its checksum, too.
        with catch_warnings():
            simplefilter("ignore")
            return netcdf.read(content, (SCHEMA, VERSION_1))
    except FileError as error:
        raise FileError(f"{source} is not a fit: {error}") from error
    except STUMBLES as error:
        raise FileError(truncated) from error


def _check(source: Path, tree: xr.DataTree, law: Law | None) -> None:
    if lacking := missing(tree):
        raise FileError(f"{source} is not a whole fit: it lacks {', '.join(lacking)}")
    try:
        spec, frame = read_spec(tree.attrs["spec"], law)
    except LawError as error:
        raise FileError(f"{source} cannot be used here: {error}") from error
    except (ValueError, RecursionError) as error:
        raise FileError(f"{source} is not a whole fit: its spec cannot be read: {error}") from error
    if wrong := problem(tree, spec, frame):
        raise FileError(f"{source} is not a whole fit: {wrong}")


def _upgrade(tree: xr.DataTree) -> None:
    """Turn the warnings of a fit of version 0.1, which are text, into caveats."""
    if "warnings" not in tree.attrs:
        return
    tree.attrs["schema"] = SCHEMA
    kept = str(tree.attrs.pop("warnings"))
    try:
        texts = json.loads(kept)
    except (ValueError, RecursionError):
        texts = None
    if isinstance(texts, list) and all(isinstance(text, str) for text in texts):
        kept = json.dumps([version_1(text).to_dict() for text in texts])
    tree.attrs["caveats"] = kept


def _without_checksum(source: Path, tree: xr.DataTree) -> None:
    """Warn that a fit has no checksum, now and in its caveats."""
    sentence = (
        f"The fit was read from {source.name}, which has no checksum (early versions wrote none): "
        "damage to it, or a change by hand, would not be noticed."
    )
    warn(sentence, FileWarning, stacklevel=4)
    caveat = Caveat(code="no-checksum", severity="warning", subject=source.name, text=sentence)
    known = json.loads(tree.attrs["caveats"])
    tree.attrs["caveats"] = json.dumps([*known, caveat.to_dict()])
