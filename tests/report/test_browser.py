"""Reports in a real browser: every control against Python, nothing loaded, nothing broken."""

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.testing import assert_allclose

from bayes_scaling.core.traced import Traced
from bayes_scaling.decisions import Risk, Scenario, allocate, budget_frontier
from bayes_scaling.decisions.allocation.budget_line import affordable_tokens
from bayes_scaling.decisions.allocation.problem_from_fit import problem_from_fit
from bayes_scaling.errors import LawError
from bayes_scaling.explorer.traced_expressions import javascript
from bayes_scaling.explorer.traced_problem import draws_by_symbol, functions, prices_by_symbol
from bayes_scaling.forecast.extrapolation import SIZE_NAMES, extent_of
from bayes_scaling.laws import available
from bayes_scaling.report import report_content, write_report
from bayes_scaling.scenarios.amounts import Fixed, Pert
from bayes_scaling.scenarios.limits import Limits
from bayes_scaling.scenarios.prices import Compute, Data, Inference

from .browser import executable, opened

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
DESKTOP = {"viewport": {"width": 1280, "height": 900}}

FLOPS = Scenario(compute_budget=1e23, risk=Risk("mean"), family="web", target_loss=2.05)
PRICED = Scenario(
    risk=Risk("cvar", 0.9),
    family="web",
    target_loss=2.0,
    money_budget=2e6,
    compute=Compute(Fixed(1e15), Pert(0.3, 0.4, 0.5), Fixed(2.0 / 3600)),
    data=Data(Fixed(1e-6), 1e11),
    inference=Inference(Fixed(1e11), Fixed(1e11)),
)
CHEAPEST = replace(
    PRICED,
    money_budget=None,
    minimise="cost",
    target_probability=0.8,
    inference=None,
    target_loss=2.0,
)


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def show(chromium, tmp_path_factory):
    folder, written = tmp_path_factory.mktemp("reports"), {}

    def shower(fit, *scenarios, **options):
        key = id(fit), scenarios
        if key not in written:
            path = folder / f"{len(written)}.html"
            written[key] = write_report(path, fit, *(allocate(fit, one) for one in scenarios))
        return opened(chromium, written[key], **(options or DESKTOP))

    return shower


def agrees(page, plan):
    """The page's numbers are those of a plan that Python made."""
    # The optimum is flat: sizes agree to the tolerance of a search, losses far better.
    assert_allclose(page.number("params"), plan.recommended.params, rtol=5e-3)
    assert_allclose(page.number("tokens"), plan.recommended.tokens, rtol=5e-3)
    assert_allclose(page.number("loss"), plan.loss.mean, rtol=1e-5)
    for name in ("q05", "q95"):
        assert_allclose(page.number(name), getattr(plan.loss, name), rtol=1e-4)
    if plan.target_loss is not None:
        assert_allclose(page.number("reached"), plan.probability_of_target, atol=2.1e-3)
    assert_allclose(page.number("regret"), plan.regret.mean, atol=2e-5)
    if plan.costs.money is not None:
        assert_allclose(page.number("cost"), plan.costs.money.q50, rtol=1e-3)


@pytest.mark.parametrize("scenario", [FLOPS, PRICED, CHEAPEST], ids=["flops", "priced", "cost"])
def test_the_page_starts_where_the_plan_is_and_asks_for_nothing(fit, show, scenario):
    with show(fit, scenario) as page:
        page.settled()
        agrees(page, allocate(fit, scenario))
        assert page.errors == []
        assert len(page.requests) == 1


@pytest.mark.parametrize(
    "risk",
    [Risk("mean"), Risk("quantile", 0.9), Risk("cvar", 0.9), Risk("entropic"), Risk("miss"),
     Risk("regret")],
    ids=lambda risk: risk.measure,
)  # fmt: skip
def test_attitudes_to_risk(fit, show, risk):
    with show(fit, FLOPS) as page:
        page.settled()
        page.choose(risk.measure)
        agrees(page, allocate(fit, replace(FLOPS, risk=risk)))
        assert page.errors == []


