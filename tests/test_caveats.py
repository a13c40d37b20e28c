"""Codes of caveats: each is listed once, with its meaning, and each that is listed is used."""

import ast
from pathlib import Path

import msgspec
import pandas as pd
import pytest

import bayes_scaling
from bayes_scaling.core import caveat as module
from bayes_scaling.core.caveat import CODES, Caveat, texts, unique
from bayes_scaling.inference import Fit
from bayes_scaling.runs import CODES as FLAGS
from bayes_scaling.runs import load_configs

ROOT = Path(bayes_scaling.__file__).parent
MAKERS = {"Caveat", "_care", "_caveat", "_judged", "_tag", "_warning", "caveat", "warning"}
"""Names of what makes a caveat, the code first or as ``code``."""


def _made() -> set[str]:
    """Codes that are written out where a caveat is made."""
    found = set()
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                maker = ast.unparse(node.func)
                if maker not in MAKERS and not maker.endswith("caveats.add"):
                    continue
                stated = [word.value for word in node.keywords if word.arg == "code"]
                found |= {
                    value.value
                    for value in (*stated, *node.args[:1])
                    if isinstance(value, ast.Constant) and isinstance(value.value, str)
                }
    return found


def _written() -> set[str]:
    """Every text constant outside the table."""
    return {
        node.value
        for path in ROOT.rglob("*.py")
        if path != Path(module.__file__)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_code_is_listed_and_every_listed_code_is_used() -> None:
    made = _made()
    assert len(made) > 20
    assert made <= set(CODES) | set(FLAGS)
    assert set(CODES) - _written() <= {"version-1"}
    assert not set(CODES) & set(FLAGS)
    assert all(code == code.lower() and " " not in code for code in CODES)


def test_a_caveat_is_read_as_it_was_written() -> None:
    made = Caveat(code="few-runs", severity="warning", text="Few.", data={"families": ["a"]})
    assert Caveat.from_dict(made.to_dict()) == made
    assert str(made) == "Few."
    for field, value in (("severity", "fatal"), ("code", None), ("data", {"x": {}}), ("more", 1)):
        with pytest.raises(msgspec.ValidationError):
            Caveat.from_dict(made.to_dict() | {field: value})


def test_texts_are_reported_once() -> None:
    first, again = (Caveat(code=code, severity="note", text="One.") for code in ("a", "b"))
    other = Caveat(code="c", severity="note", text="Two.")
    assert texts([first, again, other]) == ("One.", "Two.")
    assert unique([first, other, again]) == (first, other)


def test_texts_by_the_names_of_version_1(two_families: Fit) -> None:
    forecast = two_families.predict(params=1e12, tokens=1e14, family="web")
    point = pd.DataFrame({"params": [7.0], "tokens": [140.0]})
    configs = load_configs(point, accept=["implausible-size"])
    for result, old in ((forecast, "warnings"), (two_families, "warnings"), (configs, "doubts")):
        with pytest.warns(DeprecationWarning, match=rf"\.{old} .*\.caveats"):
            assert getattr(result, old) == texts(result.caveats)
    assert forecast.caveats
    assert configs.caveats
