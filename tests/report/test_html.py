"""The HTML page: self-contained, escaped, and in agreement with the JSON."""

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from bayes_scaling.decisions import Risk, Scenario, allocate, budget_frontier
from bayes_scaling.errors import FileError
from bayes_scaling.plots import number_format as _format
from bayes_scaling.report import write_report
from tests.report.conftest import HOSTILE

VOID = {"meta", "img", "br", "link", "input", "hr"}
LOADING = {"link", "iframe", "object", "embed", "audio", "video", "source"}


class Page(HTMLParser):
    """Tags, attributes, text and well-formedness of a page."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.parts: list[str] = []
        self.faults: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        if "style" not in self.open:
            self.parts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.parts).split())

    @property
    def images(self) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag == "img"]


def svg_of(image) -> str:
    head, _, body = image["src"].partition(",")
    assert head == "data:image/svg+xml;base64"
    return base64.b64decode(body).decode("utf-8")


@pytest.fixture(scope="module")
def written(fit, plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    html = write_report(folder / "r.html", fit, plan)
    content = json.loads(write_report(folder / "r.json", fit, plan).read_text("utf-8"))
    return html, Page(html.read_text("utf-8")), content


def test_page_is_well_formed_and_small(written):
    path, page, _ = written
    assert not page.faults
    assert not page.open
    assert path.stat().st_size < 3_000_000
    assert path.read_text("utf-8").startswith("<!DOCTYPE html>")


def test_html_and_json_tell_the_same_numbers(written):
    _, page, content = written
    for head in content["headlines"]:
        for sentence in head["sentences"]:
            assert sentence in page.text
        assert _format.percent(head["probability_of_target"]) in page.text
    for row in (*content["forecasts"], *content["held_out"]["runs"]):
        assert f"{_format.loss(row['q05'])} to {_format.loss(row['q95'])}" in page.text
    for row in content["parameters"]:
        assert f"{_format.number(row['q05'])} to {_format.number(row['q95'])}" in page.text
    for check in content["diagnostics"]["checks"]:
        assert check["message"] in page.text
    for item in content["changes"]:
        assert item["text"] in page.text
    assert content["provenance"]["runs_hash"] in page.text
    assert content["verdict"]["sentence"] in page.text


def scripts_of(text: str) -> list[str]:
    return re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)


def hashes_of(text: str) -> set[str]:
    digests = [hashlib.sha256(script.encode()).digest() for script in scripts_of(text)]
    return {base64.b64encode(digest).decode() for digest in digests}


def test_nothing_is_loaded_from_elsewhere(written):
    path, page, _ = written
    assert not LOADING & {tag for tag, _ in page.tags}
    for tag, attrs in page.tags:
        for name in ("src", "srcset", "href", "data", "poster", "background", "action"):
            value = attrs.get(name)
            if value:
                assert value.startswith(("#", "data:")), (tag, name, value[:80])
        assert not any(name.startswith("on") for name in attrs)
    text = path.read_text("utf-8")
    policy = unescape(text.partition("<title>")[0])
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    assert "default-src 'none'; img-src data:; " in policy
    assert "unsafe-eval" not in policy
    assert hashes_of(text) == allowed
    style = path.read_text("utf-8").partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    for image in page.images:
        svg = svg_of(image)
        assert not re.search(r"(?:href|src)\s*=\s*[\"'](?!#|data:)", svg)
        assert "<!DOCTYPE" not in svg


def test_accessible_structure(written):
    _, page, _ = written
    assert page.images
    assert all(image.get("alt") for image in page.images)
    headings = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert headings.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(headings))
    assert dict(page.tags)["html"]["lang"] == "en"
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    links = [attrs["href"][1:] for tag, attrs in page.tags if tag == "a"]
    assert len(ids) == len(set(ids))
    assert set(links) <= set(ids)


def test_hostile_names_stay_text(hostile, tmp_path):
    plan = allocate(hostile, Scenario(compute_budget=1e22, risk=Risk("cvar", 0.9), family=HOSTILE))
    path = write_report(tmp_path / "r.html", hostile, plan, title=HOSTILE)
    page = Page(path.read_text("utf-8"))
    text = path.read_text("utf-8")
    kinds = [attrs for tag, attrs in page.tags if tag == "script"]
    assert [kind["type"] for kind in kinds] == ["application/json"] * 2 + ["module"] * 2
    assert not any("alert" in script.partition("const TRACED")[2] for script in scripts_of(text))
    for block in re.findall(
        r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL
    ):
        assert not set("<>&") & set(block)
        assert json.dumps(HOSTILE)[1:-1] in json.dumps(json.loads(block))
    assert not page.faults
    assert HOSTILE in page.text
    named = 0
    for image in page.images:
        svg = svg_of(image)
        assert "<script" not in svg.lower()
        words = "".join(ET.fromstring(svg).itertext())  # noqa: S314
        named += "<script>alert(1)" in words
    assert named >= 3


def test_failure_shows_on_the_first_screen(failed, tmp_path):
    text = write_report(tmp_path / "r.html", failed).read_text("utf-8")
    first = Page(text.partition("<nav")[0])
    classes = [attrs.get("class", "") for _, attrs in first.tags]
    assert "verdict fail" in classes
    codes = [attrs["data-code"] for _, attrs in first.tags if "data-code" in attrs]
    assert codes.count("failed-fit") >= 3


def test_the_same_report_is_the_same_bytes(fit, plan, written, tmp_path):
    again = write_report(tmp_path / "again.html", fit, plan)
    assert again.read_bytes() == written[0].read_bytes()


def test_plans_read_back_give_the_same_page(fit, plan, written, tmp_path):
    from bayes_scaling.decisions import load_plan

    plan.save(tmp_path / "p.json")
    path = write_report(tmp_path / "r.html", fit, load_plan(tmp_path / "p.json"))
    assert path.read_bytes() == written[0].read_bytes()


def test_unknown_suffix_is_refused(fit, tmp_path):
    with pytest.raises(FileError, match=r"'\.pdf' is not \.html, \.json or \.md"):
        write_report(tmp_path / "r.pdf", fit)
    assert not list(tmp_path.iterdir())


def test_a_plan_without_curve_has_no_figure(fit, plan, written, tmp_path):
    path = write_report(tmp_path / "r.html", fit, plan.to_dict() | {"curve": []})
    assert len(written[1].images) - len(Page(path.read_text("utf-8")).images) == 1


def test_a_limitation_of_the_law_is_listed_once(fit, tmp_path):
    far = Scenario(compute_budget=1e26, family="web")
    results = allocate(fit, far), budget_frontier(fit, far, factors=[0.1, 1])
    codes = [{caveat.code for caveat in result.caveats} for result in results]
    limitations = fit.law.limitations
    assert all({"law-limitation", "extrapolation"} <= found for found in codes)
    html = write_report(tmp_path / "r.html", fit, *results).read_text("utf-8")
    allocation, more = (
        html.partition(f'<section id="{name}">')[2].partition("<section")[0]
        for name in ("allocation", "more")
    )
    listed = re.findall(r'<li data-code="([a-z-]+)"', allocation)
    assert listed == ["extrapolation", "wide-interval"]
    shown = [Page(part).text for part in (allocation, more)]
    assert all(shown)
    assert not any(text in part for part in shown for text in limitations)
