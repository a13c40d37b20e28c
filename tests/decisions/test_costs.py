"""Units, uncertain amounts, and what configurations cost."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from bayes_scaling.decisions.allocation.cost_draws import Costs
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.amounts import Fixed, LogNormal, Pert, read_amount
from bayes_scaling.scenarios.prices import Compute, Data, Inference
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


def test_costs_by_hand() -> None:
    compute = Compute(Fixed(1e15), Fixed(0.5), Fixed(2 / 3600), devices=100)
    serving = Inference(Fixed(1e12), Fixed(1e11), None, Fixed(0.1))
    costs = Costs.of(compute, Data(Fixed(1e-6), owned=1e10), serving, 10, 0)
    params, tokens = np.array([1e9]), np.array([4e10])
    flop = 2 / 3600 / 5e14
    trained, read, written = 6 * 1e9 * 4e10, 2 * 1e9 * 1e12, 2 * 1e9 * 1e11
    assert_allclose(costs.flops(params, tokens), [[trained + read + written]])
    assert_allclose(costs.seconds(params, tokens), [[trained / (100 * 5e14)]])
    # Writing runs at a fifth of the utilisation, and so costs five times as much a FLOP.
    money = (trained + read + 5 * written) * flop + 1e-6 * 3e10
    assert_allclose(costs.money(params, tokens, tokens), [[money]])
    # Seen four times, the tokens are those that are owned.
    assert_allclose(costs.money(params, tokens, tokens / 4), [[money - 1e-6 * 3e10]])


@given(
    st.floats(3, 9),
    st.floats(7, 12),
    st.floats(-9, -3),
    st.floats(8, 13),
    st.floats(1, 8),
)
def test_tokens_for_money_spend_it(
    log_money: float, log_params: float, log_price: float, log_owned: float, epochs: float
) -> None:
    compute = Compute(Fixed(1e15), Fixed(0.5), Fixed(2 / 3600))
    data = Data(Fixed(10**log_price), owned=10**log_owned)
    costs = Costs.of(compute, data, Inference(Fixed(1e9)), 1, 0)
    params = np.array([10**log_params])
    tokens = costs.tokens_for_money(10**log_money, params, epochs)[..., 0]
    if tokens[0] > 0:
        assert_allclose(costs.money(params, tokens, tokens / epochs)[0], 10**log_money, rtol=1e-6)


def test_uncertain_prices_are_drawn_apart_and_known_ones_once() -> None:
    compute = Compute(Fixed(1e15), Pert(0.3, 0.4, 0.5), LogNormal(1e-4, 1e-3))
    costs = Costs.of(compute, None, None, 4000, 1)
    assert costs.per_flop.shape == (4000,)
    assert costs.per_token.shape == (1,)
    rate = compute.price.sample(np.full(1, 0.5)) / (1e15 * compute.utilisation.median)  # type: ignore[union-attr]
    assert_allclose(np.median(costs.per_flop), rate, rtol=0.1)
    priced = Costs.of(compute, Data(LogNormal(1e-7, 1e-6)), None, 4000, 1)
    correlation = stats.spearmanr(priced.per_flop, priced.per_token).statistic
    assert abs(correlation) < 0.06
