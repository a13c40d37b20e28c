"""A scenario is the same from Python, TOML and JSON, and refused alike."""

import inspect
import json
import pickle
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import msgspec
import numpy as np
import pytest
from msgspec import structs
from numpy.testing import assert_allclose

import bayes_scaling as bs
from bayes_scaling.decisions import EXAMPLE
from bayes_scaling.errors import FileError, ScenarioError
from bayes_scaling.scenarios.field import quantity
from bayes_scaling.scenarios.part import Part
from bayes_scaling.scenarios.scenario import Scenario
from tests.fuzz.targets.scenarios import toml

H100 = {"speed": "989 TFLOP/s", "utilisation": 0.4, "price": "2.5 USD/hour"}
NAN = float("nan")


def from_toml(content: Mapping[str, Any], folder: Path) -> Scenario:
    path = folder / "scenario.toml"
    path.write_text(toml(dict(content)), encoding="utf-8")
    return bs.load_scenario(path)


def whole_example() -> str:
    """The example with every key in use."""
    lines = EXAMPLE.splitlines()[4:]
    keys = [line[2:] if re.match(r"# (\w+ +=|\w+ =|\[)", line) else line for line in lines]
    return "\n".join(keys)


def test_python_toml_and_json_agree(tmp_path: Path) -> None:
    content = tomllib.loads(whole_example())
    made = Scenario(**content)
    assert from_toml(content, tmp_path) == made
    path = tmp_path / "whole.toml"
    path.write_text(whole_example(), encoding="utf-8")
    assert bs.load_scenario(path) == made
    stated = json.loads(json.dumps(made.to_dict(), allow_nan=False))
    assert Scenario.from_dict(stated) == made
    # As within a plan, by the types alone.
    assert msgspec.convert(stated, Scenario) == made
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 - of our own making
    assert hash(made) == hash(Scenario(**content))


def test_the_example_has_every_field() -> None:
    content = tomllib.loads(whole_example())
    assert set(content) == set(Scenario.__struct_fields__)
    for field in structs.fields(Scenario):
        parts = [one for one in _classes(field.type) if issubclass(one, Part)]
        for part in parts:
            tables = content[field.name]
            keys = set().union(*tables) if isinstance(tables, list) else set(tables)
            # The currency is stated once, at the top.
            assert keys == set(part.__struct_fields__) - {"currency"}


def _classes(annotation: Any) -> list[type]:
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation]
    return [one for part in get_args(annotation) for one in _classes(part)]


def test_the_docstring_of_a_part_names_its_fields() -> None:
    for part in (Scenario, bs.Compute, bs.Data, bs.Inference, bs.Limits, bs.Risk, bs.Alternative):
        for name in part.__struct_fields__:
            assert re.search(rf"\b{name}\b", part.__doc__ or ""), (part, name)
        parameters = inspect.signature(part).parameters
        assert tuple(parameters) == part.__struct_fields__
        assert {one.annotation for one in parameters.values()} == {inspect.Parameter.empty}


