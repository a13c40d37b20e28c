"""Results beside the plans in a report: frontiers, backtests, comparisons, running curves."""

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from numpy.testing import assert_allclose

from bayes_scaling.core.record_tables import to_rows
from bayes_scaling.curves import Curve, monitor
from bayes_scaling.decisions import Scenario, allocate, budget_frontier, marginal, next_runs
from bayes_scaling.errors import FileError, ScenarioError
from bayes_scaling.forecast import backtest
from bayes_scaling.forecast.evaluation.backtest_result import FamilyScores
from bayes_scaling.inference import Procedure
from bayes_scaling.report import load_result, plot_curve, report_content, write_report
from bayes_scaling.report.sections.other_results import at_distance, covered, sentences

WANTED = Scenario(compute_budget=1e23, family="web", target_loss=2.05)


@pytest.fixture(scope="module")
def verdict():
    t = np.arange(100, 3000, 5.0)
    loss = 2 + 3 * (t / 100) ** -0.3 + 0.005 * np.random.default_rng(0).normal(size=t.size)
    return monitor(Curve("<b>run</b>", t, loss), 6000.0, reference=2.5)


@pytest.fixture(scope="module")
def tested(fit):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Procedure, "run", lambda *_, **__: (fit, None))
        runs = fit.runs[["run", "family", "params", "tokens", "flops", "loss"]]
        found = backtest(runs, ["chinchilla"], ratio=[2, 8], progress=False)
    return replace(found, runs_hash=fit.dt.attrs["runs_hash"])


@pytest.fixture(scope="module")
def everything(fit, tested, verdict):
    return [
        allocate(fit, WANTED),
        budget_frontier(fit, WANTED, factors=[0.5, 1, 2]),
        marginal(fit, 1e9, 2e10, family="web"),
        tested,
        verdict,
    ]


class _Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.links, self.figures, self.text = set(), set(), [], []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id"))
        if tag == "a" and given["href"].startswith("#"):
            self.links.add(given["href"][1:])
        if tag == "img":
            self.figures.append(given["alt"])

    def handle_data(self, data):
        self.text.append(data)


def test_a_page_shows_all_that_it_is_given(fit, everything, tmp_path):
    path = write_report(tmp_path / "all.html", fit, *everything)
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    text = " ".join(" ".join(page.text).split())
    assert {"next", "more", "tests"} <= page.ids
    assert page.links <= page.ids
    assert "web: what budgets buy" in text
    assert "<b>run</b>: " in text
    assert "Fitted again to the runs up to 1/2, 1/8 of each family's largest compute" in text
    shown = [alt for alt in page.figures if "Coverage, error and width" in alt]
    assert len(shown) == 1
    assert path.stat().st_size < 3_000_000
    bare = _Page()
    bare.feed(write_report(tmp_path / "bare.html", fit).read_text(encoding="utf-8"))
    assert not {"next", "more", "tests"} & bare.ids
    assert bare.links <= bare.ids


def test_the_next_run_is_worked_out_for_plans_without_one(fit, everything):
    plan, *rest = everything
    ranked = next_runs(fit, WANTED)
    found = report_content(fit, [plan])["others"]["next_runs"]
    assert [json.dumps(one) for one in found] == [json.dumps(ranked.to_dict())]
    own = next_runs(fit, WANTED, at=pd.DataFrame({"params": [1e8], "tokens": [2e9]}))
    given = report_content(fit, [plan, *rest, own])["others"]["next_runs"]
    assert [one["candidates"] for one in given] == [own.to_dict()["candidates"]]


