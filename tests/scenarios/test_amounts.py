"""Units and uncertain amounts."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.amounts import Fixed, LogNormal, Pert, read_amount
from bayes_scaling.scenarios.quantities import in_unit


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("1e23 FLOP", "FLOP", 1e23),
        ("2 PF-days", "FLOP", 2 * 1e15 * 86400),
        ("1 PFLOP/s-day", "FLOP", 1e15 * 86400),
        ("2.5 MUSD", "USD", 2.5e6),
        ("1.98 PFLOP/s", "FLOP/second", 1.98e15),
        ("989 TFLOP/s/GPU", "FLOP/second", 9.89e14),
        ("3 weeks", "second", 3 * 7 * 86400),
        ("2 USD/hour", "USD/second", 2 / 3600),
        ("2 USD/GPU-hour", "USD/second", 2 / 3600),
        ("0.5 EUR per Mtoken", "EUR/token", 5e-7),
        ("15 Ttokens", "token", 1.5e13),
        ("512 GPUs", "device", 512),
        ("40%", "", 0.4),
        (0.4, "", 0.4),
        ("1_000", "FLOP", 1000),
    ],
)
def test_units_are_converted(text: object, unit: str, expected: float) -> None:
    assert_allclose(in_unit("x", text, unit, "y"), expected)


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        ("3 EUR", "USD", "in EUR, which cannot be turned into USD"),
        ("5 furlong", "USD", "in furlong, which cannot be turned into USD"),
        ("7 B", "", "'B' is no unit"),
        ("2 M", "", "'M' is no unit"),
        ("10**10**10 USD", "USD", "is no unit"),
        ("1 USD**9**9", "USD", "is no unit"),
        ("1 __import__('os')", "USD", "is no unit"),
        ("much", "USD", "a number is needed"),
        ("nan", "USD", "a number is needed"),
        (math.nan, "USD", "a number is needed"),
        (True, "USD", "a number is needed"),
        (None, "USD", "a number is needed"),
        (0, "USD", "a number above 0"),
        (-1, "USD", "a number above 0"),
        (10**400, "USD", "an integer of 401 digits"),
        ("1e80 USD", "USD", "to 1e+60"),
    ],
)
def test_what_is_no_amount_of_a_unit_is_refused(value: object, unit: str, said: str) -> None:
    with pytest.raises(ScenarioError, match="budget is") as error:
        in_unit("budget", value, unit, '"2.5 MUSD"')
    assert said in str(error.value)


def test_a_pert_distribution_has_its_mean_and_ends() -> None:
    amount = Pert(1.0, 2.0, 5.0)
    draws = amount.sample((np.arange(200_000) + 0.5) / 200_000)
    assert_allclose(draws.mean(), (1 + 4 * 2 + 5) / 6, rtol=1e-3)
    assert draws.min() > 1
    assert draws.max() < 5
    assert_allclose(np.median(draws), amount.median, rtol=1e-3)


def test_a_lognormal_has_its_quantiles() -> None:
    amount = LogNormal(2.0, 8.0)
    assert_allclose(amount.sample(np.array([0.05, 0.5, 0.95])), [2, 4, 8])
    assert amount.median == 4


def test_amounts_are_read_in_their_forms() -> None:
    assert read_amount("p", "2 USD/hour", "USD/second", "x") == Fixed(2 / 3600)
    given_pert = {"low": "1 USD", "likely": 2, "high": "3 kUSD"}
    with pytest.raises(ScenarioError, match="price is 2, without a unit; write it like x"):
        read_amount("price", 2, "USD/second", "x")
    with pytest.raises(ScenarioError, match="time is 3, without a unit"):
        in_unit("time", 3, "second", "x")
    assert read_amount("p", given_pert, "USD", "x") == Pert(1, 2, 3000)
    assert read_amount("p", {"q05": 1, "q95": 2}, "USD", "x") == LogNormal(1, 2)
    for bad in ({"q05": 2, "q95": 1}, {"low": 1, "likely": 1, "high": 1}, {"q50": 1}, {}):
        with pytest.raises(ScenarioError, match="p "):
            read_amount("p", bad, "USD", "x")


@pytest.mark.parametrize(("low", "likely", "high"), [(1.0, 2.0, 5.0), (0.0, 0.0, 1.0), (3, 4, 4)])
def test_quantiles_of_pert_are_those_of_scipy(low: float, likely: float, high: float) -> None:
    wide = high - low
    a, b = 1 + 4 * (likely - low) / wide, 1 + 4 * (high - likely) / wide
    uniform = np.array([0.0, 1e-6, 0.1, 0.5, 0.9, 1.0])
    expected = stats.beta.ppf(uniform, a, b, loc=low, scale=wide)
    assert_allclose(Pert(low, likely, high).sample(uniform), expected, rtol=1e-14)
    assert Pert(low, likely, high).median == stats.beta.median(a, b, loc=low, scale=wide)
