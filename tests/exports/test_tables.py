"""Tables, and stores that plain ArviZ reads."""

import json
import subprocess
import sys
from hashlib import sha256

import arviz as az
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from numpy.testing import assert_allclose, assert_array_equal

import bayes_scaling as bs
from bayes_scaling.decisions import Scenario, allocate
from bayes_scaling.errors import DataError, FileError, ScenarioError
from bayes_scaling.exports import tables, write_tables, write_zarr
from bayes_scaling.exports.column_types import MEANINGS
from tests.conftest import TRUTH, handmade
from tests.report.conftest import HOSTILE, known_fit


@pytest.fixture(scope="module")
def fit():
    return known_fit(lose=True)


@pytest.fixture(scope="module")
def plan(fit):
    return allocate(fit, Scenario(compute_budget=1e23, family="web", target_loss=2.05))


@pytest.fixture(scope="module")
def found(fit, plan):
    return tables(fit, plan)


def test_runs_are_all_there_with_what_is_predicted_for_them(fit, found):
    runs = found["runs"]
    fitted, targets = runs[runs["role"] == "fit"], runs[runs["role"] == "target"]
    assert (len(fitted), len(targets)) == (48, 6)
    assert_array_equal(fitted["loss"], fit.runs["loss"])
    drawn = fit.dt["posterior_predictive"]["loss"].sel(run="r-web3").to_numpy()
    row = runs[runs["run"] == "r-web3"].iloc[0]
    assert_allclose(row["predicted_q05"], np.quantile(drawn, 0.05), rtol=1e-6)
    forecast = fit.predict(fit.targets[["params", "tokens", "flops", "family"]]).to_frame()
    assert_allclose(targets["predicted_q95"], forecast["q95"])
    lost = targets["loss"].isna()
    assert lost.sum() == 1
    assert targets.loc[lost, "inside_90"].isna().all()
    known = targets[~lost]
    between = known["loss"].between(known["predicted_q05"], known["predicted_q95"])
    assert_array_equal(known["inside_90"].astype(bool), between)


def test_flags_stand_beside_their_runs(fit, found):
    flags = fit.dt["flags"].to_dataset().to_dataframe()
    named = flags[flags["run"].isin(found["runs"]["run"])]
    by_run = found["runs"].set_index("run")["flags"]
    for _, flag in named.iterrows():
        assert flag["code"] in by_run[flag["run"]].split("; ")
    assert (by_run[~by_run.index.isin(named["run"])] == "").all()
    assert len(found["flags"]) == len(flags)


def test_draws_are_the_posterior(fit, found):
    draws = found["draws"].set_index(["chain", "draw", "family"])
    assert len(draws) == 4 * 250 * 2
    wanted = fit.posterior["alpha_N"].sel(chain=2, draw=17, family="code").item()
    assert draws.loc[(2, 17, "code"), "alpha_N"] == wanted
    shared = found["draws_shared"].set_index(["chain", "draw"])
    assert shared.loc[(3, 9), "nu"] == fit.posterior["nu"].sel(chain=3, draw=9).item()
    assert set(draws.columns) | set(shared.columns) == set(map(str, fit.posterior.data_vars))
    means = found["parameters"].set_index("parameter")["mean"]
    assert_allclose(draws.loc[(slice(None), slice(None), "web"), "A"].mean(), means["A[web]"])


def test_forecasts_are_those_requested(fit, found):
    assert_array_equal(found["forecasts"]["multiple"], [2, 4, 10, 100] * 2)
    configs = pd.DataFrame({"params": [1e10], "tokens": [2e11], "family": "web", "note": "mine"})
    own = tables(fit, configs=configs)["forecasts"]
    assert own["note"].tolist() == ["mine"]
    assert_allclose(own["q50"], fit.predict(configs).to_frame()["q50"])
    with pytest.raises(DataError, match="tokens"):
        tables(fit, configs=configs.assign(tokens=-1.0))


def test_plans_have_a_row_each(plan, found):
    row = found["plans"].iloc[0]
    assert row["params"] == plan.recommended.params
    assert row["probability_of_target"] == plan.probability_of_target
    assert row["q95"] == plan.loss.q95
    with pytest.raises(ScenarioError, match="'chinchilla'"):
        tables(known_fit(law="product"), plan)


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_files_hold_tables_and_say_what_columns_are(fit, plan, found, tmp_path, form):
    read = pd.read_csv if form == "csv" else pd.read_parquet
    paths = write_tables(tmp_path / "new" / "folder", fit, plan, form=form)
    described = json.loads(paths.pop("datapackage.json").read_text(encoding="utf-8"))
    assert set(paths) == set(found)
    for name, path in paths.items():
        # Text that is empty comes back as missing from CSV.
        back = read(path)
        assert list(back.columns) == list(found[name].columns)
        for column in found[name].select_dtypes("number"):
            assert_array_equal(back[column], found[name][column].astype(float))
    for resource in described["resources"]:
        fields = resource["schema"]["fields"]
        assert [field["name"] for field in fields] == list(found[resource["name"]].columns)
        assert (paths[resource["name"]].parent / resource["path"]).exists()
    draws = next(one for one in described["resources"] if one["name"] == "draws")
    assert all(field.get("description") for field in draws["schema"]["fields"])
    assert described["loss_unit"] == "nats/token"
    assert described["reference_point"]["params"] == pytest.approx(
        float(fit.dt["constant_data"]["reference_params"])
    )


