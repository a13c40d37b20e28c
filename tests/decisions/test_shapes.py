"""Depth against width: the textbook's Lemma 14 and Propositions 15 and 15.1, with uncertainty."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bayes_scaling.decisions import ShapeLimits, best_shape
from bayes_scaling.errors import ScenarioError
from bayes_scaling.inference import Fit
from tests.conftest import TRUTH

ASPECT, CURVATURE = 64.0, 0.3
SHAPED = TRUTH | {"aspect": ASPECT, "curvature": CURVATURE}


@pytest.fixture(scope="module")
def certain(make_fit: Callable[..., Fit]) -> Fit:
    return make_fit("depth-width", SHAPED, width=1e-9)


@pytest.fixture(scope="module")
def unsure(make_fit: Callable[..., Fit]) -> Fit:
    return make_fit("depth-width", SHAPED, width=0.1)


def test_penalties_are_those_of_the_law(certain: Fit) -> None:
    params, tokens = 1e9, 2e10
    found = best_shape(certain, params, tokens=tokens, family="web")

    def loss(aspect: np.ndarray) -> np.ndarray:
        size = params * np.exp(-0.5 * CURVATURE * np.log(aspect / ASPECT) ** 2)
        data = TRUTH["B"] * tokens ** -TRUTH["alpha_D"]
        return TRUTH["floor"] + TRUTH["A"] * size ** -TRUTH["alpha_N"] + data

    exact = loss(found.table["aspect_ratio"].to_numpy())
    assert_allclose(found.table["penalty_mean"], exact / exact.min() - 1, atol=1e-7)
    best = found.table.loc[found.table["probability_best"].idxmax()]
    assert best["probability_best"] == 1.0
    away = np.abs(np.log(found.table["aspect_ratio"] / ASPECT))
    assert away.idxmin() == found.table["probability_best"].idxmax()
    assert found.recommended.n_layer == best["n_layer"]


def test_the_best_shape_has_the_size_and_grows_by_the_cube_root(certain: Fit) -> None:
    # Lemma 14: N = 12·n_layer·d_model². At one best aspect ratio both grow as N^(1/3).
    small, large = (best_shape(certain, n, family="web").ideal for n in (1e8, 8e8))
    assert small is not None
    assert large is not None
    depth, width = small.n_layer.q50, small.d_model.q50
    assert_allclose(width / depth, ASPECT, rtol=1e-6)
    assert_allclose(large.n_layer.q50 / depth, 2.0, rtol=1e-6)
    assert_allclose(large.d_model.q50 / width, 2.0, rtol=1e-6)
    # The runs count 12·n_layer·d_model² parameters and no others.
    assert_allclose(12 * depth * width**2, 1e8, rtol=1e-3)


def test_limits_are_kept(unsure: Fit) -> None:
    limits = ShapeLimits(width_multiple=128, layer_multiple=4, max_layers=24, max_width=2048)
    found = best_shape(unsure, 5e8, family="web", limits=limits)
    assert (found.table["d_model"] % 128 == 0).all()
    assert (found.table["n_layer"] % 4 == 0).all()
    assert found.table["n_layer"].max() <= 24
    assert found.table["d_model"].max() <= 2048
    assert (np.abs(found.table["matrix_params"] / 5e8 - 1) <= 0.1 + 1e-3).all()


def test_uncertainty_shows_in_penalties_and_in_who_is_best(unsure: Fit) -> None:
    found = best_shape(unsure, 1e9, family="web")
    assert_allclose(found.table["probability_best"].sum(), 1.0)
    assert (found.table["probability_best"] > 0.05).sum() > 1
    far = found.table[found.table["penalty_mean"] > 0.01]
    assert (far["penalty_q05"] < far["penalty_mean"]).all()
    assert (far["penalty_mean"] < far["penalty_q95"]).all()
    low, high = found.as_good.min_layers, found.as_good.max_layers
    assert low <= found.recommended.n_layer <= high
    inside = found.table["n_layer"].between(low, high)
    assert found.table.loc[~inside, "penalty_mean"].min() > 0
    assert found.ideal is not None
    assert found.ideal.aspect_ratio.q05 < ASPECT < found.ideal.aspect_ratio.q95


def test_a_law_of_depth_and_width_without_a_best_shape_is_asked_too(
    make_fit: Callable[..., Fit],
) -> None:
    truth = TRUTH | {"W": 50.0, "L": 3.0, "alpha_W": 0.8, "alpha_L": 0.9}
    found = best_shape(make_fit("gemstones", truth), 1e9, family="web")
    assert found.ideal is None
    assert 2 < found.recommended.n_layer < 200


def test_the_file_is_complete(unsure: Fit, tmp_path: Path) -> None:
    found = best_shape(unsure, 1e9, family="web")
    content = json.loads(found.save(tmp_path / "s.json").read_text(encoding="utf-8"))
    assert content["schema"] == "bayes_scaling.shapes/2"
    assert len(content["shapes"]) == len(found.table)
    assert content["recommended"]["n_layer"] == found.recommended.n_layer


@pytest.mark.parametrize(
    ("options", "offender"),
    [
        ({"params": -1}, "params is -1"),
        ({"params": 1e9, "family": None}, "'web'"),
        ({"params": 100.0, "accept": ["implausible-size"]}, "100 parameters"),
        ({"params": 1e9, "tokens": 0}, "tokens is 0"),
    ],
)
def test_bad_questions_are_refused(unsure: Fit, options: dict[str, object], offender: str) -> None:
    with pytest.raises(ScenarioError, match=offender):
        best_shape(unsure, **({"family": "web"} | options))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [{"width_multiple": 0}, {"max_layers": 2.5}, {"layer_multiple": True}, {"within": 1.5}],
)
def test_bad_limits_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ScenarioError, match=f"{next(iter(options))} is"):
        ShapeLimits(**options)  # type: ignore[arg-type]


def test_a_law_without_shapes_is_refused(two_families: Fit) -> None:
    with pytest.raises(ScenarioError, match="'chinchilla'"):
        best_shape(two_families, 1e9, family="web")


@pytest.mark.parametrize("value", [0, -1, 10**9 + 1, 10**400, 1.5, True])
def test_multiples_are_whole_numbers_that_hardware_may_have(value):
    with pytest.raises(ScenarioError, match=r"shape\.width_multiple is"):
        ShapeLimits(width_multiple=value)
