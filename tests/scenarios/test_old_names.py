"""Scenarios with the names of version 0.1 still load, and say what to write."""

import json
import warnings
from pathlib import Path

import pytest
from click.testing import CliRunner

import bayes_scaling as bs
from bayes_scaling.cli.app import cli
from bayes_scaling.core.version_1 import upgraded
from bayes_scaling.errors import ScenarioError
from bayes_scaling.scenarios.scenario import Scenario
from tests.conftest import handmade

OLD_TOML = """\
family = "web"
worth = "50 MUSD"
[budget]
compute = "1e23 FLOP"
money = "2.5 MUSD"
time = "3 weeks"
confidence = 0.8
[compute]
price = "2.5 USD/hour"
speed = "989 TFLOP/s"
utilisation = 0.4
devices = 512
[[alternative]]
name = "twenty"
tokens_per_param = 20
"""
DEVICES = bs.Compute("989 TFLOP/s", 0.4, "2.5 USD/hour", 512)
NEW = Scenario(
    compute_budget="1e23 FLOP",
    family="web",
    money_budget="2.5 MUSD",
    time_budget="3 weeks",
    value_per_nat="50 MUSD",
    confidence=0.8,
    compute=DEVICES,
    alternatives=[bs.Alternative("twenty", tokens_per_param=20)],
)


def test_an_old_file_loads_and_names_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text(OLD_TOML, encoding="utf-8")
    with pytest.warns(DeprecationWarning, match="old name") as caught:
        assert bs.load_scenario(path) == NEW
    said = " ".join(str(warning.message) for warning in caught)
    for name in ("compute_budget", "money_budget", "time_budget", "value_per_nat", "alternatives"):
        assert name in said


@pytest.mark.parametrize("text", ["budget = 1e23", 'budget = "1e23"', "[budget]\ncompute = 1e23"])
def test_a_budget_of_an_old_file_is_of_compute(tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.warns(DeprecationWarning, match="compute_budget"):
        assert bs.load_scenario(path) == Scenario(compute_budget=1e23)


def test_old_keywords_and_places_are_taken_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="old name"):
        old = Scenario(
            budget_flops="1e23 FLOP",
            family="web",
            money=2.5e6,
            seconds=3 * 7 * 86400,
            worth=5e7,
            confidence=0.8,
            compute=DEVICES,
            alternatives=(bs.Alternative("twenty", tokens_per_param=20),),
        )
    assert old == NEW
    for name, new in (("budget_flops", "compute_budget"), ("worth", "value_per_nat")):
        with pytest.warns(DeprecationWarning, match=new):
            assert getattr(old, name) == getattr(NEW, new)
    with pytest.raises(AttributeError, match="budgets"):
        old.budgets  # type: ignore[attr-defined]  # noqa: B018
    with pytest.warns(DeprecationWarning, match="keywords only"):
        placed = Scenario("1e23 FLOP", bs.Risk("cvar"), "web")  # type: ignore[misc]
    assert placed == Scenario(compute_budget=1e23, risk="cvar", family="web")
    with pytest.warns(DeprecationWarning, match="keywords only"):
        assert bs.Limits("7 Gparam") == bs.Limits(min_params=7e9)  # type: ignore[misc]


def test_a_name_old_and_new_at_once_is_refused() -> None:
    with pytest.raises(ScenarioError, match="compute_budget is given twice"):
        Scenario(compute_budget=1e22, budget_flops=1e23)


def test_the_scenario_of_a_plan_of_version_1_loads_in_silence() -> None:
    stated = {
        "budget_flops": 1e23,
        "money": 2.5e6,
        "seconds": 1814400.0,
        "confidence": 0.8,
        "currency": "USD",
        "family": "web",
        "target_loss": None,
        "target_unit": None,
        "worth": 5e7,
        "minimise": "loss",
        "target_probability": None,
        "risk": {"measure": "mean", "level": 0.9, "aversion": 10.0},
        "limits": {"max_epochs": 1.0},
        "shape": None,
        "alternatives": [
            {
                "name": "twenty",
                "params": None,
                "tokens": None,
                "tokens_per_param": 20.0,
                "epochs": 1.0,
            }
        ],
        "compute": {
            "speed": 989e12,
            "utilisation": {"q05": 0.3, "q95": 0.5},
            "price": 2.5 / 3600,
            "devices": 512.0,
        },
        "data": {"price": 1e-6, "owned": None},
        "inference": None,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plan = upgraded({"schema": "bayes_scaling.plan/1", "scenario": stated})
        made = Scenario.from_dict(plan["scenario"])
    assert made.compute == bs.Compute(
        "989 TFLOP/s", bs.LogNormal(0.3, 0.5), bs.Fixed(2.5 / 3600), 512
    )
    assert (made.time_budget, made.value_per_nat, made.data) == (
        1814400.0,
        5e7,
        bs.Data(bs.Fixed(1e-6)),
    )


def test_the_command_line_notes_old_names(tmp_path: Path) -> None:
    handmade().save(tmp_path / "fit.nc")
    (tmp_path / "old.toml").write_text('family = "web"\nbudget = "1e21 FLOP"\n', encoding="utf-8")
    words = ["allocate", str(tmp_path / "fit.nc"), "--scenario", str(tmp_path / "old.toml")]
    done = CliRunner().invoke(cli, [*words, "-o", str(tmp_path / "plan.json")])
    assert done.exit_code == 0
    (note,) = [line for line in done.stderr.splitlines() if "old name" in line]
    assert note.startswith("bayes-scaling: note: ")
    assert "compute_budget" in note
    plan = json.loads((tmp_path / "plan.json").read_text(encoding="utf-8"))
    assert plan["scenario"]["compute_budget"] == 1e21


def test_an_unknown_key_of_the_old_budget_has_its_path() -> None:
    with pytest.raises(ScenarioError, match=r"^budget\.gold "):
        Scenario(budget={"gold": 1})  # type: ignore[call-arg]
