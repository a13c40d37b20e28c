"""The content of reports: schema, honesty, agreement with the fit."""

import json
import math
import re

import numpy as np
import pytest

from bayes_scaling.decisions import Scenario, allocate
from bayes_scaling.errors import ScenarioError
from bayes_scaling.plots import forecast_data
from bayes_scaling.report import report_content
from bayes_scaling.report.content_records import HeldOut, ReportContent
from tests.report.conftest import TRUTH

KEYS = {
    "schema",
    "title",
    "loss_unit",
    "verdict",
    "headlines",
    "changes",
    "forecasts",
    "held_out",
    "plans",
    "others",
    "data",
    "law",
    "priors",
    "prior_contribution",
    "parameters",
    "diagnostics",
    "provenance",
}


def codes(found):
    return [one.code for one in found]


def numbers(text):
    return [int(word) for word in re.findall(r"\b\d+\b", text)]


@pytest.fixture(scope="module")
def content(fit, plan):
    return report_content(fit, [plan])


def test_a_family_that_was_forecast_badly_is_named(make_fit):
    fit = make_fit(width=0.0005)
    content = report_content(fit)
    rows = [row for row in content.held_out.runs if row.family == "web"]
    inside = sum(row.inside_90 for row in rows)
    assert content.headlines[0].family == "web"
    assert inside < 0.8 * len(rows)
    assert f"({inside} of {len(rows)} of 'web')" in content.verdict.sentence
    reason = next(r for r in content.verdict.reasons if (r.code, r.subject) == ("held-out", "web"))
    assert reason.status == "warn"
    assert numbers(reason.text)[:2] == [inside, len(rows)]


def test_a_failed_fit_ranks_no_next_run(failed):
    plan = allocate(failed, Scenario(compute_budget=1e22, family="web"))
    assert report_content(failed, [plan]).others.next_runs == []


def test_schema_and_json_without_nan(content):
    plain = content.to_dict()
    assert set(plain) == KEYS
    assert plain["schema"] == "bayes_scaling.report/2"
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert ReportContent.from_dict(plain).to_dict() == plain


def test_nan_and_infinity_become_null(make_fit):
    content = report_content(make_fit(("web",), lose=True))
    run = content.held_out.runs[0]
    assert run.observed is None
    assert run.inside_90 is None
    assert content.held_out.known == 2
    json.dumps(content.to_dict(), allow_nan=False)


def test_plan_is_on_the_first_screen(content, plan):
    head = content.headlines[0]
    assert head.kind == "plan"
    assert len(head.sentences) == 2
    assert head.loss == plan.loss
    assert head.probability_of_target == plan.probability_of_target
    assert "extrapolation" in codes(head.tags)
    assert content.verdict.status == "warn"


def test_without_plan_the_headline_is_a_forecast(fit):
    content = report_content(fit)
    head = content.headlines[0]
    row = next(r for r in content.forecasts if r.multiple == 10 and r.family == head.family)
    assert head.kind == "forecast"
    assert head.loss.q50 == row.q50
    assert head.target_loss is None
    assert len(head.sentences) == 2


def test_forecasts_are_those_of_the_fit(fit, content):
    row = next(r for r in content.forecasts if r.family == "code" and r.multiple == 4)
    again = fit.predict(params=row.params, tokens=row.tokens, family="code")
    assert row.extrapolation == pytest.approx(math.log10(4), abs=1e-9)
    assert row.flops == pytest.approx(6 * row.params * row.tokens)
    assert row.q50 == pytest.approx(float(again.loss_run.median()), rel=2e-3)


def test_the_frontier_has_the_lowest_loss(fit):
    from bayes_scaling.plots.forecast_path import frontier

    path = frontier(fit, "web", [1e22])
    assert path.kind == "compute-optimal"
    at = path.params * np.array([0.7, 1.0, 1.4])
    losses = fit.predict(params=at, tokens=1e22 / 6 / at, family="web").loss_curve
    assert int(losses.mean(("chain", "draw")).argmin("point")) == 1


def test_a_law_without_optimum_keeps_the_middle_ratio(make_fit):
    fit = make_fit(("web",), law="product", targets=0)
    table = forecast_data(fit, "web", [1e20, 1e22])
    ratio = table["tokens"] / table["params"]
    runs = fit.runs
    middle = float(np.exp(np.log(runs["tokens"] / runs["params"]).mean()))
    np.testing.assert_allclose(ratio, middle)
    content = report_content(fit)
    assert {row.path for row in content.forecasts} == {"fixed ratio"}
    assert content.held_out == HeldOut(runs=[], known=0, inside_50=None, inside_90=None, bias=None)


