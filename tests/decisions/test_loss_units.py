"""One table in bits or in nats: the same answers, each in the unit it was given in."""

import math

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from bayes_scaling.decisions import Scenario, allocate, budget_frontier, load_scenario
from bayes_scaling.errors import DataError, ScenarioError
from bayes_scaling.forecast import score
from bayes_scaling.inference import Fit
from bayes_scaling.inference.point import fit_point
from bayes_scaling.laws import registry
from bayes_scaling.model import simulate
from bayes_scaling.runs import load_runs
from tests.conftest import TRUTH, grid, handmade

LN2 = math.log(2)
IN_BITS = {name: v / LN2 if name in {"floor", "A", "B"} else v for name, v in TRUTH.items()}


@pytest.fixture(scope="module")
def bits() -> Fit:
    return handmade(families=("web",), truth=IN_BITS, loss_unit="bits/byte")


@pytest.fixture(scope="module")
def nats() -> Fit:
    return handmade(families=("web",), loss_unit="nats/byte")


def test_forecasts_and_plans_are_in_the_unit_of_the_table(bits: Fit, nats: Fit) -> None:
    one, other = (fit.predict(params=1e10, tokens=1e12) for fit in (bits, nats))
    assert (one.loss_unit, other.loss_unit) == ("bits/byte", "nats/byte")
    assert_allclose(one.loss_run * LN2, other.loss_run, rtol=1e-9)
    plans = [allocate(fit, Scenario(compute_budget=1e23)) for fit in (bits, nats)]
    assert [plan.loss_unit for plan in plans] == ["bits/byte", "nats/byte"]
    assert_allclose(plans[0].loss.mean * LN2, plans[1].loss.mean, rtol=1e-6)
    assert_allclose(plans[0].recommended.params, plans[1].recommended.params, rtol=1e-3)
    assert "bits/byte" in str(plans[0])


def test_a_target_may_carry_its_unit(bits: Fit, nats: Fit) -> None:
    target = float(np.median(bits.predict(params=1e10, tokens=1e23 / 6e10).loss_run))
    bare = allocate(bits, Scenario(compute_budget=1e23, target_loss=target))
    assert 0.05 < bare.probability_of_target < 0.999
    stated = [
        Scenario(compute_budget=1e23, target_loss=f"{target!r} bits/byte"),
        Scenario(compute_budget=1e23, target_loss=f"{target * LN2!r} nats/byte"),
        Scenario(compute_budget=1e23, target_loss=target * LN2, target_unit="nats/byte"),
    ]
    for scenario in stated:
        plan = allocate(bits, scenario)
        assert_allclose(plan.target_loss, target, rtol=1e-9)
        assert_allclose(plan.probability_of_target, bare.probability_of_target)
        assert plan.scenario.target_unit == scenario.target_unit
    other = allocate(nats, stated[0])
    assert_allclose(other.target_loss, target * LN2, rtol=1e-9)
    assert_allclose(other.probability_of_target, bare.probability_of_target, atol=0.01)
    frontier = budget_frontier(nats, stated[0], factors=(0.5, 1.0))
    assert_allclose(frontier.target_loss, target * LN2, rtol=1e-9)


def test_least_cost_takes_the_target_in_its_unit(bits: Fit) -> None:
    target = float(np.median(bits.predict(params=1e10, tokens=1e12).loss_run))
    bare = allocate(bits, Scenario(minimise="cost", target_loss=target))
    stated = allocate(bits, Scenario(minimise="cost", target_loss=f"{target * LN2!r} nats/byte"))
    amounts = [plan.least_cost.amount for plan in (bare, stated)]
    assert_allclose(amounts[1], amounts[0], rtol=1e-6)


@pytest.mark.parametrize(
    "target", ["low", "0.83 furlongs", "0.83 bits/byte nats", "", "-1 bits/byte", "nan"]
)
def test_targets_that_are_none_are_refused(target: str) -> None:
    with pytest.raises(ScenarioError, match="target_loss"):
        Scenario(compute_budget=1e23, target_loss=target)


def test_units_that_do_not_convert_are_refused(bits: Fit) -> None:
    with pytest.raises(ScenarioError, match="bits/byte"):
        allocate(bits, Scenario(compute_budget=1e23, target_loss="2.5 nats/token"))
    with pytest.raises(ScenarioError, match="state the unit once"):
        Scenario(compute_budget=1e23, target_loss="0.83 bits/byte", target_unit="nats/byte")
    with pytest.raises(ScenarioError, match="furlongs"):
        Scenario(compute_budget=1e23, target_loss=0.83, target_unit="furlongs")


def test_scenario_files_take_both_forms(tmp_path) -> None:
    file = tmp_path / "scenario.toml"
    for text, value, unit in [
        ("0.83", 0.83, None),
        ('"0.83 bits/byte"', 0.83, "bits/byte"),
        ('"0.83 bpb"', 0.83, "bits/byte"),
    ]:
        file.write_text(f'target_loss = {text}\ncompute_budget = "1e22 FLOP"\n')
        read = load_scenario(file)
        assert (read.target_loss, read.target_unit) == (value, unit)


def test_scores_turn_new_runs_into_the_unit_of_the_fit(bits: Fit) -> None:
    rows = simulate("chinchilla", grid(("web",)), IN_BITS, seed=5)
    same = score(bits, load_runs(rows, loss_unit="bits/byte"))
    turned = score(bits, load_runs(rows.assign(loss=rows["loss"] * LN2), loss_unit="nats/byte"))
    assert_allclose(turned["log_score"], same["log_score"], rtol=1e-6)
    assert_allclose(turned["loss"], same["loss"])
    with pytest.raises(DataError, match="nats/token"):
        score(bits, load_runs(rows))


@pytest.mark.parametrize("law", ["chinchilla", "chinchilla-gamma", "kaplan", "farseer"])
def test_point_fits_do_not_depend_on_the_unit(law: str) -> None:
    rows = load_runs(simulate("chinchilla", grid(("web",)), TRUTH, seed=3)).fit_rows()
    known = registry.get(law)
    one, other = (fit_point(known, rows.assign(loss=rows["loss"] / scale)) for scale in (1.0, LN2))
    assert_allclose(other.predict(rows)[0] + np.log(LN2), one.predict(rows)[0], atol=1e-5)


def test_families_of_several_units_keep_theirs() -> None:
    fit = handmade()
    rows = fit.runs.assign(
        loss_unit=["bits/byte" if name == "web" else "bits/char" for name in fit.runs["family"]]
    )
    assert load_runs(rows).loss_unit == "mixed"
    units = xr.DataArray(rows["loss_unit"].to_numpy(dtype=np.str_), dims="run")
    fit.dt["constant_data"]["loss_unit"] = units
    fit.dt.attrs["loss_unit"] = "mixed"
    mixed = Fit(fit.dt)
    assert [mixed.loss_unit(name) for name in ("web", "code", None)] == [
        "bits/byte",
        "bits/char",
        "mixed",
    ]
    plan = allocate(mixed, Scenario(compute_budget=1e22, family="web", target_loss="2.5 bits/byte"))
    assert plan.loss_unit == "bits/byte"
    with pytest.raises(ScenarioError, match="bits/char"):
        allocate(mixed, Scenario(compute_budget=1e22, family="code", target_loss="2.5 bits/byte"))
    forecast = mixed.predict(params=[1e9, 1e9], tokens=[1e10, 1e10], family=["web", "code"])
    assert forecast.loss_unit == "mixed"
    assert forecast.to_frame()["loss_unit"].tolist() == ["bits/byte", "bits/char"]
