"""Folders of files that belong together, replaced as a whole.

New files are made in a hidden folder within; then the old ones are moved there, the descriptor
first, and the new ones out of it, the descriptor last. So files of two exports never stand side by
side, and whatever stands beside a descriptor has the hash that it names. What an export that was
killed has left is cleared after the next one.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path
from typing import Any

from bayes_scaling.core.files import reason, write_bytes
from bayes_scaling.core.temporary_files import clear_leftovers, leftovers, neighbour
from bayes_scaling.errors import FileError

__all__ = ["DESCRIPTOR", "write_package"]

DESCRIPTOR = "datapackage.json"
"""The descriptor of a Data Package (Frictionless Data)."""
_OLD = "replaced"


def write_package(
    folder: Path, descriptor: Mapping[str, Any], fill: Callable[[Path], object]
) -> Path:
    """Write files into a folder with their descriptor, in place of those of an earlier call.

    Parameters
    ----------
    folder : pathlib.Path
        Where they go; made if missing. Other files there are left.
    descriptor : mapping
        With a ``name``, by which earlier descriptors are known again, and ``resources``, whose
        ``path`` is the name of a file; ``bytes`` and ``hash`` are added to each.
    fill : callable
        Called with an empty folder, to make every file in.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder {folder}: {reason(error)}") from error
    names = [resource["path"] for resource in descriptor["resources"]]
    claims = _claims(folder, str(descriptor["name"]))
    _check_free(folder, [*names, DESCRIPTOR], claims)
    try:
        with _staged(folder) as part:
            fill(part)
            text = json.dumps(_sealed(descriptor, part), indent=1, ensure_ascii=False)
            write_bytes(part / DESCRIPTOR, text + "\n")
            _swap(folder, part, names, claims)
        clear_leftovers(folder / DESCRIPTOR)
    except OSError as error:
        raise FileError(f"cannot write tables to {folder}: {reason(error)}") from error
    finally:
        if made and not any(folder.iterdir()):
            folder.rmdir()
    return folder


@contextmanager
def _staged(folder: Path) -> Iterator[Path]:
    part = neighbour(folder / DESCRIPTOR)
    part.mkdir()
    try:
        yield part
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _sealed(descriptor: Mapping[str, Any], part: Path) -> dict[str, object]:
    resources = []
    for resource in descriptor["resources"]:
        path = part / resource["path"]
        resources.append({**resource, "bytes": path.stat().st_size, "hash": _hash(path)})
    return {**descriptor, "resources": resources}


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return f"sha256:{file_digest(file, 'sha256').hexdigest()}"


def _claims(folder: Path, name: str) -> dict[str, set[str]]:
    """Files that earlier calls wrote here, by name, with their hashes; those cut off included."""
    left = list(leftovers(folder / DESCRIPTOR))
    places = [folder, *left, *(part / _OLD for part in left)]
    found: dict[str, set[str]] = {}
    for place in places:
        resources = _resources(place / DESCRIPTOR, name)
        if resources is not None:
            found.setdefault(DESCRIPTOR, set())
            for path, digest in resources.items():
                found.setdefault(path, set()).add(digest)
    return found


def _resources(path: Path, name: str) -> dict[str, str] | None:
    """Hash by file in a descriptor of this name; None if it is none."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or content.get("name") != name:
        return None
    listed = content.get("resources")
    found = {}
    for resource in listed if isinstance(listed, list) else []:
        file = resource.get("path") if isinstance(resource, dict) else None
        # A name alone: a path could lead to any file there is.
        if isinstance(file, str) and file and Path(file).name == file:
            found[file] = str(resource.get("hash", ""))
    return found


def _check_free(folder: Path, names: list[str], claims: Mapping[str, set[str]]) -> None:
    for name in names:
        path = folder / name
        if name not in claims and (path.exists() or path.is_symlink()):
            raise FileError(
                f"cannot write {path}: a file of that name is there, and no export of a fit wrote "
                "it; move it or name another folder"
            )


def _swap(folder: Path, part: Path, names: list[str], claims: Mapping[str, set[str]]) -> None:
    """Move the old files away and the new ones in; an error moves all back."""
    old = part / _OLD
    old.mkdir()
    # Of files that get no successor only those go that are still as they were written.
    stale = [
        name
        for name, digests in claims.items()
        if name not in {*names, DESCRIPTOR} and _is_one_of(folder / name, digests)
    ]
    away = [DESCRIPTOR, *names, *stale]
    moves = [(folder / name, old / name) for name in away if os.path.lexists(folder / name)]
    moves += [(part / name, folder / name) for name in [*names, DESCRIPTOR]]
    done: list[tuple[Path, Path]] = []
    try:
        for source, target in moves:
            source.rename(target)
            done.append((source, target))
    except BaseException:
        for source, target in reversed(done):
            target.rename(source)
        raise


def _is_one_of(path: Path, digests: set[str]) -> bool:
    try:
        return path.is_file() and not path.is_symlink() and _hash(path) in digests
    except OSError:
        return False
