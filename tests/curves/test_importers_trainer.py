"""``trainer_state.json`` of Hugging Face."""

import json

import pytest
from numpy.testing import assert_allclose

from bayes_scaling.curves.importers import load_curves
from bayes_scaling.errors import FileError

from .test_importers import refused

HISTORY = [
    {"epoch": 0.1, "loss": 5.0, "learning_rate": 1e-3, "step": 10, "num_input_tokens_seen": 100},
    {"epoch": 0.2, "loss": 4.0, "learning_rate": 2e-3, "step": 20, "num_input_tokens_seen": 200},
    {"epoch": 0.2, "eval_loss": 4.2, "eval_runtime": 1.0, "step": 20, "num_input_tokens_seen": 200},
    {"epoch": 0.3, "loss": 3.5, "learning_rate": 3e-3, "step": 30, "num_input_tokens_seen": 300},
    {"epoch": 0.3, "eval_loss": 3.7, "eval_runtime": 1.0, "step": 30, "num_input_tokens_seen": 300},
    {"epoch": 0.3, "train_loss": 4.1, "train_runtime": 9.0, "step": 30},
]


def state(folder, history=HISTORY):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "trainer_state.json"
    path.write_text(json.dumps({"best_metric": None, "log_history": history, "global_step": 30}))
    return path


def test_the_evaluation_loss_with_rates_from_the_rows_of_training(tmp_path):
    curves = load_curves(state(tmp_path / "gpt-small"))
    curve = curves["gpt-small"]
    assert_allclose(curve.t, [20, 30])
    assert_allclose(curve.loss, [4.2, 3.7])
    assert_allclose(curve.lr, [2e-3, 3e-3])
    assert curves.caveats[0].code == "inferred-name"
    assert curves.caveats[0].data["name"] == "eval_loss"
    assert curves.caveats[0].data["others"] == ["loss", "train_loss"]


def test_the_training_loss_over_tokens(tmp_path):
    curve = load_curves(state(tmp_path), metric="loss", t="num_input_tokens_seen").curves[0]
    assert curve.axis == "tokens"
    assert_allclose(curve.t, [100, 200, 300])
    assert_allclose(curve.loss, [5, 4, 3.5])


def test_a_folder_of_checkpoints_gives_the_latest(tmp_path):
    state(tmp_path / "big" / "checkpoint-9", HISTORY[:1])
    state(tmp_path / "big" / "checkpoint-30")
    (tmp_path / "big" / "checkpoint-99").mkdir()
    curves = load_curves(tmp_path / "big", metric="loss")
    assert curves.names == ("big",)
    assert len(curves["big"]) == 3
    assert len(load_curves(tmp_path / "big", metric="loss", format="huggingface")["big"]) == 3


def test_nan_is_flagged(tmp_path):
    history = [{"loss": 3.0, "step": 1}, {"loss": float("nan"), "step": 2}]
    assert [flag.code for flag in load_curves(state(tmp_path, history)).flags] == ["not finite"]


@pytest.mark.parametrize(
    ("text", "offender"),
    [
        ('{"log_history": []}', "'log_history'"),
        ('{"log_history": 3}', "'log_history'"),
        ('{"log_history": [3]}', "'log_history'"),
        ('{"log_history": [{"step": 1}]}', "metric="),
        ('{"log_history": [{"loss": 1, "loss": 2}]}', "'loss'"),
        ('{"log_history": [{"loss": 2, "step": 1},', "line 1"),
        ('{"log_history": [' + "[" * 10_000, "trainer_state.json"),
        ('{"log_history": [{"loss": 2, "step": ' + "9" * 5000 + "}]}", "trainer_state.json"),
        ('{"log_history": [{"loss": 2, "step": ' + "9" * 400 + "}]}", "inf"),
        ('{"log_history": [{"loss": {}, "step": 1}]}', "row 0"),
        ('{"log_history": [{"loss": 1, "step": 0}]}', "'loss'"),
    ],
)
def test_states_that_cannot_be_read(tmp_path, text, offender):
    path = tmp_path / "trainer_state.json"
    path.write_text(text)
    assert offender in refused(path)


def test_other_files_under_that_format(tmp_path):
    path = tmp_path / "state.json"
    path.write_text('{"loss": 1, "step": 2}')
    assert "'log_history'" in refused(path, format="huggingface")
    (tmp_path / "empty.json").write_text("")
    assert "empty.json" in refused(tmp_path / "empty.json", format="huggingface")
    folder = tmp_path / "none"
    folder.mkdir()
    assert str(folder) in refused(folder, format="huggingface", kind=FileError)
