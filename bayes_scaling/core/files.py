"""Writing files whole or not at all."""

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bayes_scaling.core.arguments import shown
from bayes_scaling.core.temporary_files import clear_leftovers, neighbour
from bayes_scaling.errors import FileError

__all__ = [
    "FileWarning",
    "check_suffix",
    "check_writable",
    "path_of",
    "reason",
    "short_names",
    "write_bytes",
    "write_via",
]


class FileWarning(UserWarning):
    """A file was read, and something about it should be known."""


def reason(error: OSError) -> str:
    """The operating system's words for an error, without Python's wrapping."""
    return (error.strerror or str(error) or type(error).__name__).lower()


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    """Turn an error of the operating system about ``path`` into a :class:`FileError`."""
    try:
        yield
    except FileError:
        raise
    except OSError as error:
        raise FileError(f"cannot write {path}: {reason(error)}") from error


def _place(path: Path) -> Path:
    """Return the file to write for ``path``: links are followed."""
    if "\0" in str(path):
        raise FileError(f"cannot write {str(path)!r}: a file name cannot hold a zero byte")
    if path.is_dir():
        raise FileError(f"cannot write {path}: it is a folder, a file name is needed")
    target = Path(os.path.realpath(path)) if path.is_symlink() else path
    with suppress(FileNotFoundError):
        target.lstat()  # a name that is too long is refused here, and not after the work
    return target


def _is_special(path: Path) -> bool:
    """Return whether ``path`` is a device or a pipe, which cannot be replaced by a rename."""
    return path.exists() and not path.is_file()


@contextmanager
def _beside(path: Path) -> Iterator[Path]:
    clear_leftovers(path)
    part = neighbour(path)
    part.touch(mode=0o600, exist_ok=False)
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def write_via(path: str | os.PathLike[str], write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a temporary neighbour of ``path``, then rename it into place.

    Parameters
    ----------
    path : path-like
        Where the file is to appear. Its folder must exist. A link is followed.
    write : callable
        Called with the path of an empty temporary file in the same folder.

    Returns
    -------
    pathlib.Path
        The path written.

    Raises
    ------
    FileError
        If the folder is missing or read-only, the path is a folder, or the disk is full.
        Whatever stood at ``path`` before is then still there, untouched.
    """
    named = path_of(path)
    with _in_words(named):
        target = _place(named)
        if _is_special(named):
            _write_special(named, write)
            return named
        with _beside(target) as part:
            write(part)
            _sync(part)
            # The part is private; a result is as readable as any other new file.
            umask = os.umask(0)
            os.umask(umask)
            part.chmod(0o666 & ~umask)
            part.replace(target)
    return named


def path_of(path: object, to: str = "write") -> Path:
    """A path from what was given as one.

    Parameters
    ----------
    path : object
        The argument.
    to : {"write", "read"}
        What for.
    """
    if not isinstance(path, str | os.PathLike):
        raise FileError(f"path is {shown(path)}; the path of a file is needed, like 'fit.nc'")
    found = Path(path)
    if "\0" in str(found):
        raise FileError(f"cannot {to} {str(found)!a}: a file name cannot hold a zero byte")
    return found


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Check that ``path`` can be written, before work is spent on its content."""
    named = path_of(path)
    with _in_words(named):
        target = _place(named)
        if not _is_special(named):
            with _beside(target):
                pass
    return named


def check_suffix(path: str | os.PathLike[str], legal: tuple[str, ...]) -> str:
    """The suffix of a path in small letters, refused if it is none of those."""
    suffix = Path(path).suffix.lower()
    if suffix not in legal:
        named = f"{', '.join(legal[:-1])} or {legal[-1]}"
        raise FileError(f"cannot write {path}: {suffix!r} is not {named}")
    return suffix


FIGURES = (".png", ".svg", ".pdf")
"""Suffixes of figures."""


def _write_special(target: Path, write: Callable[[Path], object]) -> None:
    """Fill a device or pipe from a file made elsewhere."""
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part"
        part.touch()
        write(part)
        with target.open("wb") as out:
            out.write(part.read_bytes())


def _sync(part: Path) -> None:
    # A full disk may only show when buffers reach it, so ask before the rename.
    with part.open("rb+") as handle:
        os.fsync(handle.fileno())


def write_bytes(path: str | os.PathLike[str], content: bytes | str) -> Path:
    """Write ``content`` (text as UTF-8) to ``path``, whole or not at all."""
    try:
        data = content.encode("utf-8") if isinstance(content, str) else content
    except UnicodeEncodeError as error:
        half = error.object[error.start]
        raise FileError(
            f"cannot write {path}: its text holds {half!a}, which is no character"
        ) from error
    return write_via(path, lambda part: part.write_bytes(data))


_LONGEST = 40
"""Letters of a short name; each may take four of the 255 bytes of a file's name."""


def short_names(names: Iterable[str], legal: str = r"\w.+-") -> dict[str, str]:
    """A short part of a file name for every name, whatever it holds, unique whatever the case.

    Parameters
    ----------
    names : iterable of str
        The names.
    legal : str
        Characters that stay, as within the brackets of a regular expression.

    Examples
    --------
    >>> short_names(["web/en", "web en"])
    {'web/en': 'web-en', 'web en': 'web-en-2'}
    """
    found: dict[str, str] = {}
    for full in names:
        short = re.sub(rf"[^{legal}]+", "-", full).strip("-.")[:_LONGEST] or "family"
        taken = {other.casefold() for other in found.values()}
        number = 2
        unique = short
        while unique.casefold() in taken:
            unique = f"{short}-{number}"
            number += 1
        found[full] = unique
    return found
