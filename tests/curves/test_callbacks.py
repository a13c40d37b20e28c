"""Callbacks that stop a run: the recorder by hand-made losses, and real trainers on a tiny one."""

import importlib
import json
import math
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from bayes_scaling.curves import Utility
from bayes_scaling.curves.callbacks.recorder import Recorder
from bayes_scaling.curves.callbacks.rule import Rule
from bayes_scaling.errors import ScenarioError

QUICK = {"laws": "curve-power", "particles": 100}
DEAR = Utility(cost=1.0, value_per_nat=1e-3)
CHEAP = Utility(cost=1e-9, value_per_nat=1e3)
STEPS = 40


def falling(t):
    return 2.0 + 3.0 * max(t, 0.5) ** -0.5


def recorder(planned=1000.0, before=(), fitting=QUICK, **rule):
    return Recorder(Rule(**rule, **fitting), planned, "loss", before)


def told_at(one, places, loss=falling):
    """Where the recorder says stop first."""
    return next((t for t in places if one.seen(t, loss(t), 1e-3)), None)


@pytest.mark.parametrize(("patience", "every", "at"), [(1, 1, 4), (2, 1, 5), (3, 1, 6), (2, 3, 7)])
def test_stops_after_as_many_verdicts_in_a_row_as_it_has_patience(patience, every, at):
    told = []
    one = recorder(utility=DEAR, patience=patience, every=every, callback=told.append)
    assert told_at(one, range(1, 20)) == at
    assert [verdict.advice for verdict in told] == ["stop"] * patience
    assert one.verdict is told[-1]
    assert one.verdict.metric == "loss"
    assert one.curve().lr is not None


def test_a_run_that_is_worth_it_goes_on_to_its_end_and_is_not_judged_beyond():
    told = []
    one = recorder(planned=8, utility=CHEAP, callback=told.append)
    assert told_at(one, range(1, 12)) is None
    assert [verdict.t for verdict in told] == [4, 5, 6, 7, 8]
    assert len(one.points) == 11


def test_a_verdict_to_go_on_begins_the_count_anew(monkeypatch):
    one = recorder(patience=2)
    advice = iter(["stop", "continue", "stop", "extend", "stop", "stop"])

    class Fake:
        def __init__(self):
            self.advice, self.diverged = next(advice), False

    monkeypatch.setattr(one._watch, "judge", lambda _: Fake())
    assert told_at(one, range(1, 20)) == 9


@pytest.mark.parametrize("loss", [math.nan, math.inf])
@pytest.mark.parametrize("first", [1, 7])
def test_a_loss_that_is_no_number_is_divergence_at_once(loss, first, caplog):
    one = recorder(utility=CHEAP)
    assert told_at(one, range(1, 20), lambda t: falling(t) if t < first else loss) == first
    assert one.verdict.diverged
    assert one.verdict.flags[0].code == "not finite"
    assert (one.verdict.t, one.verdict.flags[0].first) == (first, first)
    assert str(first) in str(one.verdict)
    assert len(caplog.records) == 1
    json.dumps(one.verdict.to_dict(), allow_nan=False)


def test_a_loss_that_goes_up_and_stays_there_is_divergence_without_patience():
    one = recorder(utility=CHEAP, patience=50)
    assert told_at(one, range(1, 60), lambda t: falling(t) if t < 30 else 9.0) < 45
    assert one.verdict.diverged


def test_points_before_the_first_step_or_there_already_are_no_points():
    one = recorder(utility=DEAR, patience=1)
    assert told_at(one, [0, 1, 1, 2, 2, 3, 3, 3, 4]) == 4
    assert [t for t, _, _ in one.points] == [1, 2, 3, 4]


def test_what_a_resumed_run_had_logged_is_not_judged_but_counts():
    before = [(t, falling(t), None) for t in range(1, 10)]
    one = recorder(before=[(0, 9.0, None), *before, (9.5, math.nan, None)], utility=DEAR)
    assert one.verdict is None
    assert told_at(one, range(10, 20)) == 11
    assert one.verdict.fit.curve.t[0] == 1
    assert one.curve().lr is None


def test_losses_that_are_no_losses_are_reported_and_do_not_end_the_run(caplog):
    one = recorder(utility=DEAR)
    assert told_at(one, range(1, 9), lambda _: 0.0) is None
    assert one.verdict is None
    assert 0 < len(caplog.records) < 9


