"""Outliers, spikes, dips, levels and divergence of curves whose truth is known."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.curves import Curve, load_curves, monitor
from bayes_scaling.curves.cleaning.anomalies import Cleaned, cleaned
from bayes_scaling.curves.cleaning.recovery import CERTAIN, recovery
from bayes_scaling.errors import DataError

EVEN = np.arange(100.0, 20001.0, 100.0)
THIN = np.unique(np.geomspace(100, 20000, 60).round())
LONG = np.arange(10.0, 20001.0, 10.0)


def truth(t: np.ndarray) -> np.ndarray:
    return 2.2 + 30.0 * t**-0.4


def logged(t: np.ndarray, seed: int, noise: float = 0.002) -> np.ndarray:
    return truth(t) * np.exp(noise * np.random.default_rng(seed).normal(size=len(t)))


def clean(t: np.ndarray, loss: np.ndarray) -> Cleaned:
    return cleaned(Curve.of("r", t, loss))


def codes(found: Cleaned) -> list[str]:
    return [flag.code for flag in found.flags]


@pytest.mark.parametrize("t", [EVEN, THIN, LONG], ids=["even", "thin", "long"])
@pytest.mark.parametrize("place", [0.15, 0.5, 0.85])
@pytest.mark.parametrize("height", [1.3, 2.7])
def test_all_points_of_a_spike_that_passed_are_left_out(t, place, height):
    loss = logged(t, seed=int(100 * place))
    start = int(place * len(t))
    spike = slice(start, start + max(4, len(t) // 25))
    loss[spike] *= np.geomspace(height, 1.1, len(loss[spike]))
    found = clean(t, loss)
    assert codes(found) == ["spike"]
    assert set(t[spike]) <= set(t) - set(found.curve.t)
    assert len(t) - len(found.curve) <= len(t[spike]) + 3
    flag = found.flags[0]
    assert_allclose(flag.loss_from, truth(t)[start], rtol=0.02)
    assert_allclose(flag.loss_to, loss[start], rtol=1e-9)
    assert found.excursion is None


@pytest.mark.parametrize("t", [EVEN, THIN, LONG], ids=["even", "thin", "long"])
@pytest.mark.parametrize("shape", [[2.7, 2.4, 2.1, 1.9], [1.4, 1.8, 2.3, 2.7], [2.7] * 4])
def test_a_spike_under_way_is_waited_for(t, shape):
    loss = logged(t, seed=1)
    loss[-4:] *= shape
    found = clean(t, loss)
    what = found.excursion
    assert what is not None
    assert (what.kind, what.since, what.points) == ("spike", t[-4], 4)
    assert not found.diverged
    assert found.waits_until is not None
    assert found.waits_until > t[-1]
    assert_allclose(what.loss_before, truth(t)[-4], rtol=0.03)
    assert_allclose([what.loss_farthest, what.loss_now], [loss[-4:].max(), loss[-1]])
    assert_allclose(what.returns + what.level + what.diverged, 1.0)
    assert found.curve.t[-1] == t[-5]


@pytest.mark.parametrize("t", [EVEN, THIN, LONG], ids=["even", "thin", "long"])
@pytest.mark.parametrize("seed", [2, 3])
def test_a_loss_that_stays_far_above_has_diverged(t, seed):
    rng = np.random.default_rng(seed)
    loss = logged(t, seed)
    count = int(0.25 * len(t))
    ways = np.full(count, 2.6) * np.exp(0.02 * rng.normal(size=count)), np.linspace(1.2, 3, count)
    for way in ways:
        after = loss.copy()
        after[-count:] *= way
        found = clean(t, after)
        assert found.diverged
        assert found.flags[0].code == "diverged"
        assert found.flags[0].probability > CERTAIN
        assert abs(np.searchsorted(t, found.flags[0].first) - (len(t) - count)) <= 2
        # Given time it may still come back, and then nothing is decided against it.
        after[-20:] = loss[-20:]
        assert not clean(t, after).diverged


def test_a_dip_that_returns_to_the_old_level_is_no_divergence():
    for seed in range(3):
        loss = logged(EVEN, seed)
        loss[100:107] -= 0.3
        for points in (110, 130, 200):
            found = clean(EVEN[:points], loss[:points])
            assert codes(found) == ["dip"]
            assert found.flags[0].points == 7
            assert not found.diverged
            assert found.excursion is None


@pytest.mark.parametrize("size", [-0.12, 0.12])
@pytest.mark.parametrize("t", [EVEN, EVEN[::5], LONG], ids=["200", "40", "2000"])
def test_a_change_of_data_is_a_step_of_its_size(t, size):
    loss = logged(t, seed=4)
    start = len(t) // 2
    loss[start:] += size
    found = clean(t, loss)
    assert codes(found) == ["level-shift"]
    flag = found.flags[0]
    assert flag.first == t[start]
    assert_allclose(flag.loss_to - flag.loss_from, size, atol=0.025)
    assert len(found.curve) == len(t)
    # Points before are on the new level, those after as they were logged.
    assert_allclose(found.curve.loss[start:], loss[start:])
    assert_allclose(found.curve.loss[start - 3 : start].mean(), truth(t)[start] + size, rtol=0.012)


@pytest.mark.parametrize("t", [EVEN, LONG], ids=["even", "long"])
@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_every_twentieth_point_halved_or_doubled_is_an_outlier(t, factor):
    loss = logged(t, seed=5)
    wrong = np.arange(39, len(t), 20)
    loss[wrong] *= factor
    found = clean(t, loss)
    assert codes(found) == ["outliers"]
    assert found.flags[0].points == len(wrong)
    assert set(t) - set(found.curve.t) == set(t[wrong])
    assert_allclose(found.loss, truth(t)[-1], rtol=0.01)
    assert found.excursion is None


def test_a_step_where_the_learning_rate_jumps_is_the_rates():
    loss = logged(EVEN, seed=6)
    loss[100:] -= 0.12
    lr = np.where(np.arange(200) < 100, 1e-3, 1e-4)
    assert cleaned(Curve.of("r", EVEN, loss, lr=lr)).flags == ()


@pytest.mark.parametrize("noise", [0.0, 0.002, 0.02])
def test_a_calm_curve_is_left_as_it_is(noise):
    for t in (EVEN, THIN):
        loss = logged(t, seed=7, noise=noise)
        found = clean(t, loss)
        assert found.flags == ()
        assert found.loss == loss[-1]
        assert_allclose(found.curve.loss, loss)


def test_a_metric_that_rises_is_no_loss():
    t = EVEN[:40]
    accuracy = 0.7 - 3.0 * t**-0.5
    with pytest.raises(DataError, match=r"'accuracy'.*'r'.*0\.4 "):
        cleaned(Curve.of("r", t, accuracy, metric="accuracy"))


@pytest.mark.parametrize("name", ["accuracy", "eval/acc", "eval_accuracy"])
def test_a_column_named_as_an_accuracy_is_no_loss(name):
    table = pd.DataFrame({"step": EVEN, name: 0.6, "acc_loss": 2.0})
    with pytest.raises(DataError, match=f"metric='{name}'"):
        load_curves(table, metric=name)
    assert len(load_curves(table, metric="acc_loss").curves[0]) == 200


def test_time_decides_between_a_spike_and_divergence():
    def at(now, **other):
        state = {"spacing": 10.0, "height": 1.0, "left": 1.0, "parallel": 0.0} | other
        return recovery(1e4, now, **state)

    grown = [at(now).diverged for now in (1e4, 1.02e4, 1.05e4, 1.1e4, 1.2e4)]
    assert np.all(np.diff(grown) > 0)
    assert grown[0] < 0.5 < CERTAIN < grown[-1]
    # Where it is waited for is where it is certain.
    until = at(1e4).wait_until
    assert_allclose(at(until).diverged, CERTAIN, atol=2e-3)
    assert at(1.05e4, left=0.5).diverged < 0.1 * at(1.05e4).diverged
    assert at(1.2e4, height=-1.0).diverged == 0.0
    assert at(1.2e4, height=0.05, parallel=1.0).level > 0.9


def test_a_verdict_waits_for_a_spike_and_forecasts_what_came_before(tmp_path):
    loss = logged(EVEN, seed=8)
    plain = monitor(Curve.of("r", EVEN, loss), 4e4, laws="curve-power", particles=400)
    loss[-4:] *= [2.7, 2.4, 2.1, 1.9]
    verdict = monitor(Curve.of("r", EVEN, loss), 4e4, laws="curve-power", particles=400)
    assert verdict.advice == "continue"
    assert not verdict.diverged
    assert verdict.stop_at == verdict.excursion.wait_until > EVEN[-1]
    assert verdict.t == EVEN[-1]
    assert verdict.loss == loss[-1]
    for level in ("q05", "q50", "q95"):
        found = (getattr(one.final_loss, level) for one in (verdict, plain))
        assert_allclose(*found, rtol=5e-3)
    verdict.save(tmp_path / "v.json")
    saved = json.loads((tmp_path / "v.json").read_text())
    assert saved["excursion"]["kind"] == "spike"
    assert_allclose(saved["flags"][0]["loss_to"], loss[-4])
