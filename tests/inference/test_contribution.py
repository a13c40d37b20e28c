"""What a learned prior contributed: the runs beside it, at the same reference point."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.inference import Fit
from bayes_scaling.inference.diagnostics.prior_contribution import weak_fits, weak_forecasts
from bayes_scaling.model import Population, population
from bayes_scaling.report import report_content
from tests.conftest import TRUTH

GAMMA = TRUTH | {"gamma": 1.0}
LEARNED = population("chinchilla-gamma")


@pytest.fixture(scope="module")
def learned(make_fit: Callable[..., Fit]) -> Fit:
    return make_fit("chinchilla-gamma", GAMMA, prior="population")


def test_the_runs_say_what_they_were_simulated_with(learned: Fit) -> None:
    # Draws of this fit scatter about the truth, so runs and posterior must agree, amplitudes
    # too: those are at the fit's reference point, and each family was fitted at its own.
    table = learned.prior_contribution().set_index(["family", "name"])
    assert set(table.index.get_level_values("name")) == set(learned.default_law.names)
    assert (table["moved"].abs() < 2.6).all()
    amplitudes = table.loc[(slice(None), ["A", "B"]), :]
    assert_allclose(amplitudes["runs_q50"], amplitudes["posterior_q50"], rtol=0.2)
    assert (table["prior_q95"] / table["prior_q05"] > table["posterior_q95"]).all()


def test_weak_forecasts_follow_the_curve_inside_the_data(learned: Fit) -> None:
    points = learned.runs[["family", "params", "tokens", "flops"]]
    found = weak_forecasts(weak_fits(learned), points)
    assert found.index.equals(points.index)
    assert_allclose(found["q50"], learned.runs["loss"], rtol=0.03)
    inside = (found["q05"] < learned.runs["loss"]) & (learned.runs["loss"] < found["q95"])
    assert 0.8 <= inside.mean() <= 1


def test_a_report_says_where_the_prior_decides(make_fit: Callable[..., Fit]) -> None:
    assert LEARNED is not None
    # Draws twice as high as the runs: what a prior far off would do to a family of few runs.
    stretched = make_fit("chinchilla-gamma", GAMMA, prior=LEARNED)
    posterior = stretched.dt["posterior"].to_dataset()
    doubled = posterior.assign({n: 2 * posterior[n] for n in ("floor", "A", "B")})
    tree = stretched.dt.copy()
    tree["posterior"] = doubled
    content = report_content(Fit(tree))
    known = content.prior_contribution
    assert all(row.outside for row in known.forecasts)
    items = [item for item in content.changes if item.about == "prior" and "weak" in item.values]
    assert len(items) == 2
    first = known.forecasts[0]
    assert items[0].values["weak"] == first.weak_q50
    assert first.q50 > 1.5 * first.weak_q50


def test_a_law_that_reads_more_than_sizes_is_reported_too(make_fit: Callable[..., Fit]) -> None:
    assert LEARNED is not None
    own = Population("depth-width", {}, LEARNED.discrepancy, ("mine",))
    truth = TRUTH | {"aspect": 64.0, "curvature": 0.3}
    known = report_content(make_fit("depth-width", truth, prior=own)).prior_contribution
    assert known.forecasts == []
    assert {row.name for row in known.parameters} >= {"aspect", "floor"}


def test_weak_priors_contribute_nothing_to_tell(two_families: Fit) -> None:
    assert report_content(two_families).prior_contribution is None


def test_a_population_of_ones_own_is_reported_too(make_fit: Callable[..., Fit]) -> None:
    assert LEARNED is not None
    own = Population(LEARNED.law, LEARNED.priors, LEARNED.discrepancy, ("mine",))
    content = report_content(make_fit("chinchilla-gamma", GAMMA, prior=own))
    assert content.prior_contribution.source == "own"
    values = [row.runs_q50 for row in content.prior_contribution.parameters]
    assert np.isfinite(values).all()
