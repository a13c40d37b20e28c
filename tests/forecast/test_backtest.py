"""What a backtest fits and scores, and that it can be stopped and go on."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.errors import DataError, FileError
from bayes_scaling.forecast import Backtest, backtest, score
from bayes_scaling.forecast.evaluation.outcomes import score_rows
from bayes_scaling.forecast.evaluation.thresholds import divide
from bayes_scaling.inference import Fit, Procedure
from bayes_scaling.runs import Runs
from tests.conftest import TRUTH, backtest_of, codes

Fitted = Callable[..., Fit]


def _rows(**columns: object) -> pd.DataFrame:
    table = pd.DataFrame(columns)
    return table.assign(run=[f"r{i}" for i in range(len(table))])


def test_a_division_is_by_the_compute_of_each_family() -> None:
    rows = _rows(family=["a"] * 6 + ["b"] * 3, flops=[1.0, 2, 3, 4, 10, 80, 1, 9, 10])
    found = divide(rows, 8.0, "compute", "runs.csv")
    assert list(found.small["flops"]) == [1, 2, 3, 4, 10]
    assert list(found.large["flops"]) == [80]
    assert [entry.family for entry in found.skipped] == ["b"]
    assert str(found.skipped[0]) == (
        "'b' at 1/8: 1 run at 1/8 of its largest compute or less, 4 are needed"
    )


@pytest.mark.parametrize("split", ["params", "tokens"])
def test_a_division_by_size_or_data(split: str) -> None:
    rows = _rows(family="a", params=[1.0, 2, 3, 4, 9], tokens=[9.0, 4, 3, 2, 1])
    found = divide(rows, 2.0, split, "runs.csv")  # type: ignore[arg-type]
    assert found.large[split].tolist() == [9.0]


def test_a_division_by_epochs_takes_blank_as_fresh() -> None:
    rows = _rows(
        family="a", tokens=[10.0, 20, 30, 40, 80], unique_tokens=[10.0, np.nan, 30, 20, 10]
    )
    found = divide(rows, 4.0, "epochs", "runs.csv")
    assert found.small["tokens"].tolist() == [10, 20, 30, 40]
    with pytest.raises(DataError, match="unique_tokens"):
        divide(rows.drop(columns="unique_tokens"), 4.0, "epochs", "runs.csv")


def test_a_division_by_time_fits_the_first_runs() -> None:
    dates = [f"2026-0{month}-01" for month in (5, 1, 3, 2, 8, 4, 6, 7)]
    rows = _rows(family="a", time=dates)
    found = divide(rows, 2.0, "time", "runs.csv")
    assert sorted(found.small["time"]) == [f"2026-0{month}-01" for month in (1, 2, 3, 4)]
    numbers = divide(rows.assign(time=[5.0, 1, 3, 2, 8, 4, 6, 7]), 2.0, "time", "runs.csv")
    assert numbers.small.index.tolist() == found.small.index.tolist()
    with pytest.raises(DataError, match="'r2' is 'soon'"):
        divide(rows.assign(time=[*dates[:2], "soon", *dates[3:]]), 2.0, "time", "runs.csv")
    with pytest.raises(DataError, match=r"\btime\b"):
        divide(rows.drop(columns="time"), 2.0, "time", "runs.csv")


@pytest.mark.parametrize("ratio", [1.0, 0.5, float("nan"), float("inf"), "8", [8.0, 1.0]])
def test_bad_ratios_are_refused(ratio: object) -> None:
    with pytest.raises(DataError, match=r"^ratio"):
        backtest(pd.DataFrame(), ratio=ratio)  # type: ignore[arg-type]


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(DataError, match="split is 'loss'"):
        backtest(pd.DataFrame(), split="loss")  # type: ignore[arg-type]


@pytest.fixture
def table(make_fit: Callable[..., Fit]) -> pd.DataFrame:
    """Runs of two families, with a target on top that no backtest may see."""
    rows = make_fit(families=("web", "code")).runs
    target = rows.iloc[[0]].assign(flops=rows["flops"].max() * 1000, run="target")
    target["params"] = target["flops"] / 6 / target["tokens"]
    both = pd.concat([target.assign(role="target"), rows.assign(role="fit")])
    return both[["run", "family", "role", "params", "tokens", "flops", "loss"]]


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch, make_fit: Callable[..., Fit]) -> list[Runs]:
    """Tables that were fitted; every fit is one made by hand."""
    seen: list[Runs] = []

    def run(self: Procedure, runs: Runs, *_: object) -> Fit:
        seen.append(runs)
        gamma = {"gamma": 1.0} if self.law.name == "chinchilla-gamma" else {}
        truth = TRUTH | gamma
        return make_fit(self.law.name, truth, families=("web", "code"))

    monkeypatch.setattr(Procedure, "run", run)
    return seen


def test_no_target_and_no_larger_run_is_fitted(table: pd.DataFrame, fitted: list[Runs]) -> None:
    found = backtest(table, ["chinchilla"], ratio=[2, 8], progress=False)
    largest = table[table["role"] == "fit"].groupby("family")["flops"].max()
    assert len(fitted) == 2
    for runs, ratio in zip(fitted, (2, 8), strict=True):
        used = runs.fit_rows()
        assert "target" not in set(used["run"])
        assert (used["flops"] <= used["family"].map(largest) / ratio * 1.001).all()
        part = found.points[found.points["ratio"] == ratio]
        names = set(used["family"] + used["run"]) & set(part["family"] + part["run"])
        assert not names
        assert len(used) + len(part) == (table["role"] == "fit").sum()
    assert found.scores.groupby("ratio")["family"].apply(list).tolist() == [
        ["web", "code", "all"],
        ["web", "code", "all"],
    ]


def test_scores_by_distance_count_every_point_once(table: pd.DataFrame, fitted: list[Runs]) -> None:
    found = backtest(table, ["chinchilla"], ratio=[2, 8], progress=False)
    assert fitted
    classes = found.by_distance()
    assert classes["runs"].sum() == len(found.points)
    assert (classes["low"].diff().dropna() > 0).all()
    assert set(classes["families"]) == {2}
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["schema"] == "bayes_scaling.backtest/3"
    assert content["ratios"] == [2.0, 8.0]
    assert Backtest.from_dict(content) == found
    old = content | {"schema": "bayes_scaling.backtest/2", "warnings": ["Said so."]}
    del old["caveats"]
    assert codes(Backtest.from_dict(old)) == ["version-1"]
    assert len(content["points"]) == len(found.points)


def _same(one: Backtest, other: Backtest) -> None:
    pd.testing.assert_frame_equal(one.points, other.points, check_dtype=False)
    pd.testing.assert_frame_equal(one.scores, other.scores, check_dtype=False)


def test_a_backtest_goes_on_where_it_was_stopped(
    table: pd.DataFrame, fitted: list[Runs], tmp_path: Path
) -> None:
    path = tmp_path / "part.jsonl"
    options = {"checkpoint": path, "progress": False}
    laws = ["chinchilla", "chinchilla-gamma"]
    whole = backtest(table, laws, ratio=[2, 8], **options)  # type: ignore[arg-type]
    assert len(fitted) == 4
    _same(whole, backtest(table, laws, ratio=[2, 8], **options))  # type: ignore[arg-type]
    assert len(fitted) == 4
    # Stopped while it wrote the fourth result.
    path.write_text(path.read_text(encoding="utf-8")[:-50], encoding="utf-8")
    said: list[str] = []
    again = backtest(table, laws, ratio=[2, 8], checkpoint=path, progress=said.append)
    assert len(fitted) == 5
    assert said[0] == "3 of 4 fits taken from the checkpoint"
    _same(whole, again)
    # Another seed, other priors, or other runs below: other results.
    backtest(table, laws, ratio=[2, 8], seed=1, **options)  # type: ignore[arg-type]
    assert len(fitted) == 9
    backtest(table, laws[:1], ratio=2, prior="weak", **options)  # type: ignore[arg-type]
    assert len(fitted) == 10
    for order in (1, -1):
        dated = table.assign(time=order * np.arange(len(table)))
        backtest(dated, laws[:1], ratio=2, split="time", **options)  # type: ignore[arg-type]
    assert len(fitted) == 12


def test_a_family_called_all_is_a_family(table: pd.DataFrame, fitted: list[Runs]) -> None:
    found = backtest(table, ["chinchilla"], ratio=[2, 8], progress=False)
    renamed = found.points.assign(family=found.points["family"].replace("code", "all"))
    pd.testing.assert_frame_equal(backtest_of(renamed).by_distance(), found.by_distance())
    assert fitted


def test_a_file_that_is_no_checkpoint_is_left_alone(tmp_path: Path, table: pd.DataFrame) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("run,loss\na,1\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"runs\.csv"):
        backtest(table, checkpoint=path, progress=False)
    assert path.read_text(encoding="utf-8") == "run,loss\na,1\n"


def test_an_executor_gives_the_same(table: pd.DataFrame, fitted: list[Runs]) -> None:
    for laws in (["chinchilla"], ["chinchilla", "chinchilla-gamma"]):
        alone = backtest(table, laws, ratio=[2, 8], progress=False)
        said: list[str] = []
        with ThreadPoolExecutor(2) as executor:
            beside = backtest(table, laws, ratio=[2, 8], executor=executor, progress=said.append)
        _same(alone, beside)
        # Jobs went there as pickles, none was left to this process.
        assert {text.partition(" of ")[2] for text in said[1:]} == {f"{2 * len(laws)} fits"}
    assert len(fitted) == 12


def test_scored_runs_keep_what_the_law_reads(make_fit: Callable[..., Fit]) -> None:
    truth = {"floor": 1.8, "A": 400.0, "B": 1800.0, "alpha_N": 0.34, "alpha_D": 0.36}
    fit = make_fit("data-constrained", truth | {"R_D": 15.0, "R_N": 5.0})
    rows = fit.runs[fit.runs["family"] == "web"]
    fresh = score_rows(fit, rows.assign(unique_tokens=rows["tokens"]), 0)
    worn = score_rows(fit, rows.assign(unique_tokens=rows["tokens"] / 40), 0)
    assert (worn["q50"] > fresh["q50"]).all()


def test_runs_that_came_are_scored_for_seen_and_unseen_families(
    make_fit: Callable[..., Fit],
) -> None:
    fit = make_fit(families=("web", "code"))
    columns = ["run", "family", "params", "tokens", "loss"]
    came = pd.concat([fit.runs.iloc[:3], fit.runs.iloc[:2].assign(family="news")])[columns]
    found = score(fit, came)
    assert found["run"].tolist() == came["run"].tolist()
    assert found["log_score"].notna().tolist() == [True] * 3 + [False] * 2
    assert_allclose(found["q50"] / found["loss"], np.exp(found["log_error"]))
    assert (found.loc[3:, "width"].min()) > found.loc[:2, "width"].max()
