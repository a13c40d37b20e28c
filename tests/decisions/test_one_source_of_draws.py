"""A plan and a forecast of the same point, family and seed have the same draws."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.decisions import Alternative, Scenario, allocate
from bayes_scaling.forecast import score
from bayes_scaling.inference import Fit

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@pytest.mark.parametrize("prior", ["weak", "population"])
@pytest.mark.parametrize("family", ["web", "never seen"])
@pytest.mark.parametrize("seed", [0, 7])
def test_a_plan_is_forecast_as_any_other_point(
    make_fit: Callable[..., Fit], prior: str, family: str, seed: int
) -> None:
    fit = make_fit(prior=prior)
    scenario = Scenario(
        compute_budget=1e23, family=family, alternatives=(Alternative("other", 1e9, 1e12),)
    )
    plan = allocate(fit, scenario, seed=seed)
    other = plan.alternative_outcomes[0]
    for point, said in ((plan.recommended, plan.loss), (other, other.loss)):
        where = {name: getattr(point, name) for name in ("params", "tokens")}
        forecast = fit.predict(**where, family=family, seed=seed)
        draws = forecast.loss_run.to_numpy().ravel()
        assert_allclose(said.mean, draws.mean(), rtol=1e-12)
        for level in QUANTILES:
            found = getattr(said, f"q{round(100 * level):02d}")
            assert_allclose(found, np.quantile(draws, level), rtol=1e-12)
    assert plan.loss != allocate(fit, scenario, seed=seed + 1).loss


def test_what_else_is_forecast_does_not_matter(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit(prior="population")
    alone = fit.predict(params=1e10, tokens=1e12, family="code", seed=3).loss_run
    table = {"params": [1e9, 1e10, 1e10], "tokens": 1e12, "family": ["web", "code", "code"]}
    among = fit.predict(**table, seed=3).loss_run
    assert_allclose(among.isel(point=1), alone.isel(point=0), rtol=1e-12)
    # Another run of the same point is another run.
    second = among.isel(point=2)
    assert np.corrcoef(np.log(second.values.ravel()), np.log(alone.values.ravel()))[0, 1] < 0.99


def test_the_seed_of_a_score_is_that_of_its_log_score(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit(prior="population")
    far = fit.predict(params=1e11, tokens=1e13, family="web").loss_run
    rows = fit.runs[fit.runs["family"] == "web"].head(3)
    rows = rows.assign(params=1e11, tokens=1e13, loss=float(far.median()), flops=6e24)
    rows = rows[["family", "run", "params", "tokens", "flops", "loss"]]
    first, again, other = (score(fit, rows, seed=seed)["log_score"] for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).all()
    # Both are Monte Carlo estimates of one density.
    assert_allclose(first, other, atol=0.5)
