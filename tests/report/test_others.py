"""Results beside the plans in a report: frontiers, backtests, comparisons, running curves."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace
from numpy.testing import assert_allclose

from bayes_scaling.curves import Curve, monitor
from bayes_scaling.decisions import Scenario, allocate, budget_frontier, marginal, next_runs
from bayes_scaling.errors import FileError, ScenarioError
from bayes_scaling.forecast import backtest
from bayes_scaling.inference import Procedure
from bayes_scaling.plots import plot_curve
from bayes_scaling.plots.number_format import flops
from bayes_scaling.report import load_result, report_content, write_report
from bayes_scaling.report.sections.other_results import sentences
from bayes_scaling.report.sections.trust import at_distance, covered

WANTED = Scenario(compute_budget=1e23, family="web", target_loss=2.05)


@pytest.fixture(scope="module")
def verdict():
    t = np.arange(100, 3000, 5.0)
    loss = 2 + 3 * (t / 100) ** -0.3 + 0.005 * np.random.default_rng(0).normal(size=t.size)
    return monitor(Curve("<b>run</b>", t, loss), 6000.0, reference=2.5)


@pytest.fixture(scope="module")
def tested(fit):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Procedure, "run", lambda *_, **__: fit)
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
        self.ids, self.links, self.figures, self.headings = set(), set(), [], {}
        self.section, self.heading = None, False

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids.add(given.get("id"))
        if tag == "section":
            self.section = given.get("id")
        self.heading = tag == "h3"
        if tag == "a" and given["href"].startswith("#"):
            self.links.add(given["href"][1:])
        if tag == "img":
            self.figures.append(self.section)

    def handle_data(self, data):
        if self.heading:
            self.headings.setdefault(self.section, []).append(data)
        self.heading = False


def test_a_page_shows_all_that_it_is_given(fit, everything, tmp_path):
    path = write_report(tmp_path / "all.html", fit, *everything)
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    assert {"next", "more", "tests"} <= page.ids
    assert page.links <= page.ids
    assert [len(page.headings[name]) for name in ("next", "more", "tests")] == [1, 3, 1]
    assert sum(heading.startswith("<b>run</b>") for heading in page.headings["more"]) == 1
    assert [page.figures.count(name) for name in ("next", "more", "tests")] == [0, 3, 1]
    assert path.stat().st_size < 3_000_000
    bare = _Page()
    bare.feed(write_report(tmp_path / "bare.html", fit).read_text(encoding="utf-8"))
    assert not {"next", "more", "tests"} & bare.ids
    assert bare.links <= bare.ids


def test_the_next_run_is_worked_out_for_plans_without_one(fit, everything):
    plan, *rest = everything
    ranked = next_runs(fit, WANTED)
    assert report_content(fit, [plan]).others.next_runs == [ranked]
    own = next_runs(fit, WANTED, at=pd.DataFrame({"params": [1e8], "tokens": [2e9]}))
    assert report_content(fit, [plan, *rest, own]).others.next_runs == [own]


def test_a_backtest_has_a_say_in_the_verdict(fit, tested):
    whole = [row for row in tested.family_scores if row.family == "all"]
    assert covered(tested, "chinchilla") == whole
    assert [row.ratio for row in whole] == [2.0, 8.0]
    assert covered(tested, "another") == []
    verdict = report_content(fit, [tested]).verdict
    # Of the widest test: nothing was forecast as far as the headline is.
    assert f"1/8 of the largest compute {whole[1].coverage_90:.0%} of {whole[1].runs}" in (
        verdict.sentence
    )
    for row in tested.distance_scores:
        assert at_distance([tested], "chinchilla", np.log10(row.high)) == row
    assert at_distance([tested], "another", 0.5) is None
    scores = tuple(replace(row, coverage_90=0.5) for row in tested.family_scores)
    poor = report_content(fit, [replace(tested, family_scores=scores)]).verdict
    reasons = [reason for reason in poor.reasons if reason.code == "backtest"]
    assert [reason.status for reason in reasons] == ["warn", "warn"]
    assert [numbers(reason.text)[-2] for reason in reasons] == [50, 50]


def numbers(text):
    """Whole numbers and percentages that a text states."""
    return [int(word) for word in re.findall(r"\b\d+\b", text)]


def test_what_a_target_takes_is_one_sentence(fit):
    found = budget_frontier(fit, WANTED, factors=[1e-3, 1e-2, 0.1, 1])
    first = sentences(found)[0]
    assert first.count("%") == len(found.needed_budgets) == 4
    assert f"{WANTED.target_loss:.3f}" in first
    *rest, last = found.needed_budgets
    beyond = sentences(replace(found, needed_budgets=[*rest, replace(last, budget=None)]))[0]
    assert flops(found.rows[-1].budget) in beyond.rpartition("and")[2]


def test_factors_that_gain_equally_are_reported(fit):
    found = marginal(fit, 1e9, 2e10, family="web")
    clear, even = (
        replace(found, gain_rows=[replace(row, best=best) for row in found.gain_rows])
        for best in (0.9, 0.5)
    )
    assert numbers(sentences(clear)[0])[-1] == 90
    assert numbers(sentences(even)[0])[-1] == 50
    # Where it is even both factors are named, and where it is clear the one that gains.
    assert sentences(clear)[0].count("tokens") == 2 - (found.bottleneck == "params")
    assert sentences(even)[0].count("tokens") == 3 - (found.bottleneck == "params")


def test_results_of_another_fit_are_refused(fit, make_fit, tested):
    other = make_fit(runs=20)
    frontier = budget_frontier(other, WANTED, factors=[1])
    with pytest.raises(ScenarioError, match=r"frontier .*'web'"):
        report_content(fit, [frontier])
    with pytest.raises(ScenarioError, match="backtest"):
        report_content(other, [tested])
    gains = marginal(fit, 1e9, 2e10, family="web")
    with pytest.raises(ScenarioError, match=r"marginal .*'chinchilla'"):
        report_content(make_fit(law="product"), [gains])
    with pytest.raises(ScenarioError, match=r"its schema is 'bayes_scaling\.frontier/99'"):
        report_content(fit, [{"schema": "bayes_scaling.frontier/99"}])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.pop("rows"), "`rows`"),
        (lambda c: c["rows"][0].update(mean="low"), r"rows\[0\]\.mean"),
        (lambda c: c.update(schema="bayes_scaling.frontier/9"), "frontier/9"),
        (lambda c: c.update(more=1), "`more`"),
    ],
)
def test_a_damaged_file_is_refused(fit, tmp_path, change, said):
    content = budget_frontier(fit, WANTED, factors=[1]).to_dict()
    change(content)
    (tmp_path / "frontier.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(FileError, match=rf"frontier\.json .*{said}"):
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
