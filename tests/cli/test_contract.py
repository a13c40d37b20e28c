"""The contract of the commands: files, columns, numbers."""

import csv
import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_scaling import load_fit, load_runs
from bayes_scaling.laws import get
from bayes_scaling.runs import load_configs
from tests.cli.conftest import FAMILIES, OLD

# Aliases, a user's columns, numbers in every spelling, and rows in no order of families.
CONFIGS = [
    ["note", "N", "tokens", "family", "id"],
    ["", "1e9", "20000000000", FAMILIES[1], "007"],
    ['a "quoted", note', "1000000000.0", "2.0E10", FAMILIES[0], "1.50"],
    ["=1+1", "3e8", "6000000000", FAMILIES[1], "NA"],
    ["<b>x</b>", "10000000000000000000", "18446744073709551616", FAMILIES[0], ""],
    ["ünï", "1e9", "2e10", "never seen", "x"],
]
ADDED = ["mean", "sd", "q05", "q25", "q50", "q75", "q95", "extrapolation", "family_seen"]


def _write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle).writerows(rows)
    return path


def _read(path):
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.reader(handle))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contract")
    _write(folder / "configs.csv", CONFIGS)
    rows = [f"{50 * i},{2 + 3 / i:.4f}" for i in range(1, 13)]
    (folder / "log.csv").write_text("\n".join(["step,loss", *rows]) + "\n", encoding="utf-8")
    (folder / "scenario.toml").write_text(
        'family = "web"\ntarget_loss = 2.5\nrisk = "mean"\ncompute_budget = "1e21 FLOP"\n'
        '[[alternative]]\nname = "twenty"\ntokens_per_param = 20\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def done(cli, fit_path, folder):
    """All commands that read the fit, once."""
    at = ("predict", fit_path, "--at", "configs.csv", "--column", "run=id")
    installed = {
        "run": (*at, "-o", "run.csv"),
        "again": (*at, "-o", "again.csv", "--seed", "0"),
        "allocate": (
            *("allocate", fit_path, "--scenario", "scenario.toml", "-o", "plan.json"),
            *("--plot", "plan.svg"),
        ),
        "monitor": (
            *("monitor", "log.csv", "--end", "1000", "--reference", "2.5", "-o", "verdict.json"),
            *("--plot", "curve.png"),
        ),
    }
    forked = {
        "diagnose": ("diagnose", fit_path),
        "watch": (
            *("watch", "log.csv", "--end", "1e6", "--every", "0", "--timeout", "0"),
            *("--cost", "1", "--worth", "1", "--patience", "1", "-o", "last.json"),
        ),
        "frontier": (
            *("frontier", fit_path, "--scenario", "scenario.toml", "-o", "frontier.json"),
            *("--plot", "frontier.png"),
        ),
        "next": (
            *("next-runs", fit_path, "--scenario", "scenario.toml", "--batch", "2"),
            *("-o", "next.json"),
        ),
        "marginal": (
            *("marginal", fit_path, "--params", "1e9", "--tokens", "2e10", "--family", "web"),
            *("--scenario", "scenario.toml", "-o", "marginal.json"),
        ),
        "other": (*at, "-o", "other.csv", "--seed", "1"),
        "raw": (*at, "-o", "raw.csv", "--raw"),
        "json": (*at, "-o", "run.json"),
        "parquet": (*at, "-o", "run.parquet"),
        "curve": (*at, "-o", "curve.csv", "--kind", "curve"),
        "quantiles": (*at, "-o", "levels.csv", "--quantiles", "0.975,0.025,0.5,0.001"),
        "diagnose json": ("diagnose", fit_path, "--json"),
    }
    (folder / "curve.csv").write_bytes(OLD)
    jobs = {name: lambda words=words: cli(*words, cwd=folder) for name, words in installed.items()}
    done = cli.at_once(jobs)
    done |= cli.in_forks({name: (words, folder) for name, words in forked.items()})
    for name, result in done.items():
        assert result.code == (3 if name == "watch" else 0), (name, result.err)
        assert result.errors == [], name
    assert not list(folder.glob(".*")), "temporary files are left"
    return done


def test_fit_says_what_it_does(fitted):
    assert fitted.errors == []
    assert "draws" not in fitted.err  # progress is for terminals
    assert "alpha_N[web]" in fitted.out
    assert fitted.out.endswith(" diagnose fit.nc\n")


def test_a_fit_is_plain_netcdf(fit_path, runs):
    with xr.open_datatree(fit_path, engine="h5netcdf") as tree:
        tree.load()
    groups = {
        "posterior",
        "prior",
        "posterior_predictive",
        "log_likelihood",
        "log_prior",
        "observed_data",
        "constant_data",
        "sample_stats",
    }
    assert groups <= set(tree.children)
    posterior = tree["posterior"]
    assert dict(posterior["alpha_N"].sizes) == {"chain": 2, "draw": 200, "family": 2}
    assert tuple(posterior["family"].to_numpy()) == FAMILIES
    assert dict(tree["log_likelihood"]["loss"].sizes) == {"chain": 2, "draw": 200, "run": 24}
    np.testing.assert_allclose(tree["observed_data"]["loss"], runs["loss"], rtol=1e-14)
    assert {"diverging", "energy"} <= set(tree["sample_stats"].data_vars)
    for name in groups:
        assert not any(value.dtype == object for value in tree[name].data_vars.values()), name


def test_attributes_of_a_fit(fit_path, runs):
    with xr.open_datatree(fit_path, engine="h5netcdf") as tree:
        attrs = dict(tree.attrs)
    assert (attrs["schema"], attrs["law"]) == ("bayes_scaling.fit/2", "chinchilla")
    spec = json.loads(attrs["spec"])
    assert tuple(spec["families"]) == FAMILIES
    names = [parameter["name"] for parameter in spec["law_parameters"]]
    assert tuple(names[: len(get("chinchilla").names)]) == get("chinchilla").names
    for parameter in spec["law_parameters"]:
        assert set(parameter["prior"]) == {"median", "sd", "spread"}
    assert {"bayes-scaling", "pymc", "nutpie", "arviz", "python"} <= set(
        json.loads(attrs["versions"])
    )
    assert attrs["runs_hash"] == load_runs(runs).hash
    assert (attrs["source"], attrs["seed"]) == ("runs.csv", 7)
    sampler = json.loads(attrs["sampler"])
    assert [sampler[name] for name in ("draws", "tune", "chains", "seed")] == [200, 300, 2, 7]


def test_columns_of_a_forecast(done, folder):
    table = _read(folder / "run.csv")
    assert table[0] == CONFIGS[0] + ADDED
    given = [[cell.replace("=1+1", "'=1+1") for cell in row] for row in CONFIGS]
    assert [row[:5] for row in table] == given, "the user's cells are changed"
    assert [row[:5] for row in _read(folder / "raw.csv")] == CONFIGS
    assert [row[5:] for row in _read(folder / "raw.csv")] == [row[5:] for row in table]
    assert sum("--raw" in note for note in done["run"].notes) == 1
    assert not any("--raw" in note for name in ("raw", "json") for note in done[name].notes)
    back = load_configs(folder / "run.csv").original
    assert [list(back)[:5], *back.iloc[:, :5].to_numpy().tolist()] == CONFIGS
    forecast = pd.read_csv(folder / "run.csv")
    assert forecast["family_seen"].tolist() == [True, True, True, True, False]
    assert np.isfinite(forecast[ADDED[:-1]].to_numpy()).all()
    assert (np.diff(forecast[["q05", "q25", "q50", "q75", "q95"]], axis=1) > 0).all()
    assert re.findall(r"[\w.]+\.csv|\d+", done["run"].out) == ["5", "run.csv"]
    assert any("'never seen'" in note for note in done["run"].notes)


def test_extrapolation_is_decades_of_compute(done, folder, runs):
    largest = (6.0 * runs["params"] * runs["tokens"]).groupby(runs["family"]).max()
    forecast = pd.read_csv(folder / "run.csv")
    compute = 6.0 * forecast["N"].astype(float) * forecast["tokens"].astype(float)
    beyond = [largest.get(name, largest.max()) for name in forecast["family"]]
    np.testing.assert_allclose(forecast["extrapolation"], np.log10(compute / beyond), rtol=1e-12)
    assert forecast["extrapolation"][3] == pytest.approx(19.53, abs=0.01)


def test_the_same_seed_gives_the_same_bytes(done, folder):
    assert (folder / "run.csv").read_bytes() == (folder / "again.csv").read_bytes()
    assert (folder / "run.csv").read_bytes() != (folder / "other.csv").read_bytes()


def test_another_process_forecasts_the_same(done, folder, fit_path):
    frame = load_fit(fit_path).predict(folder / "configs.csv").to_frame()
    header, *rows = _read(folder / "run.csv")
    for name in ADDED[:-1]:
        written = [float(row[header.index(name)]) for row in rows]
        assert written == frame[name].tolist(), name


def test_json_and_parquet_hold_the_same(done, folder):
    table = pd.read_csv(
        folder / "raw.csv", dtype=dict.fromkeys(CONFIGS[0], str), keep_default_na=False
    )
    parquet = pd.read_parquet(folder / "run.parquet")
    assert parquet.columns.tolist() == CONFIGS[0] + ADDED
    assert parquet["family_seen"].dtype == bool
    content = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert content["schema"] == "bayes_scaling.forecast/2"
    assert (content["quantity"], content["loss_unit"]) == ("loss_run", "nats/token")
    assert len(content["caveats"]) == len(done["json"].notes) > 0
    points = pd.DataFrame(content["points"])
    assert points.columns.tolist() == CONFIGS[0] + ADDED
    for other in (parquet, points):
        for name in CONFIGS[0]:
            assert other[name].tolist() == table[name].tolist(), name
        for name in ADDED:
            assert other[name].tolist() == pytest.approx(table[name].tolist(), rel=1e-12), name


def test_a_run_is_less_sure_than_the_curve(done, folder):
    run, curve = pd.read_csv(folder / "run.csv"), pd.read_csv(folder / "curve.csv")
    wider = (run["q95"] - run["q05"]) / (curve["q95"] - curve["q05"])
    # Families differ by so much more than runs that the noise is lost in an unseen one.
    assert (wider[run["family_seen"]] > 1).all()


def test_names_of_quantiles(done, folder):
    table = _read(folder / "levels.csv")
    assert table[0][7:-2] == ["q97.5", "q02.5", "q50", "q00.1"]


def test_diagnosis(done):
    told = json.loads(done["diagnose json"].out)
    assert told["status"] in {"ok", "warn", "fail"}
    assert told["verdict"]
    assert told["verdict"] in done["diagnose"].out
    assert {row["parameter"] for row in told["parameters"]} >= {"alpha_N[web]", "nu"}


def test_plan(done, folder):
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    assert plan["schema"] == "bayes_scaling.plan/2"
    split = plan["recommended"]
    assert 6 * split["params"] * split["tokens"] == pytest.approx(1e21)
    assert 0 <= plan["probability_of_target"] <= 1
    assert plan["alternatives"][0]["name"] == "twenty"
    assert re.findall(r"\S+\.(?:json|svg)", done["allocate"].out) == ["plan.json", "plan.svg"]
    assert "twenty" in (folder / "plan.svg").read_text(encoding="utf-8")


def test_frontier_and_marginal_gains(done, folder):
    frontier = json.loads((folder / "frontier.json").read_text(encoding="utf-8"))
    assert frontier["schema"] == "bayes_scaling.frontier/2"
    assert len(frontier["rows"]) == 21
    assert frontier["rows"][10]["budget"] == pytest.approx(1e21)
    assert "frontier.json\n" in done["frontier"].out
    assert (folder / "frontier.png").read_bytes().startswith(b"\x89PNG")
    gains = json.loads((folder / "marginal.json").read_text(encoding="utf-8"))
    assert gains["schema"] == "bayes_scaling.marginal/2"
    assert gains["bottleneck"] in ("params", "tokens")
    assert done["marginal"].out.endswith("Gains written to marginal.json\n")


def test_monitor_and_watch(done, folder):
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["schema"] == "bayes_scaling.verdict/2"
    assert verdict["advice"] in ("continue", "extend")
    assert 0 <= verdict["probability_of_reference"] <= 1
    assert done["monitor"].out.startswith(verdict["advice"].capitalize())
    assert (folder / "curve.png").read_bytes().startswith(b"\x89PNG")
    # A step that costs as much as a loss lower by 1 is never worth it: neither success nor error.
    assert done["watch"].code == 3
    assert json.loads((folder / "last.json").read_text(encoding="utf-8"))["advice"] == "stop"


def test_next_runs(done, folder):
    ranked = json.loads((folder / "next.json").read_text(encoding="utf-8"))
    assert ranked["schema"] == "bayes_scaling.next_runs/2"
    assert len(ranked["candidates"]) == 18
    assert len(ranked["batch"]) == 2
    assert done["next"].out.endswith("Ranking written to next.json\n")


class _Sources(HTMLParser):
    """What a page would fetch from elsewhere."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        names = {"src", "href"} if tag != "a" else set()
        self.found += [value for name, value in attrs if name in names]


def test_report(done, cli, folder, fit_path):
    words = ("report", fit_path, "plan.json", "--title", "<i>title</i>", "-o")
    page = cli(*words, "report.html", cwd=folder)
    content = cli.in_forks({"json": ((*words, "report.json"), folder)})["json"]
    for name, result in {"report.html": page, "report.json": content}.items():
        assert (result.code, result.errors) == (0, []), name
        assert result.out == f"Report written to {name}\n"
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert "<b>../x" not in html
    assert "<i>title" not in html
    sources = _Sources()
    sources.feed(html)
    assert all(source.startswith(("data:", "#")) for source in sources.found), sources.found
    json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_export(done, cli, folder, fit_path):
    assert done["allocate"].code == 0
    words = ("export", fit_path, "plan.json", "--at", "configs.csv", "-o", "tables")
    told = cli.in_forks({"tables": ((*words, "--format", "parquet"), folder)})["tables"]
    assert (told.code, told.errors) == (0, [])
    assert told.out.endswith("plans.parquet, datapackage.json written to tables\n")
    forecasts = pd.read_parquet(folder / "tables" / "forecasts.parquet")
    assert forecasts["note"].tolist() == [row[0] for row in CONFIGS[1:]]
    assert set(pd.read_parquet(folder / "tables" / "draws.parquet")["family"]) == set(FAMILIES)


def test_a_device_can_be_the_output(cli, fit_path, folder):
    words = ("predict", fit_path, "--at", "configs.csv", "-o", "/dev/null")
    assert cli.in_forks({"null": (words, folder)})["null"].code == 0


def test_names_that_are_not_text(cli, fit_path, tmp_path):
    if sys.platform != "linux":
        pytest.skip("file names are text here")
    configs = _write(tmp_path / "\udcff.csv", CONFIGS)
    done = cli("predict", fit_path, "--at", configs.name, "-o", "\udcfe.json", cwd=tmp_path)
    assert (done.code, done.errors) == (0, [])
    assert (tmp_path / "\udcfe.json").is_file()
