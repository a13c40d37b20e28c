"""Files of strangers: nothing outside them is read, and nothing is followed."""

import resource
import shutil
import sys
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from bayes_scaling.errors import FileError
from bayes_scaling.inference import Fit, load_fit
from tests.inference.hostile import SECRET, TRICKS


@pytest.fixture(scope="module")
def sound(two_families: Fit, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_families.save(tmp_path_factory.mktemp("sound") / "fit.nc")


@pytest.mark.parametrize("name", TRICKS)
def test_it_is_refused_in_one_sentence(name: str, sound: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(SECRET)
    path = tmp_path / "fit.nc"
    shutil.copy(sound, path)
    with h5py.File(path, "r+") as file:
        TRICKS[name](file, secret)
    with pytest.raises(FileError, match=r"fit\.nc is not a fit: ") as refused:
        load_fit(path)
    said = str(refused.value)
    assert "\n" not in said
    assert "correct horse" not in said
    assert not isinstance(refused.value.__cause__, KeyError)


@pytest.mark.skipif(sys.platform == "win32", reason="resource is of Unix")
def test_a_bomb_takes_no_memory(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "fit.nc"
    shutil.copy(sound, path)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _ in range(500)) + packer.flush()
    with h5py.File(path, "r+") as file:
        old = file["posterior/alpha_N"]
        shape, scales = old.shape, [dim[0] for dim in old.dims]
        del file["posterior/alpha_N"]
        new = file.create_dataset("posterior/alpha_N", shape, "f8", chunks=shape, compression=9)
        for dim, scale in zip(new.dims, scales, strict=True):
            dim.attach_scale(scale)
        new.id.write_direct_chunk((0, 0, 0), packed + bytes(4))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileError, match="posterior/alpha_N inflates to more"):
        load_fit(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("before", [512, 1024])
def test_a_user_block(before: int, sound: Path, tmp_path: Path) -> None:
    (tmp_path / "fit.nc").write_bytes(bytes(before) + sound.read_bytes())
    with pytest.raises(FileError, match="it is not a NetCDF file"):
        load_fit(tmp_path / "fit.nc")


def test_netcdf_3(tmp_path: Path) -> None:
    from scipy.io import netcdf_file

    with netcdf_file(tmp_path / "fit.nc", "w") as file:
        file.createDimension("x", 2)
        file.createVariable("v", "d", ("x",))[:] = np.ones(2)
    with pytest.raises(FileError, match="it is not a NetCDF file"):
        load_fit(tmp_path / "fit.nc")


def test_what_is_no_path_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="is a directory"):
        load_fit(tmp_path)
    with pytest.raises(FileError, match=r"zero byte|null byte"):
        load_fit("a\0b")


@pytest.mark.parametrize(("place", "said"), [(16, "add up"), (8, "larger than the file")])
def test_a_heap_over_which_hdf5_reads_for_ever(
    place: int, said: str, sound: Path, tmp_path: Path
) -> None:
    content = bytearray(sound.read_bytes())
    start = content.index(b"GCOL") + place
    content[start : start + 16] = bytes(16) if place == 16 else b"\xff" * 16
    (tmp_path / "fit.nc").write_bytes(content)
    with pytest.raises(FileError, match=f"is not a fit: it is damaged: a heap of text .*{said}"):
        load_fit(tmp_path / "fit.nc")
