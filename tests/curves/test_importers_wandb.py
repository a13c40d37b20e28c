"""What Weights & Biases exports."""

import pytest
from numpy.testing import assert_allclose

from bayes_scaling.curves.importers import load_curves
from bayes_scaling.errors import DataError

from .test_importers import refused, write

__all__ = ["write"]

CHART = """"Step","my - run - eval/loss","my - run - eval/loss__MIN","my - run - eval/loss__MAX",\
"b - eval/loss","b - eval/loss__MIN","b - eval/loss__MAX"
"0","9","9","9","","",""
"100","4.5","4.5","4.5","4.7","4.7","4.7"
"200","4.0","4.0","4.0","","",""
"300","","","","4.1","4.1","4.1"
"400","NaN","NaN","NaN","3.9","3.9","3.9"
"""


def test_a_chart_is_a_curve_for_each_run(write):
    curves = load_curves(write(CHART))
    assert curves.names == ("my - run", "b")
    assert_allclose(curves["my - run"].t, [100, 200])
    assert_allclose(curves["b"].t, [100, 300, 400])
    assert curves["b"].metric == "eval/loss"
    assert {flag.code for flag in curves.flags} == {"not finite", "before training"}
    assert len(load_curves(write(CHART), metric="eval/loss", t="Step", format="wandb")) == 2


def test_a_chart_over_time_takes_the_steps_of_its_runs(write):
    text = (
        '"Relative Time (Wall)","a - _step","a - _step__MIN","a - loss","a - loss__MIN","a - lr"\n'
        '"0.5","10","10","4","4","0.1"\n"0.9","20","20","3","3",""\n"1.4","30","30","2.5","2.5",'
        '"0.3"\n'
    )
    curve = load_curves(write(text)).curves[0]
    assert_allclose(curve.t, [10, 20, 30])
    assert_allclose(curve.lr, [0.1, 0.2, 0.3])
    without = '"Relative Time (Wall)","a - loss"\n"0.5","4"\n'
    assert "t=" in refused(write(without))


def test_a_group_is_said_to_be_one(write):
    curves = load_curves(write('"Step","Group: g - loss","Group: g - loss__MIN"\n1,4,4\n2,3,3\n'))
    assert curves.names == ("g",)
    assert curves.caveats[0].code == "group-means"
    assert curves.caveats[0].data == {"groups": ["Group: g"]}
    both = load_curves(write('"Step","Group: g - loss","g - loss"\n1,4,4\n2,3,3\n'))
    assert both.names == ("Group: g", "g")


def test_tokens_on_the_axis(write):
    curves = load_curves(write('"train/tokens","a - loss"\n1000,4\n2000,3\n'))
    assert curves.curves[0].axis == "tokens"


@pytest.mark.parametrize(
    ("text", "options", "offenders"),
    [
        (CHART, {"run": "b"}, ["run="]),
        (CHART, {"metric": "loss"}, ["metric=", "'loss'", "'eval/loss'"]),
        (CHART, {"t": "x"}, ["t=", "'x'", "'Step'"]),
        ("Step,a - x_loss,a - y_loss\n1,2,3\n", {}, ["'x_loss'", "'y_loss'", "metric="]),
        ("Step,a - loss__MIN,a - loss__MAX\n1,2,3\n", {}, ["'a - loss__MIN'"]),
        ("T,a - loss,a - step,b - loss\n1,2,3,3\n", {}, ["'step'", "'b'", "t="]),
        ("Step,a - loss\n1,2\n,2\n", {}, ["line 3", "'Step'"]),
        ("Step,a - loss\n1,two\n", {}, ["line 2", "'a - loss'", "'two'"]),
    ],
)
def test_charts_that_cannot_be_read(write, text, options, offenders):
    message = refused(write(text), **options)
    assert [name for name in offenders if name not in message] == []


RUNS = "Name,State,Runtime,Created,{}\nx,finished,3,2026,1,2\n"


@pytest.mark.parametrize(
    ("more", "columns"),
    [
        ("train/loss_AVG,optim/n_tokens", "{'loss': 'train/loss_AVG', 'tokens': 'optim/n_tokens'}"),
        ("model.x,y", "{...}"),
        ("eval/loss,n_params", "{'loss': 'eval/loss', 'params': 'n_params'}"),
    ],
)
def test_the_table_of_runs_is_sent_to_load_runs(write, more, columns):
    text = refused(write(RUNS.format(more)))
    assert f"bs.load_runs(path, columns={columns})" in text


def test_the_table_of_runs_with_all_that_is_needed(write):
    text = "Name,State,Tags,Notes,loss,tokens,params\nx,f,a,b,3,1e9,1e8\n"
    assert "'params': 'params'})" in refused(write(text), kind=DataError)
