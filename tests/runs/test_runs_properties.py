"""Properties that hold for any table of runs."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_scaling.core.spreadsheet_text import quoted_table
from bayes_scaling.errors import BayesScalingError
from bayes_scaling.runs import identifiability, load_runs

SIZES = st.floats(1e-3, 1e30, allow_subnormal=False) | st.integers(1, 10**30)
LOSSES = st.floats(1e-3, 1e3)
LABELS = st.text(
    st.characters(codec="utf-8", exclude_characters="\0", exclude_categories=("Cs",)), max_size=8
)


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 12))

    def column(cells):
        return draw(st.lists(cells, min_size=rows, max_size=rows))

    table = {"params": column(SIZES), "tokens": column(SIZES), "loss": column(LOSSES)}
    optional = {
        "run": LABELS,
        "family": LABELS,
        "unique_tokens": st.none() | SIZES,
        "flops": st.none() | SIZES,
        "loss_se": st.none() | st.floats(1e-6, 1.0),
        "seed": st.none() | st.integers(0, 2**40),
        "role": st.sampled_from(["fit", "target", ""]),
        "loss_unit": st.just("nats/byte"),
        "cooldown": st.sampled_from([True, False, None]),
        "lr_schedule": LABELS,
    }
    for name in draw(st.sets(st.sampled_from(sorted(optional)))):
        table[name] = column(optional[name])
    return pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in table.items()})


def as_json_lines(table):
    records = table.astype(object).where(table.notna(), None).to_dict(orient="records")
    return "".join(json.dumps(record) + "\n" for record in records)


@settings(max_examples=30, deadline=None)
@given(source=tables())
def test_every_format_gives_the_same_runs(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    runs = load_runs(source)
    table = runs.table
    # As this package writes text: a plain apostrophe before a formula or a control character would
    # be taken for its own in reading.
    quoted = quoted_table(table)
    quoted.to_csv(folder / "r.csv", index=False)
    quoted.to_csv(folder / "r.tsv", index=False, sep="\t")
    table.to_parquet(folder / "r.parquet")
    (folder / "r.jsonl").write_text(as_json_lines(table), encoding="utf-8")
    for name in ("r.csv", "r.tsv", "r.parquet", "r.jsonl"):
        again = load_runs(folder / name)
        pd.testing.assert_frame_equal(again.table, table)
        assert again.hash == runs.hash
        assert [_key(flag) for flag in again.flags] == [_key(flag) for flag in runs.flags]


def _key(flag):
    # Messages name lines of a file and rows of a data frame, so they differ.
    return (flag.row, flag.run, flag.code, flag.severity, flag.column)


@settings(max_examples=30, deadline=None)
@given(source=tables())
def test_rows_keep_their_order_and_values(source):
    table = load_runs(source).table
    assert len(table) == len(source)
    for name in ("params", "tokens", "loss"):
        assert table[name].dtype == np.float64
        assert table[name].tolist() == [float(value) for value in source[name]]


@settings(max_examples=30, deadline=None)
@given(source=tables())
def test_derived_compute_is_exactly_6nd(source):
    table = load_runs(source.drop(columns="flops", errors="ignore")).table
    expected = [
        6.0 * float(n) * float(d) for n, d in zip(source.params, source.tokens, strict=True)
    ]
    assert table["flops"].tolist() == expected
    assert table["flops_derived"].all()


@settings(max_examples=30, deadline=None)
@given(source=tables(), data=st.data())
def test_flags_change_nothing(source, data):
    bad = st.sampled_from([0.0, -1.0, np.inf, np.nan, 1e300, 1e-300])
    for _ in range(data.draw(st.integers(1, 3))):
        row = data.draw(st.integers(0, len(source) - 1))
        name = data.draw(st.sampled_from(["params", "tokens", "loss"]))
        source.loc[row, name] = data.draw(bad)
    runs = load_runs(source)
    assert len(runs) == len(source)
    for name in ("tokens", "loss", "params"):
        given_cells = np.array([float(value) for value in source[name]])
        kept = ~np.isnan(given_cells)
        assert runs.table[name].to_numpy()[kept].tolist() == given_cells[kept].tolist()
    codes = {flag.code for flag in runs.flags if flag.severity == "error"}
    rows = {flag.row for flag in runs.flags if flag.severity == "error"}
    if rows and len(rows) < len(runs):
        kept_rows = runs.exclude(*codes)
        assert len(kept_rows) + sum(kept_rows.excluded.values()) == len(runs)


@settings(max_examples=30, deadline=None)
@given(source=tables())
def test_the_hash_sees_order_and_content(source):
    runs = load_runs(source)
    assert load_runs(source.assign(comment="x")).hash == runs.hash
    assert load_runs(source.assign(loss=source["loss"].astype(float) * 1.5)).hash != runs.hash
    turned = load_runs(source.iloc[::-1])
    same = turned.table.equals(runs.table)
    assert (turned.hash == runs.hash) or not same


GOOD = {
    "r.csv": b"run,family,params,tokens,loss,cooldown\na,web,1e8,2e9,3.5,yes\nb,w,2e8,4e9,3,no\n",
    "r.jsonl": b'{"N": 1e8, "D": 2e9, "loss": 3.5}\n{"N": 2e8, "D": 4e9, "loss": 3.0}\n',
}


@settings(max_examples=150, deadline=None)
@given(
    name=st.sampled_from(sorted(GOOD)),
    edits=st.lists(st.tuples(st.integers(0, 100), st.binary(max_size=3)), min_size=1, max_size=4),
)
def test_damaged_files_load_or_say_why(name, edits, tmp_path_factory):
    data = GOOD[name]
    for place, new in edits:
        data = data[:place] + new + data[place + 1 :]
    path = tmp_path_factory.mktemp("damaged") / name
    path.write_bytes(data)
    try:
        runs = load_runs(path)
        identifiability(runs)
    except BayesScalingError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_the_hash_is_the_same_in_every_process():
    code = (
        "import pandas as pd; from bayes_scaling.runs import load_runs; "
        "print(load_runs(pd.DataFrame({'N': [1e8, 2e8], 'D': [2e9, 4e9], 'loss': [3.5, 3.2], "
        "'family': ['a', 'b'], 'run': ['x', 'y']})).hash)"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    }
    assert hashes == {"3a881f44a610c620d1ba97110b2651f75ebbaa41a9e1f2891ce49a558ac5bfa2"}


def test_loading_does_not_import_the_sampler():
    code = (
        "import sys, bayes_scaling.runs; "
        "heavy = {'pymc', 'pytensor', 'arviz', 'matplotlib', 'nutpie'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("change", [{"count": "params_nonemb"}, {"loss_unit": "nats/byte"}])
def test_the_hash_sees_what_the_numbers_mean(change):
    frame = pd.DataFrame({"N": [1e8], "N_nonemb": [1e8], "D": [1e9], "loss": [3.0]})
    assert load_runs(frame, **change).hash != load_runs(frame).hash