def test_a_failure_after_the_first_verdict_does_not_end_the_run(monkeypatch, caplog):
    def fail(curve):
        raise np.linalg.LinAlgError("singular")

    one = recorder(utility=CHEAP)
    told_at(one, range(1, 6))
    monkeypatch.setattr(one._watch, "judge", fail)
    assert told_at(one, range(6, 10)) is None
    (record,) = caplog.records
    assert "singular" in record.getMessage()
    broken = recorder()
    monkeypatch.setattr(broken._watch, "judge", fail)
    with pytest.raises(np.linalg.LinAlgError):
        told_at(broken, range(1, 6))


@pytest.mark.parametrize("wrong", [{"every": 0}, {"patience": 1.5}, {"end": -1}, {"reference": 0}])
def test_arguments_are_refused_before_training(wrong):
    with pytest.raises(ScenarioError, match=next(iter(wrong))):
        Rule(**wrong)


def test_an_unknown_argument_or_an_unknown_end_is_refused():
    with pytest.raises(TypeError, match="'particle'"):
        Rule(particle=100)
    for planned in (-1, math.inf):
        with pytest.raises(ScenarioError, match="give end="):
            recorder(planned=planned)
        assert recorder(planned=planned, end=10)._watch.end == 10


@pytest.mark.parametrize(
    ("name", "hidden"),
    [("huggingface", ["transformers"]), ("lightning", ["lightning.pytorch", "pytorch_lightning"])],
)
def test_without_the_library_the_message_names_the_extra(name, hidden, monkeypatch):
    module = f"bayes_scaling.curves.callbacks.{name}"
    monkeypatch.delitem(sys.modules, module, raising=False)
    for library in hidden:
        monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"pip install 'bayes_scaling\[{name}\]'"):
        importlib.import_module(module)


# Real trainers. They warn of much that is none of our business.
real = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


def net(torch):
    return torch.nn.Sequential(
        torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1), torch.nn.Flatten(0)
    )


def two_processes(folder, lines):
    """Run a script that says how many processes, steps and verdicts there are, in two of them."""
    script = folder / "two.py"
    script.write_text(
        "import os, pathlib, sys\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        f"{lines}"
        "(folder / os.environ['RANK']).write_text(said)\n"
    )
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    path = {"PYTHONPATH": str(pathlib.Path(__file__).parents[2])}
    command = [sys.executable, *launch, str(script), str(folder)]
    subprocess.run(command, check=True, timeout=300, env=os.environ | path)
    assert [(folder / rank).read_text() for rank in "01"] == ["2 5 False", "2 5 True"]


def hugging_face(folder, callback, *, fails_at=None, evaluates=False, resume=None, **arguments):
    """A trainer that has trained on random data."""
    reason = "the extra 'huggingface' is not installed"
    torch = pytest.importorskip("torch", reason=reason)
    transformers = pytest.importorskip("transformers", reason=reason)
    pytest.importorskip("accelerate", reason=reason)

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.net, self.calls = net(torch), 0

        def forward(self, x, y):
            self.calls += 1
            loss = ((self.net(x) - y) ** 2).mean() + 1.0
            return {"loss": loss * (math.nan if self.calls == fails_at else 1.0)}

    torch.manual_seed(0)
    x = torch.randn(256, 4)
    rows = [{"x": one, "y": one.sum()} for one in x]
    plan = {"max_steps": STEPS, "logging_steps": 1, "save_strategy": "no", "report_to": []}
    plan |= {"use_cpu": True, "disable_tqdm": True, "per_device_train_batch_size": 32}
    if evaluates:
        plan |= {"eval_strategy": "steps", "eval_steps": 2, "label_names": ["y"]}
    trainer = transformers.Trainer(
        model=Model(),
        args=transformers.TrainingArguments(output_dir=str(folder), **plan | arguments),
        train_dataset=rows,
        eval_dataset=rows[:64],
        callbacks=[callback],
    )
    trainer.train(resume_from_checkpoint=resume)
    return trainer


def hugging_face_stop(**rule):
    pytest.importorskip("transformers", reason="the extra 'huggingface' is not installed")
    from bayes_scaling.curves.callbacks.huggingface import StopCallback

    return StopCallback(**{"utility": DEAR} | QUICK | rule)


