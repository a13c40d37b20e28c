"""Names and files of version 0.1: they work, with a DeprecationWarning where a name is old."""

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from bayes_scaling.cli.app import cli
from bayes_scaling.curves import (
    Curve,
    Curves,
    Schedule,
    Stakes,
    Utility,
    Verdict,
    Watch,
    fit_curve,
    judge,
)
from bayes_scaling.curves.callbacks.recorder import Recorder
from bayes_scaling.curves.callbacks.rule import Rule
from bayes_scaling.errors import FileError
from bayes_scaling.report import load_result

T = np.geomspace(10, 1e4, 24)
CURVE = Curve.of("r", T, 1.5 + 6.0 * T**-0.4)


@pytest.fixture(scope="module")
def fit():
    return fit_curve(CURVE, laws="curve-power", particles=100)


def old(match):
    return pytest.warns(DeprecationWarning, match=match)


def test_utility_under_its_old_names():
    with old("Stakes"):
        stakes = Stakes(cost=2.0, value_per_nat=3.0)
    assert isinstance(stakes, Utility)
    with old("worth"):
        assert Utility(cost=2.0, worth=3.0) == Utility(cost=2.0, value_per_nat=3.0)
    with old("stakes"):
        assert Watch(10.0, stakes=Utility(least_gain=0.1)).utility.least_gain == 0.1


def test_the_time_constant_of_a_schedule_under_its_old_name():
    with old("memory"):
        schedule = Schedule([0, 1], [1, 0], memory=5.0)
    assert schedule.time_constant == 5.0


def test_arguments_and_attributes_of_results_under_their_old_names(fit):
    with old("stakes"):
        verdict = judge(fit, 2e4, stakes=Utility(cost=1.0, value_per_nat=1.0))
    assert verdict.advice == "stop"
    with old("content"):
        assert verdict.content["plateau"] == verdict.plateau
    with old("warnings"):
        assert verdict.warnings == tuple(caveat.text for caveat in verdict.caveats)
    with old("warnings"):
        assert fit.warnings == tuple(caveat.text for caveat in fit.caveats)
    with old("notes"):
        assert Curves((CURVE,)).notes == ()


def test_a_verdict_of_version_1_is_read(fit, tmp_path):
    content = judge(fit, 2e4).to_dict()
    said = [caveat["text"] for caveat in content.pop("caveats")]
    path = tmp_path / "v.json"
    path.write_text(json.dumps(content | {"schema": "bayes_scaling.verdict/1", "warnings": said}))
    read = load_result(path)
    assert isinstance(read, Verdict)
    assert {caveat.code for caveat in read.caveats} == {"version-1"}
    assert [caveat.text for caveat in read.caveats] == said
    again = {name: value for name, value in read.to_dict().items() if name != "caveats"}
    assert again == content
    path.write_text(json.dumps(content | {"schema": "bayes_scaling.verdict/3"}))
    with pytest.raises(FileError, match="verdict/3"):
        load_result(path)


def test_a_verdict_of_version_1_on_a_run_that_diverged_is_read():
    recorder = Recorder(Rule(end=100.0), 100.0, "loss", [(1.0, 3.0, None)])
    assert recorder.seen(2.0, float("nan"))
    names = [
        "run",
        "metric",
        "axis",
        "t",
        "end",
        "loss",
        "excursion",
        "diverged",
        "flags",
        "points",
        "advice",
    ]
    content = recorder.verdict.to_dict()
    first = {name: content[name] for name in names}
    read = Verdict.from_dict(first | {"schema": "bayes_scaling.verdict/1", "warnings": []})
    assert read == recorder.verdict


def test_the_value_of_a_loss_under_its_old_name_on_the_shell(tmp_path):
    log = tmp_path / "log.csv"
    pd.DataFrame({"step": CURVE.t[:8], "loss": CURVE.loss[:8]}).to_csv(log, index=False)
    found = {}
    for name in ("--worth", "--value-per-nat"):
        out = tmp_path / f"{name}.json"
        given = ["monitor", str(log), "--end", "100", "--law", "curve-power", "-o", str(out)]
        done = CliRunner().invoke(cli, [*given, "--cost", "1e-9", name, "1e3"])
        assert done.exit_code == 0, done.output
        assert ("--value-per-nat" in done.stderr) == (name == "--worth")
        found[name] = json.loads(out.read_text())
    assert found["--worth"] == found["--value-per-nat"]
    assert found["--worth"]["unit"] == "USD"
