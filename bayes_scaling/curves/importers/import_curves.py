"""Loading training curves from any log."""

import os
from pathlib import Path
from typing import Literal, get_args

import pandas as pd

from bayes_scaling.core.mlflow_client import PREFIX
from bayes_scaling.curves.curve import Curves
from bayes_scaling.curves.importers.import_options import Asked, listed
from bayes_scaling.curves.importers.metrics_table import Table, label, of_csv, of_raw, read_bytes
from bayes_scaling.curves.importers.mlflow_runs import curves_of_mlflow
from bayes_scaling.curves.importers.rows import curves_of_rows
from bayes_scaling.curves.importers.tensorboard import curves_of_events, event_files
from bayes_scaling.curves.importers.trainer_state import (
    curves_of_trainer,
    holds_trainer_state,
    trainer_state_in,
)
from bayes_scaling.curves.importers.wandb import curves_of_chart, is_chart, refuse_runs_table
from bayes_scaling.errors import DataError, FileError
from bayes_scaling.runs.reading.sources import SUFFIXES

__all__ = ["FORMATS", "load_curves"]

Format = Literal["table", "wandb", "tensorboard", "huggingface", "mlflow"]
FORMATS: tuple[str, ...] = get_args(Format)
"""Kinds of logs that are read."""


def load_curves(
    source: str | os.PathLike[str] | pd.DataFrame,
    *,
    metric: str | None = None,
    t: str | None = None,
    run: str | None = None,
    lr: str | None = None,
    join: bool = True,
    format: Format | None = None,  # noqa: A002 - the plain word for it
) -> Curves:
    """Load training curves from the log of one run or many.

    Points are cleaned and flagged as :meth:`Curve.of` does; what was guessed stands in
    ``Curves.notes``.

    Parameters
    ----------
    source : path-like, str or pandas.DataFrame
        - A table with one row a point: CSV, TSV, Parquet, JSON lines, or a data frame.
        - The CSV export of a chart of Weights & Biases.
        - A TensorBoard event file, or a folder of runs (needs the extra ``tensorboard``).
        - ``trainer_state.json`` of Hugging Face, or the folder that holds it or its checkpoints.
        - ``mlflow:URI#EXPERIMENT`` or ``mlflow:URI#RUN_ID,RUN_ID``, such as
          ``mlflow:http://127.0.0.1:5000#grid`` (needs the extra ``mlflow``).
    metric : str, optional
        Column, tag or metric that is the loss (in nats). By default the one named as a loss; a
        held-out loss rather than a training loss.
    t : str, optional
        Column, tag or metric that counts steps or tokens. By default the steps. Where none is
        called so, "order" counts the points of each run in the order of their times, or of the
        rows: for logs that were written without a step.
    run : str, optional
        Column that names runs, for tables with one row a point.
    lr : str, optional
        Column, tag or metric of the learning rate.
    join : bool
        Whether runs whose names differ in one number, and whose steps continue each other, are
        segments of one run and joined, in the order of these numbers.
    format : {"table", "wandb", "tensorboard", "huggingface", "mlflow"}, optional
        What the source is. By default told by its name and content.

    Returns
    -------
    Curves
        In the order of the source; positions in steps or tokens, wall-clock in seconds.

    Raises
    ------
    FileError
        If the source is absent, unreadable, damaged or of unknown kind, or an extra is missing.
    DataError
        If a column is absent or ambiguous, a cell is not what it needs to be, the metric cannot
        be a loss, or the source holds no curves.
    """
    for name, value in {"metric": metric, "t": t, "run": run, "lr": lr}.items():
        if value is not None and not isinstance(value, str):
            raise DataError(f"{name}={value!r} is not the name of a column or tag")
    if format is not None and format not in FORMATS:
        raise DataError(f"format={format!r} is none of {listed(FORMATS)}")
    asked = Asked(metric, t, run, lr, join)
    if isinstance(source, pd.DataFrame):
        return _table(of_raw(source), asked, format, "data frame")
    if not isinstance(source, str | os.PathLike):
        raise DataError(
            f"curves cannot be read from a {type(source).__name__}; give a path, an address such "
            "as mlflow:URI#EXPERIMENT, or a pandas data frame"
        )
    if format == "mlflow" or (isinstance(source, str) and source.startswith(PREFIX)):
        return curves_of_mlflow(str(source), asked)
    path = _existing(source)
    if path.is_dir():
        return _folder(path, asked, format)
    return _file(path, asked, format)


def _existing(source: str | os.PathLike[str]) -> Path:
    try:
        path = Path(source)
        path.stat()
    except FileNotFoundError:
        raise FileError(f"{source} does not exist; give the path of a log of training") from None
    except (OSError, ValueError, TypeError) as error:
        raise FileError(f"{str(source)!r} is not the path of a file that can be read") from error
    if not (path.is_file() or path.is_dir()):  # a device or a pipe might never end
        raise FileError(f"{path} is not a file that can be read")
    return path


def _folder(path: Path, asked: Asked, kind: str | None) -> Curves:
    state = trainer_state_in(path)
    if kind == "huggingface" or (kind is None and state is not None):
        if state is None:
            raise FileError(f"{path} holds no trainer_state.json, nor does a checkpoint-* in it")
        return curves_of_trainer(state, asked)
    if kind == "tensorboard" or (kind is None and event_files(path)):
        return curves_of_events(path, asked)
    raise FileError(
        f"{path} is a folder without event files of TensorBoard and without trainer_state.json; "
        "give the file that holds the curves"
    )


def _file(path: Path, asked: Asked, kind: str | None) -> Curves:
    suffix = SUFFIXES.get(path.suffix.lower())
    if kind == "tensorboard" or (kind is None and "tfevents" in path.name):
        return curves_of_events(path, asked)
    if kind == "huggingface":
        return curves_of_trainer(path, asked)
    if suffix is None:
        raise FileError(
            f"{path} has the suffix {path.suffix!r}, which is no log that this program reads; "
            f"legal are {', '.join(SUFFIXES)} and event files of TensorBoard"
        )
    if kind is None and path.suffix.lower() == ".json" and holds_trainer_state(read_bytes(path)):
        return curves_of_trainer(path, asked)
    if suffix in {"csv", "tsv"}:
        table = of_csv(read_bytes(path), label(path), "," if suffix == "csv" else "\t")
    else:
        table = of_raw(path)
    return _table(table, asked, kind, path.stem.encode("utf-8", "backslashreplace").decode())


def _table(table: Table, asked: Asked, kind: str | None, name: str) -> Curves:
    if kind not in {None, "table", "wandb"}:
        raise DataError(f"{table.source} is a table and cannot be read as format={kind!r}")
    if kind == "wandb" and not is_chart(table.names):
        refuse_runs_table(table)
        raise DataError(
            f"{table.source} is no chart of Weights & Biases, whose columns are the axis and then "
            f"'RUN - METRIC'; its columns are {listed(table.names)}"
        )
    if kind != "table":
        if is_chart(table.names):
            return curves_of_chart(table, asked)
        refuse_runs_table(table)
    return curves_of_rows(table, asked, name)
