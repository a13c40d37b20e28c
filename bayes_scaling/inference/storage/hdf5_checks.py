"""Checks of HDF5 datasets before they are read: local, of a plain type, of a sane size."""

import math
import zlib
from dataclasses import dataclass, field
from typing import Any

from h5py import h5d, h5s, h5t, h5z

from bayes_scaling.errors import FileError

__all__ = [
    "LONGEST_TEXT",
    "MOST_ATTRIBUTES",
    "MOST_OBJECTS",
    "Budget",
    "check_heaps",
    "check_type",
    "is_text",
    "look_at",
    "look_at_values",
]

_FILTERS = frozenset({h5z.FILTER_SHUFFLE, h5z.FILTER_DEFLATE, h5z.FILTER_FLETCHER32})
_HEAP = b"GCOL\x01\x00\x00\x00"
_SLACK = 64 * 2**20
_RATIO = 20
"""What is read may be this many times the size of the file, and ``_SLACK`` bytes more: draws hardly
compress, and few tables are so small that what is equal everywhere outweighs them."""
MOST_OBJECTS = 4096
MOST_ATTRIBUTES = 64
LONGEST_TEXT = 2**24
_MOST_DIMS = 8


@dataclass
class Budget:
    """Remaining bytes and objects that may be read."""

    content: bytes
    objects: int = MOST_OBJECTS
    seen: set[int] = field(default_factory=set)
    left: int = 0

    def __post_init__(self) -> None:
        self.left = _SLACK + _RATIO * len(self.content)

    def spend(self, size: int, where: str) -> None:
        """Count bytes about to be read."""
        self.left -= size
        if self.left < 0:
            raise FileError(
                f"{where} makes it larger than a file of {len(self.content):,} bytes can be"
            )

    def meet(self, address: int, where: str) -> None:
        """Count an object, which must not have been met before."""
        if address in self.seen:
            raise FileError(f"{where} is a second link to an object")
        self.seen.add(address)
        self.objects -= 1
        if self.objects < 0:
            raise FileError(f"it holds more than {MOST_OBJECTS} variables")

    @property
    def block(self) -> int:
        """Number of texts to read at once, each of which may be as long as the file."""
        return max(16, 4 * _SLACK // max(len(self.content), 1))


def look_at(dataset: h5d.DatasetID, where: str, budget: Budget) -> None:
    """Refuse a dataset whose values are not in this file, or more than it can hold.

    The order matters: the extent of a virtual dataset opens other files.
    """
    made = dataset.get_create_plist()
    if made.get_layout() == h5d.VIRTUAL:
        raise FileError(f"{where} is a virtual dataset, whose values lie in other files")
    if made.get_external_count():
        raise FileError(f"{where} has its values in another file")
    filters = [made.get_filter(i)[0] for i in range(made.get_nfilters())]
    if unknown := [code for code in filters if code not in _FILTERS]:
        raise FileError(f"{where} needs the filter {unknown[0]}; fits use deflate and fletcher32")
    if len(set(filters)) < len(filters):
        raise FileError(f"{where} uses a filter twice")
    kind = dataset.get_type()
    check_type(kind, where)
    space = dataset.get_space()
    if space.get_simple_extent_type() == h5s.NULL or len(space.shape) > _MOST_DIMS:
        raise FileError(f"{where} has no shape of a fit")
    size = math.prod(space.shape) * kind.get_size()
    budget.spend(size, where)


def look_at_values(dataset: h5d.DatasetID, where: str, budget: Budget) -> None:
    """Refuse values that were never written, or inflate to more than their shape holds.

    HDF5 makes values up for the first, and would not notice the second.
    """
    if math.prod(dataset.shape) and not dataset.get_storage_size():
        raise FileError(f"{where} has a shape and no values")
    made = dataset.get_create_plist()
    if made.get_layout() != h5d.CHUNKED:
        return
    chunk = math.prod(made.get_chunk()) * dataset.get_type().get_size()
    if chunk > _SLACK:
        raise FileError(f"{where} has chunks of {chunk:,} bytes")
    filters = [made.get_filter(i)[0] for i in range(made.get_nfilters())]
    deflated = filters.index(h5z.FILTER_DEFLATE) if h5z.FILTER_DEFLATE in filters else None
    if not math.prod(dataset.shape):
        return

    stored: list[Any] = []
    dataset.chunk_iter(stored.append)
    for part in stored:
        if part.byte_offset is None or deflated is None or part.filter_mask >> deflated & 1:
            continue
        packed = budget.content[part.byte_offset : part.byte_offset + part.size]
        # Four bytes more where a checksum was deflated with the values.
        if _inflates_beyond(packed, chunk + 4, where):
            raise FileError(f"{where} inflates to more than its shape holds")


def _inflates_beyond(packed: bytes, most: int, where: str) -> bool:
    inflater = zlib.decompressobj()
    try:
        inflater.decompress(packed, most)
        return bool(inflater.unconsumed_tail and inflater.decompress(inflater.unconsumed_tail, 1))
    except zlib.error as error:
        raise FileError(f"{where} is damaged: it does not inflate") from error


def check_type(kind: h5t.TypeID, where: str) -> None:
    """Refuse types that no fit holds: references, compounds, committed types, opaque bytes."""
    number = isinstance(kind, h5t.TypeIntegerID | h5t.TypeFloatID)
    if kind.committed() or not (number or is_text(kind)):
        raise FileError(f"{where} holds neither numbers nor text")
    if number and kind.dtype.name not in _NUMBERS:
        raise FileError(f"{where} holds numbers of type {kind.dtype.name}")


_NUMBERS = frozenset(
    [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)] + ["float32", "float64"]
)


def is_text(kind: h5t.TypeID) -> bool:
    """Return whether a type is text, of a fixed length or not."""
    return isinstance(kind, h5t.TypeStringID)


def check_heaps(content: bytes) -> None:
    """Refuse heaps of text that do not add up, over which HDF5 reads for ever.

    A collection has a head of 16 bytes (its size in the last eight) and objects of the same form,
    padded to eight bytes; object 0 is what is free, its own head included.
    """
    start = -1
    while (start := content.find(_HEAP, start + 1)) >= 0:
        end = start + int.from_bytes(content[start + 8 : start + 16], "little")
        if not start + 16 <= end <= len(content):
            raise FileError("it is damaged: a heap of text is larger than the file")
        place = start + 16
        while place + 16 <= end:
            size = int.from_bytes(content[place + 8 : place + 16], "little")
            used = content[place : place + 2] != bytes(2)
            step = 16 + -(-size // 8) * 8 if used else size
            if step < 16 or place + step > end:
                raise FileError("it is damaged: a heap of text does not add up")
            place += step
