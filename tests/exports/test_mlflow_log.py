"""A fit on a real MLflow server, which the tests start on this machine."""

import json
import os

import pytest
from numpy.testing import assert_allclose

from bayes_scaling.decisions import Scenario, allocate
from bayes_scaling.errors import DataError, FileError, ScenarioError
from bayes_scaling.exports import log_to_mlflow
from bayes_scaling.inference import load_fit
from tests.mlflow_server import server
from tests.report.conftest import HOSTILE, known_fit


@pytest.fixture(scope="module")
def fit():
    return known_fit((HOSTILE, "c++"))


@pytest.fixture(scope="module")
def plan(fit):
    return allocate(fit, Scenario(compute_budget=1e23, family="c++", target_loss=2.05))


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with server(tmp_path_factory.mktemp("mlflow")) as address:
        yield address


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.mark.slow
def test_a_fit_is_logged_whole(real, fit, plan, tmp_path):
    from mlflow.tracking import MlflowClient

    run_id = log_to_mlflow(fit, plan, uri=real, experiment="scaling", title="One <b>title</b>")
    client = MlflowClient(tracking_uri=real)
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "One <b>title</b>"
    assert client.get_experiment(run.info.experiment_id).name == "scaling"
    assert run.data.params["law"] == "chinchilla"
    assert run.data.params["families"] == ", ".join(fit.families)
    metrics = run.data.metrics
    assert_allclose(metrics["plan/1-c/params"], plan.recommended.params)
    assert_allclose(metrics["plan/1-c/loss_q95"], plan.loss.q95)
    assert_allclose(metrics["plan/1-c/probability_of_target"], plan.probability_of_target)
    assert_allclose(metrics["alpha_N/c"], fit.posterior["alpha_N"].sel(family="c++").median())
    assert metrics["diagnostics/divergences"] == 0
    assert metrics["held_out/known"] == 6
    assert "# One" in run.data.tags["mlflow.note.content"]
    names = {item.path for item in client.list_artifacts(run_id)}
    assert names == {"fit.nc", "report.html", "report.json", "summary.md"}
    back = load_fit(client.download_artifacts(run_id, "fit.nc", str(tmp_path)))
    assert back.posterior.identical(fit.posterior)
    client.download_artifacts(run_id, "report.json", str(tmp_path))
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["plans"][0]["recommended"]["params"] == plan.recommended.params


@pytest.mark.slow
def test_a_run_that_is_open_is_added_to(real, fit, monkeypatch):
    import mlflow
    from mlflow.tracking import MlflowClient

    monkeypatch.setattr(mlflow.tracking._tracking_service.utils, "_tracking_uri", None)
    mlflow.set_tracking_uri(real)
    client = MlflowClient(tracking_uri=real)
    with mlflow.start_run() as active:
        assert log_to_mlflow(fit) == active.info.run_id
        assert client.get_run(active.info.run_id).info.status == "RUNNING"
    alone = log_to_mlflow(fit)
    assert alone != active.info.run_id
    assert client.get_run(alone).info.status == "FINISHED"


@pytest.mark.slow
def test_what_a_server_refuses_is_one_sentence(real, fit):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=real)
    closed = client.create_experiment("closed")
    client.delete_experiment(closed)
    before = os.environ.copy()
    with pytest.raises(FileError, match="INVALID_PARAMETER_VALUE"):
        log_to_mlflow(fit, uri=real, experiment="closed")
    with pytest.raises(FileError, match="RESOURCE_DOES_NOT_EXIST"):
        log_to_mlflow(fit, uri=real, run_id="0" * 32)
    assert os.environ == before


def test_mistakes_are_said_before_anything_is_sent(fit, plan):
    with pytest.raises(DataError, match="experiment"):
        log_to_mlflow(fit, experiment="a", run_id="b")
    with pytest.raises(ScenarioError, match="'chinchilla'"):
        log_to_mlflow(known_fit(law="product"), plan, uri="http://127.0.0.1:1", experiment="a")


@pytest.mark.slow
def test_a_server_that_is_down_is_reported(fit):
    pytest.importorskip("mlflow", reason="the extra 'mlflow' is not installed")
    with pytest.raises(FileError, match=r"127\.0\.0\.1"):
        log_to_mlflow(fit, uri="http://127.0.0.1:1", experiment="a")