def test_budget_target_and_level(fit, show):
    with show(fit, FLOPS) as page:
        page.settled()
        page.type("amount", "3e22")
        agrees(page, allocate(fit, replace(FLOPS, compute_budget=3e22)))
        page.type("target", "1.99")
        agrees(page, allocate(fit, replace(FLOPS, compute_budget=3e22, target_loss=1.99)))
        page.choose("quantile")
        page.type("level", "0.75")
        changed = replace(FLOPS, compute_budget=3e22, target_loss=1.99, risk=Risk("quantile", 0.75))
        agrees(page, allocate(fit, changed))
        page.slide("amount", 1.0)
        agrees(page, allocate(fit, replace(changed, compute_budget=1e24)))
        page.page.click("#explore-reset")
        page.settled()
        agrees(page, allocate(fit, FLOPS))


def test_tokens_served_where_there_were_none(fit, show):
    with show(fit, FLOPS) as page:
        page.settled()
        page.type("served", "2e12")
        served = replace(FLOPS, inference=Inference(Fixed(1e12), Fixed(1e12)))
        agrees(page, allocate(fit, served))


def test_prices_of_compute_and_data_and_tokens_served(fit, show):
    with show(fit, PRICED) as page:
        page.settled()
        page.slide("compute", np.log10(2.0))
        dearer = Compute(Fixed(1e15), Pert(0.3, 0.4, 0.5), Fixed(4.0 / 3600))
        # A slider has steps of a hundredth of a decade.
        factor = 10 ** float(page.page.input_value("#range-compute"))
        dearer = replace(dearer, price=Fixed(2.0 / 3600 * factor))
        agrees(page, allocate(fit, replace(PRICED, compute=dearer)))
        page.type("data", "4000")
        both = replace(PRICED, compute=dearer, data=Data(Fixed(4e-6), 1e11))
        agrees(page, allocate(fit, both))
        page.type("served", "1e12")
        all_three = replace(both, inference=Inference(Fixed(5e11), Fixed(5e11)))
        agrees(page, allocate(fit, all_three))
        assert page.errors == []


def test_the_least_cost_of_another_target(fit, show):
    with show(fit, CHEAPEST) as page:
        page.settled()
        page.type("target", "1.98")
        plan = allocate(fit, replace(CHEAPEST, target_loss=1.98))
        assert_allclose(page.number("amount"), plan.to_dict()["least_cost"]["amount"], rtol=2e-3)
        page.type("probability", "0.95")
        plan = allocate(fit, replace(CHEAPEST, target_loss=1.98, target_probability=0.95))
        assert_allclose(page.number("amount"), plan.to_dict()["least_cost"]["amount"], rtol=2e-3)
        assert page.number("reached") >= 0.949


def test_limits_and_repeats(make_fit, show):
    fit = make_fit(("web",))
    limited = replace(FLOPS, limits=Limits(max_params=5e9, min_tokens=1e9, max_unique_tokens=1e13))
    with show(fit, limited) as page:
        page.settled()
        agrees(page, allocate(fit, limited))


def test_the_frontier_is_that_of_python(fit, show):
    with show(fit, PRICED) as page:
        page.settled()
        rows = page.frontier()
    found = budget_frontier(fit, PRICED, factors=np.geomspace(0.1, 10, 13)).table
    assert len(rows) == len(found) == 13
    page_says = dict(zip(("budget", "params", "tokens", "mean", "q05", "q95", "reached"),
                         np.array(rows, dtype=float).T, strict=True))  # fmt: skip
    assert_allclose(page_says["budget"], found["budget"], rtol=1e-9)
    assert_allclose(page_says["params"], found["params"], rtol=0.03)
    for name in ("mean", "q05", "q95"):
        assert_allclose(page_says[name], found[name], rtol=5e-4)
    assert_allclose(page_says["reached"], found["probability_of_target"], atol=0.01)


