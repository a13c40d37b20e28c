"""Runs that an MLflow server keeps, through its own client (the extra ``mlflow``)."""

import re
from typing import Any

import numpy as np

from bayes_scaling.core.mlflow_client import PREFIX, client_of, in_words
from bayes_scaling.curves.curve import Curves
from bayes_scaling.curves.importers.finishing import finish
from bayes_scaling.curves.importers.import_options import Asked, listed
from bayes_scaling.curves.importers.series import Series, pick, track
from bayes_scaling.errors import DataError, FileError

__all__ = ["curves_of_mlflow"]

_RUN_ID = re.compile("[0-9a-f]{32}")


def curves_of_mlflow(address: str, asked: Asked) -> Curves:
    """Curves of runs on an MLflow server.

    Parameters
    ----------
    address : str
        ``mlflow:URI#EXPERIMENT`` or ``mlflow:URI#RUN_ID,RUN_ID``, with the address of a server
        (http, https or databricks). A local store is not opened, since MLflow would write to it;
        ``mlflow server --backend-store-uri`` serves one.
    asked : Asked
        What the caller says of it.

    Raises
    ------
    FileError
        If the extra ``mlflow`` is missing or the server does not answer.
    DataError
        If there is no such experiment or run, or a metric is absent or ambiguous.
    """
    uri, _, wanted = address.removeprefix(PREFIX).partition("#")
    if not re.match("https?://[^/]|databricks", uri):
        raise FileError(
            f"{uri!r} is not the address of an MLflow server; it is http://…, https://… or "
            "databricks, followed by #EXPERIMENT or #RUN_ID (mlflow server "
            "--backend-store-uri serves a local store)"
        )
    with in_words(uri, "give its runs"):
        return _curves(client_of(uri), wanted, asked, f"{PREFIX}{uri}")


def _curves(client: Any, wanted: str, asked: Asked, source: str) -> Curves:
    runs = _named(_runs(client, wanted, source))
    tags = list(dict.fromkeys(key for run in runs.values() for key in sorted(run.data.metrics)))
    picked = pick(asked, tags, source, "metric")
    read = [key for key in (picked.metric, picked.t, picked.lr) if key is not None]
    tracks = []
    for name, run in runs.items():
        series = {
            key: _series(client.get_metric_history(run.info.run_id, key))
            for key in read
            if key in run.data.metrics
        }
        tracks.append(track(name, series, picked, source))
    return finish(
        tracks,
        axis=picked.axis,
        metric=picked.metric,
        source=source,
        notes=picked.notes,
        join=asked.join,
    )


def _runs(client: Any, wanted: str, source: str) -> list[Any]:
    ids = [part.strip() for part in wanted.split(",")]
    if all(_RUN_ID.fullmatch(part) for part in ids):
        return [client.get_run(run_id) for run_id in dict.fromkeys(ids)]
    experiment = client.get_experiment_by_name(wanted) if wanted else None
    if experiment is None:
        known = [one.name for one in client.search_experiments()]
        said = f"no experiment {wanted!r}" if wanted else "several experiments"
        raise DataError(
            f"{source} has {said}; write one of {listed(known)}, or ids of runs, after # in the "
            "address"
        )
    page = client.search_runs([experiment.experiment_id])
    runs = list(page)
    while page.token:
        page = client.search_runs([experiment.experiment_id], page_token=page.token)
        runs.extend(page)
    if not runs:
        raise DataError(f"{source}: experiment {wanted!r} has no runs")
    return runs


def _named(runs: list[Any]) -> dict[str, Any]:
    names = [run.info.run_name or run.info.run_id for run in runs]
    return {
        name if names.count(name) == 1 else f"{name} ({run.info.run_id[:8]})": run
        for name, run in zip(names, runs, strict=True)
    }


def _series(history: list[Any]) -> Series:
    # The server may give them in any order; a batch carries one time for many steps.
    # What neither tells apart stays as it came: sorted by its value a loss would rise.
    points = sorted(history, key=lambda point: (point.timestamp, point.step))
    rows = [(point.timestamp, point.step, point.value) for point in points]
    time, step, value = np.array(rows, dtype=np.float64).reshape(-1, 3).T
    return Series(step, value, time / 1000)
