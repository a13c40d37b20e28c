"""Names of families are data: whatever they hold, files and reports stay what they are."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_scaling import Fit, identifiability, load_fit, load_runs
from bayes_scaling import demo as _demo
from bayes_scaling.core.files import short_names
from bayes_scaling.errors import DataError

HOSTILE = ("../../x", "<b>", "x" * 300, "代码 🚀", "a/b", "a:b", "")
RUNS = pd.DataFrame({"params": [1e8, 2e8, 4e8], "tokens": [2e9, 4e9, 2e9], "loss": [3.5, 3.2, 3.1]})


def test_file_names_of_families():
    names = short_names([*HOSTILE, "..", "con/../A:B", "CON"])
    assert list(names) == [*HOSTILE, "..", "con/../A:B", "CON"]
    assert names["../../x"] == "x"
    assert names["代码 🚀"] == "代码"
    assert (names["a/b"], names["a:b"]) == ("a-b", "a-b-2")
    assert len({name.casefold() for name in names.values()}) == len(names)
    for name in names.values():
        assert name
        assert not set(name) & set('/\\<>:"|?*\0 ')
        assert len(f"plan-{name}.json".encode()) < 255


@pytest.fixture(scope="module")
def demo_fit(make_fit):
    fit = make_fit(families=HOSTILE[:4])
    targets = fit.runs.groupby("family", sort=False).tail(1)
    held = {name: ("target", targets[name].to_numpy()) for name in ("params", "tokens", "flops")}
    for name in ("family", "run"):
        held[name] = "target", targets[name].to_numpy().astype(np.str_)
    held["loss"] = "target", targets["loss"].to_numpy()
    tree = fit.dt.copy()
    tree["held_out"] = xr.DataTree(xr.Dataset(held))
    return Fit(tree)


def test_the_demo_stays_in_its_folder(demo_fit, tmp_path, monkeypatch):
    monkeypatch.setattr(_demo, "fit", lambda *_args, **_options: demo_fit)
    monkeypatch.setattr(_demo.datasets, "load", lambda _name: load_runs(demo_fit.runs))
    said = []
    report = _demo.run_demo(str(tmp_path / "deep" / "demo"), 0, said.append)
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert {path.name for path in (tmp_path / "deep" / "demo").iterdir()} == {
        "fit.nc",
        "forecast.csv",
        "plan-x.json",
        "plan-b.json",
        f"plan-{'x' * 40}.json",
        "plan-代码.json",
        "report.json",
        "report.html",
    }
    html = report.read_text(encoding="utf-8")
    assert "&lt;b&gt;" in html
    assert "'<b>'" not in html
    again = load_fit(tmp_path / "deep" / "demo" / "fit.nc")
    assert again.families == HOSTILE[:4]
    forecast = pd.read_csv(tmp_path / "deep" / "demo" / "forecast.csv")
    assert tuple(forecast["family"]) == HOSTILE[:4]
    plan = json.loads((tmp_path / "deep" / "demo" / "plan-x.json").read_text(encoding="utf-8"))
    assert plan["family"] == "../../x"
    assert said[-1] == f"Open the report: {report}"


def test_the_demo_needs_a_folder(cli, tmp_path):
    (tmp_path / "taken").write_bytes(b"")
    done = cli("demo", "-o", "taken", cwd=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.errors == ["bayes-scaling: cannot make the folder taken: file exists"]


@pytest.mark.parametrize("name", ["a\0b", "half \ud800"])
def test_names_that_no_file_holds(name):
    with pytest.raises(DataError, match="'family'"):
        load_runs(RUNS.assign(family=pd.Series([name, "b", "b"], dtype=object)))


def test_all_models_of_one_size():
    runs = load_runs(RUNS.assign(params=1e8))
    found = identifiability(runs)
    assert any(caveat.data.get("size") == "params" for caveat in found.caveats)


def test_one_run_of_a_family_is_noted():
    runs = load_runs(RUNS.assign(family=["web", "web", "code"]))
    flags = runs.flag_table()
    (flag,) = flags[flags["code"] == "single-run-family"].itertuples()
    assert flag.severity == "note"
    assert flag.run == runs.table["run"][2]
    assert flag.row == 2
    assert len(runs.fit_rows()) == 3


def test_duplicated_rows_are_flagged_and_kept():
    runs = load_runs(pd.concat([RUNS, RUNS.iloc[:1]]))
    assert [(flag.row, flag.severity) for flag in runs.flags if flag.code == "duplicate"] == [
        (3, "warning")
    ]
    assert len(runs.fit_rows()) == 4


def test_integers_beyond_64_bits():
    big = RUNS.assign(params=[10**19, 2 * 10**19, 4 * 10**19], tokens=[10**19] * 3)
    rows = load_runs(big.astype({"params": object, "tokens": object})).fit_rows()
    np.testing.assert_allclose(rows["flops"], [6e38, 1.2e39, 2.4e39])
