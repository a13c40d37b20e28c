"""Temporary neighbours of what is written, and clearing those of processes that were killed.

A neighbour's name identifies what fills it: the machine (its boot and its space of process ids,
since folders are shared between machines and containers) and the process. It is a leftover if that
process is gone, or if nothing was written to it for a day.
"""

import os
import re
import secrets
import shutil
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path

__all__ = ["clear_leftovers", "leftovers", "neighbour"]

_PREFIX = 40
"""Characters of a name that its temporary neighbour repeats: names of 255 bytes are legal, and the
neighbour's must be too."""
_SUFFIX = ".part"
_OLD = 86400.0
"""Seconds without a change after which a neighbour is a leftover whoever made it."""
_NAME = re.compile(r"([0-9a-f]{8})-([0-9]+)-[0-9a-f]{8}\.part")


@cache
def _machine() -> str:
    """Return a name of the scope within which process ids are unique."""
    scope = [f"{uuid.getnode():x}"]
    with suppress(OSError):
        scope.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
    with suppress(OSError):
        scope.append(str(Path("/proc/self/ns/pid").readlink()))
    return sha256("\n".join(scope).encode()).hexdigest()[:8]


def neighbour(path: Path) -> Path:
    """A new hidden name beside ``path``, of this process."""
    owner = f"{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    return path.with_name(f"{_start(path)}{owner}{_SUFFIX}")


def _start(path: Path) -> str:
    return f".{path.name[:_PREFIX]}."


def leftovers(path: Path) -> Iterator[Path]:
    """Neighbours of ``path`` that no process fills any more."""
    start = _start(path)
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if not entry.name.startswith(start):
                continue
            found = _NAME.fullmatch(entry.name[len(start) :])
            if found and _is_left(entry, found[1], int(found[2])):
                yield path.with_name(entry.name)


def clear_leftovers(path: Path) -> None:
    """Remove them: each a file, or a folder of files."""
    for left in list(leftovers(path)):
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            with suppress(OSError):
                left.unlink()


def _is_left(entry: "os.DirEntry[str]", machine: str, process: int) -> bool:
    if machine == _machine() and not _runs(process):
        return True
    try:
        changed = entry.stat(follow_symlinks=False).st_mtime
    except OSError:
        return False
    return time.time() - changed > _OLD


def _runs(process: int) -> bool:
    if sys.platform == "win32":  # a signal of 0 would end the process there
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    # A process that was killed and that its parent has not collected yet.
    return status.rpartition(")")[2].split()[:1] != ["Z"]
