"""Values from the papers and the textbook, and what laws must equal where they meet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from bayes_scaling import laws
from bayes_scaling.errors import LawError
from bayes_scaling.laws import Law
from bayes_scaling.laws.m4 import inverse

ONE_FACTOR = {"n": "params", "d": "tokens", "c": "flops"}


def medians(law: Law) -> dict[str, float]:
    return {p.name: p.prior.median for p in law.parameters}


def draw(law: Law, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    return {
        p.name: float(np.exp(rng.normal(np.log(p.prior.median), p.prior.sd)))
        for p in law.parameters
    }


# Kaplan et al. 2020, Table 3, with B* and alpha_B of Eq. 1.4; S_c is in steps.
STEPS = {
    "alpha_N": 0.077,
    "alpha_S": 0.76,
    "alpha_B": 0.21,
    "A": 6.5e13**0.077,
    "S": 2.1e3**0.76,
    "B_crit": 2.1e8,
}


def test_frontier_exponent_of_kaplan_steps() -> None:
    law = laws.get("kaplan-steps")
    assert law.closed_forms.frontier is not None
    assert_allclose(law.closed_forms.frontier(STEPS), 0.05245, atol=5e-6)


def test_kaplan_steps_with_an_endless_batch_is_the_sum_of_powers() -> None:
    law = laws.get("kaplan-steps")
    loss = law.loss({"params": 1e9, "step": 1e5, "batch_tokens": 1e40}, STEPS)
    assert_allclose(loss, (6.5e13 / 1e9) ** 0.077 + (2.1e3 / 1e5) ** 0.76, rtol=1e-12)


def test_kaplan_steps_solves_its_equation_at_any_batch() -> None:
    law = laws.get("kaplan-steps")
    batch = np.geomspace(1e2, 1e9, 29)
    loss = law.loss({"params": 1e8, "step": 1e4, "batch_tokens": batch}, STEPS)
    # Eq. 1.4 and 5.4, written out.
    least = 1e4 / (1 + 2.1e8 * loss ** (-1 / 0.21) / batch)
    assert_allclose(loss, (6.5e13 / 1e8) ** 0.077 + (2.1e3 / least) ** 0.76, rtol=1e-12)
    assert (np.diff(loss) < 0).all()


@pytest.mark.parametrize(("times", "excess"), [(0.6, 1.165), (2.2, 1.204)])
def test_compute_excess_of_a_size_that_is_not_optimal(times: float, excess: float) -> None:
    # Kaplan et al. 2020, Figure 12 and Appendix B.4: C_min = 6·N·B_crit(L)·S_min to one loss.
    law = laws.get("kaplan-steps")
    target = 2.6

    def compute(log_n: float) -> float:
        def miss(log_s: float) -> float:
            point = {"params": np.exp(log_n), "step": np.exp(log_s), "batch_tokens": 1e40}
            return float(law.loss(point, STEPS)) - target

        return float(np.exp(log_n + brentq(miss, -20, 60, xtol=1e-12)))

    grid = np.linspace(np.log((6.5e13) / target ** (1 / 0.077)) + 0.05, 24, 4001)
    costs = [compute(at) for at in grid]
    best = int(np.argmin(costs))
    assert_allclose(compute(grid[best] + np.log(times)) / costs[best], excess, atol=1.5e-3)


@pytest.mark.parametrize("symbol", list(ONE_FACTOR))
def test_no_break_is_a_power_law(symbol: str) -> None:
    column = ONE_FACTOR[symbol]
    plain, base = laws.broken(column, 0), laws.get(f"power-{symbol}-floor")
    x = {column: np.linspace(-6, 6, 25)}
    values = draw(base, 1)
    assert_allclose(plain.log_curve(x, values), base.log_curve(x, values), rtol=1e-14)
    # A break at which the exponent does not change is none.
    for breaks in (1, 3):
        law = laws.broken(column, breaks)
        even = medians(law) | values
        even |= {f"alpha_{symbol.upper()}_{i}": values[law.names[2]] for i in range(1, breaks + 1)}
        assert_allclose(law.log_curve(x, even), base.log_curve(x, values), rtol=1e-12)


def test_broken_power_law_is_that_of_its_paper() -> None:
    # Caballero et al. 2022, Eq. 1 with a, b, c_0 and (c_i, d_i, f_i), i = 1, 2.
    a, b, c0 = 0.4, 3.0, 0.1
    segments = [(0.3, 20.0, 0.4), (0.2, 900.0, 0.7)]
    x = np.geomspace(0.1, 1e6, 40)
    y = b * x**-c0
    for c, d, f in segments:
        y = y * (1 + (x / d) ** (1 / f)) ** (-c * f)
    values = {
        "floor": a,
        "B": b,
        "alpha_D": c0,
        "break_1": 20.0,
        "alpha_D_1": 0.4,
        "width_1": 0.4,
        "break_2": np.log(900.0 / 20.0),
        "alpha_D_2": 0.6,
        "width_2": 0.7,
    }
    assert_allclose(laws.get("broken-d-2").loss({"tokens": x}, values), a + y, rtol=1e-12)


def test_the_slope_of_a_segment_is_its_exponent() -> None:
    law = laws.broken("flops", 1)
    values = medians(law) | {"floor": 1e-30, "alpha_C": 0.1, "alpha_C_1": 0.4, "break_1": 1.0}
    for at, slope in ((-40.0, 0.1), (40.0, 0.4)):
        ends = law.log_curve({"flops": np.array([at, at + 1])}, values)
        assert_allclose(ends[0] - ends[1], slope, rtol=1e-9)


@pytest.mark.parametrize("symbol", list(ONE_FACTOR))
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_m4_and_its_closed_form_inverse(symbol: str, seed: int) -> None:
    law = laws.get(f"m4-{symbol}")
    values = draw(law, seed)
    column = ONE_FACTOR[symbol]
    at = np.linspace(-8, 8, 33)
    loss = np.exp(law.log_curve({column: at}, values))
    # A draw may reach floor or ceiling to the last digit and miss it by rounding.
    assert (loss >= values["floor"] * (1 - 1e-12)).all()
    assert (loss <= (values["floor"] + values["rise"]) * (1 + 1e-12)).all()
    # Where the loss has left floor and ceiling by more than rounding, x comes back.
    share = (loss - values["floor"]) / values["rise"]
    told = (share > 1e-6) & (share < 1 - 1e-6)
    assert_allclose(inverse(law, loss[told], values), at[told], atol=1e-6)


def test_m4_is_that_of_its_paper() -> None:
    # Alabdulmohsin et al. 2022, Eq. 2: (L - E) / (E_0 - L)^alpha = beta·x^c.
    law = laws.get("m4-d")
    values = {"floor": 0.5, "B": 2.0, "alpha_D": 0.3, "rise": 4.0, "saturation": 0.6}
    x = np.geomspace(1e-3, 1e6, 30)
    loss = law.loss({"tokens": x}, values)
    left = (loss - 0.5) / (4.5 - loss) ** 0.6
    assert_allclose(left, 2.0 * 4.0**-0.6 * x**-0.3, rtol=1e-9)


def test_m4_far_below_its_ceiling_is_a_power_law() -> None:
    values = {"floor": 0.5, "K": 1.0, "alpha_C": 0.3}
    x = {"flops": np.linspace(0, 20, 21)}
    high = laws.get("m4-c").log_curve(x, values | {"rise": 1e9, "saturation": 1.3})
    assert_allclose(high, laws.get("power-c-floor").log_curve(x, values), rtol=1e-8)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_farseer_limits_and_monotonicity(seed: int) -> None:
    law = laws.get("farseer")
    values = draw(law, seed)
    sizes = np.linspace(-4, 4, 17)
    endless = np.exp(law.log_curve({"params": sizes, "tokens": 1e9}, values))
    least = values["E"] * np.exp(-values["E_drop"] * np.expm1(values["E_power"] * sizes))
    assert_allclose(endless, least, rtol=1e-9)
    assert (np.diff(endless) < 0).all()
    # More tokens help at every size; more size does up to the tokens in the middle of the data.
    for tokens in (-4.0, -1.0, 0.0):
        assert (np.diff(law.log_curve({"params": sizes, "tokens": tokens}, values)) < 0).all()
    for size in sizes:
        along = law.log_curve({"params": size, "tokens": np.linspace(-5, 5, 21)}, values)
        assert (np.diff(along) <= 0).all()


def test_farseer_of_one_slope_is_the_additive_law_along_tokens() -> None:
    law = laws.get("farseer")
    values = medians(law) | {"E": 1.2, "B": 0.3, "alpha_D": 0.4}
    y = np.linspace(-3, 3, 13)
    additive = np.logaddexp(np.log(1.2), np.log(0.3) - 0.4 * y)
    assert_allclose(law.log_curve({"params": 0.0, "tokens": y}, values), additive, rtol=1e-13)


@pytest.mark.parametrize("base", ["chinchilla", "chinchilla-gamma", "kaplan", "data-constrained"])
def test_a_flat_shape_term_and_the_best_shape_are_the_law_itself(base: str) -> None:
    law, shaped = laws.get(base), laws.get(f"{base}+shape")
    rng = np.random.default_rng(3)
    x = {name: rng.normal(0, 2, 30) for name in law.inputs}
    aspect = rng.normal(0, 2, 30)
    values = draw(law, 5)
    expected = law.log_curve(x, values)
    flat = values | {"aspect": 2.0, "curvature": 0.0}
    assert_allclose(shaped.log_curve(x | {"aspect_ratio": aspect}, flat), expected, rtol=1e-13)
    bent = values | {"aspect": 2.0, "curvature": 0.7}
    best = x | {"aspect_ratio": np.log(2.0)}
    assert_allclose(shaped.log_curve(best, bent), expected, rtol=1e-13)
    assert (shaped.log_curve(x | {"aspect_ratio": aspect}, bent) > expected - 1e-12).all()


def test_depth_width_is_the_additive_law_with_a_shape() -> None:
    law = laws.get("depth-width")
    values = medians(law)
    x = {"params": 0.3, "tokens": -0.2, "aspect_ratio": 1.5}
    assert law.log_curve(x, values) == laws.get("chinchilla+shape").log_curve(x, values)


def test_gemstones_without_shape_is_the_additive_law() -> None:
    law, base = laws.get("gemstones"), laws.get("chinchilla")
    values = draw(base, 2)
    x = {"params": np.linspace(-3, 3, 7), "tokens": 0.5, "n_layer": -1.0, "d_model": 2.0}
    none = values | {"W": 1e-300, "L": 1e-300, "alpha_W": 0.4, "alpha_L": 0.4}
    assert_allclose(law.log_curve(x, none), base.log_curve(x, values), rtol=1e-14)


def test_laws_that_are_built_by_name_and_what_does_not_exist() -> None:
    assert laws.get("broken").name == "broken-c"
    assert laws.get("m4").name == "m4-c"
    assert laws.get("broken-n-3").names[-1] == "width_3"
    for bad in ("power-c+shape", "gemstones+shape", "depth-width+shape"):
        with pytest.raises(LawError, match="params"):
            laws.get(bad)
    with pytest.raises(LawError, match=r"99.*0 to 4"):
        laws.get("broken-n-99")
    with pytest.raises(LawError, match="'loss'"):
        laws.broken("loss")
    with pytest.raises(LawError, match=r"'none\+shape'"):
        laws.get("none+shape")
