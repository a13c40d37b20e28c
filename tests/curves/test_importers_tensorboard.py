"""Event files of TensorBoard, written by its own writer."""

import builtins
import hashlib
import struct

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.curves.importers import load_curves
from bayes_scaling.errors import FileError

from .test_importers import refused

pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")

from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2
from tensorboard.summary.writer.record_writer import RecordWriter
from tensorboard.util.tensor_util import make_tensor_proto


def scalar(step, tag, value, *, old=False):
    """An event as PyTorch (``old``) or TensorFlow 2 writes it."""
    if old:
        one = summary_pb2.Summary.Value(tag=tag, simple_value=value)
    else:
        metadata = summary_pb2.SummaryMetadata()
        metadata.plugin_data.plugin_name = "scalars"
        tensor = make_tensor_proto(np.float32(value))
        one = summary_pb2.Summary.Value(tag=tag, tensor=tensor, metadata=metadata)
    summary = summary_pb2.Summary(value=[one])
    return event_pb2.Event(wall_time=1.7e9 + step, step=step, summary=summary)


def event_file(folder, events, name="events.out.tfevents.1.host"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    first = event_pb2.Event(wall_time=1.7e9, file_version="brain.Event:2")
    with path.open("wb") as file:
        writer = RecordWriter(file)
        for event in (first, *events):
            writer.write(event.SerializeToString())
    return path


@pytest.mark.parametrize("old", [False, True])
def test_scalars_of_either_kind(tmp_path, old):
    events = [scalar(s, "eval/loss", 5 - s / 10, old=old) for s in (0, 10, 20)]
    events += [scalar(s, "lr", s / 100, old=old) for s in (5, 25)]
    path = event_file(tmp_path / "gpt", events)
    for source in (path, tmp_path / "gpt"):
        curve = load_curves(source)["gpt"]
        assert_allclose(curve.t, [10, 20])
        assert_allclose(curve.loss, [4, 3])
        assert_allclose(curve.lr, [0.1, 0.2])
        assert_allclose(curve.seconds, [0, 10])


def test_folders_are_runs_and_files_of_a_folder_continue_each_other(tmp_path):
    event_file(tmp_path / "a" / "train", [scalar(s, "loss", 4) for s in (1, 2, 3)])
    event_file(
        tmp_path / "a" / "train", [scalar(s, "loss", 3) for s in (3, 4)], "events.out.tfevents.2.h"
    )
    event_file(tmp_path / "b", [scalar(s, "loss", 2) for s in (1, 2)])
    event_file(tmp_path / "c", [scalar(1, "accuracy", 2)])
    curves = load_curves(tmp_path)
    assert curves.names == ("a/train", "b")
    assert_allclose(curves["a/train"].loss, [4, 4, 3, 3])
    assert [flag.code for flag in curves.flags] == ["restarted"]
    (caveat,) = curves.caveats
    assert (caveat.code, caveat.data["runs"]) == ("runs-left-out", ["c"])


def test_tokens_as_a_tag(tmp_path):
    events = [scalar(s, "loss", 4) for s in (1, 2)] + [scalar(s, "tokens", s * 100) for s in (1, 2)]
    curve = load_curves(event_file(tmp_path, events), t="tokens").curves[0]
    assert curve.axis == "tokens"
    assert_allclose(curve.t, [100, 200])
    assert len(load_curves(tmp_path, t="step").curves[0]) == 2


def test_a_file_that_was_cut_off_gives_what_stands_before_and_is_reported(tmp_path):
    path = event_file(tmp_path, [scalar(s, "loss", 4) for s in (1, 2, 3)])
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    curves = load_curves(path)
    assert_allclose(curves.curves[0].t, [1, 2])
    (caveat,) = curves.caveats
    assert (caveat.code, caveat.data) == ("damaged-file", {"file": path.name, "records": 3})
    path.write_bytes(whole[:40])
    assert path.name in refused(path)


def test_a_damaged_record_ends_the_reading_and_is_noted(tmp_path):
    path = event_file(tmp_path, [scalar(s, "loss", 4) for s in (1, 2, 3)])
    data = bytearray(path.read_bytes())
    data[-20] ^= 0xFF
    path.write_bytes(bytes(data))
    curves = load_curves(path)
    assert len(curves.curves[0]) == 2
    assert [caveat.code for caveat in curves.caveats] == ["damaged-file"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        bytes(range(256)) * 9,
        struct.pack("<Q", 2**63) * 4,
        b"step,loss\n1,2\n",
    ],
)
def test_files_that_are_none(tmp_path, content):
    path = tmp_path / "events.out.tfevents.1.x"
    path.write_bytes(content)
    assert path.name in refused(path)
    assert tmp_path.name in refused(tmp_path)


