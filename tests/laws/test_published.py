"""Values that papers and the textbook print, from the laws as they stand."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from bayes_scaling import laws
from bayes_scaling.laws.depth_width import matrix_params, shape_of

KAPLAN = {  # Kaplan et al. 2020, Table 2
    "A": 6.4e13**0.076,
    "B": 1.8e13**0.103,
    "alpha_N": 0.076,
    "alpha_D": 0.103,
}
MUENNIGHOFF = {  # Muennighoff et al. 2023, Appendix A
    "floor": np.exp(0.6254804),
    "A": np.exp(6.255414),
    "B": np.exp(7.3049974),
    "alpha_N": 0.3526596,
    "alpha_D": 0.3526596,
    "R_D": 15.387756,
    "R_N": 5.309743,
}


@pytest.mark.parametrize(
    ("name", "column", "values", "losses"),
    [
        (
            "power-n",
            "params",
            {"A": 8.8e13**0.076, "alpha_N": 0.076},
            {1e8: 2.830, 1e9: 2.376, 1e10: 1.994},
        ),
        ("power-d", "tokens", {"B": 5.4e13**0.095, "alpha_D": 0.095}, {1e9: 2.816, 1e10: 2.262}),
    ],
)
def test_single_factors_of_kaplan_table_5(name, column, values, losses):
    law = laws.get(name)
    for size, loss in losses.items():
        assert_allclose(law.loss({column: size}, values), loss, atol=5e-4)


def test_kaplan_in_parameters_and_tokens():
    law = laws.get("kaplan")
    assert_allclose(law.loss({"params": 1e9, "tokens": 1e10}, KAPLAN), 2.4197, atol=5e-5)
    # With one of the two without bound the other's single-factor law is left.
    size = law.loss({"params": 1e9, "tokens": 1e300}, KAPLAN)
    assert_allclose(size, (6.4e13 / 1e9) ** 0.076, rtol=1e-12)
    data = law.loss({"params": 1e300, "tokens": 1e10}, KAPLAN)
    assert_allclose(data, (1.8e13 / 1e10) ** 0.103, rtol=1e-12)


def test_kaplan_is_the_law_with_an_outer_exponent_in_other_words():
    inside = {
        "floor": 1e-300,
        "gamma": KAPLAN["alpha_D"],
        "alpha_N": KAPLAN["alpha_N"] / KAPLAN["alpha_D"],
        "alpha_D": 1.0,
        "A": KAPLAN["A"],
        "B": KAPLAN["B"],
    }
    at = {"params": np.logspace(6, 12, 7), "tokens": np.logspace(13, 8, 7)}
    assert_allclose(
        laws.get("kaplan").loss(at, KAPLAN),
        laws.get("chinchilla-gamma").loss(at, inside),
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    ("params", "tokens", "loss"),
    [(6.34e9, 242e9, 2.2256440889984477), (8.67e9, 178e9, 2.2269634075087867)],
)
def test_repeated_data(params, tokens, loss):
    law = laws.get("data-constrained")
    at = {"params": params, "tokens": tokens, "unique_tokens": 25e9}
    assert_allclose(law.loss(at, MUENNIGHOFF), loss, rtol=1e-14)


def test_fresh_data_up_to_the_optimal_size_follow_the_plain_law():
    law, plain = laws.get("data-constrained"), laws.get("chinchilla")
    tokens = 25e9
    optimal = brentq(
        lambda n: plain.closed_forms.optimum(np.log(n * tokens), MUENNIGHOFF) - np.log(n), 1e8, 1e12
    )
    for params in (optimal / 100, optimal / 2, optimal):
        at = {"params": params, "tokens": tokens, "unique_tokens": tokens}
        assert_allclose(law.loss(at, MUENNIGHOFF), plain.loss(at, MUENNIGHOFF), rtol=1e-12)
    beyond = {"params": 3 * optimal, "tokens": tokens, "unique_tokens": tokens}
    assert law.loss(beyond, MUENNIGHOFF) > plain.loss(beyond, MUENNIGHOFF)


def test_endless_repetition_is_worth_r_more_epochs():
    # D' tends to U (1 + R_D).
    law, plain = laws.get("data-constrained"), laws.get("chinchilla")
    forever = law.loss({"params": 1e8, "tokens": 1e30, "unique_tokens": 1e10}, MUENNIGHOFF)
    worth = plain.loss({"params": 1e8, "tokens": 1e10 * 16.387756}, MUENNIGHOFF)
    assert_allclose(forever, worth, rtol=1e-12)


@pytest.mark.parametrize(
    ("symbol", "losses", "floor", "alpha"),
    [
        # The textbook's table of doublings, from a loss of 0.8: no power law, but one with a floor.
        ("n", (0.80, 0.70, 0.65), 0.60, 1.0),
        ("d", (0.80, 0.72, 0.68), 0.64, 1.0),
        ("c", (0.80, 0.75, 0.71), 0.55, 0.3219),
    ],
)
def test_textbook_doublings(symbol, losses, floor, alpha):
    law = laws.get(f"power-{symbol}-floor")
    (column,), (_, amplitude, exponent) = law.inputs, law.names
    first, second = losses[0] - losses[1], losses[1] - losses[2]
    # Drops of a power law fall by the same factor at every doubling.
    solved = -np.log2(second / first)
    left = second / (2.0**solved - 1.0)
    values = {"floor": losses[2] - left, amplitude: losses[0] - losses[2] + left, exponent: solved}
    assert_allclose(values["floor"], floor, atol=1e-12)
    assert_allclose(values[exponent], alpha, atol=5e-5)
    assert_allclose(law.loss({column: np.array([1.0, 2.0, 4.0])}, values), losses, rtol=1e-12)
    # Without a floor the two drops would ask for two exponents.
    slopes = -np.diff(np.log2(losses))
    assert abs(slopes[0] / slopes[1] - 1) > 0.15


def test_textbook_architectures_have_their_counts() -> None:
    # The textbook's section on depth against width: 12 layers of 512 and 24 of 362.
    assert matrix_params(12, 512) == 37_748_736
    assert matrix_params(24, 362) == 37_740_672
    for layers, width in ((12, 512), (24, 362)):
        n_layer, d_model = shape_of(matrix_params(layers, width), width / layers)
        assert_allclose([n_layer, d_model], [layers, width], rtol=1e-12)
