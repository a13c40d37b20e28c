"""Reports printed by the browser of the system."""

import shutil

import pytest

from bayes_scaling.errors import FileError
from bayes_scaling.report import write_pdf, write_report

from .browser import executable


@pytest.fixture(scope="module")
def page(fit, plan, tmp_path_factory):
    return write_report(tmp_path_factory.mktemp("pdf") / "r.html", fit, plan)


def test_a_report_is_printed(page, tmp_path):
    executable()
    made = write_pdf(tmp_path / "r.pdf", page).read_bytes()
    assert made.startswith(b"%PDF-")
    assert made.rstrip().endswith(b"%%EOF")
    # A figure a page at the most, so a report has several.
    assert made.count(b"/Type /Page\n") + made.count(b"/Type /Page/") >= 3


def test_no_browser_is_one_sentence_and_no_file(page, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(FileError, match=r"r\.pdf: printing needs Chromium or Chrome"):
        write_pdf(tmp_path / "r.pdf", page)
    assert not list(tmp_path.iterdir())
