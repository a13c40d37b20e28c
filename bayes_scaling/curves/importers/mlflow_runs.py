"""Runs on an MLflow server, read by its own client (the extra ``mlflow``)."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from bayes_scaling.core.mlflow_client import PREFIX, client_of, in_words
from bayes_scaling.curves.importers.import_options import listed
from bayes_scaling.curves.importers.log_source import Log, Roles
from bayes_scaling.curves.importers.tagged_series import Series, TaggedSeries
from bayes_scaling.curves.importers.tracks import Track
from bayes_scaling.errors import DataError, FileError

__all__ = ["MlflowRuns"]

_RUN_ID = re.compile("[0-9a-f]{32}")
_READING = "give its runs"


class MlflowRuns(TaggedSeries):
    """Metrics of runs on a server, ``mlflow:URI#EXPERIMENT`` or ``mlflow:URI#RUN_ID,RUN_ID``.

    A local store is not opened, since MLflow would write to it; ``mlflow server
    --backend-store-uri`` serves one.
    """

    word = "metric"

    def __init__(self, log: Log) -> None:
        self._progress = log.progress
        self._uri, _, wanted = log.address.removeprefix(PREFIX).partition("#")
        if not re.match("https?://[^/]|databricks", self._uri):
            raise FileError(
                f"{self._uri!r} is not the address of an MLflow server; it is http://…, https://… "
                "or databricks, followed by #EXPERIMENT or #RUN_ID (mlflow server "
                "--backend-store-uri serves a local store)"
            )
        self.source = f"{PREFIX}{self._uri}"
        with in_words(self._uri, _READING):
            self._client = client_of(self._uri)
            runs = _named(_runs(self._client, wanted, self.source))
        self._ids = {name: run.info.run_id for name, run in runs.items()}
        self.tags = {name: sorted(run.data.metrics) for name, run in runs.items()}

    @staticmethod
    def recognises(log: Log) -> bool:
        """Return whether the log is an address of MLflow."""
        return isinstance(log.origin, str) and log.origin.startswith(PREFIX)

    def tracks(self, roles: Roles) -> Iterator[Track]:
        """Read the points of every run from the server."""
        stage = self._progress.stage("reading log", "asking the server", len(self.tags), "runs")
        with in_words(self._uri, _READING), stage as done:
            yield from done.each(super().tracks(roles))

    def series(self, run: str, tag: str) -> Series:
        """Read the history of a metric."""
        history = self._client.get_metric_history(self._ids[run], tag)
        # The server may give them in any order; a batch carries one time for many steps.
        # What neither tells apart stays as it came: sorted by its value a loss would rise.
        points = sorted(history, key=lambda point: (point.timestamp, point.step))
        rows = [(point.timestamp, point.step, point.value) for point in points]
        time, step, value = np.array(rows, dtype=np.float64).reshape(-1, 3).T
        return Series(step, value, time / 1000)


def _runs(client: Any, wanted: str, source: str) -> list[Any]:
    ids = [part.strip() for part in wanted.split(",")]
    if all(_RUN_ID.fullmatch(part) for part in ids):
        return [client.get_run(run_id) for run_id in dict.fromkeys(ids)]
    experiment = client.get_experiment_by_name(wanted) if wanted else None
    if experiment is None:
        known = [one.name for one in client.search_experiments()]
        found = f"no experiment {wanted!r}" if wanted else "several experiments"
        raise DataError(
            f"{source} has {found}; write one of {listed(known)}, or ids of runs, after # in the "
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
