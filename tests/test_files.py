"""Files appear whole or not at all."""

import os
import stat
import threading

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_scaling.core.files import check_writable, write_bytes, write_via
from bayes_scaling.core.tabular import write_parquet
from bayes_scaling.errors import FileError

OLD = b"what stood here before"


class BrokenError(Exception):
    """Something that goes wrong while a file is filled."""


@given(
    old=st.none() | st.binary(max_size=50),
    new=st.binary(max_size=200),
    written=st.integers(0, 200),
    error=st.sampled_from(
        [None, BrokenError(), OSError(28, "No space left on device"), OSError("odd")]
    ),
)
def test_whole_or_not_at_all(old, new, written, error, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    path = folder / "out.bin"
    if old is not None:
        path.write_bytes(old)

    def fill(part):
        assert part.parent == folder
        part.write_bytes(new[:written])
        if error is not None:
            raise error
        part.write_bytes(new)

    if error is None:
        assert write_via(path, fill) == path
        assert path.read_bytes() == new
    else:
        with pytest.raises(FileError if isinstance(error, OSError) else BrokenError) as caught:
            write_via(path, fill)
        if isinstance(error, OSError):
            said = "no space left on device" if error.errno else "odd"
            assert str(caught.value) == f"cannot write {path}: {said}"
        assert (path.read_bytes() if path.exists() else None) == old
    expected = [] if error is not None and old is None else ["out.bin"]
    assert [left.name for left in folder.iterdir()] == expected


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=255
)


@given(name=NAMES.filter(lambda name: name not in {".", ".."}))
def test_every_legal_name(name, tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    if len(os.fsencode(name)) > 255:
        with pytest.raises(FileError, match="file name too long"):
            check_writable(folder / name)
        with pytest.raises(FileError, match="file name too long"):
            write_bytes(folder / name, b"new")
    else:
        check_writable(folder / name)
        assert not list(folder.iterdir())
        write_bytes(folder / name, "new")
        assert [path.name for path in folder.iterdir()] == [name]


@pytest.fixture
def umask(request):
    old = os.umask(request.param)
    yield request.param
    os.umask(old)


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002], indirect=True)
@pytest.mark.parametrize("exists", [False, True])
def test_permissions_follow_the_umask(umask, exists, tmp_path):
    path = tmp_path / "out.txt"
    if exists:
        path.write_bytes(OLD)
    write_bytes(path, b"new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("write", [check_writable, lambda path: write_bytes(path, b"new")])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("missing/out", "no such file or directory"),
        ("file/out", "not a directory"),
        ("folder", "it is a folder, a file name is needed"),
        (".", "it is a folder, a file name is needed"),
        ("a\0b", "a file name cannot hold a zero byte"),
        ("x" * 256, "file name too long"),
    ],
)
def test_places_that_take_no_file(write, name, said, tmp_path):
    (tmp_path / "file").write_bytes(OLD)
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileError, match=said) as caught:
        write(tmp_path / name)
    assert str(caught.value).startswith("cannot write ")
    assert "\n" not in str(caught.value)
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}
    assert (tmp_path / "file").read_bytes() == OLD
    assert not list((tmp_path / "folder").iterdir())


@pytest.mark.skipif(os.name != "posix" or not os.getuid(), reason="nothing is read-only to root")
def test_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(FileError, match="denied"):
        check_writable(tmp_path / "out")


@pytest.mark.parametrize("there", [False, True])
def test_a_link_stays_a_link(there, tmp_path):
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "real"
    if there:
        target.write_bytes(OLD)
    (tmp_path / "link").symlink_to(target)
    assert write_bytes(tmp_path / "link", b"new") == tmp_path / "link"
    assert (tmp_path / "link").is_symlink()
    assert target.read_bytes() == b"new"
    (tmp_path / "folder").symlink_to(tmp_path / "there")
    with pytest.raises(FileError, match="folder"):
        write_bytes(tmp_path / "folder", b"new")


def test_a_pipe_is_filled_and_stays(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    write_bytes(pipe, b"new")
    reader.join(timeout=10)
    assert found == [b"new"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_full_device():
    check_writable("/dev/full")
    with pytest.raises(FileError, match="/dev/full"):
        write_bytes("/dev/full", b"new")


def test_half_a_character(tmp_path):
    with pytest.raises(FileError, match=r"\\ud800"):
        write_bytes(tmp_path / "out", "half \ud800")
    assert not list(tmp_path.iterdir())


def test_integers_beyond_64_bits_are_text_in_parquet(tmp_path):
    table = pd.DataFrame({"n": [1, 10**30], "x": [0.5, 1.5]})
    path = write_parquet(tmp_path / "t.parquet", table)
    back = pd.read_parquet(path)
    assert back["n"].tolist() == ["1", "1" + "0" * 30]
    assert back["x"].tolist() == [0.5, 1.5]