class TestHuggingFace:
    pytestmark = real

    def test_stops_before_the_end_what_is_not_profitable(self, tmp_path):
        told = []
        stop = hugging_face_stop(callback=told.append)
        assert hugging_face(tmp_path, stop).state.global_step == 5
        assert [verdict.t for verdict in told] == [4, 5]
        assert stop.verdict.advice == "stop"
        assert stop.verdict.end == STEPS
        assert stop.verdict.metric == "loss"
        assert stop.verdict.fit.curve.lr is not None

    def test_does_not_stop_what_is_profitable(self, tmp_path):
        stop = hugging_face_stop(utility=CHEAP)
        assert hugging_face(tmp_path, stop).state.global_step == STEPS
        assert stop.verdict.t == STEPS

    def test_goes_by_the_evaluation_where_there_is_one(self, tmp_path):
        stop = hugging_face_stop()
        trainer = hugging_face(tmp_path, stop, evaluates=True)
        assert trainer.state.global_step == 10
        assert stop.verdict.metric == "eval_loss"
        assert stop.verdict.fit.curve.lr is not None
        last = stop.verdict
        trainer.evaluate()
        assert stop.verdict is last
        by_loss = hugging_face_stop(metric="loss")
        assert hugging_face(tmp_path, by_loss, evaluates=True).state.global_step == 5

    def test_a_loss_that_is_no_number_stops_it_at_once(self, tmp_path):
        stop = hugging_face_stop(utility=CHEAP)
        trainer = hugging_face(tmp_path, stop, fails_at=9, logging_nan_inf_filter=False)
        assert trainer.state.global_step == 9
        assert stop.verdict.diverged

    def test_trainer_hides_a_loss_that_is_no_number_unless_told_not_to(self, tmp_path):
        stop = hugging_face_stop(utility=CHEAP)
        assert hugging_face(tmp_path, stop, fails_at=9).state.global_step == STEPS

    def test_a_resumed_run_is_judged_with_what_it_had_logged(self, tmp_path):
        save = {"save_strategy": "steps", "save_steps": 10}
        hugging_face(tmp_path, hugging_face_stop(utility=CHEAP), **save)
        stop, folder = hugging_face_stop(), tmp_path / "checkpoint-10"
        assert hugging_face(tmp_path, stop, resume=str(folder)).state.global_step == 12
        assert len(stop.verdict.fit.curve) == 12

    def test_says_that_the_metric_is_not_logged(self, tmp_path, caplog):
        stop = hugging_face_stop(metric="eval_lost")
        hugging_face(tmp_path, stop, evaluates=True)
        said = [one.getMessage() for one in caplog.records if "eval_lost" in one.getMessage()]
        assert len(said) == 1
        assert "'eval_loss'" in said[0]

    def test_all_processes_stop_at_the_step_at_which_process_zero_stops(self, tmp_path):
        pytest.importorskip("transformers", reason="the extra 'huggingface' is not installed")
        two_processes(
            tmp_path,
            "from tests.curves.test_callbacks import hugging_face, hugging_face_stop\n"
            "stop = hugging_face_stop()\n"
            "trainer = hugging_face(folder, stop)\n"
            "size, step = trainer.args.world_size, trainer.state.global_step\n"
            "said = f'{size} {step} {stop.verdict is None}'\n",
        )


def lightning(folder, callback, *, package="lightning.pytorch", fails_at=None, resume=None, **plan):
    """A trainer that has fitted a module to random data, which logs losses of three kinds."""
    reason = "the extra 'lightning' is not installed"
    torch = pytest.importorskip("torch", reason=reason)
    pl = pytest.importorskip(package, reason=reason)

    class Module(pl.LightningModule):
        def __init__(self):
            super().__init__()
            self.net, self.calls = net(torch), 0

        def loss(self, batch):
            x, y = batch
            return ((self.net(x) - y) ** 2).mean() + 1.0

        def training_step(self, batch, _):
            self.calls += 1
            loss = self.loss(batch) * (math.nan if self.calls == fails_at else 1.0)
            self.log("train_loss", loss)
            self.log("epoch_loss", loss, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch, _):
            self.log("val_loss", self.loss(batch))

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.01)

    torch.manual_seed(0)
    x = torch.randn(256, 4)
    data = torch.utils.data.TensorDataset(x, x.sum(1))
    loaders = [torch.utils.data.DataLoader(data, batch_size=32) for _ in range(2)]
    usual = {"max_steps": STEPS, "log_every_n_steps": 1, "val_check_interval": 2, "logger": False}
    usual |= {"accelerator": "cpu", "devices": 1, "default_root_dir": folder}
    usual |= {"enable_progress_bar": False, "enable_model_summary": False}
    usual |= {"enable_checkpointing": False}
    trainer = pl.Trainer(**usual | plan, callbacks=[callback])
    trainer.fit(Module(), *loaders, ckpt_path=resume)
    return trainer


