"""Logs of real trainings, which do not come with the package."""

from pathlib import Path

import pytest
from numpy.testing import assert_allclose

from bayes_scaling.curves.importers import load_curves

from .test_importers import refused

LOGS = Path(__file__).resolve().parents[3] / "shared" / "data" / "raw_logs"
METRIC = "loss_per_nonpadding_target_token"

pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason="shared/data/raw_logs is not here")


def test_a_run_of_many_restarts_is_one_curve():
    path = LOGS / "wandb_olmo7b_c4en_multirun.csv"
    curves = load_curves(path)
    assert curves.names == ("OLMo-7B-run",)
    curve = curves.curves[0]
    assert len(curve) == 529
    assert_allclose([curve.t[0], curve.t[-1]], [21_000, 556_000])
    assert_allclose([curve.loss[0], curve.loss[-1]], [2.847, 2.371], atol=1e-3)
    assert curves.caveats[0].code == "joined-segments"
    assert curves.caveats[0].data == {"segments": 36, "run": "OLMo-7B-run"}
    apart = load_curves(path, join=False)
    assert len(apart) == 36
    assert sum(map(len, apart)) == 529


def test_a_chart_of_a_group():
    curves = load_curves(LOGS / "wandb_olmo1b_pile_grouped.csv")
    curve = curves["OLMo-1B"]
    assert len(curve) == 735
    assert_allclose([curve.loss[0], curve.loss[-1]], [3.924, 2.137], atol=1e-3)
    assert curves.caveats[0].code == "group-means"


def test_a_table_of_finished_runs_is_sent_to_load_runs():
    text = refused(LOGS / "wandb_runs_table_gshard.csv")
    assert "bs.load_runs" in text
    assert "'loss': 'train/avg_loss_AVG', 'tokens': 'optim/n_" in text


def test_events_of_an_evaluation():
    pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
    assert METRIC in refused(LOGS / "tb_t5base_eval")
    curves = load_curves(LOGS / "tb_t5base_eval", metric=METRIC)
    (flag,) = curves.flags
    assert (flag.code, flag.points) == ("before training", 1)
    assert len(curves.curves[0]) == 100
    assert_allclose(curves.curves[0].loss[[0, -1]], [1.410, 0.924], atol=1e-3)


def test_losses_that_an_overflow_turned_negative_are_refused():
    pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
    text = refused(LOGS / "tb_t5base_train", metric=METRIC)
    assert "100 of 100" in text
