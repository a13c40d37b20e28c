"""Representations: bounded, escaped, without addresses, and never an error."""

import html
import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from msgspec.structs import replace

import bayes_scaling as bs
from bayes_scaling.core.display import brief, html_list, html_table
from bayes_scaling.errors import DataError
from bayes_scaling.inference import Fit
from bayes_scaling.inference.diagnostics.checks import Check
from bayes_scaling.inference.diagnostics.diagnosis import overall
from tests.conftest import grid

HOSTILE = "<script>alert(1)</script>"
MANY = tuple(f"{HOSTILE}{i}" for i in range(60))


@pytest.fixture(scope="module")
def hostile(make_fit: Callable[..., Fit]) -> Fit:
    return make_fit(families=(HOSTILE, "b"))


@pytest.fixture(scope="module")
def points() -> pd.DataFrame:
    sizes = np.geomspace(1e8, 1e10, 3000)
    table = pd.DataFrame({"params": sizes, "tokens": 1e10, "family": HOSTILE})
    # Names that the forecast's own columns have, and a cell without end.
    return table.assign(mean=0.0, q50=HOSTILE, note=HOSTILE * 1000)


def test_a_forecast_of_thousands_of_points_is_short(hostile: Fit, points: pd.DataFrame) -> None:
    forecast = hostile.predict(points)
    with pytest.raises(DataError, match="'mean'"):
        forecast.to_frame()
    shown = repr(forecast)
    assert shown.startswith("<Forecast of 3000 points, of which 20 are shown")
    assert len(shown) < 10_000
    assert len(forecast._repr_html_()) < 20_000
    expected = hostile.predict(points[["params", "tokens", "family"]]).to_frame()
    for row in (0, 9, 2990, 2999):
        assert f"{expected['mean'].iloc[row]:.6f}" in shown
    assert f"{expected['mean'].iloc[1500]:.6f}" not in shown
    for doubt in map(str, forecast.caveats):
        assert f"Note: {doubt}" in shown


def test_a_forecast_with_hundreds_of_columns(two_families: Fit) -> None:
    table = pd.DataFrame({"params": [1e9], "tokens": 1e10, "family": "web"})
    table = table.assign(**{f"column{i}": "x" * 300 for i in range(500)})
    assert len(repr(two_families.predict(table))) < 10_000
    assert len(two_families.predict(table)._repr_html_()) < 20_000


def test_every_public_result_shows_short_and_escaped(hostile: Fit) -> None:
    scenario = bs.Scenario(
        compute_budget=1e22, family=HOSTILE, alternatives=(bs.Alternative(HOSTILE, params=1e9),)
    )
    table = grid(MANY).assign(loss=np.linspace(3.5, 2.5, 1200))
    t = np.arange(1.0, 3000.0)
    curve = bs.Curve.of(HOSTILE, t, 2 + 5 * t**-0.5)
    curves = tuple(bs.Curve.of(f"{HOSTILE}{i}", t, 2 + 5 * t**-0.5) for i in range(300))
    shown = [
        hostile,
        hostile.spec,
        hostile.law,
        hostile.diagnose(),
        hostile.predict(params=1e9, tokens=1e10, family="b"),
        scenario,
        bs.allocate(hostile, scenario),
        bs.budget_frontier(hostile, scenario, factors=np.geomspace(0.1, 10, 90)),
        bs.marginal(hostile, 1e9, 1e10, family=HOSTILE, doublings=20),
        bs.load_runs(table),
        bs.identifiability(bs.load_runs(table)),
        curve,
        bs.Curves(curves, "log", ()),
        *bs.laws.available().values(),
    ]
    for value in shown:
        assert 0 < len(repr(value)) < 15_000, type(value)
        page = value._repr_html_() if hasattr(value, "_repr_html_") else ""
        assert len(page) < 40_000, type(value)
        for text in (repr(value), page):
            assert not re.search(r"\bat 0x[0-9a-f]+", text), type(value)
        assert HOSTILE not in page, type(value)
    assert html.escape(HOSTILE) in shown[6]._repr_html_()


def test_what_is_cut_is_reported() -> None:
    text = "\n".join(map(str, range(1000)))
    lines = brief(text).splitlines()
    assert lines[0] == "0"
    assert lines[-1] == "999"
    assert lines[40] == "… 940 more lines, which print() shows …"
    assert brief("a\nb") == "a\nb"
    assert len(brief("x" * 10**6)) == 1000
    odd = pd.DataFrame([[1, "<b>", "x" * 500]] * 2, columns=[0, 0, "a"])
    assert len(html_table(odd)) < 1500
    assert "&lt;b&gt;" in html_table(odd)
    assert html_list(["<b>"] * 50).count("&lt;b&gt;") == 20
    assert "and 30 more" in html_list(["<b>"] * 50)


@pytest.mark.parametrize(("status", "usable"), [("ok", True), ("warn", True), ("fail", False)])
def test_a_diagnosis_is_false_where_the_fit_is_not_to_be_used(
    status: str, usable: bool, two_families: Fit
) -> None:
    check = Check.of("R-hat", status, 1.0, 1.01, "said")  # type: ignore[arg-type]
    diagnosis = replace(two_families.diagnose(), status=overall([check]))
    assert diagnosis.status == status
    assert bool(diagnosis) is usable


def test_subpackages_and_the_version_are_there() -> None:
    assert bs.report.load_result is bs.load_result
    assert bs.decisions.Compute is not None
    assert bs.curves.fit_curve is bs.fit_curve
    assert re.fullmatch(r"\d+\.\d+.*", bs.__version__)
