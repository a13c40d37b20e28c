"""Files of version 0.1, written by the code of that time, load with the numbers that they hold."""

import json
from pathlib import Path
from typing import get_args

import pytest

from bayes_scaling.core.result import kind_name
from bayes_scaling.core.version_1 import CURRENT, SCENARIO_NAMES
from bayes_scaling.errors import FileError
from bayes_scaling.forecast.forecast_result import ForecastFile
from bayes_scaling.inference.diagnostics.calibration import Calibration
from bayes_scaling.results.kinds import AnyResult

FILES = sorted((Path(__file__).parent / "version_1").glob("*.json"))
RENAMED = {"warnings": "caveats", "worth": "value_per_nat", "unmixed": "not_converged"}
TYPES = {kind_name(kind): kind for kind in (*get_args(AnyResult), ForecastFile, Calibration)}


def type_of(content):
    """Type of the result that a content was once."""
    return TYPES[content["schema"].removeprefix("bayes_scaling.").partition("/")[0]]


def numbers(value, path=()):
    """Every number of a content, by its path in the present names."""
    if isinstance(value, dict):
        for name, item in value.items():
            names = SCENARIO_NAMES if path == ("scenario",) else RENAMED
            yield from numbers(item, (*path, names.get(name, name)))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from numbers(item, (*path, place))
    elif isinstance(value, int | float):
        yield path, value


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_version_1_loads_with_equal_numbers(path):
    old = json.loads(path.read_text(encoding="utf-8"))
    found = type_of(old).load(path)
    new = dict(numbers(found.to_dict()))
    for place, value in numbers(old):
        # Limits that are at their defaults are not written any more.
        if place[:2] != ("scenario", "limits"):
            assert new[place] == value, place
    caveats = getattr(found, "caveats", ())
    assert [one.text for one in caveats] == old.get("warnings", old.get("messages", []))
    assert {one.code for one in caveats} <= {"version-1"}
    assert str(found)


def test_every_type_whose_form_changed_has_a_file_of_version_1():
    present = {json.loads(path.read_text(encoding="utf-8"))["schema"] for path in FILES}
    assert set(CURRENT) <= present


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_damaged_file_of_version_1_is_refused_in_a_sentence(path, tmp_path):
    content = json.loads(path.read_text(encoding="utf-8"))
    copy = tmp_path / path.name
    for name in set(content) - {"schema"}:
        damaged = {key: value for key, value in content.items() if key != name}
        copy.write_text(json.dumps(damaged), encoding="utf-8")
        with pytest.raises(FileError) as error:
            type_of(content).load(copy)
        assert "\n" not in str(error.value)
    copy.write_text(json.dumps(content | {"schema": "bayes_scaling.plan/99"}), encoding="utf-8")
    with pytest.raises(FileError, match="plan/99"):
        type_of(content).load(copy)
