"""Curves: what is kept of a log, binning, spikes, schedules, finished runs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import bayes_scaling as bs
from bayes_scaling.curves import Curve, Curves, Schedule, finished_runs
from bayes_scaling.curves.cleaning.anomalies import cleaned
from bayes_scaling.curves.fitting.binning import binned
from bayes_scaling.curves.schedule import warmed
from bayes_scaling.errors import DataError


def falling(points: int, noise: float = 0.0, seed: int = 0) -> Curve:
    t = np.arange(1, points + 1)
    noise_factor = np.exp(noise * np.random.default_rng(seed).normal(size=points))
    return Curve.of("r", t, (2.0 + 5.0 * t**-0.5) * noise_factor)


def test_a_restart_replaces_what_was_logged_beyond_it() -> None:
    curve = Curve.of("r", [0, 1, 2, 3, 2, 3, 4, 5], [9, 5, 4, 3, 3.5, 2.9, np.nan, 2])
    assert curve.t.tolist() == [1, 2, 3, 5]
    assert curve.loss.tolist() == [5, 3.5, 2.9, 2]
    told = {flag.code: (flag.points, flag.first, flag.last) for flag in curve.flags}
    assert told == {
        "not finite": (1, 4.0, 4.0),
        "restarted": (2, 2.0, 3.0),
        "before training": (1, 0.0, 0.0),
    }


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 30), min_size=1, max_size=60))
def test_positions_grow_and_the_last_of_each_is_kept(steps: list[int]) -> None:
    loss = np.arange(1.0, len(steps) + 1)
    curve = Curve.of("r", steps, loss)
    assert np.all(np.diff(curve.t) > 0)
    assert curve.t[-1] == steps[-1]
    assert curve.loss[-1] == loss[-1]
    # Nothing is kept that was logged before a restart at or below its place.
    for t, value in zip(curve.t, curve.loss, strict=True):
        at = int(value) - 1
        assert steps[at] == t
        assert all(later > t for later in steps[at + 1 :])


@pytest.mark.parametrize(
    ("t", "loss", "offender"),
    [
        ([1, 2], [1.0], "'r'"),
        ([], [], "'r'"),
        ([-1, 2], [1, 1], "-1 at point 1"),
        ([1, np.inf], [1, 1], "inf at point 2"),
        ([1, 2], [1, -0.5], "-0.5 at point 2"),
        ([0], [1], "'r'"),
        ([1, 2], [np.nan, np.nan], "'r'"),
    ],
)
def test_bad_curves_are_refused(t: list[float], loss: list[float], offender: str) -> None:
    with pytest.raises(DataError, match=offender):
        Curve.of("r", t, loss)


def test_rates_that_are_not_known_everywhere_are_none() -> None:
    assert Curve.of("r", [1, 2], [2, 1], lr=[0.1, np.nan]).lr is None
    assert finished_runs([Curve.of("r", [1, 2], [2, 1], lr=[np.nan] * 2)])["cooldown"].isna().all()


def test_curves_have_names_of_their_own() -> None:
    one = falling(5)
    with pytest.raises(DataError, match="'r'"):
        Curves((one, one))
    with pytest.raises(DataError, match=r"'x'.*'r'"):
        Curves((one,))["x"]
    assert Curves((one,)).to_frame().columns.tolist() == ["run", "step", "loss"]


def test_a_short_curve_is_left_as_it_is() -> None:
    data = binned(falling(64))
    assert len(data.log_t) == 64
    assert data.caveats == ()
    assert np.all(data.counts == 1)


def test_binning_keeps_every_point_in_a_mean_and_finds_the_noise() -> None:
    curve = falling(100_000, noise=0.03)
    data = binned(curve)
    assert len(data.log_t) <= 64
    assert data.counts.sum() == 100_000
    assert_allclose(data.counts @ data.log_loss, np.log(curve.loss).sum())
    assert_allclose(data.white_sd, 0.03, rtol=0.02)
    # What is left of the noise is that of means.
    off = data.log_loss - np.log(2.0 + 5.0 * np.exp(data.log_t) ** -0.5)
    assert np.abs(off[-10:]).max() < 0.003
    (caveat,) = data.caveats
    assert (caveat.code, caveat.data["logged"]) == ("binned-points", 100_000)
    assert caveat.data["bins"] == len(data.log_t)


def test_spikes_are_named_and_kept_out() -> None:
    curve = falling(300, noise=0.005)
    loss = curve.loss.copy()
    loss[[100, 101, 200]] *= 1.5
    clean = cleaned(Curve.of("r", curve.t, loss))
    assert not clean.diverged
    assert [flag.code for flag in clean.flags] == ["outliers"]
    assert clean.flags[0].points == 3
    assert set(curve.t) - set(clean.curve.t) == {101, 102, 201}


def test_a_calm_curve_has_no_spikes() -> None:
    for seed in range(20):
        assert cleaned(falling(200, noise=0.02, seed=seed)).flags == ()


def test_divergence_is_what_does_not_come_back() -> None:
    curve = falling(300, noise=0.005)
    loss = curve.loss.copy()
    loss[250:] *= np.linspace(1.2, 4.0, 50)
    clean = cleaned(Curve.of("r", curve.t, loss))
    assert clean.diverged
    assert clean.flags[0].first == 251
    assert clean.curve.t[-1] == 250
    back = loss.copy()
    back[280:] = curve.loss[280:]
    assert not cleaned(Curve.of("r", curve.t, back)).diverged


def test_areas_of_a_schedule_are_those_of_tissue_et_al() -> None:
    # Eq. 1 and 2 of arXiv:2408.11029, step by step, for a rate that falls in a line after step 600.
    steps = np.arange(1001)
    lr = np.where(steps < 600, 1.0, 1.0 - 0.9 * (steps - 600) / 400)
    momentum, s2 = 0.0, 0.0
    for i in range(1, 1001):
        momentum = momentum * 0.99 + (lr[i - 1] - lr[i])
        s2 += momentum
    schedule = Schedule([0, 600, 1000], [1.0, 1.0, 0.1], time_constant=100)
    found1, found2 = schedule.areas([600, 1000])
    assert_allclose(found1, [600, lr[1:].sum()], rtol=2e-3)
    assert_allclose(found2, [0, s2], rtol=2e-2)


def test_a_warm_up_lowers_nothing_and_is_left_out() -> None:
    schedule = Schedule([0, 100, 1000], [0.0, 1.0, 1.0])
    assert schedule.peak == 100
    assert_allclose(schedule.areas([50, 1000])[1], 0)
    curve = Curve.of("r", [20, 50, 100, 200, 400, 800], [9, 8, 5, 4, 3, 2])
    assert warmed(curve, schedule).t[0] == 100
    assert len(warmed(curve.until(150), schedule)) == 3
    assert len(warmed(curve, None)) == 6


@pytest.mark.parametrize(
    ("t", "lr", "offender"),
    [
        ([0], [1], "1 positions"),
        ([0, 1], [1], "2 positions and 1 rates"),
        ([1, 1], [1, 1], "positions"),
        ([0, 1], [-1, 1], "rates"),
        ([0, 1], [0, 0], "rates"),
    ],
)
def test_bad_schedules_are_refused(t: list[float], lr: list[float], offender: str) -> None:
    with pytest.raises(DataError, match=offender):
        Schedule(t, lr)


def test_finished_runs_say_where_their_loss_is_from() -> None:
    t = np.arange(1, 101) * 10.0
    loss = 2 + t**-0.3
    glitch = loss.copy()
    glitch[-1] += 0.4
    warm, cold = np.ones(100), np.linspace(1, 0.01, 100)
    curves = [
        Curve.of("good", t, loss, lr=cold),
        Curve.of("glitch", t, glitch, lr=cold),
        Curve.of("early", t, loss, lr=warm),
        Curve.of("bare", t, loss),
    ]
    about = pd.DataFrame(
        {"run": ["good", "glitch", "early", "bare"], "params": 1e6, "tokens": 1e8, "family": "f"}
    )
    table = finished_runs(curves, about).set_index("run")
    assert table.loc["good", "loss"] == loss[-1]
    assert table.loc["glitch", "loss_from"] == "median of the tail"
    assert_allclose(table.loc["glitch", "loss"], np.median(loss[-6:-1]))
    assert table["cooldown"].tolist() == [True, True, False, None]
    assert table.loc["good", "flags"] == "" != table.loc["early", "flags"]
    with pytest.raises(DataError, match=r"'bare'.* 0 "):
        finished_runs(curves, about.head(3))
    with pytest.raises(DataError, match="'run'"):
        finished_runs(curves, about.drop(columns="run"))


def test_curves_become_runs_that_can_be_loaded() -> None:
    table = bs.datasets.load_table("byte_lm_curves")
    names = table["run"].unique()[:12]
    curves = bs.load_curves(table[table["run"].isin(names)], metric="val_loss", t="step")
    found = finished_runs(curves)
    last = table[table["run"].isin(names)].groupby("run", sort=False)["val_loss"].last()
    shares = found.set_index("run")["loss"] / last
    # The last point is of a larger validation set; where it glitches the tail takes its place.
    assert (np.abs(np.log(shares)) < 0.05).all()
    assert (found["cooldown"] == True).all()  # noqa: E712


@pytest.mark.parametrize("loss", [5e-324, 1e-300, 1e300])
def test_a_loss_that_no_loss_is_is_refused(loss):
    with pytest.raises(DataError, match=r"at point 2"):
        Curve.of("r", [1, 2, 3], [2.5, loss, 2.3])
