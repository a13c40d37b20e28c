"""Files that the package writes are held against the schemas that it ships."""

import copy
import json
import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from jsonschema import Draft202012Validator

import bayes_scaling
from bayes_scaling.curves import Curve, Stakes, monitor
from bayes_scaling.decisions import (
    Alternative,
    Compute,
    Fixed,
    Pert,
    Scenario,
    allocate,
    best_shape,
    budget_frontier,
    marginal,
    next_runs,
)
from bayes_scaling.errors import FileError
from bayes_scaling.forecast import backtest, compare
from bayes_scaling.inference import Procedure
from bayes_scaling.inference.sbc import Calibration
from bayes_scaling.report import load_result, write_json
from bayes_scaling.report.results import KINDS
from bayes_scaling.schemas import schema, schema_names
from tests.conftest import TRUTH, handmade
from tests.report.conftest import HOSTILE, known_fit

ROOT = Path(bayes_scaling.__file__).parent
NOT_JSON = {"fit", "runs", "population"}
"""A NetCDF file, a hash, and what is read only."""
RICH = Scenario(
    money=2e5,
    seconds=3e6,
    family="web",
    target_loss=2.1,
    worth=1e6,
    compute=Compute(Pert(8e14, 1e15, 2e15), Fixed(0.4), Fixed(2 / 3600), devices=64),
    alternatives=(Alternative("twenty | <b>", tokens_per_param=20.0),),
)


def _decisions(folder):
    plain, shaped = handmade(), handmade("depth-width", TRUTH | {"aspect": 64.0, "curvature": 0.3})
    simple = Scenario(1e21, family="web")
    plan = allocate(plain, RICH)
    reported = known_fit()
    return {
        "plan": plan.save(folder / "plan.json"),
        "plan, least cost": allocate(
            plain, Scenario(family="web", target_loss=2.3, minimise="cost")
        ).save(folder / "cheapest.json"),
        "plan, shape": allocate(shaped, simple).save(folder / "shaped.json"),
        "plan, unseen": allocate(plain, Scenario(1e21, family="new")).save(folder / "unseen.json"),
        "frontier": budget_frontier(plain, RICH, factors=[0.5, 1]).save(folder / "frontier.json"),
        "frontier, plain": budget_frontier(plain, simple, factors=[1]).save(folder / "line.json"),
        "marginal": marginal(plain, 1e9, 2e10, scenario=RICH).save(folder / "marginal.json"),
        "marginal, free": marginal(plain, 1e9, 2e10, family="web").save(folder / "free.json"),
        "shapes": best_shape(shaped, 1e9, family="web").save(folder / "shapes.json"),
        "next_runs": next_runs(plain, RICH, batch=2).save(folder / "next.json"),
        "next_runs, plain": next_runs(plain, simple).save(folder / "one.json"),
        "report": write_json(
            folder / "report.json",
            reported,
            allocate(reported, Scenario(1e23, family="web")),
            budget_frontier(reported, Scenario(1e23, family="web"), factors=[1]),
        ),
        "report, failed": write_json(
            folder / "failed.json", known_fit(("web",), apart=0.03, divergences=40)
        ),
        "report, hostile": write_json(folder / "hostile.json", known_fit((HOSTILE,))),
        "forecast": plain.predict(params=1e9, tokens=2e10, family="web").save(folder / "f.json"),
    }


def _curves(folder):
    t = np.arange(100, 3000, 50.0)
    loss = 2 + 3 * (t / 100) ** -0.3 + 0.005 * np.random.default_rng(0).normal(size=t.size)
    bad = np.where(np.arange(t.size) < 30, loss, np.geomspace(3, 1e4, t.size))
    stakes = Stakes(cost=1.0, worth=1e5)
    judged = monitor(Curve("r", t, loss), 6000.0, reference=2.5, stakes=stakes)
    return {
        "verdict": judged.save(folder / "verdict.json"),
        "verdict, diverged": monitor(Curve("r", t, bad), 6000.0).save(folder / "diverged.json"),
    }


def _tests(folder, patch):
    sharp, blunt = handmade(width=0.01), handmade(width=0.1)
    patch.setattr(Procedure, "carry_out", lambda *_, **__: (sharp, None))
    runs = sharp.runs[["run", "family", "params", "tokens", "flops", "loss"]]
    tested = backtest(runs, ["chinchilla"], ratio=[2, 8], progress=False)
    pair = {"sharp": sharp, "blunt": blunt}
    return {
        "backtest": tested.save(folder / "backtest.json"),
        "comparison": compare(pair, ratio=8).save(folder / "comparison.json"),
        "comparison, loo": compare(pair, ratio=None).save(folder / "loo.json"),
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Content of every kind of file, as read back."""
    folder = tmp_path_factory.mktemp("written")
    with pytest.MonkeyPatch.context() as patch:
        paths = _decisions(folder) | _curves(folder) | _tests(folder, patch)
    found = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items()}
    ranks = xr.Dataset({"nu": ("sample", np.random.default_rng(0).uniform(size=50))})
    calibration = Calibration(xr.DataTree.from_dict({"prior_sbc": ranks}), "prior", 1)
    found["sbc"] = calibration.to_dict()
    found["diagnosis"] = handmade().diagnose().to_dict()
    return json.loads(json.dumps(found, allow_nan=False))


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
        if name.partition(",")[0] not in KINDS:
            continue
        path = tmp_path / "result.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        assert load_result(path).to_dict() == content, name


def test_damage_is_found(written):
    """Without any one of its fields, or with one misspelt or of another type, no file passes."""
    for name, content in written.items():
        validator = _validator(name)
        for field in content:
            without = {key: value for key, value in content.items() if key != field}
            assert not validator.is_valid(without), (name, field)
            assert not validator.is_valid(without | {f"{field}s": content[field]}), (name, field)
            assert not validator.is_valid(content | {field: [[object()]]}), (name, field)
        assert not validator.is_valid(content | {"more": 1}), name


def test_damage_inside_is_found(written):
    plan = copy.deepcopy(written["plan"])
    for path in (("loss", "q05"), ("recommended", "params"), ("scenario", "risk")):
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
    with pytest.raises(FileError, match="no schema 'plans'; there are backtest, comparison"):
        schema("plans")


def test_the_page_on_files_is_up_to_date():
    root = ROOT.parent
    made = runpy.run_path(str(root / "tools" / "schema_docs.py"))["page"]()
    assert (root / "docs" / "files.md").read_text(encoding="utf-8") == made
