"""Fits that reach out of their file, or are larger than they look, made from a sound one."""

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

SECRET = b"correct horse battery staple, not for others; " * 4000
"""What stands in a text file beside the fit, and must never be read."""

Trick = Callable[[h5py.File, Path], None]
TRICKS: dict[str, Trick] = {}


def trick(make: Trick) -> Trick:
    TRICKS[make.__name__] = make
    return make


def without(file: h5py.File, name: str) -> tuple[tuple[int, ...], np.dtype, dict[str, object]]:
    """Take a variable away, and say what it was."""
    old = file[name]
    kept = {key: old.attrs[key] for key in ("DIMENSION_LIST",) if key in old.attrs}
    shape, dtype = old.shape, old.dtype
    del file[name]
    return shape, dtype, kept


def external(file: h5py.File, name: str, secret: Path, dtype: object = None) -> None:
    shape, own, _ = without(file, name)
    file.create_dataset(name, shape, dtype or own, external=[(str(secret), 0, h5py.h5f.UNLIMITED)])
    for axis, scale in enumerate(("chain", "draw", "family")[: len(shape)]):
        group = name.partition("/")[0]
        if scale in file[group]:
            file[name].dims[axis].attach_scale(file[group][scale])


@trick
def external_storage_of_draws(file: h5py.File, secret: Path) -> None:
    external(file, "posterior/alpha_N", secret)


@trick
def external_storage_of_text(file: h5py.File, secret: Path) -> None:
    external(file, "constant_data/family", secret, "S8")


@trick
def external_storage_of_a_coordinate(file: h5py.File, secret: Path) -> None:
    external(file, "observed_data/loss", secret)


@trick
def external_storage_of_what_no_fit_has(file: h5py.File, secret: Path) -> None:
    size = len(SECRET) // 8
    file.create_dataset("flags/extra", (size,), "S8", external=[(str(secret), 0, size * 8)])


@trick
def external_link_to_a_variable(file: h5py.File, secret: Path) -> None:
    with h5py.File(secret.with_suffix(".h5"), "w") as other:
        other["alpha_N"] = file["posterior/alpha_N"][()]
    del file["posterior/alpha_N"]
    file["posterior/alpha_N"] = h5py.ExternalLink(secret.with_suffix(".h5"), "/alpha_N")


@trick
def external_link_to_a_group(file: h5py.File, secret: Path) -> None:
    with h5py.File(secret.with_suffix(".h5"), "w") as other:
        file.copy("held_out", other)
    del file["held_out"]
    file["held_out"] = h5py.ExternalLink(secret.with_suffix(".h5"), "/held_out")


@trick
def external_link_to_a_pipe(file: h5py.File, secret: Path) -> None:
    os.mkfifo(secret.with_suffix(".fifo"))
    file["posterior/extra"] = h5py.ExternalLink(secret.with_suffix(".fifo"), "/x")


@trick
def soft_link(file: h5py.File, secret: Path) -> None:
    del file["posterior/alpha_N"]
    file["posterior/alpha_N"] = h5py.SoftLink("/posterior/alpha_D")


@trick
def soft_link_at_the_root(file: h5py.File, secret: Path) -> None:
    file["more"] = h5py.SoftLink("/posterior")


@trick
def virtual_dataset(file: h5py.File, secret: Path) -> None:
    shape, dtype, _ = without(file, "posterior/alpha_N")
    with h5py.File(secret.with_suffix(".h5"), "w") as other:
        other.create_dataset("x", shape, dtype, external=[(str(secret), 0, h5py.h5f.UNLIMITED)])
    layout = h5py.VirtualLayout(shape, dtype)
    layout[...] = h5py.VirtualSource(secret.with_suffix(".h5"), "x", shape)
    file.create_virtual_dataset("posterior/alpha_N", layout)


@trick
def virtual_dataset_of_a_pipe(file: h5py.File, secret: Path) -> None:
    """Its extent is that of its source, so that asking for its shape would wait for ever."""
    os.mkfifo(secret.with_suffix(".fifo"))
    layout = h5py.VirtualLayout((10,), "i1", maxshape=(None,))
    source = h5py.VirtualSource(
        secret.with_suffix(".fifo"), "x", shape=(10,), maxshape=(None,), dtype="i1"
    )
    layout[0 : h5py.h5s.UNLIMITED] = source[0 : h5py.h5s.UNLIMITED]
    file.create_virtual_dataset("flags/extra", layout)


@trick
def a_variable_twice(file: h5py.File, secret: Path) -> None:
    del file["posterior/alpha_N"]
    file["posterior/alpha_N"] = file["posterior/alpha_D"]


@trick
def a_group_within_itself(file: h5py.File, secret: Path) -> None:
    file["posterior/again"] = file["posterior"]


