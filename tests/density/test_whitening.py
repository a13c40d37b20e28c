"""Scales of families: those of a normal density exactly; positions and gradients in their units."""

from typing import Any

import numpy as np
from numpy.testing import assert_allclose

from bayes_scaling.density.compiled_density import compile_density
from bayes_scaling.density.whitening import family_scales
from bayes_scaling.inference.nutpie_sampling import DensityModel, run
from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.inference.start import starting_point, unconstrained

from .test_compiled_density import case


def test_scales_of_a_normal_are_the_roots_of_its_covariances() -> None:
    rng = np.random.default_rng(0)
    roots = 0.2 * rng.normal(size=(3, 4, 4)) + 0.5 * np.eye(4)
    covariances = roots @ roots.transpose(0, 2, 1)
    precisions = np.linalg.inv(covariances)

    def gradient(position: Any) -> Any:
        families = position[2:14].reshape(3, 4)
        return np.concatenate(
            [[0.0, 0.0], -np.einsum("fij,fj->fi", precisions, families).ravel(), [0.0]]
        )

    scales = family_scales(gradient, rng.normal(size=15), (3, 4), 2)
    assert_allclose(scales @ scales.transpose(0, 2, 1), covariances, rtol=1e-6)


def test_what_curvature_does_not_hold_has_a_bounded_scale() -> None:
    scales = family_scales(lambda at: np.array([1.0, -0.01, -100.0]) * at, np.zeros(3), (1, 3), 0)
    assert_allclose(np.sort(np.linalg.norm(scales[0], axis=0)), [0.1, 2.0, 2.0], rtol=1e-6)


def test_draws_come_back_in_the_units_of_the_density() -> None:
    spec, frame, design, coordinates = case("chinchilla")
    density = compile_density(spec, frame, design, coordinates)
    start = unconstrained(spec, frame, coordinates, starting_point(spec, frame, design))
    scaled = density.scaled(start)
    number, own, first = density.families
    scales = scaled.data[len(density.data) :].reshape(number, own, own)
    back = np.einsum("fij,fj->fi", scales, scaled.start[first:-1].reshape(number, own))
    assert_allclose(back.ravel(), start[first:-1], rtol=1e-8, atol=1e-10)
    # The statistics hold the log density of each draw, which is the density where it came back to.
    trace = run(
        DensityModel.of(scaled),
        SamplerSettings(draws=50, tune=100, chains=2),
        lambda _done: None,
        return_raw_trace=True,
    )
    draws, stats = trace.get_arrow_trace()
    position = np.asarray(draws[0].column("position").to_pylist()[-1])
    assert_allclose(density(position)[0], stats[0].column("logp").to_pylist()[-1], rtol=1e-10)
