"""Data sets that come with the package.

``byte_lm``: small byte-level transformers trained for this project on three texts; losses in
nats/byte. One table of runs, of which each data set below takes the runs made for its purpose,
and the tables of their training curves and of the learning-rate search.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pandas as pd

from bayes_scaling.errors import DataError, FileError
from bayes_scaling.runs.load_runs_table import load_runs
from bayes_scaling.runs.table import Runs

__all__ = ["describe", "load", "load_table", "names"]

_SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class _DataSet:
    """A bundled data set: a file, and which of its rows.

    Parameters
    ----------
    file : str
        Folder and name of the file.
    content : str
        What it holds, in a phrase.
    roles : tuple of str
        The runs that belong to it, by their column ``role``; empty for a table that is not one
        of runs.
    """

    file: str
    content: str
    roles: tuple[str, ...] = ()


_BASIC = ("grid", "seed", "target")
_SETS = {
    "byte_lm": _DataSet(
        "byte_lm/runs.csv", "runs at five levels of compute, their replicates, targets", _BASIC
    ),
    "byte_lm_repeats": _DataSet(
        "byte_lm/runs.csv",
        "the same, and runs that see their text 2 to 32 times",
        (*_BASIC, "repeat"),
    ),
    "byte_lm_shapes": _DataSet(
        "byte_lm/runs.csv",
        "the same as byte_lm, and runs of equal matrix sizes from wide to deep",
        (*_BASIC, "shape"),
    ),
    "byte_lm_curves": _DataSet("byte_lm/curves.parquet", "training curves of all these runs"),
    "byte_lm_lr_search": _DataSet("byte_lm/lr_search.csv", "the search for learning rates"),
}


def names() -> tuple[str, ...]:
    """Return the names of the bundled data sets.

    Examples
    --------
    >>> bs.datasets.names()[0]
    'byte_lm'
    """
    return tuple(_SETS)


def describe() -> pd.DataFrame:
    """List the bundled data sets.

    Returns
    -------
    pandas.DataFrame
        Columns name, kind ("runs" or "table": which of :func:`load` and :func:`load_table`
        takes it), content, file.

    Examples
    --------
    >>> bs.datasets.describe()["kind"].unique().tolist()
    ['runs', 'table']
    """
    rows = [
        (name, "runs" if entry.roles else "table", entry.content, entry.file)
        for name, entry in _SETS.items()
    ]
    return pd.DataFrame(rows, columns=pd.Index(["name", "kind", "content", "file"]))


def load(name: str) -> Runs:
    """Load a bundled data set of runs.

    Parameters
    ----------
    name : str
        One of :func:`names` whose kind is "runs".

    Returns
    -------
    Runs
        Its runs; held-out ones have the role "target".

    Raises
    ------
    DataError
        If there is no data set of runs of that name.
    FileError
        If its file is not part of this installation, or is not the one that was published.

    Examples
    --------
    >>> bs.datasets.load("byte_lm").loss_unit
    'nats/byte'
    """
    entry = _named(name)
    if not entry.roles:
        raise DataError(f"{name!r} is no table of runs; use datasets.load_table({name!r})")
    with _verified(entry.file) as path:
        runs = load_runs(path)
    return runs.select(runs.table["role"].isin(entry.roles).to_numpy(dtype=bool))


def load_table(name: str) -> pd.DataFrame:
    """Load the whole file of a bundled data set, as it is.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    pandas.DataFrame
        Columns as described with the data (``data/byte_lm/README.md``).

    Raises
    ------
    DataError
        If there is no data set of that name.
    FileError
        If its file is not part of this installation, or is not the one that was published.

    Examples
    --------
    >>> "train_loss" in bs.datasets.load_table("byte_lm_curves")
    True
    """
    with _verified(_named(name).file) as path:
        return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)


def _named(name: str) -> _DataSet:
    if name not in _SETS:
        raise DataError(f"{name!r} is not a bundled data set; these are: {', '.join(_SETS)}")
    return _SETS[name]


@contextmanager
def _verified(file: str) -> Iterator[Path]:
    """Give the path of a data file whose checksum is the published one."""
    with _located(file) as path, _located(f"{Path(file).parent.as_posix()}/{_SUMS}") as sums:
        lines = [line.split(maxsplit=1) for line in sums.read_text("utf-8").splitlines()]
        published = {name: checksum for checksum, name in lines}
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if published.get(path.name) != found:
            raise FileError(
                f"the bundled file {file} has SHA-256 {found}, but {_SUMS} beside it has "
                f"{published.get(path.name, 'none')}; install bayes-scaling again"
            )
        yield path


@contextmanager
def _located(file: str) -> Iterator[Path]:
    # A checkout keeps the data beside the code that made them; a wheel contains a copy.
    bundled = resources.files(__package__).joinpath("bundled", *file.split("/"))
    checkout = Path(__file__).resolve().parents[2] / "data" / file
    if bundled.is_file():
        with resources.as_file(bundled) as path:
            yield path
    elif checkout.is_file():
        yield checkout
    else:
        raise FileError(
            f"the bundled file {file} is missing from this installation; install bayes-scaling "
            "again"
        )
