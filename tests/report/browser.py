"""A real browser for tests, that of the system; tests skip where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def executable() -> str:
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    if found is None:
        pytest.skip(f"no browser is installed (looked for {', '.join(_NAMES)})")
    return found


@dataclass
class Opened:
    """A report in a page, and what the page did that it must not."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def settled(self) -> None:
        self.page.wait_for_selector("#explore[data-state=settled]", timeout=30_000)

    def type(self, control: str, value: str) -> None:
        """Fill a box as a reader would, and wait for the numbers."""
        self.page.evaluate("document.getElementById('explore').dataset.state = 'waiting'")
        self.page.fill(f"#box-{control}", value)
        self.settled()

    def slide(self, control: str, value: float) -> None:
        self.page.evaluate("document.getElementById('explore').dataset.state = 'waiting'")
        self.page.evaluate(
            "([id, value]) => { const range = document.getElementById(id); range.value = value;"
            " range.dispatchEvent(new Event('input', { bubbles: true })); }",
            [f"range-{control}", str(value)],
        )
        self.settled()

    def choose(self, value: str) -> None:
        self.page.evaluate("document.getElementById('explore').dataset.state = 'waiting'")
        self.page.select_option("#box-measure", value)
        self.settled()

    def number(self, name: str) -> float | None:
        text = self.page.get_attribute(f"#now-{name} data", "value")
        return float(text) if text else None

    def frontier(self) -> list[list[float | None]]:
        rows = self.page.eval_on_selector_all(
            "#frontier-rows tr",
            "rows => rows.map(r => [...r.querySelectorAll('data')].map(d => d.value))",
        )
        return [[float(cell) if cell else None for cell in row] for row in rows]


@contextmanager
def opened(chromium: Any, path: Path, **options: Any) -> Iterator[Opened]:
    """A report, opened from its file."""
    context = chromium.new_context(**options)
    page = context.new_page()
    seen = Opened(page)
    page.on("console", lambda m: seen.errors.append(m.text) if m.type == "error" else None)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("request", lambda request: seen.requests.append(request.url))
    page.goto(path.as_uri())
    try:
        yield seen
    finally:
        context.close()
