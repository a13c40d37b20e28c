"""Data sets that come with the package: our own runs, and tidied tables of public studies.

``byte_lm``: small byte-level transformers trained for this project. All others are numbers of
published studies of language models, under licences that allow it. :func:`list` shows what there
is, :func:`card` where a data set comes from, what it is good for and what misleads.
"""

import hashlib
import tomllib
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import resources
from pathlib import Path

import msgspec
import pandas as pd

from bayes_scaling.errors import DataError, FileError
from bayes_scaling.runs.data_cards import DataCard, DataSet, make_card
from bayes_scaling.runs.load_runs_table import Count, load_runs
from bayes_scaling.runs.table import Runs

__all__ = ["DataCard", "card", "describe", "list", "load", "load_table", "names"]

_SUMS = "SHA256SUMS"
_CARDS = "cards.toml"


def names() -> tuple[str, ...]:
    """Return the names of the bundled data sets.

    Examples
    --------
    >>> bs.datasets.names()[0]
    'byte_lm'
    """
    return tuple(_sets())


def list() -> pd.DataFrame:  # noqa: A001 - read as datasets.list()
    """List the bundled data sets.

    Returns
    -------
    pandas.DataFrame
        A line each: name, kind ("runs" or "table": which of :func:`load` and :func:`load_table`
        takes it), rows, families (how many), targets, then _min and _max of params (parameters),
        tokens (tokens), flops (FLOP) and loss, then loss_unit, root, licence, title.

    Examples
    --------
    >>> table = bs.datasets.list().set_index("name")
    >>> int(table.loc["olmo_ladder", "rows"]), int(table.loc["olmo_ladder", "targets"])
    (32, 2)
    """
    lines = []
    for name in names():
        one = _card(name)
        line = {"name": name, "kind": one.kind, "rows": one.rows, "families": len(one.families)}
        line["targets"] = one.targets
        for column in ("params", "tokens", "flops", "loss"):
            span = one.ranges.get(column)
            line[f"{column}_min"] = span.low if span else float("nan")
            line[f"{column}_max"] = span.high if span else float("nan")
        line |= {"loss_unit": one.loss_unit, "root": ", ".join(one.roots)}
        lines.append(line | {"licence": one.licence, "title": one.title})
    return pd.DataFrame(lines)


def describe() -> pd.DataFrame:
    """List the bundled data sets in four columns; deprecated, see :func:`list`.

    Examples
    --------
    >>> with warnings.catch_warnings(action="ignore"):
    ...     bs.datasets.describe().columns.tolist()
    ['name', 'kind', 'content', 'file']
    """
    text = "datasets.describe() is deprecated; use datasets.list() or datasets.card(name)"
    warnings.warn(text, DeprecationWarning, stacklevel=2)
    rows = [(name, entry.kind, entry.title, entry.file) for name, entry in _sets().items()]
    return pd.DataFrame(rows, columns=pd.Index(["name", "kind", "content", "file"]))


def card(name: str) -> DataCard:
    """Return the data card of a bundled data set.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    DataCard
        Source, licence, counts and ranges, what it is good for, and what misleads; ``print`` shows
        it.

    Raises
    ------
    DataError
        If there is no data set of that name.
    FileError
        If its file is not part of this installation, or is not the one that was published.

    Examples
    --------
    >>> bs.datasets.card("olmo_ladder").licence
    'Apache-2.0'
    """
    flags = load(name).flags if _named(name).kind == "runs" else ()
    return _card(name, [flag.code for flag in flags])


def load(name: str, *, count: Count | None = None) -> Runs:
    """Load a bundled data set of runs: the rows that its laws can follow.

    Rows that they cannot follow stay in the file, with the reason in the column ``left_out``; the
    data card counts them, and :func:`load_table` gives all.

    Parameters
    ----------
    name : str
        One of :func:`names` whose kind is "runs".
    count : {"params", "params_nonemb"}, optional
        Which parameter count ``params`` is to hold. By default that of the data card.

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
    if entry.kind != "runs":
        raise DataError(f"{name!r} is no table of runs; use datasets.load_table({name!r})")
    with _verified(entry.file) as path:
        runs = load_runs(path, count=count or entry.count)
    table = runs.table
    return runs.select((_belongs(table, entry) & ~_left_out(table)).to_numpy(dtype=bool))


def load_table(name: str) -> pd.DataFrame:
    """Load the whole file of a bundled data set, as it is.

    Parameters
    ----------
    name : str
        One of :func:`names`.

    Returns
    -------
    pandas.DataFrame
        Columns as in a table of runs, and those of the study; ``root`` tells who made the runs.

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


@cache
def _sets() -> dict[str, DataSet]:
    """Every data set, as stated in the file of cards."""
    with _located(_CARDS) as path:
        stated = tomllib.loads(path.read_text("utf-8"))
    return msgspec.convert(stated, dict[str, DataSet])


def _named(name: str) -> DataSet:
    if not isinstance(name, str) or name not in _sets():
        raise DataError(f"{name!r} is not a bundled data set; these are: {', '.join(_sets())}")
    return _sets()[name]


def _card(name: str, flags: Iterable[str] = ()) -> DataCard:
    entry = _named(name)
    table = load_table(name)
    belongs, out = _belongs(table, entry), _left_out(table)
    return make_card(name, entry, table[belongs & ~out], table[belongs & out], flags)


def _belongs(table: pd.DataFrame, entry: DataSet) -> pd.Series:
    """Mark the rows of a file that belong to a data set."""
    belongs = pd.Series(data=True, index=table.index)
    for column, values in entry.where.items():
        belongs &= table[column].isin(values)
    return belongs


def _left_out(table: pd.DataFrame) -> pd.Series:
    """Mark the rows for which a reason is stated why a law cannot follow them."""
    if "left_out" not in table:
        return pd.Series(data=False, index=table.index)
    return table["left_out"].fillna("") != ""


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