def test_the_example_as_it_is_printed_loads(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(EXAMPLE, encoding="utf-8")
    assert bs.load_scenario(path) == Scenario(
        compute_budget=1e23,
        risk=bs.Risk("cvar", 0.9),
        family="web",
        target_loss=2.0,
        limits=bs.Limits(min_params=1e8, max_params=1e12, min_tokens=1e9, max_tokens=1e14),
    )


def test_a_new_field_is_one_line(tmp_path: Path) -> None:
    class Wider(Scenario, frozen=True, kw_only=True):
        power: Annotated[float, quantity("Power.", "watt", '"20 MW"', gt=0, le=1e9)] | None = None

    assert Wider(power="20 MW").power == 2e7
    table = tomllib.loads('power = "20 MW"\ncompute_budget = 1e22')
    assert Wider.from_dict(table) == Wider(compute_budget=1e22, power="20 MW")
    stated = Wider(power="20 MW").to_dict()
    assert stated["power"] == 2e7
    assert Wider.from_dict(stated) == msgspec.convert(stated, Wider) == Wider(power="20 MW")
    ((number, _),) = [msgspec.json.schema(Wider)["$defs"]["Wider"]["properties"]["power"]["anyOf"]]
    assert number == {
        "type": "number",
        "description": "Power.",
        "exclusiveMinimum": 0,
        "maximum": 1e9,
        "x-unit": "watt",
    }
    for wrong in ("20 FLOP", -1, 2e9, True, [1]):
        with pytest.raises(ScenarioError, match=re.escape(f"power is {wrong!r}")):
            Wider(power=wrong)
    with pytest.raises(ScenarioError, match="'power'"):
        Wider(powr=1)


@pytest.mark.parametrize(
    ("content", "path", "value"),
    [
        ({"compute_budget": "1e22"}, "compute_budget", 1e22),
        ({"compute_budget": "3 ZFLOP"}, "compute_budget", 3e21),
        ({"compute_budget": "100 PF-days"}, "compute_budget", 8.64e21),
        ({"compute_budget": 10**22}, "compute_budget", 1e22),
        ({"time_budget": "3 weeks", "compute": H100 | {"devices": 8}}, "time_budget", 1814400.0),
        ({"money_budget": "2.5 MUSD", "compute": H100}, "money_budget", 2.5e6),
        ({"value_per_nat": "50 MUSD"}, "value_per_nat", 5e7),
        ({"confidence": "80%"}, "confidence", 0.8),
        ({"risk": "cvar"}, "risk", bs.Risk("cvar")),
        ({}, "currency", "USD"),
        ({"value_per_nat": "5 MEUR"}, "currency", "EUR"),
        ({"data": {"price": "0.5 CHF/Mtoken"}}, "currency", "CHF"),
        ({"currency": "SEK"}, "currency", "SEK"),
        ({"target_loss": "0.83 bpb"}, "target_loss", 0.83),
        ({"target_loss": "0.83 bpb"}, "target_unit", "bits/byte"),
        ({"compute": H100}, "compute.price", 2.5 / 3600),
        ({"compute": H100 | {"devices": "512 GPUs"}}, "compute.devices", 512.0),
        (
            {"compute": H100 | {"utilisation": {"low": 0.3, "likely": 0.4, "high": 0.5}}},
            "compute.utilisation",
            bs.Pert(0.3, 0.4, 0.5),
        ),
        (
            {"compute": H100 | {"utilisation": {"q05": "30%", "q95": 0.5}}},
            "compute.utilisation",
            bs.LogNormal(0.3, 0.5),
        ),
        ({"data": {"price": "1 USD/Mtoken", "owned": "2 Ttoken"}}, "data.owned", 2e12),
        ({"inference": {"prompt_tokens": "20 Ttoken"}}, "inference.prompt_tokens", 2e13),
        ({"limits": {"min_params": "7 Gparam"}}, "limits.min_params", 7e9),
        ({"shape": {"width_multiple": 128.0}}, "shape.width_multiple", 128),
    ],
)
def test_values_are_read_in_every_legal_form(
    tmp_path: Path, content: dict[str, Any], path: str, value: object
) -> None:
    for made in (Scenario(**content), Scenario.from_dict(content), from_toml(content, tmp_path)):
        found: Any = made
        for name in path.split("."):
            found = getattr(found, name)
        if isinstance(value, float):
            assert_allclose(found, value, rtol=1e-12)
        else:
            assert found == value


@pytest.mark.parametrize(
    ("content", "offender"),
    [
        ({"compute_budget": "much"}, "compute_budget is 'much'"),
        ({"compute_budget": "3 days"}, "compute_budget is '3 days'"),
        ({"compute_budget": "1e22 bananas"}, "compute_budget is '1e22 bananas'"),
        ({"compute_budget": -1}, "compute_budget is -1"),
        ({"compute_budget": 0}, "compute_budget is 0"),
        ({"compute_budget": True}, "compute_budget is True"),
        ({"compute_budget": [1e22]}, "compute_budget is [1e+22]"),
        ({"compute_budget": {"flop": 1}}, "compute_budget is {'flop': 1}"),
        ({"compute_budget": 10**400}, "compute_budget is an integer of 40"),
        ({"compute_budget": 1e308}, "compute_budget is 1e+308"),
        ({"risk": "cvr"}, "risk.measure is 'cvr'"),
        ({"risk": 0.9}, "risk is 0.9"),
        ({"risk": {"level": 90}}, "risk.level is 90"),
        ({"risk": {"level": "high"}}, "risk.level is 'high'"),
        ({"risk": {"measure": ["cvar"]}}, "risk.measure is ['cvar']"),
        ({"family": 3}, "family is 3"),
        ({"family": ""}, "family is ''"),
        ({"target_loss": -2}, "target_loss is -2"),
        ({"target_loss": "low"}, "target_loss is 'low'"),
        ({"target_loss": [2]}, "target_loss is [2]"),
        ({"target_unit": "furlongs"}, "target_unit is 'furlongs'"),
        ({"limits": 1e9}, "limits is 1000000000.0"),
        ({"limits": {"min_params": "7B"}}, "limits.min_params is '7B'"),
        ({"limits": {"min_params": -1}}, "limits.min_params is -1"),
        ({"limits": {"max_epochs": 0.5}}, "limits.max_epochs is 0.5"),
        ({"limits": {"min_params": 1e9, "max_params": 1e8}}, "limits.min_params is 1e+09"),
        ({"limits": {"min_tokens": 1e9, "max_unique_tokens": 1e8}}, "limits.min_tokens is 1e+09"),
        ({"confidence": 80}, "confidence is 80"),
        ({"confidence": "high"}, "confidence is 'high'"),
        ({"target_probability": 1}, "target_probability is 1"),
        ({"minimise": "money"}, "minimise is 'money'"),
        ({"minimise": ["loss"]}, "minimise is ['loss']"),
        ({"currency": "<b>"}, "currency is '<b>'"),
        ({"currency": "SEK", "value_per_nat": "1 MUSD"}, "currency is 'SEK'"),
        ({"money_budget": "1 MEUR", "compute": H100}, "money_budget is in EUR"),
        ({"money_budget": 1e6}, "money_budget needs [compute]"),
        ({"time_budget": "3 weeks", "compute": H100}, "time_budget needs [compute]"),
        ({"compute": {"speed": "1 PFLOP/s"}}, "compute.utilisation is missing"),
        ({"compute": H100 | {"utilisation": 1.4}}, "compute.utilisation is 1.4"),
        ({"compute": H100 | {"utilisation": 0}}, "compute.utilisation is 0"),
        ({"compute": H100 | {"utilisation": {"q50": 1}}}, "compute.utilisation is {'q50': 1}"),
        (
            {"compute": H100 | {"utilisation": {"q05": 0.3, "q95": 1.2}}},
            "compute.utilisation.q95 is 1.2",
        ),
        ({"compute": H100 | {"price": "2.5 USD"}}, "compute.price is '2.5 USD'"),
        ({"compute": H100 | {"devices": -3}}, "compute.devices is -3"),
        ({"compute": 3}, "compute is 3"),
        ({"data": {"price": "-1 USD/token"}}, "data.price is '-1 USD/token'"),
        ({"data": {"price": "1 USD/Mtoken", "owned": -5}}, "data.owned is -5"),
        ({"inference": 1e13}, "inference is 10000000000000.0"),
        ({"inference": {"prompt_tokens": -5}}, "inference.prompt_tokens is -5"),
        ({"inference": {}}, "inference has no tokens"),
        ({"shape": {"width_multiple": 0}}, "shape.width_multiple is 0"),
        ({"shape": {"width_multiple": 0.5}}, "shape.width_multiple is 0.5"),
        ({"shape": {"within": "a"}}, "shape.within is 'a'"),
        ({"alternatives": "ours"}, "alternatives is 'ours'"),
        ({"alternatives": 3}, "alternatives is 3"),
        ({"alternatives": [{"params": 1}]}, "alternatives.name is missing"),
        ({"alternatives": [{"name": "", "params": 1}]}, "alternatives[''].name is ''"),
        ({"alternatives": [{"name": "a"}]}, "alternative 'a' has no size"),
        ({"alternatives": [{"name": "a", "params": "big"}]}, "alternatives['a'].params is 'big'"),
        (
            {"alternatives": [{"name": "a", "params": 1, "epochs": 0.5}]},
            "alternatives['a'].epochs is 0.5",
        ),
        (
            {"alternatives": [{"name": "recommended", "params": 1}]},
            "alternatives.name is 'recommended'",
        ),
        (
            {"alternatives": [{"name": "a", "params": 1, "tokens": 2, "tokens_per_param": 2}]},
            "alternative 'a' has params and tokens and tokens_per_param",
        ),
        (
            {"alternatives": [{"name": "a", "params": 1}] * 2},
            "two alternatives are named 'a'",
        ),
    ],
)
def test_what_is_illegal_is_refused_when_it_is_made(
    tmp_path: Path, content: dict[str, Any], offender: str
) -> None:
    for make in (
        lambda: Scenario(**content),
        lambda: Scenario.from_dict(content),
        lambda: from_toml(content, tmp_path),
    ):
        with pytest.raises(ScenarioError, match=re.escape(offender)) as error:
            make()
        text = str(error.value)
        assert "\n" not in text
        assert len(text) < 500
    assert text.startswith(str(tmp_path / "scenario.toml"))


@pytest.mark.parametrize(
    ("make", "offender"),
    [
        (lambda: Scenario(compute_budget=NAN), "compute_budget is nan"),
        (lambda: Scenario(compute_budget=np.inf), "compute_budget is inf"),
        (lambda: Scenario(risk=bs.Risk), "risk is the type 'Risk'"),
        (lambda: bs.Risk("entropic", aversion=NAN), "risk.aversion is nan"),
        (lambda: bs.Compute(None, 0.4), "compute.speed is None"),
        (lambda: bs.Compute(989e12, 0.4), "compute.speed is 989000000000000.0"),
        (lambda: bs.Compute("989 TFLOP/s", bs.Fixed(40)), "compute.utilisation is 40"),
        (lambda: bs.Compute("989 TFLOP/s", 0.4, 2.5), "compute.price is 2.5"),
        (lambda: Scenario(time_budget="300", compute=H100 | {"devices": 8}), "time_budget is '3"),
        (lambda: Scenario(time_budget=300.0, compute=H100 | {"devices": 8}), "time_budget is 300"),
        (lambda: bs.Fixed("989 TFLOP/s"), "value of Fixed is '989 TFLOP/s'"),
        (lambda: bs.Fixed(-1), "value of Fixed is -1"),
        (lambda: bs.Pert(3, 2, 1), "Pert has low = 3, likely = 2, high = 1"),
        (lambda: bs.LogNormal(0, 1), "q05 of LogNormal is 0"),
        (lambda: bs.Limits(min_params=None), "limits.min_params is None"),
        (lambda: bs.Alternative("a", params=1e9, epochs=None), "alternatives['a'].epochs is None"),
        (lambda: bs.Compute("1 PFLOP/s", 0.4, speed=1), "Compute is given speed twice"),
        (lambda: bs.Risk("cvar", 0.9, 1.0, 2), "Risk takes at most 3 values"),
        (lambda: Scenario.from_dict([1]), "the scenario is [1]"),
    ],
)
def test_what_only_python_can_get_wrong(make: Callable[[], object], offender: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(offender)):
        make()


@pytest.mark.parametrize(
    ("content", "unknown", "near"),
    [
        ({"compute_budgt": 1}, "compute_budgt", "compute_budget"),
        ({"compute": H100 | {"utilization": 1}}, "compute.utilization", "utilisation"),
        ({"risk": {"measur": "cvar"}}, "risk.measur", "measure"),
        ({"shape": {"maxwidth": 3}}, "shape.maxwidth", "max_width"),
        ({"alternatives": [{"name": "a", "param": 3}]}, "alternatives['a'].param", "params"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(
    tmp_path: Path, content: dict[str, Any], unknown: str, near: str
) -> None:
    pattern = re.escape(unknown) + " is unknown.*" + re.escape(repr(near))
    for make in (lambda: Scenario(**content), lambda: from_toml(content, tmp_path)):
        with pytest.raises(ScenarioError, match=pattern):
            make()


def test_numbers_of_numpy_are_plain_floats() -> None:
    for number in (np.int64(10**18), np.float32(2.0**70), np.float64(1e20)):
        made = Scenario(compute_budget=number).compute_budget
        assert type(made) is float
        assert made == float(number)


def test_a_changed_scenario_is_checked_again() -> None:
    made = Scenario(compute_budget=1e22, compute=bs.Compute(**H100))
    assert structs.replace(made, compute_budget="3 ZFLOP", risk="cvar").risk.measure == "cvar"
    with pytest.raises(ScenarioError, match="confidence is 4"):
        structs.replace(made, confidence=4)
    with pytest.raises(ScenarioError, match="currency is 'USD'"):
        structs.replace(made, compute=bs.Compute("1 PFLOP/s", 0.4, "2 EUR/hour"))
    with pytest.raises(AttributeError):
        made.confidence = 0.9  # type: ignore[misc]


def test_a_plan_file_names_the_place_of_a_wrong_value() -> None:
    stated = Scenario(compute=H100).to_dict()
    stated["compute"]["utilisation"] = 1.4
    with pytest.raises(msgspec.ValidationError, match=r"compute\.utilisation is 1\.4.*\$\.compute"):
        msgspec.convert(stated, Scenario)


@pytest.mark.parametrize("text", ["budget = ", "x = " + "[" * 5000, "x = " + "9" * 5000])
def test_what_is_not_toml_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"s\.toml is not TOML"):
        bs.load_scenario(path)


def test_a_file_that_is_not_there_is_a_file_error(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"none\.toml"):
        bs.load_scenario(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "fields",
    [
        {"compute_budget": (1e22,)},
        {"compute_budget": Scenario(compute_budget=1e22)},
        {"compute_budget": 1e22, "family": ("web",)},
        {"compute_budget": 1e22, "family": bs.Risk()},
        {"compute_budget": 1e22, "target_loss": (2.0,)},
        {"compute_budget": 1e22, "confidence": (0.5,)},
        {"compute_budget": 1e22, "currency": ("USD",)},
    ],
    ids=str,
)
def test_a_part_or_tuple_in_place_of_a_number_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ScenarioError, match=f"^{list(fields)[-1]} is "):
        Scenario(**fields)


@pytest.mark.parametrize(("field", "value"), [("risk", "miss"), ("minimise", "cost")])
def test_what_needs_a_target_is_refused_without_one(field: str, value: str) -> None:
    with pytest.raises(ScenarioError, match="target_loss"):
        Scenario(**{field: value}, compute_budget=1e22)
    assert Scenario(**{field: value}, compute_budget=1e22, target_loss=2.0).target_loss == 2.0


@pytest.mark.parametrize("value", [0, -1, 1])
def test_a_probability_out_of_range_is_refused_with_its_own_range(value: int) -> None:
    with pytest.raises(ScenarioError, match=rf"^confidence is {value}\b.* between 0 and 1 "):
        Scenario(compute_budget=1e22, confidence=value)


def test_an_empty_currency_is_the_default() -> None:
    assert Scenario(compute_budget=1e22, currency="").currency == "USD"
    assert (
        Scenario(
            money_budget="1 MEUR", compute=H100 | {"price": "2 EUR/hour"}, currency=""
        ).currency
        == "EUR"
    )


def test_two_currencies_in_one_amount_are_told_by_their_paths() -> None:
    price = {"low": "1 USD/hour", "likely": "2 EUR/hour", "high": "3 USD/hour"}
    with pytest.raises(ScenarioError, match=r"compute\.price\.low .* compute\.price\.likely"):
        Scenario(compute={**H100, "price": price})
