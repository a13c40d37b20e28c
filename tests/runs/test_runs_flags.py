"""Quality flags, and the frozen table that carries them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from bayes_scaling.errors import DataError
from bayes_scaling.runs import CODES, load_runs


def law(params, tokens):
    return 1.7 + 400 / params**0.34 + 410 / tokens**0.28


def grid(sizes=4, lengths=4, noise=0.0):
    params, tokens = np.meshgrid(np.geomspace(1e7, 1e9, sizes), np.geomspace(2e9, 2e11, lengths))
    rng = np.random.default_rng(0)
    loss = law(params, tokens) * np.exp(noise * rng.standard_normal(params.shape))
    return pd.DataFrame({"params": params.ravel(), "tokens": tokens.ravel(), "loss": loss.ravel()})


def codes(runs, severity=None):
    return {(f.row, f.code) for f in runs.flags if severity in {None, f.severity} and f.row >= 0}


def with_cell(name, row, value):
    source = grid()
    if name not in source:
        source[name] = np.nan
    source.loc[row, name] = value
    return source


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("loss", 0.0, "nonpositive"),
        ("loss", -1.0, "nonpositive"),
        ("loss", np.inf, "not-finite"),
        ("loss", np.nan, "missing-value"),
        ("params", 0.0, "nonpositive"),
        ("params", np.nan, "missing-value"),
        ("tokens", -5.0, "nonpositive"),
        ("tokens", np.inf, "not-finite"),
        ("flops", 0.0, "nonpositive"),
        ("flops", -np.inf, "nonpositive"),
        ("unique_tokens", -1.0, "nonpositive"),
        ("loss_se", 0.0, "nonpositive"),
        ("params_nonemb", -2.0, "nonpositive"),
        ("seed", np.inf, "not-finite"),
    ],
)
def test_values_no_fit_can_use(name, value, code):
    runs = load_runs(with_cell(name, 3, value))
    assert (3, code) in codes(runs, "error")
    assert {row for row, _ in codes(runs, "error")} == {3}
    first = next(flag for flag in runs.flags if flag.severity == "error")
    assert first.column == name
    with pytest.raises(DataError, match=rf"^data frame, row 3: .*{name}.*runs\.exclude"):
        runs.fit_rows()
    assert len(runs.exclude(*{c for _, c in codes(runs, "error")}).fit_rows()) == 15


def test_the_error_of_a_file_names_line_column_and_value(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("run,N,D,loss\na,1e8,2e9,3\nb,1e8,2e9,-1.5\nc,1e8,2e9,0\n")
    with pytest.raises(DataError) as error:
        load_runs(path).fit_rows()
    assert str(error.value) == (
        "runs.csv, line 3 (run 'b'): loss is -1.5; it must be above zero (2 rows have such an "
        "error; mend the table, or exclude such rows explicitly with --exclude-flagged "
        "nonpositive, in Python runs.exclude('nonpositive'))"
    )


def test_overflow_of_derived_compute_is_flagged():
    runs = load_runs(pd.DataFrame({"N": [1e200], "D": [1e200], "loss": [3.0]}))
    assert (0, "not-finite") in codes(runs, "error")


def test_missing_family():
    runs = load_runs(grid().assign(family=["web", *[""] * 15]))
    assert (1, "missing-family") in codes(runs, "error")
    assert "" in runs.families


def test_duplicates_are_the_later_rows():
    source = grid()
    runs = load_runs(pd.concat([source, source.iloc[[2]]]))
    assert (16, "duplicate") in codes(runs, "warning")
    assert (2, "duplicate") not in codes(runs)
    assert len(runs.fit_rows()) == 17
    assert len(runs.exclude("duplicate")) == 16
    seeds = pd.concat([source.assign(seed=0), source.iloc[[2]].assign(seed=1)])
    assert not [f for f in load_runs(seeds).flags if f.code == "duplicate"]


def test_checkpoints_of_one_run():
    source = pd.DataFrame(
        {"run": ["a", "a", "a", "b"], "N": 1e8, "D": [1e9, 3e9, 2e9, 3e9], "loss": [4, 3, 3.5, 3.1]}
    )
    runs = load_runs(source)
    assert {row for row, code in codes(runs) if code == "mid-training"} == {0, 2}
    assert runs.exclude("mid-training").table["tokens"].tolist() == [3e9, 3e9]
    stepped = source.assign(D=3e9, step=[1, 3, 2, 3])
    assert {r for r, c in codes(load_runs(stepped)) if c == "mid-training"} == {0, 2}
    other_families = source.assign(family=["p", "q", "r", "s"])
    assert not [f for f in load_runs(other_families).flags if f.code == "mid-training"]


def test_run_ids_used_twice():
    source = grid().assign(run=[f"r{i % 15}" for i in range(16)])
    assert (15, "duplicate-run-id") in codes(load_runs(source), "warning")


def test_flops_mismatch_gives_the_ratio():
    source = grid()
    source["flops"] = 6 * source["params"] * source["tokens"] * 1.5
    source.loc[4, "flops"] *= 2
    runs = load_runs(source)
    flag = next(f for f in runs.flags if f.code == "flops-mismatch")
    assert (flag.row, flag.severity) == (4, "warning")
    assert "3 times 6·N·D" in flag.message
    assert len([f for f in runs.flags if f.code == "flops-mismatch"]) == 1


@pytest.mark.parametrize(
    ("columns", "code", "severity"),
    [
        ({"cooldown": [False] + [True] * 15}, "not-cooled", "warning"),
        ({"tokens": [1e6] + [1e10] * 15}, "few-tokens", "warning"),
        ({"unique_tokens": [1e9] + [np.nan] * 15}, "repeated-data", "note"),
        ({"unique_tokens": [1e15] + [np.nan] * 15}, "unique-exceeds-tokens", "warning"),
        ({"family": ["one"] + ["many"] * 15}, "single-run-family", "note"),
        ({"role": ["targte"] + ["fit"] * 15}, "unknown-role", "warning"),
        ({"loss": [33.1] + [3.0] * 15}, "loss-unit", "warning"),
        ({"loss": [0.001] + [3.0] * 15}, "loss-unit", "warning"),
        ({"loss": [5.6] + [1.0] * 15, "loss_unit": "nats/byte"}, "loss-unit", "warning"),
        ({"loss_unit": ["nats/byte"] + ["nats/token"] * 15}, "mixed-units", "error"),
        ({"loss_unit": "unknown"}, "loss-unit", "warning"),
    ],
)
def test_what_deserves_a_look(columns, code, severity):
    runs = load_runs(grid().assign(**columns))
    flag = next(f for f in runs.flags if f.code == code)
    assert (flag.row, flag.severity) == (0, severity)
    assert flag.message.startswith("Row 0: ")
    assert flag.message.endswith(".")


def test_units_that_differ_across_families_are_a_warning():
    units = {"family": ["p"] * 8 + ["q"] * 8, "loss_unit": ["nats/byte"] * 8 + ["nats/token"] * 8}
    runs = load_runs(grid().assign(**units))
    flag = next(f for f in runs.flags if f.code == "mixed-units")
    assert (flag.row, flag.severity) == (-1, "warning")
    assert runs.loss_unit == "mixed"
    assert len(runs.fit_rows()) == 16


@pytest.mark.parametrize("shape", [(4, 4), (7, 7)])
def test_off_law_finds_the_odd_run_only(shape):
    source = grid(*shape, noise=0.005)
    assert not [f for f in load_runs(source).flags if f.code == "off-law"]
    source.loc[5, "loss"] *= 1.3
    found = [f for f in load_runs(source).flags if f.code == "off-law"]
    assert [flag.row for flag in found] == [5]
    assert "above a smooth law" in found[0].message


def test_off_law_needs_ten_runs_and_ignores_targets():
    source = grid(3, 3)
    source.loc[5, "loss"] *= 1.5
    assert not [f for f in load_runs(source).flags if f.code == "off-law"]
    source = grid()
    source.loc[5, "loss"] *= 1.5
    runs = load_runs(source.assign(role=["fit"] * 5 + ["target"] + ["fit"] * 10))
    assert not [f for f in runs.flags if f.code == "off-law"]


def test_off_law_where_tokens_follow_params():
    params = np.geomspace(1e7, 1e10, 20)
    source = pd.DataFrame({"N": params, "D": 20 * params, "loss": law(params, 20 * params)})
    source.loc[3, "loss"] *= 0.7
    found = [f for f in load_runs(source).flags if f.code == "off-law"]
    assert [flag.row for flag in found] == [3]
    assert "below" in found[0].message


def test_one_run_and_all_alike_load():
    one = load_runs(pd.DataFrame({"N": [1e8], "D": [2e9], "loss": [3.0]}))
    assert len(one.fit_rows()) == 1
    same = load_runs(pd.DataFrame({"N": [1e8] * 12, "D": [2e9] * 12, "loss": [3.0] * 12}))
    assert {code for _, code in codes(same)} == {"duplicate"}


def test_derived_is_noted_once_per_column():
    source = grid().assign(flops=[1e18] * 8 + [np.nan] * 8)
    source.loc[0, "tokens"] = np.nan
    runs = load_runs(source)
    noted = [f for f in runs.flags if f.code == "derived"]
    assert [(f.row, f.column) for f in noted] == [(-1, "tokens"), (-1, "flops")]
    assert runs.table["flops_derived"].tolist() == [False] * 8 + [True] * 8
    assert runs.table["tokens_derived"].sum() == 1
    assert "params_derived" not in runs.table


def test_targets_stay_out_of_the_fit():
    source = grid().assign(role=["fit"] * 12 + ["Target"] * 4)
    source.loc[15, "loss"] = np.nan
    runs = load_runs(source)
    assert len(runs.fit_rows()) == 12
    assert len(runs.targets()) == 4
    assert len(load_runs(grid()).targets()) == 0
    source.loc[13, "params"] = -1.0
    broken = load_runs(source)
    assert len(broken.fit_rows()) == 12
    with pytest.raises(DataError, match=r"row 13: params .*-1"):
        broken.targets()
    with pytest.raises(DataError, match="data frame"):
        load_runs(grid().assign(role="target")).fit_rows()


def test_exclude_counts_each_row_once_and_keeps_lines(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("N,D,loss\n1e8,2e9,0\n0,2e9,inf\n1e8,2e9,3\n1e8,2e9,-1\n1e8,1e7,3\n")
    runs = load_runs(path)
    kept = runs.exclude("not-finite").exclude("few-tokens")
    assert kept.excluded == {"not-finite": 1, "few-tokens": 1}
    assert runs.excluded == {}
    with pytest.raises(DataError, match=r"line 2: loss .*0"):
        kept.fit_rows()
    assert [f.message[:7] for f in kept.flags if f.severity == "error"] == ["Line 2:", "Line 5:"]
    both = runs.exclude("nonpositive", "not-finite")
    assert sum(both.excluded.values()) == len(runs) - len(both) == 3


def test_exclude_refuses():
    runs = load_runs(pd.DataFrame({"N": [1e8], "D": [2e9], "loss": [0.0]}))
    with pytest.raises(DataError, match=r"'odd'.*missing-value"):
        runs.exclude("odd")
    with pytest.raises(DataError):
        runs.exclude("nonpositive")
    assert len(runs.exclude("duplicate")) == 1


def test_select():
    both = ["bits/token"] + ["nats/token"] * 15
    runs = load_runs(grid().assign(loss_unit=both))
    big = runs.select(lambda table: table["params"] > 1e8)
    assert len(big) == 8
    assert big.table.index.tolist() == list(range(8))
    assert [f.code for f in big.flags][:1] == ["unit-converted"]
    for mask in ([True], np.ones(16), ["yes"] * 16, [None] * 16):
        with pytest.raises(DataError, match="boolean"):
            runs.select(mask)
    with pytest.raises(DataError):
        runs.select(np.zeros(16, dtype=bool))


def test_frozen():
    runs = load_runs(grid())
    before = runs.hash
    table, rows = runs.table, runs.fit_rows()
    table["loss"] = 0.0
    table.loc[0, "params"] = 1.0
    rows.loc[:, "tokens"] = 0.0
    assert load_runs(runs.table).hash == before
    with pytest.raises(dataclasses.FrozenInstanceError):
        runs.count = "params_nonemb"
    source = grid()
    kept = load_runs(source)
    source["loss"] = 0.0
    assert kept.table["loss"].min() > 0


def test_displays():
    runs = load_runs(grid().assign(family="<i>web</i>", role="target"))
    page = runs._repr_html_()
    assert "<i>" not in page
    assert "&lt;i&gt;web" in page
    assert repr(runs) == "<Runs from data frame: 16 runs, 1 family, loss in nats/token, 1 flags>"
    summary = runs.summary()
    assert summary["runs"].tolist() == summary["targets"].tolist() == [16]
    assert summary[["params_min", "params_max"]].to_numpy().tolist() == [[1e7, 1e9]]
    flags = runs.flag_table()
    assert flags.columns.tolist() == ["row", "run", "code", "severity", "column", "message"]
    assert set(flags["code"]) <= set(CODES)
    assert load_runs(grid().assign(flops=1e18)).summary()["warnings"].sum() > 0


def test_flag_table_of_a_clean_table():
    source = grid()
    runs = load_runs(source.assign(flops=6 * source["params"] * source["tokens"]))
    assert runs.flags == ()
    assert runs.flag_table().empty