def test_every_law_agrees_in_javascript(chromium):
    page = chromium.new_page()
    rng = np.random.default_rng(4)
    helper = (
        "const logaddexp = (a, b) => { const m = Math.max(a, b);"
        " return m + Math.log1p(Math.exp(-Math.abs(a - b))); };"
    )
    for law in available().values():
        inputs = {name: rng.normal(size=7) for name in law.inputs}
        values = {p.name: p.prior.median * np.exp(0.2 * rng.normal(size=7)) for p in law.parameters}
        names = [*law.inputs, *law.names]
        expression = law.log_curve(
            {n: Traced(n) for n in law.inputs}, {n: Traced(n) for n in law.names}
        )
        body = helper + javascript(expression, {name: f"v.{name}" for name in names})
        points = [{n: float(array[k]) for n, array in (inputs | values).items()} for k in range(7)]
        said = page.evaluate(
            "([body, points]) => points.map(new Function('v', body))", [body, points]
        )
        assert_allclose(said, law.log_curve(inputs, values), rtol=1e-12, atol=1e-13)
    page.close()


@pytest.mark.parametrize("scenario", [FLOPS, PRICED, CHEAPEST], ids=["flops", "priced", "cost"])
def test_losses_tokens_and_costs_in_javascript_are_those_of_python(fit, chromium, scenario):
    given = problem_from_fit(fit, scenario, 0)
    draws, costs = given.draws.thinned(100), given.line.costs
    extent = extent_of(fit, "web")
    traced = functions(given, extent)
    s, d, u, epochs = np.log(7e10), np.log(2e12), np.log(5e11), 4.0
    n, tokens = np.array([7e10]), np.array([2e12])
    budgets = {
        "flops": given.scenario.compute_budget,
        "money": given.scenario.money_budget,
        "seconds": given.scenario.time_budget,
    }
    page = chromium.new_page()
    arrays = [np.asarray(v).tolist() for v in draws_by_symbol(draws).values()]
    prices = [np.broadcast_to(v, 1000).tolist() for v in prices_by_symbol(costs).values()]
    terms = budgets | {"compute": 1.0, "data": 1.0, "serving": 1.0, "served": 0.0}
    said = page.evaluate(
        """([traced, arrays, prices, terms, s, d, u, epochs]) => {
        const logaddexp = (a, b) => { const m = Math.max(a, b);
          return m + Math.log1p(Math.exp(-Math.abs(a - b))); };
        const of = name => eval(traced[name]), n = Math.exp(s), t = Math.exp(d), q = Math.exp(u);
        const infinite = prices.map(v => v.map(x => x === null ? Infinity : x));
        return {
          curve: arrays[0].map((_, i) => of("curve")(arrays)(s, d, u, i)),
          losses: [...of("losses")(arrays)(s, d, u)],
          deviation: [...of("deviation")(arrays)(s, d, u)],
          tokens: [...of("tokens")(infinite)(n, epochs, terms)],
          money: [...of("money")(infinite)(n, t, q, terms)],
          outside: of("outside")(s, d),
        };}""",
        [dict(traced), arrays, [[None if x == np.inf else x for x in v] for v in prices],
         terms, s, d, u, epochs],
    )  # fmt: skip
    page.close()
    x = draws.at(s, d, u)
    for name, wanted in {
        "curve": draws.curve(x),
        "losses": draws.loss_run(s, d, u),
        "deviation": draws.deviation(x),
        "tokens": affordable_tokens(costs, n, epochs, **budgets)[0],
        "money": costs.money(n, tokens, np.exp([u]))[0],
    }.items():
        assert_allclose(said[name], np.broadcast_to(wanted, len(said[name])), rtol=1e-12)
    above, below = extent.outside(x)
    assert_allclose(said["outside"], [each[n] for each in (above, below) for n in SIZE_NAMES])
    assert max(said["outside"]) > 1


def test_numbers_that_pages_cannot_compute_are_refused():
    for called in (np.sin, np.cumsum, lambda x: np.clip(x, 0.0, 1.0)):
        with pytest.raises(LawError):
            called(Traced("x"))


