"""Marginal gains and diminishing returns: the textbook's Lemma 11 and Theorem 13."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.decisions import (
    Compute,
    Data,
    Fixed,
    Scenario,
    allocate,
    marginal,
)
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from tests.conftest import TRUTH

DEVICES = Compute(Fixed(1e15), Fixed(0.4), Fixed(2 / 3600))
N, D = 1e10, 2e11


@pytest.fixture(scope="module")
def certain(make_fit) -> Fit:  # type: ignore[no-untyped-def]
    return make_fit(width=1e-9)


def test_gains_are_the_derivatives_of_the_law(certain: Fit) -> None:
    found = marginal(certain, N, D, family="web").gains.set_index("factor")
    by_size = TRUTH["alpha_N"] * TRUTH["A"] * N ** -TRUTH["alpha_N"]
    by_data = TRUTH["alpha_D"] * TRUTH["B"] * D ** -TRUTH["alpha_D"]
    assert_allclose(found.loc["params", "elasticity_mean"], by_size, rtol=1e-5)
    assert_allclose(found.loc["tokens", "elasticity_mean"], by_data, rtol=1e-5)
    assert_allclose(found.loc["both", "elasticity_mean"], (by_size + by_data) / 2, rtol=1e-5)
    assert_allclose(found.loc["params", "gain_mean"], by_size / N, rtol=1e-5)
    assert_allclose(found.loc["both", "gain_mean"], (by_size + by_data) / 2 / (6 * N * D), 1e-5)
    # A parameter more costs 6 D FLOP, a token more 6 N.
    assert_allclose(found.loc["params", "per_cost_mean"], by_size / N / (6 * D), rtol=1e-5)
    assert_allclose(found.loc["tokens", "per_cost_mean"], by_data / D / (6 * N), rtol=1e-5)


def test_at_the_optimum_of_a_known_law_no_factor_is_the_better_spend(certain: Fit) -> None:
    scenario = Scenario(
        money_budget=1e6,
        family="web",
        compute=DEVICES,
        data=Data(Fixed(1e-6)),
    )
    best = allocate(certain, scenario).optimum
    found = marginal(certain, best.params.q50, best.tokens.q50, scenario=scenario)
    gains = found.gains.set_index("factor")["per_cost_mean"]
    assert found.unit == "USD"
    assert_allclose(gains["params"], gains["tokens"], rtol=2e-3)
    # Much data and few parameters: parameters are the bottleneck, and the other way round.
    starved = marginal(certain, 1e8, 1e13, scenario=scenario)
    assert starved.bottleneck == "params"
    assert starved.gains.set_index("factor").loc["params", "best"] == 1.0
    assert marginal(certain, 1e12, 1e9, scenario=scenario).bottleneck == "tokens"


def test_returns_diminish(two_families: Fit) -> None:
    # Lemma 11: each doubling of a factor alone gains 2^-alpha times as much as the one before.
    found = marginal(two_families, N, D, family="web", doublings=6).doublings
    for factor, alpha in (("params", TRUTH["alpha_N"]), ("tokens", TRUTH["alpha_D"])):
        rows = found[found["factor"] == factor]
        gains = rows["gain_mean"].to_numpy()
        assert (np.diff(gains) < 0).all()
        assert_allclose(gains[1:] / gains[:-1], 2**-alpha, rtol=0.01)
        assert_allclose(rows["cost"].iloc[0], 6 * N * D)
        assert (rows["gain_q05"] < rows["gain_mean"]).all()
        assert rows["pays"].isna().all()
    both = found[found["factor"] == "both"]
    assert_allclose(both["cost"], 6 * N * D * 3 * 4.0 ** np.arange(6))
    assert_allclose(both["params"], N * 2.0 ** np.arange(1, 7))


def test_a_doubling_that_costs_more_than_it_is_worth_is_named(two_families: Fit) -> None:
    cost = 6 * N * D * 2 / 3600 / 4e14
    gain = marginal(two_families, N, D, family="web").doublings["gain_mean"].iloc[1]
    # The second doubling of parameters costs twice as much; at this worth it just fails to pay.
    scenario = Scenario(
        compute_budget=1e23, family="web", compute=DEVICES, value_per_nat=0.99 * 2 * cost / gain
    )
    found = marginal(two_families, N, D, scenario=scenario)
    rows = found.doublings[found.doublings["factor"] == "params"]
    assert found.stop.params == 2
    assert rows["pays"].iloc[0] > 0.9
    assert rows["pays"].iloc[1] < 0.6
    rich = Scenario(compute_budget=1e23, family="web", compute=DEVICES, value_per_nat=1e12)
    assert set(marginal(two_families, N, D, scenario=rich).stop.to_dict().values()) == {None}


@pytest.mark.parametrize(
    ("options", "offender"),
    [
        ({"params": 0, "tokens": D}, "params is 0"),
        ({"params": N, "tokens": math.nan}, "tokens is nan"),
        ({"params": N, "tokens": D, "family": None}, "'web'"),
        ({"params": N, "tokens": D, "doublings": 0}, "doublings is 0"),
        ({"params": N, "tokens": D, "doublings": 2.5}, "doublings is 2.5"),
    ],
)
def test_bad_questions_are_refused(
    two_families: Fit, options: dict[str, object], offender: str
) -> None:
    with pytest.raises(ScenarioError, match=offender):
        marginal(two_families, **({"family": "web"} | options))  # type: ignore[arg-type]


def test_the_file_is_complete(two_families: Fit, tmp_path: Path) -> None:
    found = marginal(two_families, N, D, family="web")
    content = json.loads(found.save(tmp_path / "m.json").read_text(encoding="utf-8"))
    assert content["schema"] == "bayes_scaling.marginal/2"
    assert content["bottleneck"] == found.bottleneck
    assert len(content["gains"]) == 3
    assert len(content["doublings"]) == 12
    assert content["unit"] == "FLOP"
    assert content["loss_unit"] == "nats/token"
