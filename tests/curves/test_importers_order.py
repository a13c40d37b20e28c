"""Logs that were written without a step: one sentence, and points counted on request."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.core.progress import Progress
from bayes_scaling.curves.caveat_list import Caveats
from bayes_scaling.curves.importers import load_curves
from bayes_scaling.curves.importers.assembling import assemble
from bayes_scaling.curves.importers.column_roles import assign
from bayes_scaling.curves.importers.import_options import ImportKeywords
from bayes_scaling.curves.importers.tagged_series import Series, TaggedSeries
from bayes_scaling.errors import DataError

from .test_importers import noted, refused, write

__all__ = ["write"]

LOSSES = 2.0 + 3.0 * np.arange(1, 41) ** -0.4


def frame(**more):
    return pd.DataFrame({"step": 0, "loss": LOSSES} | more)


@pytest.mark.parametrize("step", [0, 1, 5000])
def test_every_point_at_one_step_is_said_with_a_remedy_that_works(write, step):
    text = frame().assign(step=step).to_csv(index=False)
    said = refused(write(text))
    assert f"step {step}" in said
    assert "t='order'" in said
    assert "run=" not in said
    curves = load_curves(write(text), t="order")
    assert_allclose(curves.curves[0].t, np.arange(1, 41))
    assert_allclose(curves.curves[0].loss, LOSSES)
    assert noted(curves) == ["counted-points"]


def test_runs_are_counted_apart_and_by_their_times():
    order = np.random.default_rng(3).permutation(80)
    both = pd.concat([frame(run=name, time=np.arange(40.0), lr=LOSSES) for name in "ab"])
    curves = load_curves(both.iloc[order], t="order")
    for name in "ab":
        assert_allclose(curves[name].t, np.arange(1, 41))
        assert_allclose(curves[name].loss, LOSSES)
        assert_allclose(curves[name].lr, LOSSES)
    refused(both, kind=DataError)


def test_rows_without_the_loss_are_not_counted():
    rows = frame(lr=1e-4)
    others = pd.DataFrame({"step": 0, "lr": np.linspace(1, 2, 40), "memory": 1.0})
    mixed = pd.concat([rows, others]).sort_index(kind="stable")
    assert_allclose(load_curves(mixed, t="order").curves[0].t, np.arange(1, 41))


def test_losses_that_are_no_number_are_counted():
    gone = frame()
    gone.loc[30:, "loss"] = np.nan
    curve = load_curves(gone, t="order").curves[0]
    assert_allclose(curve.t, np.arange(1, 31))
    assert_allclose(curve.lost, np.arange(31, 41))


def test_a_column_of_that_name_goes_first():
    curve = load_curves(frame(order=np.arange(1, 41) * 10), t="order").curves[0]
    assert_allclose(curve.t, np.arange(1, 41) * 10)


def test_a_chart_over_time_is_counted():
    times = pd.date_range("2024-01-01", periods=40, freq="min").astype(str)
    chart = pd.DataFrame({"Relative Time": times, "a - loss": LOSSES})
    assert_allclose(load_curves(chart, t="order").curves[0].t, np.arange(1, 41))


class InMemory(TaggedSeries):
    source, word = "log", "tag"

    def __init__(self, **steps):
        times = np.arange(40.0)
        self.runs = {
            run: {"loss": Series(step, LOSSES, times), "lr": Series(step, times + 1, times)}
            for run, step in steps.items()
        }
        self.tags = self.runs

    def series(self, run, tag):
        return self.runs[run][tag]


def curves_of(log, **options):
    caveats = Caveats()
    roles = assign(log.names(), ImportKeywords(**options), caveats)
    return assemble(log.tracks(roles), roles, "log", caveats, join=True, progress=Progress())


def test_series_without_steps():
    zero = np.zeros(40)
    runs = InMemory(a=zero, b=zero)
    with pytest.raises(DataError, match=r"'loss' at step 0.*t='order'"):
        curves_of(runs)
    curves = curves_of(runs, t="order")
    assert_allclose(curves["b"].t, np.arange(1, 41))
    assert_allclose(curves["b"].lr, np.arange(1, 41))
    mixed = curves_of(InMemory(a=zero, b=np.arange(1.0, 41.0)))
    assert mixed.names == ("b",)
    assert [dict(caveat.data) for caveat in mixed.caveats] == [{"runs": ["a"], "t": 0.0}]
