"""Files that the package writes are held against the schemas that it ships."""

import copy
import json
import re
import runpy
from pathlib import Path
from typing import get_args

import pytest
from jsonschema import Draft202012Validator

import bayes_scaling
from bayes_scaling.core.result import kind_name
from bayes_scaling.errors import FileError
from bayes_scaling.report import load_result
from bayes_scaling.results.kinds import AnyResult
from bayes_scaling.schemas import schema, schema_names
from tests.schemas.written import every_kind

ROOT = Path(bayes_scaling.__file__).parent
NOT_JSON = {"fit", "runs", "population"}
"""A NetCDF file, a hash, and what is read only."""


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Content of every kind of file, as read back."""
    return every_kind(tmp_path_factory.mktemp("written"))


def _validator(name):
    return Draft202012Validator(schema(name.partition(",")[0]))


def test_every_kind_of_file_has_a_schema(written):
    text = "".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))
    kinds = dict(re.findall(r'"bayes_scaling\.(\w+)/(\d+)"', text))
    assert set(kinds) - NOT_JSON == set(schema_names())
    assert {name.partition(",")[0] for name in written} == set(schema_names())
    for name in schema_names():
        Draft202012Validator.check_schema(schema(name))
        assert schema(name)["$id"] == f"urn:bayes-scaling:{name.replace('_', '-')}:{kinds[name]}"


def test_what_is_written_is_as_its_schema_says(written):
    for name, content in written.items():
        errors = [f"{e.json_path}: {e.message}" for e in _validator(name).iter_errors(content)]
        assert not errors, name


def test_results_are_read_back_whole(written, tmp_path):
    for name, content in written.items():
        if name.partition(",")[0] not in {kind_name(kind) for kind in get_args(AnyResult)}:
            continue
        path = tmp_path / "result.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        assert load_result(path).to_dict() == content, name


def test_damage_is_found(written):
    """Without any one of its fields, or with one misspelt or of another type, no file passes."""
    first = {name: name.partition(",")[0] for name in reversed(written)}
    for name in {kind: name for name, kind in first.items()}.values():
        content = written[name]
        validator = _validator(name)
        for field in content:
            without = {key: value for key, value in content.items() if key != field}
            assert not validator.is_valid(without), (name, field)
            assert not validator.is_valid(without | {f"{field}s": content[field]}), (name, field)
            assert not validator.is_valid(content | {field: [[object()]]}), (name, field)
        assert not validator.is_valid(content | {"more": 1}), name


def test_damage_inside_is_found(written):
    plan = copy.deepcopy(written["plan"])
    for path in (("loss", "q05"), ("recommended", "params"), ("costs", "flops")):
        damaged = copy.deepcopy(plan)
        del damaged[path[0]][path[1]]
        assert not _validator("plan").is_valid(damaged), path
    assert not _validator("plan").is_valid(plan | {"probability_of_target": 1.5})
    report = copy.deepcopy(written["report"])
    del report["plans"][0]["tags"]
    assert not _validator("report").is_valid(report)


def test_every_field_is_described():
    def undescribed(node, path):
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items():
                if isinstance(field, dict) and not {"description", "$ref", "const"} & set(field):
                    yield f"{path}.{name}"
            for key, value in node.items():
                if key not in ("if", "then", "else"):
                    yield from undescribed(value, f"{path}.{key}")

    for name in schema_names():
        assert not list(undescribed(schema(name), name))


def test_an_unknown_schema_is_refused():
    with pytest.raises(FileError, match="'plans'"):
        schema("plans")


def test_the_page_on_files_is_up_to_date():
    root = ROOT.parent
    made = runpy.run_path(str(root / "tools" / "schema_docs.py"))["page"]()
    assert (root / "docs" / "files.md").read_text(encoding="utf-8") == made