def test_a_backtest_has_a_say_in_the_verdict(fit, tested):
    whole = tested.scores[(tested.scores["family"] == "all") & (tested.scores["ratio"] == 8)]
    share, runs = float(whole["coverage_90"].iloc[0]), int(whole["runs"].iloc[0])
    verdict = report_content(fit, [tested])["verdict"]
    assert (
        f"In a backtest from 1/8 of the largest compute {share:.0%} of {runs}"
        in verdict["sentence"]
    )
    assert "at other distances than this" in verdict["sentence"]
    others = {"backtest": [tested.to_dict()], "comparison": []}
    for _, row in tested.by_distance().iterrows():
        found = at_distance(others, "chinchilla", np.log10(row["high"]))
        assert found["beyond"] == row["beyond"]
        assert found["coverage_90"] == row["coverage_90"]
    assert at_distance(others, "another", 0.5) is None
    scores = tested.scores.assign(coverage_90=0.5)
    poor = report_content(fit, [replace(tested, family_scores=to_rows(scores, FamilyScores))])[
        "verdict"
    ]
    said = [r for r in poor["reasons"] if "up to 1/8" in r["text"]]
    assert [r["status"] for r in said] == ["warn"]
    assert "held 50% of" in said[0]["text"]
    assert [row["ratio"] for row in covered(others, "chinchilla")] == [2.0, 8.0]
    assert covered(others, "another") == []


def test_what_a_target_takes_is_one_sentence(fit):
    found = budget_frontier(fit, WANTED, factors=[1e-3, 1e-2, 0.1, 1]).to_dict()
    said = sentences("frontier", found)[0]
    assert said.startswith("The target of 2.050 takes ")
    assert said.count("with probability") == len(found["needed"])
    found["needed"][-1]["budget"] = None
    assert "more than 1.00 × 10²³ FLOP with probability 95%" in sentences("frontier", found)[0]


def test_factors_that_gain_alike_are_said_to(fit):
    found = marginal(fit, 1e9, 2e10, family="web").to_dict()
    clear, even = found.copy(), found.copy()
    clear["gains"] = [{**row, "best": 0.9} for row in found["gains"]]
    even["gains"] = [{**row, "best": 0.5} for row in found["gains"]]
    assert "gain most for their cost, with probability 90%" in sentences("marginal", clear)[0]
    assert "gain about alike" in sentences("marginal", even)[0]


def test_results_of_another_fit_are_refused(fit, make_fit, tested):
    other = make_fit(runs=20)
    frontier = budget_frontier(other, WANTED, factors=[1])
    with pytest.raises(ScenarioError, match="the frontier for family 'web' was made from other"):
        report_content(fit, [frontier])
    with pytest.raises(ScenarioError, match="the backtest was made from other runs"):
        report_content(other, [tested])
    gains = marginal(fit, 1e9, 2e10, family="web")
    with pytest.raises(ScenarioError, match=r"the marginal .* made with law 'chinchilla'"):
        report_content(make_fit(law="product"), [gains])
    with pytest.raises(ScenarioError, match=r"its schema is 'bayes_scaling\.frontier/99'"):
        report_content(fit, [{"schema": "bayes_scaling.frontier/99"}])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.pop("rows"), "'rows' is a required property"),
        (lambda c: c["rows"][0].update(mean="low"), r"at rows\[0\].mean, 'low' is not of type"),
        (lambda c: c.update(schema="bayes_scaling.frontier/2"), "can be that of plan, frontier"),
        (lambda c: c.update(more=1), "'more' was unexpected"),
    ],
)
def test_a_damaged_file_is_refused(fit, tmp_path, change, said):
    content = budget_frontier(fit, WANTED, factors=[1]).to_dict()
    change(content)
    (tmp_path / "frontier.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(FileError, match=rf"frontier\.json is not .*{said}"):
        load_result(tmp_path / "frontier.json")


def test_a_verdict_from_its_file_is_drawn_as_the_one_that_was_made(verdict, tmp_path):
    read = load_result(verdict.save(tmp_path / "verdict.json"))
    made, again = (plot_curve(one).axes for one in (verdict, read))
    for before, after in zip(made, again, strict=True):
        assert len(before.lines) == len(after.lines)
        for first, second in zip(before.lines, after.lines, strict=True):
            assert_allclose(first.get_xydata(), second.get_xydata())
    points = verdict.to_dict()["points"]
    assert len(points) <= 200
    assert points[-1] == {"t": verdict.fit.curve.t[-1], "loss": verdict.fit.curve.loss[-1]}
    ahead = pd.DataFrame(verdict.to_dict()["ahead"])
    assert ahead["t"].iloc[0] == verdict.t
    assert_allclose(ahead["t"].iloc[-1], max(6000.0, verdict.stop_at))
    assert (ahead.filter(like="loss_").diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert_allclose(ahead["gain_q50"].iloc[0], 0.0, atol=1e-12)
