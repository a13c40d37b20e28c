"""Scores of draws against closed forms."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from bayes_scaling.errors import DataError
from bayes_scaling.forecast.evaluation.scoring import (
    crps,
    interval_score,
    pit,
    score_draws,
    summarise,
)


def _crps_of_a_normal(mean: float, sd: float, y: float) -> float:
    """Gneiting and Raftery 2007, section 4.2."""
    z = (y - mean) / sd
    density, below = stats.norm.pdf(z), stats.norm.cdf(z)
    return float(sd * (z * (2 * below - 1) + 2 * density - 1 / np.sqrt(np.pi)))


@pytest.mark.parametrize("y", [-3.0, 1.0, 4.5])
def test_crps_of_a_normal_is_its_closed_form(y: float) -> None:
    closed = _crps_of_a_normal(1.0, 2.0, y)
    draws = np.random.default_rng(0).normal(1.0, 2.0, (1, 200_000))
    assert_allclose(crps(draws, np.array([y]))[0], closed, rtol=0.01)


def test_crps_of_a_point_is_the_absolute_error() -> None:
    assert_allclose(crps(np.full((1, 10), 3.0), np.array([5.0])), [2.0])


def test_crps_by_its_definition_on_three_draws() -> None:
    draws = np.array([[1.0, 4.0, 6.0]])
    pairs = np.abs(draws[0][:, None] - draws[0][None, :]).mean()
    expected = np.abs(draws[0] - 2.0).mean() - pairs / 2
    assert_allclose(crps(draws, np.array([2.0])), [expected])


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=30), st.floats(-6, 6), st.floats(-3, 3))
def test_crps_is_not_negative_and_moves_with_its_arguments(
    draws: list[float], y: float, shift: float
) -> None:
    table, came = np.array([draws]), np.array([y])
    score = crps(table, came)
    assert score[0] >= -1e-12
    assert_allclose(crps(table + shift, came + shift), score, atol=1e-9)


def test_interval_score_is_width_plus_fines() -> None:
    low, high = np.zeros(3), np.ones(3)
    score = interval_score(low, high, np.array([0.5, 1.2, -0.1]), 0.9)
    assert_allclose(score, [1.0, 1.0 + 20 * 0.2, 1.0 + 20 * 0.1])


def test_pit_is_the_distribution_function() -> None:
    draws = np.random.default_rng(1).normal(size=(1, 100_000))
    for y in (-1.5, 0.0, 0.7):
        assert_allclose(pit(draws, np.array([y])), stats.norm.cdf(y), atol=0.005)
    assert_allclose(pit(np.array([[1.0, 2.0, 2.0, 3.0]]), np.array([2.0])), 0.5)


def test_scores_of_draws_are_of_the_log_loss() -> None:
    rng = np.random.default_rng(2)
    draws = np.exp(rng.normal(1.0, 0.02, (1, 200_000)))
    score = score_draws(draws, np.exp([1.01])).iloc[0]
    assert_allclose(score["log_error"], -0.01, atol=2e-4)
    assert_allclose(score["are"], 1 - np.exp(-0.01), atol=2e-4)
    assert_allclose(score["crps"], _crps_of_a_normal(1.0, 0.02, 1.01), rtol=0.01)
    assert_allclose(score["width"], 2 * 1.6449 * 0.02, rtol=0.01)
    assert_allclose(score["interval_score"], score["width"])
    assert_allclose(score["pit"], stats.norm.cdf(0.5), atol=0.005)
    # 0.5 sd from the median: inside the 50% interval, whose half width is 0.67 sd.
    assert score[["inside_50", "inside_80", "inside_90", "inside_95"]].all()
    assert not score_draws(draws, np.exp([1.0 + 1.7 * 0.02]))["inside_90"].any()
    assert score_draws(draws, np.exp([1.0 + 1.7 * 0.02]))["inside_95"].all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
def test_draws_and_losses_must_be_losses(bad: float) -> None:
    with pytest.raises(DataError, match="draws"):
        score_draws([[1.0, bad]], [1.0])
    with pytest.raises(DataError, match="losses"):
        score_draws([[1.0, 2.0]], [bad])


def test_families_have_equal_weight_and_groups_stand_apart() -> None:
    points = pd.DataFrame(
        {
            "law": ["x"] * 4 + ["y"] * 1,
            "ratio": [2.0] * 4 + [4.0],
            "family": ["a", "a", "a", "b", "a"],
            "log_error": [0.1, 0.2, 0.3, -0.2, 0.5],
            "inside_90": [True, True, False, True, False],
            "pit": [0.1, 0.2, 0.3, 0.4, 0.5],
        }
    )
    scores = summarise(points, ("law", "ratio", "family"))
    assert scores["family"].tolist() == ["a", "b", "all", "a"]
    assert scores["ratio"].tolist() == [2.0, 2.0, 2.0, 4.0]
    whole = scores[scores["family"] == "all"].iloc[0]
    assert_allclose(whole["bias"], 0.0, atol=1e-12)
    assert_allclose(whole["coverage_90"], (2 / 3 + 1) / 2)
    assert whole["runs"] == 4
