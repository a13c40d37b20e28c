"""The page and the command of the benchmark of extrapolation."""

import numpy as np
import pytest

from benchmarks.extrapolation import __main__ as command
from benchmarks.extrapolation import methods, page, runner, tables
from benchmarks.extrapolation.cases import cases, few_cases
from benchmarks.extrapolation.method import Method
from benchmarks.extrapolation.results import read
from benchmarks.extrapolation.summary import scored, summarise
from tests.benchmarks.test_extrapolation import runs


def guess(small, large, given):
    given.quality.update(r_hat=1.001, ess=900.0, divergences=0.0, caveats="few-runs extrapolation")
    rng = np.random.default_rng(given.seed)
    return rng.normal(np.log(small["loss"].min()), 0.1, (len(large), 200))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Results of all runs and of few."""
    folder = tmp_path_factory.mktemp("results")
    own = {name: runs(family=name, seed=k, noise=0.01) for k, name in enumerate("ab")}
    found = folder / "all.csv", folder / "few.csv"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(methods.METHODS, "default", Method(guess, "a guess"))
        chosen = {name: methods.METHODS[name] for name in ("default", "Huber, bootstrap")}
        runner.run(cases(own, [4.0, 8.0]), chosen, found[0])
        runner.run(few_cases(own), chosen, found[1])
    return found


def row(text, heading, name):
    """Cells of the line of a table below a heading."""
    below = text.split(heading)[1].split("\n#")[0]
    return next(line for line in below.split("\n") if line.startswith(f"| {name}")).split(" | ")


def test_the_page_says_what_the_files_say(files, tmp_path):
    results = read(files)
    page.write(results, tmp_path)
    text = (tmp_path / "extrapolation.md").read_text("utf-8")
    for ratio in (4.0, 8.0):
        own = summarise(scored(results)).loc[(ratio, "default")]
        cells = row(text, f"### {ratio:g} times", "**default**")
        assert cells[1] == "2"
        assert float(cells[4]) == pytest.approx(own["in_90"], abs=0.006)
        assert float(cells[9]) == pytest.approx(own["interval"], abs=6e-5)
    few = summarise(scored(results, few=True)).loc[(8.0, "default")]
    assert float(row(text, "## 8 runs", "default")[3]) == pytest.approx(few["in_90"], abs=0.006)
    assert "`few-runs` 100%" in text
    for picture in ("extrapolation.svg", "extrapolation-roots.png"):
        assert picture in text
        assert (tmp_path / picture).stat().st_size > 1000


@pytest.mark.parametrize("kept", ["few", "baseline", "one"])
def test_a_part_of_the_files_makes_a_page(files, tmp_path, kept):
    results = read(files)
    parts = {
        "few": results["sample"] >= 0,
        "baseline": results["method"] != "default",
        "one": results.index == 0,
    }
    results = results[parts[kept]]
    page.write(results, tmp_path)
    assert (tmp_path / "extrapolation.md").exists()
    assert tables.tables_text(results)


def test_a_part_is_a_number_of_a_number():
    assert command._part("2/4") == (2, 4)
    for wrong in ("4", "0/4", "5/4", "a/b", "1/0"):
        with pytest.raises(command.argparse.ArgumentTypeError):
            command._part(wrong)


def test_the_command_takes_whole_roots(monkeypatch, tmp_path):
    taken = {}
    monkeypatch.setattr(command, "run", lambda todo, *_, **__: taken.update(todo=todo))
    line = ["x", "run", "--study", "gadre_grid", "--ratio", "8", "-o", str(tmp_path / "r.csv")]
    monkeypatch.setattr(command.sys, "argv", line)
    command.main()
    (case,) = taken["todo"]
    assert case.root == "gadre"
    assert len(case.families) == 7


def test_tables_are_markdown():
    lines = tables.markdown([["a", "b"], ["1", "2"]]).splitlines()
    assert lines == ["| a | b |", "| --- | --- |", "| 1 | 2 |"]


@pytest.mark.parametrize("content", [None, "a,b\n1,2\n"], ids=["missing", "another table"])
def test_a_file_that_holds_no_results_is_refused(content, tmp_path, monkeypatch):
    path = tmp_path / "r.csv"
    if content:
        path.write_text(content, "utf-8")
    monkeypatch.setattr(command.sys, "argv", ["x", "table", str(path)])
    with pytest.raises(SystemExit) as left:
        command.main()
    assert left.value.code == 2
    if content:
        assert path.read_text("utf-8") == content
