"""Wall-clock beside the loss."""

import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.curves.importers import load_curves

from .test_importers import write

__all__ = ["write"]


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        (["1.5", "3.5"], [0, 2]),
        (["1700000000000", "1700000002000"], [0, 2]),
        (["2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"], [0, 60]),
        (["2026-01-01 00:00:00", "2026-01-01 00:01:00"], [0, 60]),
    ],
)
def test_wall_clock(write, times, seconds):
    path = write(f"step,loss,timestamp\n1,4,{times[0]}\n2,3,{times[1]}\n")
    assert_allclose(load_curves(path).curves[0].seconds, seconds)


def test_wall_clock_of_a_data_frame():
    times = pd.to_datetime(["2026-01-01 00:00", "2026-01-01 00:02"])
    frame = pd.DataFrame({"step": [1, 2], "loss": [3.0, 2.0], "time": times})
    assert_allclose(load_curves(frame).curves[0].seconds, [0, 120])


def test_times_that_are_none_are_passed_over(write):
    curves = load_curves(write("step,loss,time\n1,4,noon\n2,3,night\n"))
    assert curves.curves[0].seconds is None
    (caveat,) = curves.caveats
    assert (caveat.code, caveat.data) == ("unread-times", {"column": "time"})
    curves = load_curves(write("step,loss,time\n1,4,9\n2,3,8\n"))
    assert curves.curves[0].seconds is None
    (caveat,) = curves.caveats
    assert (caveat.code, caveat.data) == ("unread-times", {})