@pytest.mark.parametrize(
    ("control", "text"),
    [("amount", "much"), ("amount", "-3"), ("amount", ""), ("amount", "1,5e23"), ("served", "-1")],
)
def test_what_is_no_number_is_said_and_undone(fit, show, control, text):
    with show(fit, FLOPS) as page:
        page.settled()
        before = page.number("loss")
        page.page.fill(f"#box-{control}", text)
        page.page.wait_for_selector("#explore[data-state=refused]")
        said = page.page.inner_text("#explore-problem")
        assert text in said
        assert "must be a number" in said
        assert said.startswith("Budget (FLOP) " if control == "amount" else "Tokens served ")
        assert page.page.get_attribute(f"#box-{control}", "aria-invalid") == "true"
        assert page.number("loss") == before
        page.page.click("#explore-reset")
        page.settled()
        assert page.page.inner_text("#explore-problem") == ""
        assert page.errors == []


@pytest.mark.parametrize("how", [DESKTOP, PHONE])
def test_charts_fill_their_places_before_anything_is_resized(fit, show, how):
    with show(fit, FLOPS, **how) as page:
        page.settled()
        drawn = page.page.eval_on_selector_all(
            "#explore .chart",
            "all => all.map(one => [one.clientWidth, one.querySelector('svg')"
            ".viewBox.baseVal.width])",
        )
        assert len(drawn) == 4
        for place, width in drawn:
            assert width == pytest.approx(place, abs=12)
            assert place > 200


def test_thousands_may_have_commas(fit, show):
    with show(fit, FLOPS) as page:
        page.settled()
        page.type("served", "1,000,000,000")
        with_commas = page.number("loss")
        page.type("served", "1e9")
        assert page.number("loss") == with_commas


def test_keys_move_a_slider(fit, show):
    with show(fit, FLOPS) as page:
        page.settled()
        before = page.number("flops")
        page.page.focus("#range-amount")
        page.page.evaluate("document.getElementById('explore').dataset.state = 'waiting'")
        page.page.keyboard.press("ArrowRight")
        page.settled()
        assert_allclose(page.number("flops") / before, 10**0.01, rtol=1e-3)
        assert page.page.input_value("#box-amount") != "1e23"


def test_hostile_names_stay_text(hostile, show):
    names = list(hostile.families)
    with show(hostile, *(replace(FLOPS, family=name) for name in names)) as page:
        dialogs = []
        page.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.settled()
        options = page.page.eval_on_selector_all("#explore-plan option", "o => o.map(e => e.text)")
        assert [any(name in text for text in options) for name in names] == [True, True]
        page.page.select_option("#explore-plan", "1")
        page.settled()
        assert page.errors == []
        assert dialogs == []
        assert len(page.requests) == 1


def test_a_failed_fit_says_so_on_the_first_screen(failed, show):
    with show(failed, FLOPS) as page:
        page.settled()
        box = page.page.locator(".verdict.fail").bounding_box()
        assert box["y"] + box["height"] < 900
        assert page.page.locator("#decision [data-code=failed-fit]").count() >= 3
        assert page.page.locator("#explore .tag.fail").first.is_visible()


def test_the_numbers_can_be_downloaded(fit, show):
    with show(fit, FLOPS) as page:
        page.settled()
        with page.page.expect_download() as download:
            page.page.click("#download")
        content = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert content == report_content(fit, [allocate(fit, FLOPS)]).to_dict()


@pytest.mark.parametrize(
    ("name", "options"),
    [("desktop", DESKTOP), ("phone", PHONE), ("dark", DESKTOP | {"color_scheme": "dark"})],
)
def test_screens(fit, show, name, options):
    with show(fit, PRICED, **options) as page:
        page.settled()
        # Nothing is wider than the screen but what scrolls in itself.
        assert page.page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
        inks = page.page.evaluate(
            "() => { const text = document.querySelector('#chart-loss text');"
            " return [getComputedStyle(text).fill, getComputedStyle(document.body).color]; }"
        )
        assert inks[0] == inks[1]
        drawn = page.page.eval_on_selector_all(
            ".chart path[d]",
            "paths => paths.filter(p => /NaN|Infinity/.test(p.getAttribute('d'))).length",
        )
        assert drawn == 0
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.page.screenshot(path=SCREENSHOTS / f"report-{name}.png", full_page=True)
        assert page.errors == []


def test_a_report_stays_below_three_megabytes(fit, tmp_path):
    path = write_report(tmp_path / "r.html", fit, allocate(fit, FLOPS), allocate(fit, PRICED))
    assert path.stat().st_size < 3_000_000
