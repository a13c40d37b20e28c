"""Runs on a real MLflow server, which the test starts on this machine."""

import time

import pytest
from numpy.testing import assert_allclose

from bayes_scaling.curves import Watch, watch
from bayes_scaling.curves.importers import load_curves
from bayes_scaling.errors import FileError
from tests.mlflow_server import server

from .test_importers import refused


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with server(tmp_path_factory.mktemp("mlflow")) as address:
        yield address


@pytest.mark.slow
def test_a_real_server(real, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=real)
    experiment = client.create_experiment("a grid")
    for name, start in (("small", 5.0), ("large", 4.0)):
        run = client.create_run(experiment, run_name=name).info.run_id
        for step in range(0, 50, 10):
            client.log_metric(run, "eval/loss", start - step / 50, step=step)
            client.log_metric(run, "lr", step / 100, step=step)
    client.log_metric(run, "eval/loss", float("nan"), step=60)
    curves = load_curves(f"mlflow:{real}#a grid")
    assert set(curves.names) == {"small", "large"}
    assert_allclose(curves["small"].t, [10, 20, 30, 40])
    assert_allclose(curves["large"].loss, [3.8, 3.6, 3.4, 3.2])
    assert_allclose(curves["large"].lr, [0.1, 0.2, 0.3, 0.4])
    assert curves["small"].seconds[0] == 0
    assert {flag.code for flag in curves.flags} == {"before training", "not finite"}
    assert load_curves(f"mlflow:{real}#{run}").names == ("large",)
    assert "'a grid', 'Default'" in refused(f"mlflow:{real}#b")
    missing = refused(f"mlflow:{real}#{'0' * 32}", kind=FileError)
    assert "RESOURCE_DOES_NOT_EXIST" in missing


@pytest.mark.slow
def test_a_run_on_a_server_is_watched_as_it_grows(real, monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=real)
    run = client.create_run(client.create_experiment("live"), run_name="one").info.run_id
    seen = []

    def log(first, last):
        for step in range(first, last):
            client.log_metric(run, "eval/loss", 2 + 3 / step, step=step)

    def told(verdict):
        seen.append(verdict.t)
        log(int(seen[-1]) + 1, min(int(seen[-1]) + 3, 11))

    log(1, 7)
    last = watch(f"mlflow:{real}#{run}", Watch(10.0), callback=told, every=0.1, timeout=20)
    assert seen == [6.0, 8.0, 10.0]
    assert last.t == 10.0


@pytest.mark.slow
def test_a_server_that_is_down_is_not_waited_for():
    pytest.importorskip("mlflow", reason="the extra 'mlflow' is not installed")
    begun = time.monotonic()
    text = refused("mlflow:http://127.0.0.1:1#grid", kind=FileError)
    assert "http://127.0.0.1:1" in text
    assert time.monotonic() - begun < 60
