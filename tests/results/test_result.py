"""The base of results: writing, reading, refusing, and names of version 0.1."""

import copy
import json
import pickle
from typing import Annotated, get_args

import msgspec
import pytest

from bayes_scaling.core.caveat import Caveat
from bayes_scaling.core.records import Record, about, null_together
from bayes_scaling.core.result import Result, decode, kind_name
from bayes_scaling.decisions import Plan, Scenario, allocate
from bayes_scaling.errors import FileError
from bayes_scaling.results.kinds import AnyResult


class Part(Record, frozen=True, kw_only=True):
    """A part."""

    q05: float
    q95: float


class Small(Result, frozen=True, kw_only=True, tag="bayes_scaling.small/1"):
    """A small result."""

    size: Annotated[float, about("Size.", "parameters", gt=0)]
    part: Part | None = None
    caveats: tuple[Caveat, ...] = ()


class Other(Result, frozen=True, kw_only=True, tag="bayes_scaling.other/1"):
    """Another result."""


FAR = Caveat(code="extrapolation", severity="warning", text="Far.", data={"times": 3.0})
SMALL = Small(size=2.0, part=Part(q05=1.0, q95=3.0), caveats=(FAR,))


@pytest.fixture(scope="module")
def plan(two_families):
    return allocate(two_families, Scenario(compute_budget=1e21, family="web"))


def test_a_result_comes_back_from_its_file(tmp_path):
    assert Small.load(SMALL.save(tmp_path / "s.json")) == SMALL
    assert Small.from_dict(SMALL.to_dict()) == SMALL
    assert SMALL.to_dict()["schema"] == "bayes_scaling.small/1"


def test_a_union_is_read_by_its_tag():
    assert decode({"schema": "bayes_scaling.other/1"}, Small | Other) == Other()
    assert decode(SMALL.to_dict(), Small | Other) == SMALL
    with pytest.raises(FileError, match=r"bayes_scaling\.other/1"):
        Small.from_dict({"schema": "bayes_scaling.other/1"})


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"size": -1}, "size"),
        ({"size": "2"}, "size"),
        ({"part": {"q05": 1.0}}, "part"),
        ({"part": {"q05": 4.0, "q95": 3.0}}, "part"),
        ({"caveats": [{"code": "x", "severity": "odd", "text": "y"}]}, r"caveats\[0\]\.severity"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(change, place):
    with pytest.raises(FileError, match=place) as error:
        Small.from_dict(SMALL.to_dict() | change)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", [None, 3, [], {}, {"schema": 5}, {"schema": "plan"}])
def test_what_is_no_result_is_refused(content):
    with pytest.raises(FileError, match="schema"):
        Small.from_dict(content)


def test_fields_are_null_together():
    null_together(SMALL, "size", "part")
    with pytest.raises(ValueError, match="part is null, and size is not"):
        null_together(Small(size=1.0), "size", "part")


def test_a_plan_that_states_half_a_target_is_refused(plan):
    content = plan.to_dict()
    assert content["probability_of_target"] is None
    with pytest.raises(FileError, match="probability_of_target is null"):
        Plan.from_dict(content | {"target_loss": 2.0})


def test_names_of_version_1_warn(plan):
    with pytest.warns(DeprecationWarning, match="caveats"):
        assert plan.warnings == tuple(one.text for one in plan.caveats)
    with pytest.warns(DeprecationWarning, match="to_dict"):
        assert plan.content == plan.to_dict()
    with pytest.warns(DeprecationWarning, match=r"use Point\.params"):
        assert plan.recommended["params"] == plan.recommended.params


def test_a_plan_equals_what_is_read_of_it_but_for_the_draws(plan, tmp_path):
    found = Plan.load(plan.save(tmp_path / "p.json"))
    assert found.to_dict() == plan.to_dict() == json.loads((tmp_path / "p.json").read_text("utf-8"))
    assert found.draws is None
    assert plan.draws is not None
    assert set(plan.draws) >= {"params", "tokens", "regret"}


def _types(kind):
    """Every record in a type, itself included."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
        for entry in msgspec.structs.fields(kind):
            yield from _types(entry.type)
    for part in get_args(kind):
        yield from _types(part)


@pytest.mark.parametrize("kind", get_args(AnyResult), ids=kind_name)
def test_every_field_of_a_result_has_a_meaning(kind):
    whole = msgspec.json.schema(kind)
    for part in set(_types(kind)):
        fields = whole["$defs"][part.__name__]["properties"]
        for field, stated in fields.items():
            inner = [stated, *stated.get("anyOf", ())]
            assert field == "schema" or any("description" in one for one in inner), (part, field)


@pytest.mark.parametrize(
    "through",
    [copy.copy, copy.deepcopy, lambda result: pickle.loads(pickle.dumps(result))],  # noqa: S301
    ids=["copy", "deepcopy", "pickle"],
)
def test_copies_keep_what_is_not_in_the_file(plan, through):
    copied = through(plan)
    assert copied.draws.identical(plan.draws)
    assert copied.to_dict() == plan.to_dict()
    assert through(SMALL) == SMALL


def test_a_result_without_caveats_has_no_warnings(two_families):
    assert not hasattr(two_families.diagnose(), "warnings")