@trick
def the_root_within_itself(file: h5py.File, secret: Path) -> None:
    file["again"] = file["/"]


@trick
def a_dimension_of_another_group(file: h5py.File, secret: Path) -> None:
    values = file["observed_data/loss"][()]
    del file["observed_data/loss"]
    file["observed_data/loss"] = values
    file["observed_data/loss"].dims[0].attach_scale(file["constant_data/run"])


@trick
def another_filter(file: h5py.File, secret: Path) -> None:
    shape, dtype, _ = without(file, "posterior/alpha_N")
    file.create_dataset("posterior/alpha_N", shape, dtype, compression="lzf")


@trick
def a_filter_twice(file: h5py.File, secret: Path) -> None:
    shape, dtype, _ = without(file, "posterior/alpha_N")
    made = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    made.set_chunk(shape)
    made.set_deflate(1)
    made.set_deflate(1)
    space = h5py.h5s.create_simple(shape)
    h5py.h5d.create(file["posterior"].id, b"alpha_N", h5py.h5t.py_create(dtype), space, made)


@trick
def a_shape_without_values(file: h5py.File, secret: Path) -> None:
    file.create_dataset("flags/extra", (10,), "f8", chunks=(10,))


@trick
def a_shape_far_larger_than_the_file(file: h5py.File, secret: Path) -> None:
    huge = file.create_dataset("flags/extra", (2**40,), "f8", chunks=(1024,), compression=9)
    huge[:10] = 1.0


@trick
def a_chunk_far_larger_than_the_file(file: h5py.File, secret: Path) -> None:
    huge = file.create_dataset("flags/extra", (10,), "f8", chunks=(2**27,), maxshape=(None,))
    huge.id.write_direct_chunk((0,), bytes(80))


@trick
def a_chunk_that_inflates(file: h5py.File, secret: Path) -> None:
    """A megabyte of zeros where 80 bytes belong; a gigabyte would do as well."""
    bomb = file.create_dataset("flags/row_", (10,), "f8", chunks=(10,), compression=9)
    bomb.id.write_direct_chunk((0,), zlib.compress(bytes(2**20)))
    scale = file["flags"].create_dataset("more", data=np.arange(10.0))
    scale.make_scale("more")
    bomb.dims[0].attach_scale(scale)


@trick
def one_long_text_many_times(file: h5py.File, secret: Path) -> None:
    text = "x" * 2**20
    kept = file.create_dataset("flags/extra", (4000,), h5py.string_dtype())
    scale = file["flags"].create_dataset("more", data=np.arange(4000.0))
    scale.make_scale("more")
    kept.dims[0].attach_scale(scale)
    kept[0] = text


@trick
def a_reference(file: h5py.File, secret: Path) -> None:
    file["flags"].attrs["extra"] = file["posterior"].ref


@trick
def a_dataset_of_references(file: h5py.File, secret: Path) -> None:
    file.create_dataset("flags/extra", data=[file["posterior"].ref], dtype=h5py.ref_dtype)


@trick
def a_committed_type(file: h5py.File, secret: Path) -> None:
    file["flags/kind"] = np.dtype("f8")


@trick
def a_variable_of_a_committed_type(file: h5py.File, secret: Path) -> None:
    shape, _, _ = without(file, "posterior/alpha_N")
    kind = h5py.h5t.py_create(np.dtype("f8"))
    kind = kind.copy()
    kind.commit(file["flags"].id, b"kind")
    space = h5py.h5s.create_simple(shape)
    h5py.h5d.create(file["posterior"].id, b"alpha_N", kind, space)
    del file["flags/kind"]


@trick
def opaque_bytes(file: h5py.File, secret: Path) -> None:
    file["flags/extra"] = np.array([b"abc"], dtype="V3")


@trick
def a_compound(file: h5py.File, secret: Path) -> None:
    file["flags/extra"] = np.zeros(3, dtype=[("a", "f8"), ("b", "i4")])


@trick
def half_precision(file: h5py.File, secret: Path) -> None:
    values = file["posterior/alpha_N"][()]
    del file["posterior/alpha_N"]
    file["posterior/alpha_N"] = values.astype("f2")


@trick
def a_scale_factor(file: h5py.File, secret: Path) -> None:
    file["posterior/alpha_N"].attrs["scale_factor"] = 2.0


@trick
def many_attributes(file: h5py.File, secret: Path) -> None:
    for i in range(200):
        file["posterior"].attrs[f"a{i}"] = i


@trick
def many_variables(file: h5py.File, secret: Path) -> None:
    for i in range(4200):
        file["flags"].create_group(f"v{i}")


@trick
def a_group_in_a_group(file: h5py.File, secret: Path) -> None:
    file["posterior"].create_group("more")


@trick
def a_variable_at_the_root(file: h5py.File, secret: Path) -> None:
    file["more"] = 3.0
