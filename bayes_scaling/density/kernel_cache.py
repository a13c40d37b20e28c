"""Compiled densities, kept on disk: the density of a law is compiled once on a machine."""

import hashlib
import importlib.util
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from bayes_scaling.core.files import write_bytes
from bayes_scaling.errors import FileError

__all__ = ["cache_folder", "compiled_module"]


def cache_folder() -> Path:
    """Folder of this user in which compiled densities are kept."""
    from platformdirs import user_cache_path

    return user_cache_path("bayes_scaling") / "densities"


@lru_cache(maxsize=64)
def compiled_module(source: str) -> Any:
    """Return the module of a source, compiled, from this process, the disk, or anew.

    The source is written to a file, beside which Numba keeps the machine code for this processor;
    where there is no folder to write to, to a temporary one.

    Parameters
    ----------
    source : str
        As :func:`bayes_scaling.density.kernel_source.kernel_source` gives it.
    """
    name = f"density_{hashlib.sha256(source.encode()).hexdigest()[:24]}"
    try:
        return _imported(_written(cache_folder(), name, source))
    # Damaged files of a cache may raise anything; a fault of the source is raised again below.
    except Exception:
        return _imported(_written(Path(tempfile.mkdtemp(prefix="bayes_scaling_")), name, source))


def _imported(path: Path) -> Any:
    """The module of a file, compiled or read from beside it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise FileError(f"cannot import {path}")
    module: Any = importlib.util.module_from_spec(spec)
    # Numba finds a function again on disk through the name of a module that is loaded.
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _written(folder: Path, name: str, source: str) -> Path:
    """The file of a source; never a file of other content."""
    path, content = folder / f"{name}.py", source.encode()
    if not (path.is_file() and path.read_bytes() == content):
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(path, content)
    return path
