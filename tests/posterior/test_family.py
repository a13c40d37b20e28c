"""One posterior of a family: plans, forecasts and scores are its curve, its runs, its density."""

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from bayes_scaling import laws
from bayes_scaling.core.draw_summary import NAMES, QUANTILES, describe, quantile_name, summarise
from bayes_scaling.decisions import Alternative, Limits, Risk, Scenario, allocate
from bayes_scaling.errors import FitError
from bayes_scaling.forecast import score
from bayes_scaling.inference import Fit
from bayes_scaling.posterior import FamilyPosterior, family_posterior
from tests.conftest import TRUTH

LAST_DIGIT = 1e-15
"""Sizes come from their logs and go back to them, and NumPy's exp of one number and of many differ
in the last bit on some processors: two units in the last place of the loss."""
FAR = np.log([1e12]), np.log([1e14])


@pytest.fixture(scope="module")
def fits(make_fit: Callable[..., Fit]) -> dict[tuple[str, str], Fit]:
    ways = itertools.product(("weak", "population"), ("student-t", "normal"))
    return {(prior, noise): make_fit(prior=prior, noise=noise) for prior, noise in ways}


@pytest.mark.parametrize("noise", ["student-t", "normal"])
@pytest.mark.parametrize("prior", ["weak", "population"])
@pytest.mark.parametrize("family", ["web", "never seen"])
@pytest.mark.parametrize("risk", [Risk("mean"), Risk("regret")], ids=lambda risk: risk.measure)
def test_a_plan_is_forecast_at_its_own_point_to_the_last_digit(
    fits: dict[tuple[str, str], Fit], prior: str, noise: str, family: str, risk: Risk
) -> None:
    fit = fits[prior, noise]
    scenario = Scenario(
        compute_budget=1e23,
        risk=risk,
        family=family,
        alternatives=(Alternative("other", 1e9, 1e12),),
    )
    plan = allocate(fit, scenario, seed=4)
    other = plan.alternative_outcomes[0]
    for point, loss in ((plan.recommended, plan.loss), (other, other.loss)):
        where = {name: getattr(point, name) for name in ("params", "tokens")}
        forecast = fit.predict(**where, family=family, seed=4)
        row = forecast.to_frame(quantiles=QUANTILES).iloc[0]
        for name in ("mean", *NAMES):
            assert_allclose(getattr(loss, name), row[name], rtol=LAST_DIGIT)
        assert_allclose(loss.sd, row["sd"], rtol=1e-12)  # a difference of the same losses


@pytest.mark.parametrize(
    ("law", "inputs", "limits"),
    [
        ("data-constrained", ["unique_tokens"], Limits(max_unique_tokens=1e11, max_epochs=8)),
        ("chinchilla+shape", ["n_layer", "d_model"], Limits()),
    ],
)
def test_so_is_a_plan_of_a_law_that_reads_more(
    make_fit: Callable[..., Fit], law: str, inputs: list[str], limits: Limits
) -> None:
    fit = make_fit(law, _truth(law))
    plan = allocate(fit, Scenario(compute_budget=1e23, family="web", limits=limits), seed=1)
    where = {name: getattr(plan.recommended, name) for name in ("params", "tokens", *inputs)}
    losses = fit.predict(**where, family="web", seed=1).loss_run
    assert_allclose(plan.loss.mean, losses.mean(), rtol=3 * LAST_DIGIT)


def _truth(law: str) -> dict[str, float]:
    return {p.name: TRUTH.get(p.name, p.prior.median) for p in laws.get(law).parameters}


def test_a_forecast_is_of_the_runs_in_turn(fits: dict[tuple[str, str], Fit]) -> None:
    fit = fits["population", "student-t"]
    web = family_posterior(fit, "web", 2)
    table = {"params": [1e12, 1e9, 1e12], "tokens": [1e14, 1e11, 1e14]}
    forecast = fit.predict(**table, family=["web", "code", "web"], seed=2)
    x = web.at(*FAR)
    for point, run in ((0, 0), (2, 1)):
        drawn = forecast.draws.isel(point=point)
        assert_allclose(drawn["loss_curve"].values.ravel(), np.exp(web.curve(x)), rtol=1e-14)
        assert_allclose(drawn["loss_run"].values.ravel(), np.exp(web.run(x, run)), rtol=1e-14)
    # Runs of a family share a part of the discrepancy and no noise.
    first, second = web.deviation(x, range(2))
    assert_array_equal(first, web.deviation(x)[None][0])
    assert 0.1 < np.corrcoef(first, second)[0, 1] < 0.99


