"""Risk measures against their formulas, on draws made by hand."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose
from scipy import stats

from bayes_scaling.decisions import Risk
from bayes_scaling.errors import ScenarioError

TEN = np.arange(1.0, 11.0)


def test_measures_of_ten_equally_likely_losses() -> None:
    assert Risk("mean").of(TEN) == 5.5
    assert_allclose(Risk("quantile", 0.9).of(TEN), np.quantile(TEN, 0.9))
    # The worst two of ten are 9 and 10.
    assert_allclose(Risk("cvar", 0.8).of(TEN), 9.5)
    # The worst 15%: all of 10 and half of 9, (10 + 0.5 * 9) / 1.5.
    assert_allclose(Risk("cvar", 0.85).of(TEN), 14.5 / 1.5)


def test_the_bad_tail_is_the_upper_one() -> None:
    losses = np.r_[np.zeros(90), np.full(10, 100.0)]
    assert_allclose(Risk("cvar", 0.9).of(losses), 100.0)
    assert Risk("cvar", 0.9).of(-losses) == 0.0


def test_cvar_of_a_normal_is_its_closed_form() -> None:
    draws = np.random.default_rng(0).normal(2.0, 0.1, 400_000)
    z = stats.norm.ppf(0.95)
    assert_allclose(Risk("cvar", 0.95).of(draws), 2.0 + 0.1 * stats.norm.pdf(z) / 0.05, rtol=1e-3)


@given(arrays(np.float64, 50, elements=st.floats(-100, 100)), st.floats(0.05, 0.95))
def test_cvar_is_coherent(losses: np.ndarray, level: float) -> None:
    cvar, quantile = Risk("cvar", level), Risk("quantile", level)
    scale = 1e-9 * (1 + np.abs(losses).max())
    assert cvar.of(losses) >= Risk("mean").of(losses) - scale
    assert cvar.of(losses) <= losses.max() + scale
    assert cvar.of(losses) >= np.quantile(losses, level, method="inverted_cdf") - scale
    assert_allclose(cvar.of(2 * losses + 3), 2 * cvar.of(losses) + 3, atol=100 * scale)
    assert_allclose(quantile.of(losses + 1), quantile.of(losses) + 1, atol=100 * scale)


def test_measures_reduce_the_axis_they_are_given() -> None:
    table = np.random.default_rng(0).normal(size=(7, 200))
    for measure in ("mean", "quantile", "cvar"):
        risk = Risk(measure, 0.9)
        assert_allclose(risk.of(table), [risk.of(row) for row in table])
        assert_allclose(risk.of(table.T, axis=0), risk.of(table))


@pytest.mark.parametrize(
    ("measure", "level", "offender"),
    [
        ("median", 0.5, "risk.measure is 'median'"),
        ("cvar", 1.0, "risk.level is 1.0"),
        ("cvar", 0, "risk.level is 0"),
        ("cvar", np.nan, "risk.level is nan"),
        ("cvar", "high", "risk.level is 'high'"),
        ("cvar", True, "risk.level is True"),
    ],
)
def test_bad_measures_are_refused(measure: str, level: object, offender: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(offender)):
        Risk(measure, level)  # type: ignore[arg-type]


def test_entropic_risk_of_a_normal_is_its_closed_form() -> None:
    draws = np.random.default_rng(0).normal(2.0, 0.1, 400_000)
    assert_allclose(Risk("entropic", aversion=5.0).of(draws), 2.0 + 5.0 * 0.01 / 2, rtol=1e-4)
    assert_allclose(Risk("entropic", aversion=1e-6).of(TEN), 5.5, rtol=1e-4)
    # Of three: log of the mean of exponentials.
    three = np.array([1.0, 2.0, 4.0])
    assert_allclose(Risk("entropic", aversion=1.0).of(three), np.log(np.exp(three).mean()))


def test_probability_of_a_miss_and_greatest_regret() -> None:
    assert Risk("miss").of(TEN, target=7.0) == 0.3
    assert Risk("regret").of(TEN, best=TEN - np.r_[np.zeros(9), 3.0]) == 3.0
    with pytest.raises(ScenarioError, match="target_loss"):
        Risk("miss").of(TEN)
    with pytest.raises(ScenarioError, match="best loss"):
        Risk("regret").of(TEN)


@pytest.mark.parametrize("aversion", [0, -1, np.inf, np.nan, "high", True])
def test_bad_aversions_are_refused(aversion: object) -> None:
    with pytest.raises(ScenarioError, match=re.escape(f"risk.aversion is {aversion!r}")):
        Risk("entropic", aversion=aversion)  # type: ignore[arg-type]
