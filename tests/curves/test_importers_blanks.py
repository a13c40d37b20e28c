"""A loss that is no number is one however a writer spells it, and a cell not logged is none."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bayes_scaling.curves import monitor
from bayes_scaling.curves.cleaning.anomalies import cleaned
from bayes_scaling.curves.importers import load_curves

from .test_importers import write

__all__ = ["write"]

STEPS = list(range(100, 6100, 100))
LOSSES = [2.0 + 3.0 * step**-0.2 for step in STEPS]
GOOD = 40


def csv_of(word, good=GOOD, extra=""):
    rows = [
        f"{step},{loss if at < good else word}{extra}"
        for at, (step, loss) in enumerate(zip(STEPS, LOSSES, strict=True))
    ]
    head = "step,loss" + (",lr,grad_norm" if extra else "")
    return "\n".join([head, *rows]) + "\n"


def records(word, good=GOOD, **others):
    return [
        json.dumps({"step": step, "loss": 0, **others}).replace(
            '"loss": 0', f'"loss": {loss if at < good else word}'
        )
        for at, (step, loss) in enumerate(zip(STEPS, LOSSES, strict=True))
    ]


def found(source, **options):
    """Everything that a verdict follows from, but the words."""
    curve = load_curves(source, **options).curves[0]
    clean = cleaned(curve)
    flags = [(f.code, f.first, f.last, f.points) for f in (*curve.flags, *clean.flags)]
    return clean.diverged, curve.t.tolist(), curve.lost.tolist(), flags


LOST = [float(step) for step in STEPS[GOOD:]]
WANTED = (
    True,
    [float(step) for step in STEPS[:GOOD]],
    LOST,
    [("not finite", LOST[0], LOST[-1], 20), ("diverged", LOST[0], LOST[-1], 20)],
)


@pytest.mark.parametrize("word", ["", "nan", "NaN", "NA", "null", "None", "inf", "Infinity"])
def test_one_run_in_csv(write, word):
    assert found(write(csv_of(word))) == WANTED
    assert found(write(csv_of(word, extra=",1e-4,0.5"))) == WANTED
    assert found(write(csv_of(word).replace(",", "\t"), "log.tsv")) == WANTED
    chart = csv_of(word).replace("step,loss", "Step,run-1 - loss")
    assert found(write(chart, "chart.csv")) == WANTED


WORDS = ["null", "NaN", "Infinity", '"NaN"', '"nan"', '"null"', '""', '"Infinity"']


@pytest.mark.parametrize("word", WORDS)
def test_one_run_in_json(write, word):
    assert found(write("\n".join(records(word)), "log.jsonl")) == WANTED
    rows = records(word, learning_rate=1e-4, epoch=0.1)
    state = write('{"log_history": [' + ",".join(rows) + "]}", "trainer_state.json")
    assert found(state) == WANTED


def test_one_run_without_the_key_and_in_typed_columns(write, tmp_path):
    rows = [row.replace(', "loss": null', "") for row in records("null")]
    assert found(write("\n".join(rows), "log.jsonl")) == WANTED
    frame = pd.DataFrame({"step": STEPS, "loss": LOSSES})
    frame.loc[GOOD:, "loss"] = np.nan
    assert found(frame) == WANTED
    frame.to_parquet(tmp_path / "log.parquet")
    assert found(tmp_path / "log.parquet") == WANTED


def test_what_was_assumed_is_reported(write):
    curves = load_curves(write(csv_of("")))
    cells = [c.data["cells"] for c in curves.caveats if c.code == "blank-losses"]
    assert cells == [20]
    verdict = monitor(curves.curves[0], 10_000)
    assert (verdict.advice, verdict.diverged) == ("stop", True)
    flags = {flag.code: flag for flag in verdict.flags}
    assert flags["not finite"].points == 20
    assert "20" in flags["not finite"].meaning
    sure = monitor(load_curves(write(csv_of("nan"))).curves[0], 10_000)
    assert sure.advice == "stop"
    assert flags["not finite"].meaning not in {flag.meaning for flag in sure.flags}


@given(lost=st.sets(st.integers(1, 38), max_size=8))
def test_blanks_in_mid_run_are_as_nan(lost):
    frame = pd.DataFrame({"step": STEPS[:GOOD], "loss": LOSSES[:GOOD], "lr": 1e-4})
    frame.loc[list(lost), "loss"] = np.nan
    text = frame.astype({"loss": object})
    text["loss"] = ["nan" if np.isnan(value) else str(value) for value in frame["loss"]]
    assert found(frame) == found(text)
    assert len(found(frame)[2]) == len(lost)


def test_blank_with_all_that_is_lost_with_it(write):
    """The norm of the gradient, and another loss, are no numbers either."""
    rows = [
        f"{step},{loss},{loss},0.5,1e-4" if at < GOOD else f"{step},,,,1e-4"
        for at, (step, loss) in enumerate(zip(STEPS, LOSSES, strict=True))
    ]
    path = write("\n".join(["step,train_loss,val_loss,grad_norm,lr", *rows]))
    assert found(path) == WANTED
    assert found(path, metric="train_loss") == WANTED


def every(n, *, apart):
    """A held-out loss every n rows, on rows of its own or beside the loss of training."""
    rows = []
    for at, (step, loss) in enumerate(zip(STEPS, LOSSES, strict=True)):
        train = {"step": step, "train_loss": loss, "lr": 1e-4}
        held = {"val_loss": loss + 0.1} if at % n == 0 else {}
        rows += [train, {"step": step, **held}] if apart and held else [train | held]
    return rows


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("n", [2, 5, 20])
@pytest.mark.parametrize("metric", ["train_loss", "val_loss"])
def test_what_was_not_logged_is_not_lost(n, apart, metric):
    diverged, _, lost, _ = found(pd.DataFrame(every(n, apart=apart)), metric=metric)
    assert not diverged
    assert lost == []


@pytest.mark.parametrize("apart", [False, True])
def test_a_sparse_loss_ends_as_one_that_is_written_out(write, apart):
    rows = every(5, apart=apart)
    losses = {"train_loss", "val_loss"}
    gone = [
        {
            name: np.nan if name in losses and row["step"] > STEPS[GOOD - 1] else row[name]
            for name in row
        }
        for row in rows
    ]
    blank = found(pd.DataFrame(gone), metric="val_loss")
    written = found(write("\n".join(map(json.dumps, gone)), "log.jsonl"), metric="val_loss")
    assert blank[0] == written[0] is True
    assert blank[1] == written[1]
    assert set(written[2]) <= set(blank[2])


def test_rows_of_other_things_after_the_end_are_not_lost():
    rows = [
        {"step": step, "loss": loss, "lr": 1e-4} for step, loss in zip(STEPS, LOSSES, strict=True)
    ]
    rows += [{"step": 6100 + n, "gpu_temperature": 60.0} for n in range(30)]
    assert found(pd.DataFrame(rows))[::2] == (False, [])
    lightning = [{"step": step, "lr-AdamW": 1e-4} for step in STEPS] + [
        {"step": step, "train_loss": loss, "epoch": 0}
        for step, loss in zip(STEPS, LOSSES, strict=True)
    ]
    lightning = sorted(lightning, key=lambda row: row["step"])
    assert found(pd.DataFrame(lightning))[::2] == (False, [])


def test_a_wide_table_brought_into_long_form_says_what_it_took_for_granted():
    wide = pd.DataFrame({"step": STEPS, "a": LOSSES, "b": LOSSES})
    wide.loc[GOOD:, "b"] = np.nan
    curves = load_curves(wide.melt("step", var_name="run", value_name="loss"))
    assert curves["b"].lost.tolist() == []
    codes = [caveat.code for caveat in curves.caveats]
    assert codes.count("blanks-not-logged") == 1
    chart = wide.rename(columns={"step": "Step", "a": "a - loss", "b": "b - loss"})
    assert load_curves(chart)["b"].lost.tolist() == []
