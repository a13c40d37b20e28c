"""Which intervals are wide: the width against what ten times the compute gains."""

import json
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling import laws
from bayes_scaling.core.caveat import Caveat
from bayes_scaling.decisions import Scenario, allocate
from bayes_scaling.forecast.forecast_result import Forecast
from bayes_scaling.forecast.interval_width import TOLERABLE, width_caveats
from bayes_scaling.inference import Fit
from bayes_scaling.posterior import FamilyPosterior, family_posterior, log_inputs
from tests.conftest import TRUTH, codes

ROOT_TEN = math.sqrt(10.0)
NEAR = {"params": 1e9, "tokens": 2e10}
FAR = {"params": 1e11, "tokens": 2e12}
PRODUCT = {"L0": 40.0, "alpha_N": 0.05, "alpha_D": 0.06, "alpha_C": 0.01}
GAIN = (0.5 * 0.05 + 0.5 * 0.06 + 0.01) * math.log(10.0)


def wide(result: object) -> list[Caveat]:
    return [c for c in result.caveats if c.code == "wide-interval"]  # type: ignore[attr-defined]


def logs(forecast: Forecast, kind: str) -> np.ndarray:
    return np.log(forecast.draws[f"loss_{kind}"].transpose("point", "chain", "draw").to_numpy())


@pytest.fixture(scope="module")
def doubtful(make_fit: Callable[..., Fit]) -> Fit:
    return make_fit(width=0.05)


@pytest.fixture(scope="module")
def certain(make_fit: Callable[..., Fit]) -> FamilyPosterior:
    """A family of which the gain is known in closed form: ``GAIN`` everywhere."""
    fit = make_fit("product", PRODUCT, noise="normal", width=0.0)
    return family_posterior(fit, "web", 0)


def of_widths(
    family: FamilyPosterior, widths: list[float], share: float = 0.0
) -> tuple[Caveat, ...]:
    """Caveats on points of these widths, with this share of the curve in their variance."""
    points = pd.DataFrame(
        {**NEAR, "flops": 6.0 * NEAR["params"] * NEAR["tokens"]}, range(len(widths))
    )
    x = log_inputs(family.spec.law, points)
    unit = np.linspace(-0.5, 0.5, family.size) / 0.9
    spread = np.array(widths)[:, None] * unit
    middle = family.curve(x)
    return tuple(width_caveats(family, points, middle + math.sqrt(share) * spread, middle + spread))


@pytest.mark.parametrize("family", ["web", "never seen"])
def test_the_numbers_are_those_of_the_draws(doubtful: Fit, family: str) -> None:
    forecast = doubtful.predict(**FAR, family=family)
    (caveat,) = wide(forecast)
    larger = {name: value * ROOT_TEN for name, value in FAR.items()}
    curve, run = (logs(forecast, kind)[0] for kind in ("curve", "run"))
    more = logs(doubtful.predict(**larger, family=family), "curve")[0]
    low, high = np.quantile(run, [0.05, 0.95])
    data = caveat.data
    assert data["width"] == pytest.approx(high - low, rel=1e-9)
    assert data["gain"] == pytest.approx(np.median(curve - more), rel=1e-9)
    assert data["width"] > data["gain"] > 0
    assert data["factor"] == pytest.approx(10 ** (data["width"] / data["gain"]), rel=1e-9)
    assert data["share_of_curve"] == pytest.approx(min(curve.var() / run.var(), 1.0), rel=1e-9)
    assert (data["points"], data["of"]) == (1, 1)
    assert {name: data[name] for name in FAR} == FAR
    assert caveat.subject == family


