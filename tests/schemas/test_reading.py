"""What files may hold beyond their schemas: finite numbers, every key once, quantiles that grow."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayes_scaling.core.bounds import LARGEST, SMALLEST, meant
from bayes_scaling.core.json_files import strict_json
from bayes_scaling.core.result import Result
from bayes_scaling.decisions import Scenario, allocate, load_plan
from bayes_scaling.errors import DataError, FileError
from bayes_scaling.forecast.evaluation.backtest_result import FitQuality
from bayes_scaling.forecast.evaluation.checkpoint import Checkpoint
from bayes_scaling.forecast.evaluation.scoring import score_draws
from bayes_scaling.report import load_result


@pytest.fixture(scope="module")
def plan(two_families):
    return allocate(two_families, Scenario(compute_budget=1e21, family="web")).to_dict()


def _refused(tmp_path, text):
    path = tmp_path / "p.json"
    path.write_text(text, encoding="utf-8")
    found = []
    for load in (load_plan, load_result):
        with pytest.raises(FileError) as error:
            load(path)
        found.append(str(error.value))
    assert all("\n" not in one and len(one) < 400 for one in found)
    return found


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "1e101", "9" * 400])
def test_a_number_beyond_all_is_refused(plan, tmp_path, number):
    text = json.dumps(plan | {"budget_flops": 12345.5})
    for said in _refused(tmp_path, text.replace("12345.5", number)):
        assert number[:30] in said


@pytest.mark.parametrize("text", ['{"a": 1, "a": 2}', "[" * 100_000, '{"schema"', ""])
def test_what_is_no_json_of_ours_is_refused(tmp_path, text):
    _refused(tmp_path, text)


def test_a_plan_without_any_one_field_is_refused(plan, tmp_path):
    for name in set(plan) - {"schema"}:
        text = json.dumps({key: value for key, value in plan.items() if key != name})
        for said in _refused(tmp_path, text):
            assert name in said


def test_quantiles_that_do_not_grow_are_refused(plan, tmp_path):
    loss = plan["loss"] | {"q05": plan["loss"]["q95"] + 1}
    for said in _refused(tmp_path, json.dumps(plan | {"loss": loss})):
        assert "at loss, q05 = " in said


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.floats(-1e99, 1e99) | st.text(), st.lists))
def test_what_is_written_is_read_back(value):
    assert strict_json(json.dumps(value)) == value


def test_nothing_writes_nan(tmp_path):
    class Odd(Result, frozen=True, kw_only=True, tag="odd/1"):
        a: float
        b: list[Any]

    odd = Odd(a=float("nan"), b=[np.inf, np.float64(2), np.array([1.0, np.nan])])
    text = odd.save(tmp_path / "odd.json").read_text("utf-8")
    assert strict_json(text) == {"schema": "odd/1", "a": None, "b": [None, 2.0, [1.0, None]]}


def _points():
    losses = np.array([2.5, 2.25])
    scored = score_draws(losses[:, None] * np.linspace(0.97, 1.03, 40), losses)
    fixed = {"law": "chinchilla", "ratio": 8.0, "family": ["a", "b"], "run": ["1", "2\u2028"]}
    table = pd.DataFrame(fixed | {"flops": 1e20, "loss": losses, "extrapolation": 1 / 3})
    return table.join(scored.assign(log_score=np.nan, fitted=[12, 11]))


QUALITY = FitQuality(law="chinchilla", ratio=8.0, r_hat=1.001, ess=900.0, divergences=0)


def test_a_checkpoint_comes_back_to_the_last_digit(tmp_path):
    path = tmp_path / "b.part"
    Checkpoint(path).add("k", _points(), QUALITY)
    points, quality = Checkpoint(path).results["k"]
    pd.testing.assert_frame_equal(
        points, _points(), check_dtype=False, check_like=True, rtol=0, atol=0
    )
    assert quality == QUALITY


@pytest.mark.parametrize(
    "change",
    [
        {"points": []},
        {"points": "x"},
        {"points": [[1]]},
        {"points": [{"law": 1}]},
        {"quality": []},
        {"quality": {}},
        {"key": None},
    ],
)
def test_an_odd_checkpoint_is_refused(tmp_path, change):
    path = tmp_path / "b.part"
    Checkpoint(path).add("k", _points(), QUALITY)
    entry = json.loads(path.read_text("utf-8"))
    path.write_text(f"{json.dumps(entry | change)}\n{json.dumps(entry)}\n", encoding="utf-8")
    with pytest.raises(FileError, match=r"b\.part.*line 1"):
        Checkpoint(path)


def test_an_error_is_one_line_and_not_long():
    said = str(DataError("first\nsecond\x1b" + "x" * 10_000 + " the end"))
    assert said.startswith("first second\\x1b")
    assert said.endswith(" the end")
    assert len(said) < 1100


def test_bounds_of_numbers():
    assert meant(SMALLEST)
    assert meant(LARGEST)
    assert meant(0, zero=True)
    for number in (0, -1, 5e-324, 1e61, float("nan"), float("inf")):
        assert not meant(number)


def test_integers_beyond_64_bits_are_numbers_of_a_table() -> None:
    found = strict_json(f'{{"a": {2**64}, "b": {2**62}}}')
    assert found == {"a": 2.0**64, "b": 2**62}
    assert [type(value) for value in found.values()] == [float, int]
