"""An MLflow server of the tests' own, on this machine."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import pytest


@contextmanager
def server(folder):
    """Address of a server with its store and artifacts in a folder, that ends with the tests."""
    for name in ("mlflow", "flask", "sqlalchemy", "alembic", "aiohttp"):
        pytest.importorskip(name, reason=f"mlflow server needs {name}")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = f"-m mlflow server --backend-store-uri sqlite:///{folder}/store.db --workers 1"
    kept = ["--artifacts-destination", str(folder / "artifacts")]
    more = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (folder / "log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, *command.split(), *kept, "--host", "127.0.0.1", "--port", str(port)],
            cwd=folder,
            env=os.environ | more,
            stdout=log,
            stderr=log,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/health", running, folder / "log")
        yield address
    finally:
        running.terminate()
        running.wait(timeout=30)


def _wait_for(url, running, log):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(240):
        try:
            with direct.open(url, timeout=5):
                return
        except OSError:
            assert running.poll() is None, log.read_text()
            time.sleep(0.5)
    pytest.fail(log.read_text())
