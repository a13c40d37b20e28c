"""Connection to MLflow (the extra ``mlflow``): client, settings, errors in one sentence."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bayes_scaling.errors import FileError

__all__ = ["PREFIX", "client_of", "in_words"]

PREFIX = "mlflow:"
"""What an address begins with."""
_LONGEST = 160
_SETTINGS = {
    # Its seven tries with growing pauses make a server that is down a matter of minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    # Using it is no reason to send reports of use to anybody.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@contextmanager
def in_words(where: str, failed: str) -> Iterator[None]:
    """Use MLflow under quiet settings, and raise its errors as one sentence.

    Parameters
    ----------
    where : str
        The server, as messages name it.
    failed : str
        What it did not do, after "did not".
    """
    added = {name: value for name, value in _SETTINGS.items() if name not in os.environ}
    os.environ.update(added)
    try:
        try:
            from mlflow.exceptions import MlflowException
        except ImportError as error:
            raise FileError("MLflow needs an extra: pip install 'bayes-scaling[mlflow]'") from error
        try:
            yield
        except MlflowException as error:
            message = " ".join(str(error).split())
            message = message if len(message) <= _LONGEST else message[: _LONGEST - 1] + "…"
            raise FileError(f"the MLflow server at {where} did not {failed}: {message}") from error
    finally:
        for name in added:
            os.environ.pop(name, None)


def client_of(uri: str | None) -> Any:
    """Return MLflow's client of a server, by default its own; within :func:`in_words`."""
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=uri)
