"""Runs on an MLflow server, with a stand-in for its client."""

import os
import sys
import types
from types import SimpleNamespace
from typing import ClassVar

import pytest
from numpy.testing import assert_allclose

from bayes_scaling.curves.importers import load_curves
from bayes_scaling.errors import FileError

from .test_importers import refused

ADDRESS = "mlflow:http://127.0.0.1:1"
ID = "0123456789abcdef" * 2


class Page(list):
    token = None


class Client:
    """What the reader asks of MlflowClient, over runs in memory."""

    histories: ClassVar = {}
    names: ClassVar = {}

    def __init__(self, tracking_uri):
        assert tracking_uri == "http://127.0.0.1:1"
        assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "2"

    def get_run(self, run_id):
        if run_id not in self.histories:
            raise MlflowException(f"RESOURCE_DOES_NOT_EXIST: {run_id}\nnot found " + "x" * 500)
        info = SimpleNamespace(run_id=run_id, run_name=self.names.get(run_id))
        return SimpleNamespace(
            info=info, data=SimpleNamespace(metrics=dict.fromkeys(self.histories[run_id], 0.0))
        )

    def get_experiment_by_name(self, name):
        return SimpleNamespace(experiment_id="7") if name in {"grid", "empty"} else None

    def search_experiments(self):
        return [SimpleNamespace(name="Default"), SimpleNamespace(name="grid")]

    def search_runs(self, experiments, page_token=None):
        # One run a page.
        ids = list(self.histories)
        page = Page()
        at = int(page_token or 0)
        if ids:
            page.append(self.get_run(ids[at]))
            page.token = str(at + 1) if at + 1 < len(ids) else None
        return page

    def get_metric_history(self, run_id, key):
        return [
            SimpleNamespace(timestamp=1_700_000_000_000 + 1000 * i, step=step, value=value)
            for i, (step, value) in reversed(list(enumerate(self.histories[run_id][key])))
        ]


class MlflowException(Exception):  # noqa: N818 - as MLflow names it
    pass


@pytest.fixture
def server(monkeypatch):
    """Stand-in for the package mlflow."""
    for name in ("mlflow", "mlflow.exceptions", "mlflow.tracking"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setattr(sys.modules["mlflow.exceptions"], "MlflowException", MlflowException, False)
    monkeypatch.setattr(sys.modules["mlflow.tracking"], "MlflowClient", Client, False)
    monkeypatch.setattr(Client, "histories", {})
    monkeypatch.setattr(Client, "names", {})
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", raising=False)
    return Client


LOSS = [(0, 6.0), (10, 5.0), (20, 4.0), (30, 3.5)]


def test_runs_of_an_experiment(server):
    server.histories[ID] = {"loss": LOSS, "lr": [(10, 0.1), (30, 0.3)], "tokens": LOSS[:2]}
    server.histories["f" * 32] = {"loss": LOSS[:3]}
    server.histories["e" * 32] = {"accuracy": LOSS}
    server.names[ID] = server.names["f" * 32] = "same"
    curves = load_curves(f"{ADDRESS}#grid")
    assert curves.names == ("same (01234567)", "same (ffffffff)")
    assert curves.source == ADDRESS
    curve = curves.curves[0]
    assert_allclose(curve.t, [10, 20, 30])
    assert_allclose(curve.loss, [5, 4, 3.5])
    assert_allclose(curve.lr, [0.1, 0.2, 0.3])
    assert_allclose(curve.seconds, [0, 1, 2])
    (caveat,) = curves.caveats
    assert (caveat.code, caveat.data["runs"]) == ("runs-left-out", ["e" * 32])
    assert "MLFLOW_HTTP_REQUEST_MAX_RETRIES" not in os.environ


def test_runs_by_their_ids(server):
    server.histories[ID] = {"loss": LOSS, "tokens": [(0, 0), (10, 100), (30, 300)]}
    curves = load_curves(f"{ADDRESS}#{ID}", t="tokens")
    assert_allclose(curves[ID].t, [100, 200, 300])
    assert curves[ID].axis == "tokens"
    assert load_curves(f"http://127.0.0.1:1#{ID}, {ID}", format="mlflow").names == (ID,)


def test_a_restart_is_detected_by_the_clock(server):
    server.histories[ID] = {"loss": [(10, 5.0), (20, 4.0), (10, 5.1), (20, 4.1), (30, 3.0)]}
    curves = load_curves(f"{ADDRESS}#{ID}")
    assert_allclose(curves.curves[0].loss, [5.1, 4.1, 3])
    assert [flag.code for flag in curves.flags] == ["restarted"]


@pytest.mark.parametrize(
    ("address", "options", "kind", "offender"),
    [
        (f"{ADDRESS}#x", {}, ValueError, "'x'"),
        (ADDRESS, {}, ValueError, "'Default'"),
        (f"{ADDRESS}#{'a' * 32}", {}, FileError, "RESOURCE_DOES_NOT_EXIST"),
        (f"{ADDRESS}#grid", {"metric": "x"}, ValueError, "metric="),
        (f"{ADDRESS}#grid", {"run": "x"}, ValueError, "run="),
        (
            "mlflow:sqlite:///a.db#grid",
            {},
            FileError,
            "'sqlite:///a.db'",
        ),
        ("mlflow:", {}, FileError, "''"),
        ("mlruns", {"format": "mlflow"}, FileError, "'mlruns'"),
    ],
)
def test_addresses_and_names_that_are_not_there(server, address, options, kind, offender):
    server.histories[ID] = {"loss": LOSS}
    text = refused(address, kind=kind, **options)
    assert offender in text
    assert len(text) < 400


def test_runs_without_steps_or_without_anything(server):
    assert "'empty'" in refused(f"{ADDRESS}#empty")
    server.histories[ID] = {"loss": [(0, 3.0), (0, 2.0)]}
    assert "'loss' at step 0" in refused(f"{ADDRESS}#grid")


def test_the_extra_is_named_when_it_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", None)
    text = refused(f"{ADDRESS}#grid", kind=FileError)
    assert "pip install 'bayes-scaling[mlflow]'" in text