def test_a_well_measured_family_is_not_wide(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit(width=0.002)
    assert not wide(fit.predict(**NEAR, family="web"))
    assert not wide(allocate(fit, Scenario(compute_budget=1e20, family="web")))


def test_a_plan_is_called_wide_as_its_forecast_is(doubtful: Fit) -> None:
    plan = allocate(doubtful, Scenario(compute_budget=1e24, family="web"))
    where = {name: getattr(plan.recommended, name) for name in NEAR}
    assert wide(plan) == wide(doubtful.predict(**where, family="web"))
    assert "wide-interval" in codes(plan)


def test_each_family_has_one_caveat_by_its_worst_point(doubtful: Fit) -> None:
    scale = np.array([1e-1, 1e2, 1e3])
    sizes = {name: [*(value * scale), FAR[name]] for name, value in NEAR.items()}
    found = wide(doubtful.predict(**sizes, family=["web", "web", "web", "code"]))
    assert [(c.subject, c.data["points"], c.data["of"]) for c in found] == [
        ("web", 2, 3),
        ("code", 1, 1),
    ]
    assert found[0].data["params"] == pytest.approx(1e12)
    alone = wide(doubtful.predict(params=1e12, tokens=2e13, family="web"))
    # The points are different runs of the same curve.
    assert found[0].data["gain"] == pytest.approx(alone[0].data["gain"])


def test_an_interval_is_wide_where_ten_times_the_compute_gains_less(
    certain: FamilyPosterior,
) -> None:
    assert of_widths(certain, [0.99 * GAIN]) == ()
    (caveat,) = of_widths(certain, [0.5 * GAIN, 1.2 * GAIN, 1.1 * GAIN], share=0.3)
    data = caveat.data
    assert (data["points"], data["of"]) == (2, 3)
    for name, value in {"width": 1.2 * GAIN, "gain": GAIN, "factor": 10**1.2}.items():
        assert data[name] == pytest.approx(value, rel=1e-9)
    assert data["share_of_curve"] == pytest.approx(0.3)


@pytest.mark.parametrize(("factor", "severity"), [(0.99, "note"), (1.01, "warning")])
def test_a_wider_one_is_a_warning(certain: FamilyPosterior, factor: float, severity: str) -> None:
    (caveat,) = of_widths(certain, [math.log10(factor * TOLERABLE) * GAIN])
    assert caveat.severity == severity


@pytest.mark.parametrize("sign", [0.0, -1.0])
def test_where_compute_gains_nothing_no_factor_is_stated(
    certain: FamilyPosterior, sign: float
) -> None:
    exponents = {name: sign * certain.values[name] for name in certain.values if name != "L0"}
    flat = replace(certain, values={**certain.values, **exponents})
    (caveat,) = of_widths(flat, [0.01, 0.02])
    assert (caveat.severity, caveat.data["factor"]) == ("warning", None)
    assert caveat.data["gain"] == pytest.approx(sign * GAIN)
    assert caveat.data["width"] == pytest.approx(0.02)
    # An interval without width is not wide.
    assert of_widths(flat, [0.0]) == ()
    text = json.dumps(caveat.to_dict(), allow_nan=False)
    assert Caveat.from_dict(json.loads(text)) == caveat


def test_a_factor_that_is_no_number_is_not_stated(certain: FamilyPosterior) -> None:
    (caveat,) = of_widths(certain, [400.0 * GAIN])
    assert caveat.data["factor"] is None
    assert json.dumps(caveat.to_dict(), allow_nan=False)


def test_more_compute_is_in_params_and_tokens_alike(make_fit: Callable[..., Fit]) -> None:
    for law in ("chinchilla", "kaplan-steps", "data-constrained", "depth-width"):
        truth = {p.name: TRUTH.get(p.name, p.prior.median) for p in laws.get(law).parameters}
        family = family_posterior(make_fit(law, truth), "web", 0)
        size, data = np.log([[1e9]]), np.log([[2e10]])
        larger = family.enlarged(family.at(size, data), 2.0)
        for name, value in family.at(size + 1.0, data + 1.0).items():
            assert_allclose(larger[name], value, rtol=1e-12, err_msg=f"{law}: {name}")


def test_repeats_stay_as_often(make_fit: Callable[..., Fit]) -> None:
    law = "data-constrained"
    truth = {p.name: TRUTH.get(p.name, p.prior.median) for p in laws.get(law).parameters}
    family = family_posterior(make_fit(law, truth), "web", 0)
    x = family.at(np.log([[1e9]]), np.log([[2e10]]), np.log([[5e9]]))
    larger = family.enlarged(x, math.log(10.0))
    assert_allclose(larger["tokens"] - larger["unique_tokens"], math.log(4.0), rtol=1e-12)
    assert_allclose(larger["flops"] - x["flops"], math.log(10.0), rtol=1e-12)
