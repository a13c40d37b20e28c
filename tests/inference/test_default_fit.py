"""Defaults: the law, the population prior, and a forecast that allows for the law's error."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_scaling import laws
from bayes_scaling.cli.options import LAW
from bayes_scaling.decisions import Scenario, allocate
from bayes_scaling.forecast import predict
from bayes_scaling.forecast.evaluation.outcomes import log_score
from bayes_scaling.inference import Fit
from bayes_scaling.model import Discrepancy, Population
from bayes_scaling.posterior import family_posterior

KNOWN = Discrepancy(level=0.02, noise_power=0.0, power=0.8, shared=0.6, spread=0.3)


@pytest.fixture(scope="module")
def pair(make_fit: Callable[..., Fit]) -> tuple[Fit, Fit]:
    """The same draws without and with an error of the law."""
    own = Population("chinchilla", {}, KNOWN, ("elsewhere",))
    return make_fit(width=0.001), make_fit(width=0.001, prior=own)


def test_the_command_line_fits_the_same_law_by_default() -> None:
    assert laws.DEFAULT == LAW


def test_the_error_is_nothing_among_the_runs_and_grows_beyond(pair: tuple[Fit, Fit]) -> None:
    weak, allowed = pair
    row = weak.runs[weak.runs["family"] == "web"].iloc[0]
    top = weak.runs.groupby("family")[["params", "tokens"]].max().loc["web"]
    far = [1.0, 3.0, 10.0, 100.0]
    where = {
        "params": [row["params"], *(top["params"] * f for f in far)],
        "tokens": [row["tokens"], *(top["tokens"] * f for f in far)],
        "family": "web",
    }
    sds = [
        np.log(predict(fit, **where).loss_run).std(("chain", "draw")).to_numpy()
        for fit in (weak, allowed)
    ]
    assert_allclose(sds[0][0], sds[1][0], rtol=0.2)
    assert (np.diff(sds[1][1:]) > 0).all()
    assert sds[1][-1] > 5 * sds[0][-1]
    # The curve itself, and the floor, are what they were.
    for kind in ("loss_curve", "loss_floor"):
        both = [getattr(predict(fit, **where), kind).mean() for fit in (weak, allowed)]
        assert_allclose(both[0], both[1], rtol=1e-3)


def test_runs_of_a_family_have_correlated_errors(pair: tuple[Fit, Fit]) -> None:
    _, allowed = pair
    forecast = predict(allowed, params=[1e12, 2e12], tokens=[1e14, 2e14], family="web")
    other = predict(allowed, params=1e12, tokens=1e14, family="code")
    logs = np.log(forecast.loss_run / forecast.loss_curve)
    first, second = (logs.isel(point=i).to_numpy().ravel() for i in range(2))
    stranger = np.log(other.loss_run / other.loss_curve).to_numpy().ravel()
    assert_allclose(np.corrcoef(first, second)[0, 1], KNOWN.shared, atol=0.12)
    assert abs(np.corrcoef(first, stranger)[0, 1]) < 0.15


def test_an_unseen_family_has_an_error_from_the_population(pair: tuple[Fit, Fit]) -> None:
    _, allowed = pair
    error = family_posterior(allowed, "never seen", 0).discrepancy
    assert error is not None
    assert_allclose(np.log(error.scale).mean(), np.log(KNOWN.level), atol=0.1)
    assert_allclose(np.log(error.scale).std(), KNOWN.spread, atol=0.05)
    again = family_posterior(allowed, "never seen", 0).discrepancy
    assert again is not None
    assert (again.common == error.common).all()


def test_scores_and_plans_allow_for_it(pair: tuple[Fit, Fit]) -> None:
    weak, allowed = pair
    rows = weak.runs[weak.runs["family"] == "web"].copy()
    far = rows.assign(params=rows["params"] * 1e3, tokens=rows["tokens"] * 1e3)
    far["flops"] = 6 * far["params"] * far["tokens"]
    known = predict(weak, far[["params", "tokens", "flops", "family"]].reset_index(drop=True))
    # Runs 5% off the curve are a surprise to the one and none to the other.
    far["loss"] = known.loss_curve.median(("chain", "draw")).to_numpy() * 1.05
    assert (log_score(allowed, far) > log_score(weak, far) + 2).all()
    plans = [allocate(fit, Scenario(compute_budget=1e25, family="web")) for fit in pair]
    widths = [plan.loss.q95 - plan.loss.q05 for plan in plans]
    assert widths[1] > 2 * widths[0]
    far = [next(c for c in plan.caveats if c.code == "extrapolation") for plan in plans]
    assert [c.data["allows_for_law_error"] for c in far] == [False, True]


def test_the_scale_stands_in_the_results(pair: tuple[Fit, Fit]) -> None:
    weak, allowed = pair
    assert "discrepancy" not in weak.posterior
    summary = allowed.summary()
    assert_allclose(summary.loc["discrepancy[web]", "median"], KNOWN.level, rtol=0.1)
    assert summary.loc["discrepancy[web]", "source"] == "mostly prior"
