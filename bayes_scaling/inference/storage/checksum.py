"""Checksum of the content of a fit."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

__all__ = ["ATTRIBUTE", "checksum"]

ATTRIBUTE = "checksum"
"""The attribute that holds it, and is not part of it."""
_VERSION = b"content of a fit, first form"


def checksum(tree: xr.DataTree) -> str:
    """SHA-256 of the content of a DataTree: names, dimensions, types, values, attributes.

    It is of the content and not of the bytes of a file, so a fit that ArviZ or another compression
    wrote anew keeps it; NaNs are all equal, and the order of variables does not count.

    Parameters
    ----------
    tree : xarray.DataTree
        Numbers, truth values and texts, with attributes that are numbers, texts or lists of them.

    Returns
    -------
    str
        ``"sha256:"`` and 64 hexadecimal digits.
    """
    digest = hashlib.sha256(_VERSION)

    def add(block: bytes) -> None:
        # Lengths keep "ab" + "c" apart from "a" + "bc".
        digest.update(len(block).to_bytes(8, "little"))
        digest.update(block)

    for node in sorted(tree.subtree, key=lambda node: node.path):
        add(node.path.encode())
        add(_attributes(node.attrs))
        variables = node.to_dataset(inherit=False).variables
        for name in sorted(map(str, variables)):
            variable = variables[name]
            kind, values = _values(variable.values)
            head = [name, name in node.coords, kind, list(variable.dims), list(variable.shape)]
            add(json.dumps(head).encode())
            add(_attributes(variable.attrs))
            add(values)
    return f"sha256:{digest.hexdigest()}"


def _values(values: Any) -> tuple[str, bytes]:
    """Kind and size of numbers, and their bytes; texts as JSON."""
    if values.dtype.kind not in "biuf":
        return "text", json.dumps([str(text) for text in np.ravel(values)]).encode()
    kind = f"{values.dtype.kind}{values.dtype.itemsize}"
    if values.dtype.kind == "f" and np.isnan(values).any():
        values = np.where(np.isnan(values), np.asarray(np.nan, values.dtype), values)
    return kind, np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()


def _attributes(attributes: Mapping[Any, Any]) -> bytes:
    content = {str(name): _plain(value) for name, value in attributes.items() if name != ATTRIBUTE}
    return json.dumps(content, sort_keys=True).encode()


def _plain(value: Any) -> Any:
    """A value as it comes back from a file, where a list of one is no list."""
    if isinstance(value, str):
        return value
    items = [item.item() if isinstance(item, np.generic) else item for item in np.ravel(value)]
    return items[0] if len(items) == 1 else items
