"""Reading the NetCDF 4 file of a fit from bytes, without trusting it.

HDF5 lets a file point outside itself: to raw bytes of any other file (external storage), to objects
of other files (external links, virtual datasets), and to code (filters by plugin). A fit needs none
of it. Everything is looked at before it is read, nothing that points elsewhere is followed, and
nothing is read that could not have been written by :mod:`bayes_scaling.inference.storage.fit_file`.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import h5py
import numpy as np
import xarray as xr
from h5py import h5a, h5d, h5f, h5g, h5l, h5o, h5p, h5r, h5s, h5t

from bayes_scaling.errors import FileError
from bayes_scaling.inference.storage.hdf5_checks import (
    LONGEST_TEXT,
    MOST_ATTRIBUTES,
    MOST_OBJECTS,
    Budget,
    check_heaps,
    check_type,
    is_text,
    look_at,
    look_at_values,
)

__all__ = ["is_netcdf", "read"]

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_BOOKKEEPING = frozenset(
    {
        "CLASS",
        "NAME",
        "REFERENCE_LIST",
        "DIMENSION_LIST",
        "_Netcdf4Dimid",
        "_Netcdf4Coordinates",
        "_FillValue",
        "_NCProperties",
        "dtype",
    }
)
"""Attributes of NetCDF that describe dimensions and types; no content of the fit."""
_DECODED = frozenset(
    {"scale_factor", "add_offset", "missing_value", "_Unsigned", "calendar", "coordinates"}
)
"""Attributes by which other readers would take other numbers from the file."""
_NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"


def is_netcdf(content: bytes) -> bool:
    """Return whether bytes start as a NetCDF 4 file does."""
    return content.startswith(_SIGNATURE)


def read(content: bytes, schemas: tuple[str, ...]) -> xr.DataTree:
    """The groups, variables and attributes of a NetCDF 4 file.

    Parameters
    ----------
    content : bytes
        The file.
    schemas : tuple of str
        What its attribute "schema" may be, the present one first.

    Returns
    -------
    xarray.DataTree
        As ``xarray.open_datatree`` reads it, in memory.

    Raises
    ------
    FileError
        If it holds what no fit holds; the message is a clause about it.
    OSError, RuntimeError, ...
        Whatever HDF5 stumbles over in a damaged file.
    """
    budget = Budget(content)
    with _opened(content) as file:
        check_heaps(content)
        root = h5g.open(file, b"/")
        budget.meet(h5o.get_info(root).addr, "the root")
        attributes = _attributes(root, "the root", budget)
        if (stated := attributes.get("schema")) not in schemas:
            raise FileError(f"its schema is {stated!r}, {schemas[0]!r} is needed")
        groups = {"/": xr.Dataset(attrs=attributes)}
        for name, kind in _members(root, "", budget):
            if kind != h5o.TYPE_GROUP:
                raise FileError(f"{name!r} is no group")
            group = h5g.open(root, name.encode())
            groups[f"/{name}"] = _group(group, name, budget)
    return xr.DataTree.from_dict(groups)


@contextmanager
def _opened(content: bytes) -> Iterator[h5f.FileID]:
    access = h5p.create(h5p.FILE_ACCESS)
    # In memory: the bytes that are checked are those that are read.
    access.set_fapl_core(backing_store=False)
    access.set_file_image(content)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    # HDF5 takes files in memory for one and the same by their name.
    file = h5f.open(uuid4().hex.encode(), h5f.ACC_RDONLY, fapl=access)
    try:
        if file.get_create_plist().get_userblock():
            raise FileError("it has a user block")
        yield file
    finally:
        file.close()


def _members(group: h5g.GroupID, where: str, budget: Budget) -> Iterator[tuple[str, int]]:
    """Names and kinds of what a group holds, in the order of writing; nothing is followed."""
    found: list[tuple[bytes, int]] = []
    if group.get_num_objs() > MOST_OBJECTS:
        raise FileError(f"{where or 'the root'} holds more than {MOST_OBJECTS} variables")
    tracked = group.get_create_plist().get_link_creation_order() & h5p.CRT_ORDER_INDEXED
    group.links.iterate(
        lambda name, info: found.append((name, info.type)),
        info=True,
        idx_type=h5py.h5.INDEX_CRT_ORDER if tracked else h5py.h5.INDEX_NAME,
    )
    kinds = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}
    for raw, link in found:
        name = raw.decode("utf-8")
        path = f"{where}/{name}" if where else name
        if link != h5l.TYPE_HARD:
            raise FileError(f"{path!r} is {kinds.get(link, 'a link of an unknown kind')}")
        info = h5o.get_info(group, raw)
        budget.meet(info.addr, repr(path))
        yield name, info.type


def _group(group: h5g.GroupID, where: str, budget: Budget) -> xr.Dataset:
    """Read one group of variables."""
    datasets: dict[str, h5d.DatasetID] = {}
    scales: dict[int, str] = {}
    for name, kind in _members(group, where, budget):
        if kind != h5o.TYPE_DATASET:
            raise FileError(f"{where}/{name} is no variable")
        datasets[name] = h5d.open(group, name.encode())
        look_at(datasets[name], f"{where}/{name}", budget)
        if h5a.exists(datasets[name], b"CLASS"):
            scales[h5o.get_info(datasets[name]).addr] = name
    variables: dict[str, xr.Variable] = {}
    sizes: dict[str, int] = {}
    for name, dataset in datasets.items():
        path = f"{where}/{name}"
        scale = name in scales.values()
        if scale and _is_bare(dataset, path, budget):
            continue
        dims = (name,) if scale else _dims(dataset, path, scales)
        if len(dims) != len(dataset.shape) or len(set(dims)) != len(dims):
            raise FileError(f"{path} has {len(dataset.shape)} axes and dimensions {dims}")
        for dim, size in zip(dims, dataset.shape, strict=True):
            if sizes.setdefault(dim, size) != size:
                raise FileError(f"{path} has {size} values along {dim!r}, others have {sizes[dim]}")
        attributes = _attributes(dataset, path, budget)
        variables[name] = xr.Variable(dims, _values(dataset, path, budget), attributes)
    own = {name: value for name, value in variables.items() if value.dims == (name,)}
    data = {name: value for name, value in variables.items() if name not in own}
    return xr.Dataset(data, own, _attributes(group, where, budget))


def _values(dataset: h5d.DatasetID, where: str, budget: Budget) -> Any:
    """The values of a dataset that was looked at."""
    look_at_values(dataset, where, budget)
    kind, whole = dataset.get_type(), h5py.Dataset(dataset)
    if not is_text(kind):
        values = np.asarray(whole[()])
        values = values.astype(values.dtype.newbyteorder("="), copy=False)
        marked = h5a.exists(dataset, b"dtype")
        if marked and _attribute(dataset, b"dtype", where, budget) == "bool":
            return values.astype(bool)
        return values
    if len(dataset.shape) > 1:
        raise FileError(f"{where} is text in {len(dataset.shape)} dimensions")
    if not dataset.shape:
        return np.array(whole.asstr()[()], dtype=np.str_)
    texts: list[str] = []
    for start in range(0, dataset.shape[0], budget.block):
        part = [str(text) for text in whole.asstr()[start : start + budget.block]]
        budget.spend(sum(map(len, part)), where)
        texts += part
    # A NumPy array of text gives every entry the room of the longest.
    budget.spend(4 * len(texts) * max(map(len, texts), default=0), where)
    return np.array(texts, dtype=np.str_)


def _is_bare(dataset: h5d.DatasetID, where: str, budget: Budget) -> bool:
    """Return whether a dimension scale is the length of a dimension, and no variable."""
    if _attribute(dataset, b"CLASS", where, budget) != "DIMENSION_SCALE":
        raise FileError(f"{where} has a CLASS that is none of NetCDF")
    name = _attribute(dataset, b"NAME", where, budget) if h5a.exists(dataset, b"NAME") else ""
    return str(name).startswith(_NO_VARIABLE.decode())


def _dims(dataset: h5d.DatasetID, where: str, scales: dict[int, str]) -> tuple[str, ...]:
    """Names of the dimensions of a variable, by its references to scales of its own group."""
    rank = len(dataset.shape)
    if not rank:
        return ()
    if not h5a.exists(dataset, b"DIMENSION_LIST"):
        raise FileError(f"{where} does not name its dimensions")
    attribute = h5a.open(dataset, b"DIMENSION_LIST")
    kind = attribute.get_type()
    if (
        not isinstance(kind, h5t.TypeVlenID)
        or not isinstance(kind.get_super(), h5t.TypeReferenceID)
        or attribute.shape != (rank,)
    ):
        raise FileError(f"{where} does not name its dimensions")
    found = h5py.AttributeManager(h5py.Dataset(dataset))["DIMENSION_LIST"]
    names = []
    for references in found:
        if len(references) != 1 or not isinstance(references[0], h5py.Reference):
            raise FileError(f"{where} does not name its dimensions")
        address = h5o.get_info(h5r.dereference(references[0], dataset)).addr
        if address not in scales:
            raise FileError(f"{where} has a dimension that is none of its group")
        names.append(scales[address])
    return tuple(names)


def _attributes(owner: Any, where: str, budget: Budget) -> dict[str, object]:
    """The attributes of a group or variable, but for the bookkeeping of NetCDF."""
    if h5a.get_num_attrs(owner) > MOST_ATTRIBUTES:
        raise FileError(f"{where} has more than {MOST_ATTRIBUTES} attributes")
    names: list[bytes] = []
    h5a.iterate(owner, lambda name, *_: names.append(name))
    found = {}
    for raw in names:
        name = raw.decode("utf-8")
        if name in _DECODED:
            raise FileError(
                f"{where} has the attribute {name!r}, by which its numbers would change"
            )
        if name not in _BOOKKEEPING:
            found[name] = _attribute(owner, raw, f"the attribute {name!r} of {where}", budget)
    return found


def _attribute(owner: Any, name: bytes, where: str, budget: Budget) -> Any:
    """Read one attribute: text, a number, or a list of either."""
    attribute = h5a.open(owner, name)
    kind, space = attribute.get_type(), attribute.get_space()
    check_type(kind, where)
    if space.get_simple_extent_type() == h5s.NULL:
        return ""
    count = math.prod(space.shape)
    if count > MOST_ATTRIBUTES or attribute.get_storage_size() > LONGEST_TEXT:
        raise FileError(f"{where} is longer than that of any fit")
    manager = h5py.AttributeManager(_owner(owner))
    value = manager[name.decode("utf-8")]
    items = [_plain(item) for item in np.ravel(np.asarray(value, dtype=object))]
    budget.spend(sum(len(item) if isinstance(item, str) else 8 for item in items), where)
    return items[0] if len(items) == 1 else items


def _owner(owner: Any) -> Any:
    return h5py.Dataset(owner) if isinstance(owner, h5d.DatasetID) else h5py.Group(owner)


def _plain(item: Any) -> Any:
    if isinstance(item, np.generic):
        item = item.item()
    return item.decode("utf-8") if isinstance(item, bytes) else item