def lightning_stop(metric="train_loss", **rule):
    pytest.importorskip("lightning", reason="the extra 'lightning' is not installed")
    from bayes_scaling.curves.callbacks.lightning import StopCallback

    return StopCallback(metric, **{"utility": DEAR} | QUICK | rule)


class TestLightning:
    pytestmark = real

    # A trainer of the older package takes the callback too: both are often installed.
    @pytest.mark.parametrize("package", ["lightning.pytorch", "pytorch_lightning"])
    def test_stops_before_the_end_what_is_not_profitable(self, tmp_path, package):
        told = []
        stop = lightning_stop(callback=told.append)
        assert lightning(tmp_path, stop, package=package).global_step == 5
        assert [verdict.t for verdict in told] == [4, 5]
        assert stop.verdict.end == STEPS
        assert stop.verdict.fit.curve.lr.tolist() == [0.01] * 5

    def test_does_not_stop_what_is_profitable(self, tmp_path):
        stop = lightning_stop(utility=CHEAP)
        assert lightning(tmp_path, stop).global_step == STEPS
        assert stop.verdict.t == STEPS

    @pytest.mark.parametrize(
        ("metric", "every", "at"),
        [
            ("val_loss", 1, [2, 4, 6, 8, 10]),
            ("epoch_loss", 1, [8, 16, 24, 32, 40]),
            ("train_loss", 5, [5, 10, 15, 20, 25]),
        ],
    )
    def test_takes_a_loss_only_where_it_is_new(self, tmp_path, metric, every, at):
        stop = lightning_stop(metric)
        lightning(tmp_path, stop, log_every_n_steps=every)
        assert stop.verdict.fit.curve.t.tolist() == at

    def test_a_loss_that_is_no_number_stops_it_at_once(self, tmp_path):
        stop = lightning_stop(utility=CHEAP)
        assert lightning(tmp_path, stop, fails_at=9).global_step == 9
        assert stop.verdict.diverged

    def test_epochs_are_a_plan_too_and_without_one_the_end_must_be_given(self, tmp_path):
        stop = lightning_stop(utility=CHEAP)
        lightning(tmp_path, stop, max_steps=-1, max_epochs=3)
        assert stop.verdict.end == 24
        with pytest.raises(ScenarioError, match="give end="):
            lightning(tmp_path, lightning_stop(), max_steps=-1, max_epochs=-1)
        stop = lightning_stop(end=30)
        assert lightning(tmp_path, stop, max_steps=-1, max_epochs=-1).global_step == 5

    def test_steps_over_several_batches_are_points_once(self, tmp_path):
        stop = lightning_stop()
        lightning(tmp_path, stop, accumulate_grad_batches=2)
        assert stop.verdict.fit.curve.t.tolist() == [1, 2, 3, 4, 5]

    def test_a_resumed_run_is_judged_with_what_it_had_logged(self, tmp_path):
        trainer = lightning(tmp_path, lightning_stop(utility=CHEAP), max_steps=10)
        trainer.save_checkpoint(tmp_path / "ten.ckpt")
        stop = lightning_stop()
        assert lightning(tmp_path, stop, resume=tmp_path / "ten.ckpt").global_step == 12
        assert len(stop.verdict.fit.curve) == 12

    def test_says_that_the_metric_is_not_logged(self, tmp_path, caplog):
        lightning(tmp_path, lightning_stop("val_lost"), limit_val_batches=0)
        said = [one.getMessage() for one in caplog.records if "val_lost" in one.getMessage()]
        assert len(said) == 1
        assert "'epoch_loss', 'train_loss'" in said[0]

    def test_all_processes_stop_at_the_step_at_which_process_zero_stops(self, tmp_path):
        pytest.importorskip("lightning", reason="the extra 'lightning' is not installed")
        two_processes(
            tmp_path,
            "from tests.curves.test_callbacks import lightning, lightning_stop\n"
            "stop = lightning_stop()\n"
            "trainer = lightning(folder, stop, devices=2, strategy='ddp', val_check_interval=1)\n"
            "said = f'{trainer.world_size} {trainer.global_step} {stop.verdict is None}'\n",
        )
