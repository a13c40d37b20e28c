"""Comparison and averaging of fits, on draws made by hand."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.optimize import minimize_scalar

from bayes_scaling.core.caveat import Caveat, texts
from bayes_scaling.errors import DataError, FitError
from bayes_scaling.forecast import Comparison, ModelAverage, compare, predict
from bayes_scaling.forecast.evaluation import compare_laws
from bayes_scaling.forecast.evaluation.comparison_caveats import of_forecasts, of_loo
from bayes_scaling.forecast.evaluation.model_average import stacking_weights
from bayes_scaling.forecast.evaluation.outcomes import log_score
from bayes_scaling.inference import Fit, Procedure
from bayes_scaling.inference.diagnostics.checks import loo_check
from bayes_scaling.laws.log_quadratic import without_quadratic
from bayes_scaling.model import specify
from bayes_scaling.runs import Runs
from tests.conftest import backtest_of

Maker = Callable[..., Fit]
POINTS = pd.DataFrame({"params": [1e8, 7e9], "tokens": [1e10, 1e12], "family": ["web", "code"]})


@pytest.fixture(scope="module")
def pair(make_fit: Maker) -> dict[str, Fit]:
    """The same losses, known well and known badly."""
    return {"blunt": make_fit(width=0.1), "sharp": make_fit(width=0.01)}


def test_the_better_fit_comes_first(pair: dict[str, Fit], tmp_path: Path) -> None:
    found = compare(pair, ratio=None)
    assert list(found.table.index) == list(found.fits) == ["sharp", "blunt"]
    assert found.table["elpd_diff"].iloc[0] == 0
    assert found.table["weight_loo"].sum() == pytest.approx(1)
    assert found.table["weight_loo"].idxmax() == "sharp"
    assert (found.caveats[0].code, found.caveats[0].subject) == ("loo-preference", "sharp")
    for name, fit in pair.items():
        alone, _ = loo_check(fit.dt)
        for column in ("elpd", "se", "pareto_k_high"):
            assert_allclose(found.table.loc[name, column], getattr(alone, column))
    content = json.loads(found.save(tmp_path / "c.json").read_text())
    assert content["schema"] == "bayes_scaling.comparison/2"
    assert [row["name"] for row in content["laws"]] == ["sharp", "blunt"]
    assert content["held_out"] is None
    read = Comparison.load(tmp_path / "c.json")
    assert read == found
    assert str(read) == str(found)
    with pytest.warns(DeprecationWarning, match=r"\.messages"):
        assert found.messages == texts(found.caveats)
    with pytest.raises(FitError, match="fits"):
        read.average("loo")
    with pytest.raises(FitError, match=r"by is 'held_out'.*weight_loo"):
        found.average()
    points = pd.DataFrame({"params": [1e9], "tokens": [1e10]})
    with pytest.raises(FitError, match="by is a DataFrame, "):
        found.average(points)  # type: ignore[arg-type]


def test_larger_runs_are_held_out_of_each(
    pair: dict[str, Fit], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = iter(pair.values())
    asked = []

    def refit(self: Procedure, runs: Runs, *_: object) -> Fit:
        asked.append((len(runs), self.pooling, self.noise))
        return next(made)

    monkeypatch.setattr(Procedure, "run", refit)
    found = compare(pair, ratio=8)
    assert found.held_out is not None
    points = found.held_out.points
    assert set(points["law"]) == {"blunt", "sharp"}
    held_out = int((points["law"] == "sharp").sum())
    whole = len(pair["sharp"].runs)
    assert [runs for runs, _, _ in asked] == [whole - held_out] * 2
    assert asked[0][1]["alpha_N"] == "partial"
    assert asked[0][2] == "student-t"
    mean = points.groupby(["law", "family"])["log_score"].mean().groupby("law").mean()
    assert_allclose(found.table["log_score"], mean[found.table.index])
    assert found.table["weight_held_out"].sum() == pytest.approx(1)
    assert found.average().weights["sharp"] > 0.5
    assert [c.data["runs"] for c in found.caveats if c.code == "held-out-preference"] == [held_out]


def test_a_mixture_is_fitted_again_as_one(two_families: Fit) -> None:
    table = two_families.runs
    for law in ("chinchilla", "chinchilla-gamma"):
        spec, frame = specify(table, law, prior="population")
        assert 0 < spec.curvature_share < 1
        options = compare_laws._options(spec)
        again, same = Procedure.of(without_quadratic(spec.law), **options).specify(table)
        for (mine, share), (other, its) in zip(spec.components, again.components, strict=True):
            assert share == its
            assert mine.pooling == other.pooling
            assert [(p.name, p.prior) for p in mine.parameters] == [
                (p.name, p.prior) for p in other.parameters
            ]
        assert same == frame


def test_a_disagreement_is_reported() -> None:
    table = pd.DataFrame(
        {
            "elpd_diff": [0.0, -12.0],
            "dse": [0.0, 3.0],
            "pareto_k_high": [0, 2],
            "r_hat": [1.001, 1.002],
            "divergences": [0, 0],
            "log_score": [1.0, 1.5],
            "coverage_90": [0.5, 0.9],
        },
        index=["near", "far"],
    )
    points = pd.DataFrame({"law": ["near"] * 4 + ["far"] * 4})
    tested = backtest_of(points.assign(extrapolation=0.5))
    assert stated(of_loo(table)) == [
        ("loo-preference", "near", {"elpd_diff": 12.0, "standard_error": 3.0}),
        ("pareto-k", "far", {"runs": 2}),
    ]
    assert stated(of_forecasts(table, tested)) == [
        ("held-out-preference", "far", {"runs": 4, "log_score_diff": 0.5, "coverage_90": 0.9}),
        ("disagreement", "far", {"fits_best": "near"}),
        ("few-held-out", "far", {"runs": 4}),
    ]
    stuck = stated(of_loo(table.assign(r_hat=[1.2, np.nan], divergences=[0, 3])))[2:]
    assert [(code, who, data["divergences"]) for code, who, data in stuck] == [
        ("not-converged", "near", 0),
        ("not-converged", "far", 3),
    ]
    agreed = stated(of_forecasts(table.assign(log_score=[2.0, 1.5]), tested))
    assert "disagreement" not in {code for code, _, _ in agreed}


def stated(caveats: Iterable[Caveat]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(caveat.code, caveat.subject, caveat.data) for caveat in caveats]


def test_what_cannot_be_compared_is_refused(pair: dict[str, Fit], make_fit: Maker) -> None:
    sharp = pair["sharp"]
    with pytest.raises(DataError, match="'a' and 'b'"):
        compare({"a": sharp, "b": make_fit(seed=1)})
    with pytest.raises(DataError, match=r"\ba\b"):
        compare({"a": sharp})
    with pytest.raises(DataError, match="'chinchilla'"):
        compare([sharp, sharp])
    with pytest.raises(DataError, match="Fit, int"):
        compare([sharp, 3])
    tree = sharp.dt.copy()
    tree.attrs["loss_unit"] = "nats/byte"
    with pytest.raises(DataError, match=r"'a'.* nats/token, 'b' .*nats/byte"):
        compare({"a": sharp, "b": Fit(tree)})


def test_an_average_takes_draws_in_proportion(pair: dict[str, Fit]) -> None:
    average = ModelAverage(pair, {"blunt": 0.25, "sharp": 0.75})
    mixed = average.predict(POINTS, seed=3)
    total = mixed.loss_curve.isel(point=0).size
    assert mixed.loss_curve.dims == ("chain", "draw", "point")
    for name, share in average.weights.items():
        own = predict(pair[name], POINTS, seed=3)
        # Both points of a draw come from one draw of one fit.
        pairs = {tuple(row) for row in own.loss_run.values.reshape(-1, 2)}
        taken = [tuple(row) for row in mixed.loss_run.values.reshape(-1, 2)]
        assert sum(row in pairs for row in taken) == share * total
    assert mixed.caveats[0].code == "model-average"
    assert mixed.caveats[0].data == {"blunt": 0.25, "sharp": 0.75}
    assert list(mixed.to_frame()["family"]) == ["web", "code"]


def test_an_average_of_one_is_that_one(pair: dict[str, Fit]) -> None:
    alone = ModelAverage(pair, {"blunt": 0.0, "sharp": 1.0}).predict(POINTS, seed=1)
    own = predict(pair["sharp"], POINTS, seed=1)
    for name in ("loss_curve", "loss_run", "loss_floor"):
        assert_allclose(
            np.sort(alone.draws[name].values.reshape(-1, 2), axis=0),
            np.sort(own.draws[name].values.reshape(-1, 2), axis=0),
        )


@pytest.mark.parametrize("weights", [{"blunt": 1.0}, {"blunt": 0.5, "sharp": 0.6}])
def test_bad_weights_are_refused(pair: dict[str, Fit], weights: dict[str, float]) -> None:
    with pytest.raises(FitError, match="weights"):
        ModelAverage(pair, weights)


def test_stacking_weights_maximise_the_log_score() -> None:
    rng = np.random.default_rng(0)
    densities = rng.normal([0.0, 0.2], 1, (40, 2))
    counts = rng.uniform(0.5, 2, 40)

    def loss(share: float) -> float:
        return -counts @ np.log(np.exp(densities) @ [share, 1 - share])

    best = minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-10}).x
    assert 0.05 < best < 0.95
    assert_allclose(stacking_weights(densities, counts), [best, 1 - best], atol=1e-5)
    better = np.column_stack([densities[:, 0], densities[:, 0] - 1])
    assert_allclose(stacking_weights(better), [1, 0], atol=1e-6)


def test_log_score_is_the_log_of_the_mean_density_of_the_loss(two_families: Fit) -> None:
    rows = two_families.runs.iloc[[3, 30]].reset_index(drop=True)
    curve = predict(two_families, rows[["params", "tokens", "flops", "family"]]).loss_curve
    for place, row in rows.iterrows():
        here = two_families.posterior.sel(family=row["family"])
        z = (np.log(row["loss"]) - np.log(curve.isel(point=place))) / here["sigma"]
        density = stats.t.pdf(z, here["nu"]) / here["sigma"].values / row["loss"]
        assert_allclose(log_score(two_families, rows)[place], np.log(density.mean()))
