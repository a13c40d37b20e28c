"""Tables with one row a point: columns guessed, runs told apart, cells read with care."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import bayes_scaling as bs
from bayes_scaling.curves.importers import load_curves
from bayes_scaling.errors import DataError, FileError

LONG = """run,step,tokens,lr,train_loss,val_loss
a,10,1000,0.1,5.0,5.5
a,20,2000,0.2,4.0,4.5
b,10,1000,0.1,5.2,5.7
b,20,2000,0.2,4.2,4.7
"""


@pytest.fixture
def write(tmp_path):
    def writer(content, name="log.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return writer


def refused(*args, kind=DataError, **options):
    with pytest.raises(kind) as error:
        load_curves(*args, **options)
    text = str(error.value)
    assert "\n" not in text
    assert not text.endswith(".")
    return text


def noted(curves):
    """Codes of the caveats of an import."""
    return [caveat.code for caveat in curves.caveats]


def test_a_table_of_runs_is_read_by_its_names(write):
    curves = load_curves(write(LONG))
    assert curves.names == ("a", "b")
    assert curves.source == "log.csv"
    assert_allclose(curves["b"].t, [10, 20])
    assert_allclose(curves["b"].loss, [5.7, 4.7])
    assert_allclose(curves["b"].lr, [0.1, 0.2])
    assert curves["a"].axis == "step"
    assert curves["a"].metric == "val_loss"
    assert noted(curves) == ["inferred-name", "inferred-name"]
    assert [dict(caveat.data) for caveat in curves.caveats] == [
        {"keyword": "metric", "name": "val_loss", "others": ["train_loss"]},
        {"keyword": "t", "name": "step", "others": ["tokens"]},
    ]


def test_what_is_given_goes_before_what_is_guessed(write):
    curves = load_curves(write(LONG), metric="train_loss", t="tokens", lr="lr", run="run")
    assert_allclose(curves["a"].t, [1000, 2000])
    assert_allclose(curves["a"].loss, [5, 4])
    assert curves["a"].axis == "tokens"
    assert curves.caveats == ()


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".jsonl", ".json", "frame"])
def test_every_kind_of_table_gives_the_same(write, tmp_path, suffix):
    reference = load_curves(write(LONG)).to_frame()
    frame = pd.read_csv(write(LONG))
    path = tmp_path / f"again{suffix}"
    if suffix == ".parquet":
        frame.to_parquet(path)
    elif suffix.startswith(".json"):
        frame.to_json(path, orient="records", lines=True)
    elif suffix != "frame":
        frame.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    curves = load_curves(frame if suffix == "frame" else path)
    pd.testing.assert_frame_equal(curves.to_frame(), reference, check_dtype=False)


def test_the_table_that_comes_with_the_package():
    table = bs.datasets.load_table("byte_lm_curves")
    curves = load_curves(table)
    assert len(curves) == table["run"].nunique()
    assert len(curves.to_frame()) == len(table)
    one = curves[table["run"].iloc[0]]
    rows = table[table["run"] == one.run]
    assert_allclose(one.loss, rows["val_loss"])
    assert_allclose(one.lr, rows["lr"])


def test_a_table_without_runs_is_one_curve_named_after_its_file(write):
    curves = load_curves(write("iteration,loss\n1,4\n2,3\n", "small model.csv"))
    assert curves.names == ("small model",)
    assert load_curves(pd.DataFrame({"step": [1], "loss": [2.0]})).names == ("data frame",)


def test_rows_of_several_runs_are_not_taken_for_one(write):
    text = "size,step,loss\n" + "".join(f"{s},{t},3\n" for s in "abc" for t in range(1, 9))
    assert "run=" in refused(write(text))
    assert load_curves(write(text), run="size").names == ("a", "b", "c")


def test_a_restart_is_left_to_the_curve(write):
    curves = load_curves(write("step,loss\n1,5\n2,4\n3,3.5\n2,4.1\n3,3.4\n4,3.2\n"))
    assert_allclose(curves.curves[0].loss, [5, 4.1, 3.4, 3.2])
    assert [flag.code for flag in curves.flags] == ["restarted"]


def test_nan_that_was_logged_is_flagged_and_a_blank_is_not(write):
    text = "step,loss,lr\n1,5,\n2,,0.2\n3,NaN,\n4,inf,\n5,3,\n6,,0.6\n"
    curves = load_curves(write(text))
    assert_allclose(curves.curves[0].t, [1, 5])
    (flag,) = curves.flags
    assert (flag.code, flag.points) == ("not finite", 2)
    # Logged on rows of its own: straight between 2 and 6, level before.
    assert_allclose(curves.curves[0].lr, [0.2, 0.5])


def test_nan_and_null_in_json_are_losses_that_are_no_number(write):
    lines = '{"step": 1, "loss": 4}\n{"step": 2, "loss": null}\n{"step": 3, "loss": NaN}\n'
    curves = load_curves(write(lines + '{"step": 4, "loss": Infinity}\n', "log.jsonl"))
    assert len(curves.curves[0]) == 1
    assert [flag.points for flag in curves.flags] == [3]


def test_blanks_of_a_data_frame_are_noted():
    curves = load_curves(pd.DataFrame({"step": [1, 2, 3], "loss": [3.0, np.nan, 2.0]}))
    (caveat,) = curves.caveats
    assert (caveat.code, caveat.data) == ("rows-without-loss", {"without": 1, "rows": 3})


@pytest.mark.parametrize("blank", ["", "null", "NA"])
def test_rows_of_text_without_a_loss_are_counted(write, blank):
    curves = load_curves(write(f"step,loss\n10,5\n20,{blank}\n30,4\n"))
    assert_allclose(curves.curves[0].t, [10, 30])
    (caveat,) = curves.caveats
    assert (caveat.code, caveat.data) == ("rows-without-loss", {"without": 1, "rows": 3})


@pytest.mark.parametrize(
    ("header", "chosen"),
    [
        ("step,loss,aux_loss,z_loss", ("step", "loss")),
        ("step,lm_loss,train_loss,grad_norm", ("step", "lm_loss")),
        ("global_step,_step,eval/loss,train/loss", ("global_step", "eval/loss")),
        ("_step,CrossEntropyLoss,loss_scale", ("_step", "CrossEntropyLoss")),
        ("iter,val_loss,val_loss_ema", ("iter", "val_loss")),
        ("tokens_seen,validation/nll", ("tokens_seen", "validation/nll")),
    ],
)
def test_guesses(write, header, chosen):
    row = ",".join(str(i + 1) for i in range(len(header.split(","))))
    curve = load_curves(write(f"{header}\n{row}\n")).curves[0]
    names = header.split(",")
    assert_allclose(curve.t, [names.index(chosen[0]) + 1])
    assert curve.metric == chosen[1]
    assert curve.axis == ("tokens" if "tokens" in chosen[0] else "step")


def test_a_position_of_another_name_is_noted(write):
    curves = load_curves(write("epoch,loss\n1,4\n2,3\n"), t="epoch")
    (caveat,) = curves.caveats
    assert (caveat.code, caveat.data) == ("taken-as-steps", {"name": "epoch"})


@pytest.mark.parametrize(
    ("text", "options", "offenders"),
    [
        ("step,accuracy\n1,2\n", {}, ["metric=", "'accuracy'"]),
        ("when,loss\n1,2\n", {}, ["t=", "'when'"]),
        ("step,a_loss,b_loss\n1,2,3\n", {}, ["metric=", "'a_loss'", "'b_loss'"]),
        ("step,loss,loss_per_token\n1,2,3\n", {}, ["metric=", "'loss_per_token'"]),
        ("a/step,b/step,loss\n1,2,3\n", {}, ["t=", "'a/step'", "'b/step'"]),
        ("step,loss\n1,2\n", {"metric": "los"}, ["metric=", "'los'", "'loss'"]),
        ("step,loss\n1,2\n", {"t": "x"}, ["t=", "'x'"]),
        ("step,loss\n1,2\n", {"run": "x"}, ["run=", "'x'"]),
        ("step,loss\n1,2\n", {"lr": "x"}, ["lr=", "'x'"]),
        ("step,loss\n1,2\n", {"lr": 3}, ["lr=3"]),
        ("step,loss\n1,2\n", {"format": "xls"}, ["format='xls'", "'table'", "'wandb'"]),
        ("step,loss\n1,2\n", {"format": "wandb"}, ["log.csv", "'step', 'loss'"]),
        ("step,loss\n1,2\n,3\n", {}, ["line 3", "'loss'", "'step'", "t="]),
        ("step,loss\n1,2\n2,three\n", {}, ["line 3", "'loss'", "'three'"]),
        ("step,loss\n1,2\n2,-3\n", {}, ["-3", "point 2"]),
        ("step,loss\n-1,2\n", {}, ["-1", "point 1"]),
        ("step,loss\n1e999,2\n", {}, ["inf", "point 1"]),
        ("step,loss\n1,NaN\n", {}, ["'loss'", "metric=", "t="]),
        ("step,loss\n0,3\n", {}, ["'loss'", "step"]),
        ("run,step,loss\na,1,3\n,1,3\n", {}, ["line 3", "'run'"]),
        ("run,step,loss\na,5,3\nb,6,3\n", {}, ["2 runs", "run="]),
    ],
)
def test_what_cannot_be_read_is_said_in_one_sentence(write, text, options, offenders):
    message = refused(write(text), **options)
    assert [name for name in offenders if name not in message] == []


def test_sources_that_are_none():
    assert "list" in refused([1, 2])
    assert "/nowhere/log.csv" in refused("/nowhere/log.csv", kind=FileError)
    assert repr("a\0b") in refused("a\0b", kind=FileError)


def test_a_run_that_diverged_at_once_is_left_out_and_noted(write):
    curves = load_curves(write("run,step,loss\na,1,3\na,2,2\nb,1,NaN\nb,2,NaN\n"))
    assert curves.names == ("a",)
    (caveat,) = curves.caveats
    assert (caveat.code, caveat.data) == ("runs-left-out", {"runs": ["b"], "metric": "loss"})


def test_several_rates_or_runs_are_noted(write):
    curves = load_curves(write("run_name,run_id,step,loss,lr,learning_rate\nx,7,1,3,1,2\n"))
    found = {caveat.code: caveat.data for caveat in curves.caveats}
    assert found["inferred-name"] == {"keyword": "run", "name": "run_name", "others": ["run_id"]}
    assert found["ambiguous-name"] == {"keyword": "lr", "names": ["lr", "learning_rate"]}