def test_raw_coefficients_are_the_published_ones(content):
    found = {(p.name, p.family): p for p in content.parameters}
    truth = TRUTH["chinchilla"]
    assert found["A", "web"].raw.q50 == pytest.approx(truth["A"], rel=0.01)
    assert found["B", "code"].raw.q50 == pytest.approx(truth["B"], rel=0.01)
    assert found["alpha_N", "web"].raw is None
    assert found["alpha_N", "web"].q50 == pytest.approx(truth["alpha_N"], rel=0.01)
    assert found["alpha_N", "web"].prior.sd > 10 * found["alpha_N", "web"].sd
    assert found["alpha_C", "web"].meaning
    assert found["nu", None].unit == "1"


def test_held_out_runs_are_scored(fit, content):
    held_out = content.held_out
    assert len(held_out.runs) == held_out.known == 6
    for row in held_out.runs:
        assert row.inside_90 == (row.q05 <= row.observed <= row.q95)
    assert held_out.inside_90 == sum(row.inside_90 for row in held_out.runs)
    assert abs(held_out.bias) < 0.02


def test_a_failed_fit_is_refused_in_words(failed):
    content = report_content(failed)
    assert content.diagnostics.status == "fail"
    assert content.verdict.status == "fail"
    check = next(c for c in content.diagnostics.checks if c.status == "fail")
    assert check.name in codes(content.verdict.reasons)
    assert check.message in content.headlines[0].sentences[0]
    assert codes(content.headlines[0].tags)[0] == "failed-fit"
    assert all(codes(row.tags)[0] == "failed-fit" for row in content.forecasts)


def test_prior_led_parameters_are_named(make_fit):
    content = report_content(make_fit(("web",), width=0.5))
    rows = content.diagnostics.parameter_checks
    led = {r.parameter for r in rows if r.source != "data"}
    assert "floor[web]" in led
    item = next(item for item in content.changes if item.about == "prior")
    assert set(item.values["prior_sensitivity"]) <= led
    assert "prior-led" in codes(content.forecasts[0].tags)


def test_few_runs_and_extrapolation_are_reported(make_fit):
    content = report_content(make_fit(("web",), runs=9))
    about = {item.about: item for item in content.changes}
    assert about["families"].values["runs"] == {"web": 9}
    assert about["extrapolation"].values["decades"] == pytest.approx(1.0, abs=1e-6)
    few = next(r for r in content.verdict.reasons if r.code == "few-runs")
    assert few.subject == "web"
    assert numbers(few.text) == [9]


def test_changes_of_a_plan_are_computed(content, plan):
    about = {item.about: item for item in content.changes}
    low, high = about["size"].values["params"]
    assert (low, high) == plan.near_optimal.params
    assert about["size"].values["cost_of_half_size"] == plan.near_optimal.half_size
    assert 0 <= about["size"].values["cost_of_half_size"] < 0.1
    half, double = about["budget"].values["half"], about["budget"].values["double"]
    assert half > plan.loss.mean > double
    rows = {row.factor: row for row in content.plans[0].other_budgets}
    assert rows[0.25].probability_of_target <= rows[4.0].probability_of_target


def test_a_plan_of_an_unseen_family_is_reported(fit):
    from bayes_scaling.decisions import Risk, Scenario, allocate

    plan = allocate(fit, Scenario(compute_budget=1e22, risk=Risk("mean"), family="new"))
    content = report_content(fit, [plan])
    assert "unseen-family" in codes(content.headlines[0].tags)
    assert "new" in {r.subject for r in content.verdict.reasons if r.code == "unseen-family"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": "other/1"}, "'other/1'"),
        ({"loss": None}, "loss"),
        ({"law": "product"}, "'product'"),
        ({"family": "elsewhere"}, "'elsewhere'"),
        ({"runs_hash": "0" * 64}, "0" * 12),
    ],
)
def test_a_plan_of_another_fit_is_refused(fit, plan, change, words):
    with pytest.raises(ScenarioError, match=words):
        report_content(fit, [plan.to_dict() | change])
