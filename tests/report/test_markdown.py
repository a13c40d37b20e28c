"""The report in Markdown: the numbers of the others, and nobody's text as markup."""

import pytest
from markdown_it import MarkdownIt

from bayes_scaling.report import report_content, write_report
from bayes_scaling.report.markdown import escaped, render_markdown
from tests.report.conftest import HOSTILE, known_fit

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def tokens(text):
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def shown(text):
    """What a reader sees, without markup."""
    return "".join(
        t.content if t.type == "text" else "\n" * (t.type == "inline") for t in tokens(text)
    )


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "a|b `c` **d** _e_ [f](javascript:g) ![h](i) &lt; <script>alert(1)</script>",
        "<!-- --> \\| ~~x~~ # y @someone #12 http$ 1. z - w = v :+1:",
    ],
)
def test_any_text_is_shown_as_it_is(text):
    table = f"| {escaped(text)} | end |\n| --- | --- |\n"
    kinds = {token.type for token in tokens(table)}
    assert kinds <= {
        *("table_open", "thead_open", "tr_open", "th_open", "inline", "text", "text_special"),
        *("th_close", "tr_close", "thead_close", "table_close"),
    }
    cells = [t for t in PARSER.parse(table) if t.type == "inline"]
    assert ["".join(c.content for c in cell.children) for cell in cells] == [text, "end"]


def test_lines_and_control_characters_end_nothing():
    assert "\n" not in escaped("a\n# b\r\n\x00\u2028c")
    assert escaped("a\n\n# b") == "a \\# b"
    assert "www." not in escaped("see www.example.org").replace("\\", "")


def test_the_numbers_are_those_of_the_content(fit, plan, tmp_path):
    content = report_content(fit, [plan])
    text = write_report(tmp_path / "summary.md", fit, plan).read_text(encoding="utf-8")
    assert text == render_markdown(content)
    read = shown(text)
    for sentence in content.headlines[0].sentences:
        assert sentence in read
    assert content.verdict.sentence in read
    assert all(reason.text in read for reason in content.verdict.reasons)
    assert content.provenance.runs_hash in read
    rows = sum(token.type == "tr_open" for token in tokens(text))
    others = len(content.plans[0].other_budgets)
    assert rows == len(content.forecasts) + 1 + others + 2 + 8 + len(content.law.notes)


def test_a_failed_fit_recommends_nothing(failed):
    content = report_content(failed)
    check = next(check for check in content.diagnostics.checks if check.status == "fail")
    read = shown(render_markdown(content))
    assert read.index(check.message) < read.index(content.verdict.label)


def test_hostile_names_stay_text():
    name = f"{HOSTILE} a|b `c`\n# d"
    text = render_markdown(report_content(known_fit((name,)), title="<b>t</b>"))
    kinds = {token.type for token in tokens(text)}
    assert not kinds & {"html_inline", "html_block", "code_inline", "link_open", "fence"}
    widths = {
        line.count(" | ")
        for line in text.splitlines()
        if line.startswith("| ") and HOSTILE[1:7] in line
    }
    assert widths == {7}
    assert "<b>t</b>" in shown(text)
