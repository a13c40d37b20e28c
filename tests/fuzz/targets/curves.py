"""Logs of training curves, and verdicts on the runs in them."""

import json
import struct
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from bayes_scaling.curves import load_curves, monitor
from tests.fuzz.engine import Made, Target, finite
from tests.fuzz.mutate import mutated_bytes, mutated_json, written_json
from tests.fuzz.targets.tables import table_file

__all__ = ["target"]

_END = 8000.0
_POINTS = 60


def target() -> Target:
    """Logs in every form that is read from a file."""
    state, rows = _trainer_state(), _rows()
    events = _events() if find_spec("tensorboard") else b""

    def make(rng: Random) -> Made:
        way = rng.randrange(8)
        if way <= 2:
            return table_file(rng, rows, "log")
        if way == 3 and events:
            return Made("events.out.tfevents.1.x", mutated_bytes(rng, events))
        if way == 4:
            data = mutated_bytes(rng, json.dumps(state).encode())
            return Made("trainer_state.json", data)
        return Made("trainer_state.json", written_json(rng, mutated_json(rng, state)))

    return Target("curves", make, _read)


def _losses() -> list[tuple[int, float, float]]:
    steps = [100 * (i + 1) for i in range(_POINTS)]
    return [
        (step, 2 + 3 * (step / 100) ** -0.3 + 0.004 * ((7 * i) % 5 - 2), 1e-3 * (1 - step / _END))
        for i, step in enumerate(steps)
    ]


def _rows() -> list[list[Any]]:
    return [["step", "loss", "lr"], *(list(row) for row in _losses())]


def _trainer_state() -> dict[str, Any]:
    log = [
        {"epoch": step / 1000, "grad_norm": 0.5, "learning_rate": lr, "loss": loss, "step": step}
        for step, loss, lr in _losses()
    ]
    return {
        "best_metric": None,
        "global_step": 100 * _POINTS,
        "is_world_process_zero": True,
        "log_history": log,
        "logging_steps": 100,
        "max_steps": int(_END),
        "num_train_epochs": 1,
        "trial_name": None,
    }


def _events() -> bytes:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    out = b""
    for step, loss, lr in _losses():
        values = [Summary.Value(tag=tag, simple_value=v) for tag, v in (("loss", loss), ("lr", lr))]
        event = Event(step=step, wall_time=float(step), summary=Summary(value=values))
        data = event.SerializeToString()
        head = struct.pack("<Q", len(data))
        out += head + struct.pack("<I", masked_crc32c(head))
        out += data + struct.pack("<I", masked_crc32c(data))
    return out


def _read(path: Path) -> None:
    curves = load_curves(path)
    str(curves)
    for curve in curves.curves[:2]:
        repr(curve)
        # One law and few particles: what is read is the same, in a tenth of the time.
        verdict = monitor(curve, _END, reference=2.2, laws=("curve-decay",), particles=200)
        str(verdict)
        finite(verdict.to_dict())
        verdict.save(path.parent / "out" / "verdict.json")
