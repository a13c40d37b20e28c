"""What configurations cost, at draws of the prices."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from bayes_scaling.decisions.allocation.cost_draws import Costs
from bayes_scaling.scenarios.amounts import Fixed, LogNormal, Pert
from bayes_scaling.scenarios.prices import Compute, Data, Inference


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
