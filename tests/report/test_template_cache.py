"""Compiled templates are kept, and made again where they are damaged or of another source."""

from pathlib import Path

import jinja2
import pytest

from bayes_scaling.report import template_cache
from bayes_scaling.report.template_cache import TemplateCache


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sources compiled so far."""
    found: list[str] = []
    compile_ = jinja2.Environment.compile

    def noting(self, source, *args, **kwargs):  # type: ignore[no-untyped-def]
        found.append(source)
        return compile_(self, source, *args, **kwargs)

    monkeypatch.setattr(jinja2.Environment, "compile", noting)
    return found


def filled(source: str, version: str = "1") -> str:
    """Fill a template in an environment of its own, as another process would."""
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"page": source}),
        autoescape=True,
        bytecode_cache=TemplateCache(version),
    )
    return environment.get_template("page").render(x="<")


def test_templates_are_compiled_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[str]
) -> None:
    monkeypatch.setattr(template_cache, "cache_folder", lambda: tmp_path / "pages")
    assert filled("a{{ x }}") == filled("a{{ x }}") == "a&lt;"
    assert compiled == ["a{{ x }}"]
    assert filled("b{{ x }}") == "b&lt;"
    assert filled("b{{ x }}", "2") == "b&lt;"
    assert compiled[1:] == ["b{{ x }}"] * 2
    for kept in (tmp_path / "pages").iterdir():
        kept.write_bytes(kept.read_bytes()[:-30])
    assert filled("b{{ x }}") == "b&lt;"
    assert len(compiled) == 4


def test_without_a_folder_they_are_compiled_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: list[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(template_cache, "cache_folder", lambda: tmp_path / "file" / "below")
    assert filled("a{{ x }}") == filled("a{{ x }}") == "a&lt;"
    assert len(compiled) == 2
