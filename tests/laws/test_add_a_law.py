"""The page on adding a law, followed to the letter: its code blocks, installed as a package."""

import importlib
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling import laws
from bayes_scaling.laws.check_law import check_law
from bayes_scaling.model import arrays, simulate, specify
from bayes_scaling.runs import load_runs

PAGE = Path(__file__).parents[2] / "docs" / "add-a-law.md"


def block(language: str, starts: str = "") -> str:
    """The page's one code block of a language that starts so."""
    (text,) = re.findall(
        rf"^```{language}\n({starts}.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(text)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The law of the page, installed as its reader would; its name."""
    code = block("python", '"""toy_laws')
    (file,) = re.findall(r'^"""(\w+\.py)"""', code)
    (tmp_path / file).write_text(code, encoding="utf-8")
    ((group, points),) = tomllib.loads(block("toml"))["project"]["entry-points"].items()
    info = tmp_path / "toy_laws-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-laws\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in points.items()]
    (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield next(iter(points))
    sys.modules.pop("toy_laws", None)


def test_the_page_works_as_written(installed: str) -> None:
    law = laws.get(installed)
    assert installed in laws.available()
    values = {"floor": 1.5, "B": 30.0, "alpha_D": 0.2}
    assert_allclose(law.loss({"tokens": 1e9}, values), 1.5 + 30.0 * 1e9**-0.2, rtol=1e-12)

    design = pd.DataFrame({"params": 1e8, "tokens": np.logspace(8, 11, 6)})
    runs = simulate(installed, design, values, noise=0.0)
    spec, frame = specify(runs, installed)
    at_reference = law.move(values, frame.reference)
    fitted = law.log_curve(arrays(spec, frame, runs).inputs, at_reference)
    assert_allclose(np.exp(fitted), runs["loss"], rtol=1e-12)


def test_the_example_is_a_law_we_have(installed: str) -> None:
    values = {"floor": 0.7, "B": 3.0, "alpha_D": 0.4}
    x = {"tokens": np.linspace(-5, 5, 11)}
    ours = laws.get("power-d-floor").log_curve(x, values)
    assert_allclose(laws.get(installed).log_curve(x, values), ours, rtol=1e-12)


def test_an_input_is_declared_as_written() -> None:
    names: dict[str, Any] = {}
    exec(block("python", '"""vocabulary_laws'), names)  # noqa: S102
    law = names["VOCABULARY"]
    check_law(law)
    values = {"floor": 1.5, "B": 30.0, "W": 4.0, "alpha_D": 0.2, "alpha_V": 0.3}
    at = {"tokens": 1e9, "vocab": 5e4}
    assert_allclose(law.loss(at, values), 1.5 + 30.0 * 1e9**-0.2 + 4.0 * 5e4**-0.3, rtol=1e-12)
    design = pd.DataFrame({"params": 1e8, "tokens": np.logspace(8, 11, 6), "vocab": 5e4})
    table = simulate(law, design, values, noise=0.0).rename(columns={"vocab": "vocab_size"})
    runs = load_runs(table).with_inputs(law.own_inputs).fit_rows()
    spec, frame = specify(runs, law)
    fitted = law.log_curve(arrays(spec, frame, runs).inputs, law.move(values, frame.reference))
    assert_allclose(np.exp(fitted), runs["loss"], rtol=1e-12)


def test_the_law_is_gone_with_its_package() -> None:
    assert "toy" not in laws.available()
