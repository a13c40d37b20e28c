"""Writing files whole or not at all."""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bayes_scaling.errors import FileError

__all__ = ["check_writable", "reason", "write_bytes", "write_via"]


def reason(error: OSError) -> str:
    """The operating system's words for an error, without Python's wrapping."""
    return (error.strerror or str(error) or type(error).__name__).lower()


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(handle)
    part = Path(name)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def write_via(path: str | os.PathLike[str], write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a temporary neighbour of ``path``, then rename it into place.

    Parameters
    ----------
    path : path-like
        Where the file is to appear. Its folder must exist.
    write : callable
        Called with the path of an empty temporary file in the same folder.

    Returns
    -------
    pathlib.Path
        The path written.

    Raises
    ------
    FileError
        If the folder is missing or read-only, the path is not a regular file, or the disk is full.
        Whatever stood at ``path`` before is then still there, untouched.
    """
    target = Path(path)
    if target.is_dir():
        raise FileError(f"cannot write {target}: it is a folder, a file name is needed")
    if target.exists() and not target.is_file():
        _write_special(target, write)
        return target
    try:
        with _beside(target) as part:
            write(part)
            _sync(part)
            # mkstemp makes files private; a result is as readable as any other new file.
            umask = os.umask(0)
            os.umask(umask)
            part.chmod(0o666 & ~umask)
            part.replace(target)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot write {target}: {reason(error)}") from error
    return target


def check_writable(path: str | os.PathLike[str]) -> Path:
    """See that ``path`` can be written, before work is spent on what goes there.

    Raises
    ------
    FileError
        If it is a folder, or its folder is missing or cannot be written.
    """
    target = Path(path)
    if target.is_dir():
        raise FileError(f"cannot write {target}: it is a folder, a file name is needed")
    if target.exists() and not target.is_file():
        return target
    try:
        with _beside(target):
            pass
    except OSError as error:
        raise FileError(f"cannot write {target}: {reason(error)}") from error
    return target


def _write_special(target: Path, write: Callable[[Path], object]) -> None:
    """Fill a device or pipe, which cannot be renamed over, from a file made elsewhere."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder) / "part"
            part.touch()
            write(part)
            with target.open("wb") as out:
                out.write(part.read_bytes())
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot write {target}: {reason(error)}") from error


def _sync(part: Path) -> None:
    # A full disk may only show when buffers reach it, so ask before the rename.
    with part.open("rb+") as handle:
        os.fsync(handle.fileno())


def write_bytes(path: str | os.PathLike[str], content: bytes | str) -> Path:
    """Write ``content`` (text as UTF-8) to ``path``, whole or not at all.

    Raises
    ------
    FileError
        As :func:`write_via`.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    return write_via(path, lambda part: part.write_bytes(data))