def test_every_meaning_is_of_a_column_that_is_written(found):
    learned = handmade("chinchilla-gamma", TRUTH | {"gamma": 0.9}, prior="population")
    more = tables(
        learned, configs=pd.DataFrame({"params": [1e10], "tokens": [2e11], "family": "web"})
    )
    both = [*found.values(), *more.values()]
    columns = {str(name) for table in both for name in table}
    assert set(MEANINGS) - columns == set()


def test_hostile_names_come_back(tmp_path):
    fit = known_fit((HOSTILE, "数据 🦙"), run_name=HOSTILE)
    write_tables(tmp_path, fit)
    back = pd.read_csv(tmp_path / "draws.csv")
    assert set(back["family"]) == {HOSTILE, "数据 🦙"}
    write_zarr(tmp_path / "fit.zarr", fit)
    tree = xr.open_datatree(tmp_path / "fit.zarr", engine="zarr")
    assert set(tree["posterior"]["family"].values) == {HOSTILE, "数据 🦙"}


FORMULA = "=cmd|'/c calc'!A0"


@pytest.mark.parametrize("raw", [False, True])
def test_formulas_are_quoted_unless_raw_and_come_back(tmp_path, raw):
    fit = known_fit((FORMULA, "web"), run_name="+r")
    configs = pd.DataFrame(
        {"params": [1e10], "tokens": [2e11], "family": [FORMULA], "@note": ["-1"], "x": [-1.0]}
    )
    paths = write_tables(tmp_path, fit, configs=configs, raw=raw)
    described = json.loads(paths["datapackage.json"].read_text(encoding="utf-8"))
    assert described["formulas"] == ("raw" if raw else "quoted")
    for resource in described["resources"]:
        back = pd.read_csv(tmp_path / resource["path"])
        assert [field["name"] for field in resource["schema"]["fields"]] == list(back)
        texts = [*back, *back.select_dtypes("str").to_numpy().ravel()]
        starts = {text[0] for text in texts if isinstance(text, str) and text}
        assert raw or not starts & set("=+@")
    forecasts = pd.read_csv(paths["forecasts"])
    assert forecasts["@note" if raw else "'@note"].tolist() == [-1]
    assert forecasts["x"].tolist() == [-1]
    assert forecasts["family"].tolist() == [FORMULA if raw else f"'{FORMULA}"]
    runs = bs.load_runs(paths["runs"])
    assert set(runs.table["family"]) == {FORMULA, "web"}
    assert_array_equal(runs.table["run"], tables(fit)["runs"]["run"])


def test_a_second_export_replaces_the_first(tmp_path, fit, plan):
    write_tables(tmp_path, fit, plan)
    paths = write_tables(tmp_path, known_fit((FORMULA, "web"), lose=True), form="parquet")
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in paths.values()}
    described = json.loads(paths["datapackage.json"].read_text(encoding="utf-8"))
    for resource in described["resources"]:
        content = (tmp_path / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{sha256(content).hexdigest()}"


def test_what_cannot_be_written_is_refused_and_nothing_is_lost(fit, tmp_path):
    with pytest.raises(FileError, match="'xlsx'"):
        write_tables(tmp_path / "a", fit, form="xlsx")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileError, match="file"):
        write_tables(tmp_path / "file", fit)
    with pytest.raises(FileError, match="file"):
        write_zarr(tmp_path / "file", fit)
    with pytest.raises(FileError, match=r"fit\.zarr"):
        write_zarr(tmp_path / "none" / "fit.zarr", fit)
    assert (tmp_path / "file").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


PLAIN = """
import json, sys
sys.modules["bayes_scaling"] = None  # an import of it fails
import arviz as az
for path in sys.argv[1:]:
    tree = az.from_zarr(path) if path.endswith(".zarr") else az.from_netcdf(path)
    table = az.summary(tree, var_names=["alpha_N"], round_to="none")
    print(json.dumps(table["mean"].to_dict()))
    print(float(az.loo(tree).elpd))
    print(sorted(tree.children))
"""


def test_plain_arviz_reads_a_fit(fit, tmp_path):
    paths = [fit.save(tmp_path / "fit.nc"), tmp_path / "fit.zarr"]
    write_zarr(paths[1], fit)
    done = subprocess.run(
        [sys.executable, "-I", "-c", PLAIN, *map(str, paths)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 6
    ours, elpd = fit.summary()["mean"], az.loo(fit.dt).elpd
    for means, theirs, groups in (lines[:3], lines[3:]):
        for label, value in json.loads(means).items():
            assert_allclose(value, ours[label], rtol=1e-12)
        assert_allclose(float(theirs), elpd)
        for group in ("posterior", "prior", "posterior_predictive", "log_likelihood"):
            assert repr(group) in groups
