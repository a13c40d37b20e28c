"""Segments of one run are joined, and other runs are not."""

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.curves.importers import load_curves


def segments(*spans, name="big-run-{:03d}-x"):
    rows = [
        (name.format(i), step, 5 - step / 1e3 - i / 1e6)
        for i, span in enumerate(spans, start=8)
        for step in span
    ]
    return pd.DataFrame(rows, columns=["run", "step", "loss"])


def test_segments_of_one_run_are_joined_in_the_order_of_their_numbers():
    frame = segments(range(1, 50), range(45, 90), range(90, 99))
    backwards = pd.concat([part for _, part in list(frame.groupby("run"))[::-1]])
    curves = load_curves(backwards)
    assert curves.names == ("big-run--x",)
    curve = curves.curves[0]
    assert_allclose(curve.t, range(1, 99))
    # Where two segments overlap, the later one holds.
    assert curve.loss[45] == 5 - 46 / 1e3 - 9 / 1e6
    assert [flag.code for flag in curves.flags] == ["restarted"]
    (caveat,) = curves.caveats
    assert (caveat.code, caveat.data) == ("joined-segments", {"segments": 3, "run": "big-run--x"})
    assert len(load_curves(backwards, join=False)) == 3


@pytest.mark.parametrize(
    "frame",
    [
        segments(range(1, 50), range(1, 80)),
        segments(range(1, 50), range(20, 80)),
        segments(range(50, 90), range(1, 50)),
        segments([10], [20], [30, 40]),
        segments(range(1, 50), range(50, 80), name="lr{0}-bs{0}"),
    ],
)
def test_other_runs_stay_apart(frame):
    curves = load_curves(frame)
    assert len(curves) == frame["run"].nunique()
    assert curves.caveats == ()
