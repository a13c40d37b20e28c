"""Scores against closed forms, and the split of a backtest."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from bayes_scaling.errors import DataError
from bayes_scaling.forecast import backtest
from bayes_scaling.forecast.backtesting import _score, _split, crps, interval_score
from bayes_scaling.inference import Fit


def test_crps_of_a_normal_is_its_closed_form() -> None:
    draws = np.random.default_rng(0).normal(1.0, 2.0, (1, 200_000))
    for y in (-3.0, 1.0, 4.5):
        z = (y - 1.0) / 2.0
        # Gneiting and Raftery 2007, section 4.2.
        closed = 2 * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))
        assert_allclose(crps(draws, np.array([y]))[0], closed, rtol=0.01)


def test_crps_of_a_point_is_the_absolute_error() -> None:
    assert_allclose(crps(np.full((1, 10), 3.0), np.array([5.0])), [2.0])


def test_crps_by_its_definition_on_three_draws() -> None:
    draws = np.array([[1.0, 4.0, 6.0]])
    pairs = np.abs(draws[0][:, None] - draws[0][None, :]).mean()
    expected = np.abs(draws[0] - 2.0).mean() - pairs / 2
    assert_allclose(crps(draws, np.array([2.0])), [expected])


def test_interval_score_is_width_plus_fines() -> None:
    low, high = np.zeros(3), np.ones(3)
    score = interval_score(low, high, np.array([0.5, 1.2, -0.1]), 0.9)
    assert_allclose(score, [1.0, 1.0 + 20 * 0.2, 1.0 + 20 * 0.1])


def test_split_is_by_the_compute_of_each_family() -> None:
    rows = pd.DataFrame(
        {
            "family": ["a"] * 6 + ["b"] * 3,
            "flops": [1, 2, 3, 4, 10, 80, 1, 9, 10],
        },
        dtype=object,
    ).astype({"flops": float})
    small, large, skipped = _split(rows, 8.0)
    assert list(small["flops"]) == [1, 2, 3, 4, 10]
    assert list(large["flops"]) == [80]
    assert list(skipped) == ["b"]
    assert "1 runs at 1/8" in skipped["b"]


@pytest.mark.parametrize("ratio", [1.0, 0.5, float("nan"), float("inf"), "8"])
def test_bad_ratios_are_refused(ratio: object) -> None:
    with pytest.raises(DataError, match="ratio is"):
        backtest(pd.DataFrame(), ratio=ratio)  # type: ignore[arg-type]


def test_scored_runs_keep_what_the_law_reads(make_fit: Callable[..., Fit]) -> None:
    truth = {"floor": 1.8, "A": 400.0, "B": 1800.0, "alpha_N": 0.34, "alpha_D": 0.36}
    fit = make_fit("data-constrained", truth | {"R_D": 15.0, "R_N": 5.0})
    rows = fit.runs[fit.runs["family"] == "web"]
    fresh = _score(fit.law.name, fit, rows.assign(unique_tokens=rows["tokens"]), 0)
    worn = _score(fit.law.name, fit, rows.assign(unique_tokens=rows["tokens"] / 40), 0)
    assert (worn["q50"] > fresh["q50"]).all()
