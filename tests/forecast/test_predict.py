"""The prediction contract, on draws made by hand."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from bayes_scaling.core.draw_summary import quantile_name
from bayes_scaling.decisions import Scenario, allocate
from bayes_scaling.errors import DataError, FileError, FitError
from bayes_scaling.forecast import predict
from bayes_scaling.forecast.forecast_result import ForecastFile
from bayes_scaling.inference import Fit
from tests.conftest import codes

POINTS = pd.DataFrame(
    {"params": [1e8, 7e10, 1e9], "tokens": [1e10, 1e12, 2e10], "family": ["web", "code", "law"]}
)


def test_quantities_and_dims(two_families: Fit) -> None:
    forecast = predict(two_families, POINTS)
    sizes = two_families.posterior.sizes
    for quantity in (forecast.loss_curve, forecast.loss_run, forecast.loss_floor):
        assert quantity.dims == ("chain", "draw", "point")
        assert quantity.shape == (sizes["chain"], sizes["draw"], 3)
        assert np.isfinite(quantity).all()
    assert (forecast.loss_curve > forecast.loss_floor).all()


@pytest.mark.parametrize("law", ["chinchilla", "chinchilla-gamma", "product", "product-floor"])
def test_curve_is_the_law_at_every_draw(make_fit: Callable[..., Fit], law: str) -> None:
    truths = {
        "chinchilla": None,
        "chinchilla-gamma": {
            "floor": 1.8, "A": 90.0, "B": 300.0, "alpha_N": 0.4, "alpha_D": 0.4, "gamma": 0.6
        },
        "product": {"L0": 40.0, "alpha_N": 0.05, "alpha_D": 0.06, "alpha_C": 0.01},
        "product-floor": {
            "floor": 1.5, "L0": 40.0, "alpha_N": 0.05, "alpha_D": 0.06, "alpha_C": 0.01
        },
    }  # fmt: skip
    fit = make_fit(law, truths[law])
    forecast = predict(fit, params=3e9, tokens=5e10, family="code")
    here = fit.posterior.sel(family="code")
    values = {name: here[name].values for name in fit.law.names}
    back = {name: -value for name, value in fit.frame.reference.items()}
    published = fit.law.move(values, back)
    where = {"params": 3e9, "tokens": 5e10, "flops": 6 * 3e9 * 5e10}
    expected = fit.law.loss(where, published)
    assert_allclose(forecast.loss_curve.isel(point=0), expected, rtol=1e-9)


def test_a_run_is_the_curve_with_noise(two_families: Fit) -> None:
    many = pd.DataFrame({"params": [1e8] * 200, "tokens": 1e10, "family": "web"})
    forecast = predict(two_families, many)
    log_noise = np.log(forecast.loss_run / forecast.loss_curve)
    sigma = float(two_families.posterior["sigma"].sel(family="web").median())
    # Median absolute deviation of a t with about 6 degrees of freedom: 0.72 of its scale.
    assert_allclose(np.median(np.abs(log_noise)), 0.72 * sigma, rtol=0.05)
    assert len(np.unique(log_noise.isel(chain=0, draw=0))) == 200


def test_extrapolation_is_in_decades_beyond_the_largest_run(two_families: Fit) -> None:
    runs = two_families.runs
    largest = runs.loc[runs["family"] == "web", "flops"].max()
    forecast = predict(
        two_families, params=[1e9, 1e9], flops=[100 * largest, largest / 10], family="web"
    )
    assert_allclose(forecast.points["extrapolation"], [2.0, -1.0], atol=1e-12)
    (far,) = [c for c in forecast.caveats if c.code == "extrapolation"]
    assert (far.data["points"], far.data["of"], far.data["size"]) == (1, 2, "compute")
    assert far.data["factor"] == pytest.approx(100)
    inside = predict(two_families, params=1e8, flops=largest / 10, family="web")
    assert not inside.caveats


def test_an_unseen_family_comes_from_the_population(two_families: Fit) -> None:
    forecast = predict(two_families, POINTS)
    assert list(forecast.points["family_seen"]) == [True, True, False]
    (unseen,) = [c for c in forecast.caveats if c.code == "unseen-family"]
    assert unseen.data == {"families": ["law"], "fitted": 2}
    seen = predict(two_families, params=1e9, tokens=2e10, family="web").loss_curve.std()
    assert float(forecast.loss_curve.isel(point=2).std()) > 2 * float(seen)
    twice = predict(two_families, params=[1e9, 1e9], tokens=2e10, family="law").loss_curve
    assert_allclose(twice.isel(point=0), twice.isel(point=1))
    other = predict(two_families, params=1e9, tokens=2e10, family="med").loss_curve
    assert not np.allclose(other.isel(point=0), twice.isel(point=0))


def test_one_family_needs_no_name(one_family: Fit, two_families: Fit) -> None:
    where = {"params": 1e9, "tokens": 2e10}
    named = predict(one_family, **where, family="web")
    assert_allclose(predict(one_family, **where).loss_run, named.loss_run)
    with pytest.raises(DataError, match=r"family .*'web', 'code'"):
        predict(two_families, **where)


def test_an_unseen_family_of_a_single_family_fit_is_finite(one_family: Fit) -> None:
    table = predict(one_family, params=1e9, tokens=2e10, family="new").to_frame()
    assert np.isfinite(table[["mean", "sd"]].to_numpy(dtype=float)).all()
    assert table["sd"].iloc[0] < table["mean"].iloc[0]


def test_results_do_not_depend_on_the_rest_of_the_table(two_families: Fit) -> None:
    alone = predict(two_families, POINTS.iloc[[1]]).loss_curve
    among = predict(two_families, POINTS).loss_curve
    assert_allclose(alone.isel(point=0), among.isel(point=1))


def test_the_same_seed_gives_the_same_draws(two_families: Fit) -> None:
    first, again = (predict(two_families, POINTS, seed=4).loss_run for _ in range(2))
    assert_allclose(first, again, rtol=0)
    assert not np.allclose(predict(two_families, POINTS, seed=5).loss_run, first)


def test_table_has_every_given_column_then_the_contract(two_families: Fit) -> None:
    given_table = POINTS.assign(note=["a", "b", "c"])
    table = predict(two_families, given_table).to_frame("run", [0.025, 0.5, 0.975])
    added = ["mean", "sd", "q02.5", "q50", "q97.5", "extrapolation", "family_seen"]
    assert list(table.columns) == [*given_table.columns, *added]
    assert list(table["note"]) == ["a", "b", "c"]
    draws = predict(two_families, given_table).loss_run.values.reshape(-1, 3)
    assert_allclose(table["mean"].astype(float), draws.mean(axis=0))
    assert_allclose(table["q97.5"].astype(float), np.quantile(draws, 0.975, axis=0))


@pytest.mark.parametrize(
    ("level", "name"),
    [
        (0.05, "q05"),
        (0.5, "q50"),
        (0.975, "q97.5"),
        (0.025, "q02.5"),
        (0.999, "q99.9"),
        (0.07, "q07"),
    ],
)
def test_names_of_quantiles(level: float, name: str) -> None:
    assert quantile_name(level) == name


@given(st.integers(1, 9999))
def test_names_of_quantiles_say_the_level(ten_thousandths: int) -> None:
    name = quantile_name(ten_thousandths / 10_000)
    assert name.startswith("q")
    assert round(float(name[1:]) * 100) == ten_thousandths
    assert len(name[1:].split(".")[0]) == 2


@pytest.mark.parametrize(
    "levels", [[0.0], [1.0], [1.5], [-0.1], [float("nan")], [0.5, 0.5], [0.5, 0.5 + 1e-15]]
)
def test_bad_levels_are_refused(two_families: Fit, levels: list[float]) -> None:
    with pytest.raises(FitError, match="quantile"):
        predict(two_families, POINTS).to_frame("run", levels)


def test_a_taken_column_is_refused(two_families: Fit) -> None:
    with pytest.raises(DataError, match="'mean'"):
        predict(two_families, POINTS.assign(mean=1.0)).to_frame()


def test_unknown_quantity_is_refused(two_families: Fit) -> None:
    with pytest.raises(FitError, match=r"kind is 'both'.*run, curve, floor"):
        predict(two_families, POINTS).quantity("both")  # type: ignore[arg-type]


def test_nothing_asked_is_refused(two_families: Fit) -> None:
    with pytest.raises(DataError, match=r"configs.*params, tokens and flops"):
        predict(two_families)


def test_files_hold_the_table(two_families: Fit, tmp_path: Path) -> None:
    forecast = predict(two_families, POINTS)
    table = forecast.to_frame()
    read = pd.read_csv(forecast.save(tmp_path / "p.csv"))
    assert_allclose(read["q95"], table["q95"].astype(float), rtol=1e-12)
    parquet = pd.read_parquet(forecast.save(tmp_path / "p.parquet"))
    assert list(parquet.columns) == list(table.columns)
    content = json.loads(forecast.save(tmp_path / "p.json").read_text())
    assert content["schema"] == "bayes_scaling.forecast/2"
    assert [one["text"] for one in content["caveats"]] == [c.text for c in forecast.caveats]
    assert ForecastFile.load(tmp_path / "p.json").caveats == forecast.caveats
    assert_allclose([row["q95"] for row in content["points"]], read["q95"], rtol=1e-9)
    with pytest.raises(FileError, match=r"'\.txt'"):
        forecast.save(tmp_path / "p.txt")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.csv", "p.json", "p.parquet"]


def test_repeated_tokens_are_worth_less(make_fit: Callable[..., Fit]) -> None:
    truth = {"floor": 1.8, "A": 400.0, "B": 1800.0, "alpha_N": 0.34, "alpha_D": 0.36}
    fit = make_fit("data-constrained", truth | {"R_D": 15.0, "R_N": 5.0})
    where = {"params": 1e8, "tokens": 1e11, "family": "web"}
    forecast = predict(fit, unique_tokens=[1e9, 1e10, 1e11], **where)
    assert (forecast.loss_curve.diff("point") < 0).all()
    assert "unstated-input" not in codes(forecast)
    silent = predict(fit, **where)
    (blank,) = [c for c in silent.caveats if c.code == "unstated-input"]
    assert (blank.subject, blank.data) == ("unique_tokens", {"rows": 1, "of": 1})
    fresh = forecast.loss_curve.isel(point=2)
    assert_allclose(silent.loss_curve.isel(point=0), fresh, rtol=1e-12)
    table = pd.DataFrame({**where, "unique_tokens": [np.nan, 1e9]})
    mixed = predict(fit, table)
    assert_allclose(mixed.loss_curve.isel(point=0), fresh, rtol=1e-12)
    (blank,) = [c for c in mixed.caveats if c.code == "unstated-input"]
    assert blank.data == {"rows": 1, "of": 2}


SHAPED = {
    "floor": 1.8,
    "A": 400.0,
    "B": 1800.0,
    "alpha_N": 0.34,
    "alpha_D": 0.36,
    "aspect": 60.0,
    "curvature": 0.3,
}


def test_the_best_shape_is_assumed_where_none_is_stated(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit("depth-width", SHAPED)
    where = {"params": 1e9, "tokens": 2e10, "family": "web"}
    silent = predict(fit, **where)
    assert "unstated-input" in codes(silent)
    loss = silent.loss_curve.isel(point=0)
    shapes = predict(fit, n_layer=[4, 12, 24, 90], d_model=[4000, 720, 720, 300], **where)
    assert "unstated-input" not in codes(shapes)
    # In every draw, no shape is better than that draw's best, and far ones are worse.
    assert (shapes.loss_curve >= loss - 1e-12).all()
    assert (shapes.loss_curve.isel(point=0) > shapes.loss_curve.isel(point=1)).all()
    some = predict(fit, pd.DataFrame({**where, "aspect_ratio": [np.nan, 60.0]}))
    assert_allclose(some.loss_curve.isel(point=0), loss, rtol=1e-12)
    plan = allocate(fit, Scenario(compute_budget=1e21, family="web"))
    assert plan.method == "closed form"


STEPS = {"A": 10.0, "S": 60.0, "alpha_N": 0.1, "alpha_S": 0.5, "B_crit": 2e8, "alpha_B": 0.21}


def test_a_typical_batch_is_assumed_and_reported(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit("kaplan-steps", STEPS)
    where = {"params": 1e9, "tokens": 2e10, "family": "web"}
    silent = predict(fit, **where)
    (assumed,) = [c for c in silent.caveats if c.code == "typical-input"]
    assert (assumed.subject, assumed.data) == ("step and batch_tokens", {"rows": 1, "of": 1})
    batches = predict(fit, batch_tokens=[1e5, 1e6, 1e8], **where)
    # At the same tokens a smaller batch wastes less.
    assert (batches.loss_curve.diff("point") > 0).all()
    steps = predict(fit, step=2e10 / 1e6, **where)
    assert_allclose(steps.loss_curve.isel(point=0), batches.loss_curve.isel(point=1), rtol=1e-12)
    plan = allocate(fit, Scenario(compute_budget=1e20, family="web"))
    assert 1e6 < plan.recommended.params < 1e13
    with pytest.raises(DataError, match="'batch_size'"):
        predict(fit, batch_size=1e5, **where)