@pytest.mark.parametrize("noise", ["student-t", "normal"])
def test_the_density_is_that_of_the_runs(fits: dict[tuple[str, str], Fit], noise: str) -> None:
    web = family_posterior(fits["weak", noise], "web", 0)
    x = web.at(*FAR)
    runs = web.run(x, range(50)).ravel()
    grid = np.linspace(runs.min() - 0.5, runs.max() + 0.5, 4001)
    density = np.exp(web.log_density(x, grid[:, None])).mean(axis=1)
    assert_allclose(np.trapezoid(density, grid), 1.0, atol=2e-3)
    below = np.cumsum(density) * (grid[1] - grid[0])
    assert_allclose(np.interp(np.quantile(runs, [0.1, 0.5, 0.9]), grid, below), [0.1, 0.5, 0.9],
                    atol=0.02)  # fmt: skip
    wide = web.log_density(x, grid[:, None], 0.05)
    assert wide.max() < web.log_density(x, grid[:, None]).max()


def test_the_moments_are_those_of_runs_beyond_what_they_share(
    fits: dict[tuple[str, str], Fit],
) -> None:
    web = family_posterior(fits["population", "normal"], "web", 0).thinned(40)
    x = web.at(*FAR)
    mean, sd = web.moments(x)
    runs = web.run(x, range(4000))
    assert_allclose(runs.mean(axis=0), mean, atol=5 * sd.max() / np.sqrt(4000))
    assert_allclose(runs.std(axis=0), sd, rtol=0.06)
    assert (sd > web.sigma).all()


def test_thinned_draws_are_some_of_the_draws(fits: dict[tuple[str, str], Fit]) -> None:
    for fit in fits.values():
        new = family_posterior(fit, "never seen", 0)
        few, x = new.thinned(2).thinned(3), new.at(*FAR)
        for run in (0, 3):
            assert_array_equal(few.run(x, run), new.run(x, run)[::6])
            assert_array_equal(
                few.log_density(x, np.zeros(1), run=run),
                new.log_density(x, np.zeros(1), run=run)[::6],
            )
        assert_array_equal(few.moments(x)[0], new.moments(x)[0][::6])
        assert few.size == -(-new.size // 6)


def test_what_is_not_stated_is_best_or_typical(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit("chinchilla+shape", _truth("chinchilla+shape"))
    web = family_posterior(fit, "web", 0)
    x = web.at(*FAR)
    best = web.spec.law.best["aspect_ratio"](web.values) + web.frame.reference["aspect_ratio"]
    for stated in (best, np.array([np.nan])):
        assert_allclose(web.curve(x | {"aspect_ratio": stated}), web.curve(x), rtol=1e-14)
    worse = web.curve(web.at(*FAR, log_aspect=best + 2.0))
    assert (worse > web.curve(x)).all()


def test_a_log_score_is_the_mean_density_over_draws(fits: dict[tuple[str, str], Fit]) -> None:
    fit = fits["population", "student-t"]
    rows = fit.runs[fit.runs["family"] == "web"].head(3)
    rows = rows.assign(params=1e12, tokens=1e14, flops=6e26, loss=1.85)
    rows = rows[["family", "run", "params", "tokens", "flops", "loss"]]
    web = family_posterior(fit, "web", 9)
    x = web.at(*FAR)
    for run, found in enumerate(score(fit, rows, seed=9)["log_score"]):
        density = np.exp(web.log_density(x, np.log([1.85]), run=run))
        assert_allclose(found, np.log(density.mean() / 1.85), rtol=1e-12)


def test_a_bad_seed_is_refused_before_anything_is_drawn(two_families: Fit) -> None:
    with pytest.raises(FitError, match="seed"):
        family_posterior(two_families, "web", -1)


def test_another_scale_of_noise_is_another_noise(two_families: Fit) -> None:
    web = family_posterior(two_families, "web", 0)
    calm: FamilyPosterior = replace(web, sigma=0.5 * web.sigma)
    assert_allclose(calm.noise, 0.5 * web.noise)


@pytest.mark.parametrize(
    ("level", "name"), [(0.025, "q02.5"), (0.05, "q05"), (0.5, "q50"), (0.975, "q97.5")]
)
def test_one_name_of_a_quantile(two_families: Fit, level: float, name: str) -> None:
    assert quantile_name(level) == name
    assert name in two_families.predict(params=1e9, tokens=1e10, family="web").to_frame(
        quantiles=[level]
    )
    if level != 0.5:
        assert name in two_families.summary(ci_prob=abs(1 - 2 * level))


def test_a_summary_of_many_is_that_of_each() -> None:
    draws = np.random.default_rng(0).normal(size=(3, 500))
    many = pd.DataFrame(summarise(draws))
    for place, row in many.iterrows():
        assert row.to_dict() == describe(draws[place])
    # Another layout in memory is the same numbers.
    assert_array_equal(summarise(np.asfortranarray(draws))["mean"], many["mean"])
    assert describe([2.5])["sd"] == 0.0
