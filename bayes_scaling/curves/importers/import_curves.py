"""Import of training curves from logs of any kind."""

from collections.abc import Mapping

from bayes_scaling.core.progress import Progress, ProgressOption
from bayes_scaling.curves.curve import Curves
from bayes_scaling.curves.importers.assembling import assemble
from bayes_scaling.curves.importers.column_roles import assign
from bayes_scaling.curves.importers.import_options import (
    Format,
    ImportKeywords,
    Origin,
    check_keywords,
)
from bayes_scaling.curves.importers.log_source import Log, Source
from bayes_scaling.curves.importers.long_table import LongTable
from bayes_scaling.curves.importers.mlflow_runs import MlflowRuns
from bayes_scaling.curves.importers.tensorboard import EventFiles
from bayes_scaling.curves.importers.trainer_state import TrainerState
from bayes_scaling.curves.importers.wandb_chart import WandbChart

__all__ = ["load_curves"]

SOURCES: Mapping[Format, type[Source]] = {
    "mlflow": MlflowRuns,
    "huggingface": TrainerState,
    "tensorboard": EventFiles,
    "wandb": WandbChart,
    "table": LongTable,
}
"""Kinds of logs, in the order in which they are tried; the last one takes any table."""


def load_curves(
    source: Origin,
    *,
    metric: str | None = None,
    t: str | None = None,
    run: str | None = None,
    lr: str | None = None,
    join: bool = True,
    format: Format | None = None,  # noqa: A002 - the plain word for it
    progress: ProgressOption = True,
) -> Curves:
    """Load training curves from the log of one run or many.

    Points are cleaned and flagged as :meth:`Curve.of` does; decisions made in reading
    stand in ``Curves.caveats``.

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
        Kind of source. By default recognised by its name and content.
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. See :mod:`bayes_scaling.core.progress`.

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

    Examples
    --------
    >>> curves = bs.load_curves(pd.DataFrame({"step": [100, 200], "val_loss": [3.2, 2.9]}))
    >>> curves.curves[0]
    Curve 'data frame': 2 points of 'val_loss', step 100 to 200, loss 3.2 to 2.9
    """
    keywords = ImportKeywords(metric=metric, t=t, run=run, lr=lr, join=join, format=format)
    check_keywords(keywords)
    log = Log(source, format, Progress.of(progress))
    with log.progress.stage("reading log", "reading the log"):
        kind = SOURCES[format] if format else next(k for k in SOURCES.values() if k.recognises(log))
        opened = kind(log)
        names = opened.names()
        roles = assign(names, keywords, log.caveats)
        return assemble(
            opened.tracks(roles),
            roles,
            names.source,
            log.caveats,
            join=join,
            progress=log.progress,
        )