def test_a_record_of_the_right_sum_that_holds_nonsense(tmp_path):
    path = tmp_path / "events.out.tfevents.1.x"
    with path.open("wb") as file:
        RecordWriter(file).write(b"\xff" * 50)
    assert "0 records" in refused(path)


def test_a_tensor_that_claims_to_be_enormous_is_passed_over(tmp_path):
    shape = tensor_shape_pb2.TensorShapeProto(
        dim=[tensor_shape_pb2.TensorShapeProto.Dim(size=10**6) for _ in range(3)]
    )
    bomb = scalar(1, "loss", 1)
    bomb.summary.value[0].tensor.CopyFrom(
        tensor_pb2.TensorProto(dtype=1, float_val=[3.0], tensor_shape=shape)
    )
    path = event_file(tmp_path, [bomb, scalar(2, "loss", 3)])
    assert_allclose(load_curves(path).curves[0].t, [2])


@pytest.mark.parametrize(
    ("tags", "options", "offenders"),
    [
        (("loss",), {"metric": "x"}, ["metric=", "'x'", "'loss'"]),
        (("loss",), {"t": "x"}, ["t=", "'x'"]),
        (("loss",), {"run": "x"}, ["run="]),
        (("accuracy",), {}, ["metric=", "'accuracy'"]),
        (("loss", "loss_per_token"), {}, ["metric=", "'loss_per_token'"]),
    ],
)
def test_tags_that_do_not_tell(tmp_path, tags, options, offenders):
    path = event_file(tmp_path, [scalar(s, tag, 3) for tag in tags for s in (1, 2)])
    message = refused(path, **options)
    assert [name for name in offenders if name not in message] == []


def test_a_loss_below_0_is_refused_with_the_reason(tmp_path):
    path = event_file(tmp_path, [scalar(s, "loss", -2.5) for s in (1, 2)])
    message = refused(path)
    assert "-2.5 at point 1" in message
    assert "2 of 2" in message


def test_a_run_without_the_tag_of_positions(tmp_path):
    event_file(tmp_path / "a", [scalar(1, "loss", 3), scalar(1, "tokens", 9)])
    event_file(tmp_path / "b", [scalar(1, "loss", 3)])
    message = refused(tmp_path, t="tokens")
    assert "'tokens'" in message
    assert "'b'" in message


def test_nothing_is_written(tmp_path):
    path = event_file(tmp_path, [scalar(s, "loss", 3) for s in (1, 2)])
    before = hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns
    load_curves(tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    assert (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) == before


def test_folders_without_events(tmp_path):
    assert str(tmp_path) in refused(tmp_path, kind=FileError)
    assert tmp_path.name in refused(tmp_path, format="tensorboard")


def test_the_extra_is_named_when_it_is_missing(tmp_path, monkeypatch):
    path = event_file(tmp_path, [scalar(1, "loss", 3)])
    found = builtins.__import__

    def missing(name, *args, **options):
        if name.startswith("tensorboard"):
            raise ImportError(name)
        return found(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert "pip install 'bayes-scaling[tensorboard]'" in refused(path, kind=FileError)
