"""Which schedules have come to their end, and which are cut off on the way."""

import numpy as np
import pytest

from bayes_scaling.curves import Curve, finished_runs
from bayes_scaling.curves.cleaning.cooldown import cooled

END = 10_000.0
WARM = 200.0


def cosine(t, low=0.1):
    return low + (1 - low) * (1 + np.cos(np.pi * (t - WARM) / (END - WARM))) / 2


def linear(t, low=0.0):
    return 1 - (1 - low) * (t - WARM) / (END - WARM)


def wsd(t, low=0.0, start=0.9, shape=lambda x: x):
    return 1 - (1 - low) * shape(np.clip((t - start * END) / ((1 - start) * END), 0, 1))


def steps(t, *levels):
    return np.select([t < 0.8 * END, t < 0.9 * END], levels[:2], levels[2])


def inverse_sqrt(t):
    return np.sqrt(WARM / t)


def at(rate, points, until=1.0, **options):
    t = np.linspace(END / points, END, points)
    rates = np.where(t < WARM, t / WARM, rate(np.maximum(t, WARM), **options))
    kept = t <= until * END * (1 + 1e-12)
    return t[kept], 6e-4 * rates[kept]


ENDED = {
    "cosine to a tenth": (cosine, {}),
    "cosine to zero": (cosine, {"low": 0.0}),
    "cosine to a fifth": (cosine, {"low": 0.2}),
    "cosine to 0.3": (cosine, {"low": 0.3}),
    "linear to zero": (linear, {}),
    "linear to a tenth": (linear, {"low": 0.1}),
    "WSD to zero": (wsd, {}),
    "WSD to a tenth": (wsd, {"low": 0.1}),
    "WSD by 1 - sqrt": (wsd, {"shape": np.sqrt}),
    "WSD, a fifth of the run": (wsd, {"start": 0.8, "low": 0.1}),
    "steps to a tenth": (lambda t: steps(t, 1.0, 0.316, 0.1), {}),
}


@pytest.mark.parametrize("points", [28, 100, 1000])
@pytest.mark.parametrize("name", ENDED)
def test_ended(name, points):
    rate, options = ENDED[name]
    assert cooled(*at(rate, points, **options))


@pytest.mark.parametrize("points", [28, 100, 1000])
@pytest.mark.parametrize(
    ("rate", "until", "options"),
    [
        (cosine, 0.5, {}),
        (cosine, 0.8, {}),
        (cosine, 0.6, {"low": 0.0}),
        (cosine, 0.8, {"low": 0.2}),
        (linear, 0.5, {}),
        (linear, 0.8, {}),
        (wsd, 0.85, {}),
        (wsd, 0.93, {"start": 0.8}),
        (np.ones_like, 1.0, {}),
        (inverse_sqrt, 1.0, {}),
        (inverse_sqrt, 0.3, {}),
        (lambda t: WARM / t, 0.05, {}),
        (lambda t: t / END, 1.0, {}),
        (lambda t: steps(t, 1.0, 0.316, 0.1), 0.86, {}),
        (lambda t: np.where(t < 0.9 * END, cosine(t / 0.9), 1.0), 1.0, {}),
    ],
)
def test_cut_off_on_the_way(rate, until, options, points):
    t, lr = at(rate, points, until, **options)
    assert not cooled(t, lr)


def test_a_warm_up_alone_is_no_end():
    t = np.arange(1.0, 51.0)
    assert not cooled(t, 1e-3 * t / 2000)


@pytest.mark.parametrize("digits", [2, 3, 6])
def test_rates_may_be_rounded(digits):
    def rounded(rates):
        return np.array([float(f"{rate:.{digits}g}") for rate in rates])

    t, rates = at(cosine, 300)
    assert cooled(t, rounded(rates))
    t, rates = at(inverse_sqrt, 300)
    assert not cooled(t, rounded(rates))


def test_a_cosine_to_a_tenth_is_finished_though_its_peak_was_not_logged():
    t = np.arange(250.0, 7001.0, 250.0)
    rates = np.round(1e-4 + 9e-4 * (1 + np.cos(np.pi * t / 7000)) / 2, 8)
    rates[0] = 9.9e-4
    assert rates[-1] / rates.max() > 0.1
    curve = Curve.of("r", t, 3 + t**-0.3, lr=rates)
    row = finished_runs([curve]).iloc[0]
    assert row["cooldown"]
    assert row["flags"] == ""
    early = finished_runs([curve.until(5000)]).iloc[0]
    assert not early["cooldown"]
    assert early["flags"]
