"""Ranks of true values: uniform where posteriors are right, and flagged where they are not."""

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from numpy.testing import assert_allclose

from bayes_scaling.errors import FitError
from bayes_scaling.inference import Fit
from bayes_scaling.inference.diagnostics.calibration import Calibration
from bayes_scaling.inference.diagnostics.sbc import _ranks, _simulated, _together, sbc
from bayes_scaling.model import arrays, hierarchy
from tests.conftest import grid

RNG = np.random.default_rng(0)


def _calibration(ranks: np.ndarray, not_converged: int = 0) -> Calibration:
    data = xr.Dataset(
        {
            "floor": (("sample", "family"), ranks),
            "nu": ("sample", RNG.uniform(size=len(ranks))),
        },
        coords={"family": ["web", "code"]},
    )
    return Calibration.of(data, "prior", not_converged)


def test_uniform_ranks_pass() -> None:
    found = _calibration(RNG.uniform(size=(200, 2)))
    assert found.p > 0.05
    assert list(found.table().index) == ["floor[web]", "floor[code]", "nu"]
    assert_allclose(found.table()["spread"], 1, atol=0.1)
    content = found.to_dict()
    assert Calibration.from_dict(content) == found
    assert content["replications"] == 200
    assert len(content["ranks"]["floor[web]"]) == 200


@pytest.mark.parametrize(
    ("a", "b", "mean", "spread"), [(0.5, 0.5, 0.5, 1.22), (4, 4, 0.5, 0.58), (6, 2, 0.75, 0.5)]
)
def test_ranks_that_are_not_uniform_are_found(
    a: float, b: float, mean: float, spread: float
) -> None:
    ranks = np.column_stack([RNG.uniform(size=200), RNG.beta(a, b, 200)])
    found = _calibration(ranks, not_converged=3)
    assert found.p < 0.01
    worst = min(found.quantities, key=lambda test: test.p)
    assert worst.quantity == "floor[code]"
    assert (worst.mean, worst.spread) == pytest.approx((mean, spread), abs=0.06)
    assert found.not_converged == 3


def test_ranks_of_truths_drawn_like_the_posterior_are_uniform(two_families: Fit) -> None:
    spec = two_families.spec
    design = arrays(spec, two_families.frame, two_families.runs)
    posterior = two_families.posterior[[str(n) for n in hierarchy_names(two_families)]]
    rng = np.random.default_rng(1)
    ranks = []
    for _ in range(150):
        truth = posterior.isel(chain=[rng.integers(4)], draw=[rng.integers(100)])
        ranks.append(_ranks(spec, design, truth, posterior, rng))
    whole = xr.concat(ranks, dim="sample")
    assert "log_likelihood" in whole
    found = Calibration.of(whole, "posterior")
    assert found.p > 0.01
    # Half as far from the middle: posteriors twice too wide.
    middle = posterior.mean(("chain", "draw"))
    near = [
        _ranks(
            spec,
            design,
            middle + 0.3 * (posterior.isel(chain=[0], draw=[i % 100]) - middle),
            posterior,
            rng,
        )
        for i in range(150)
    ]
    wide = Calibration.of(xr.concat(near, dim="sample"), "posterior")
    assert wide.p < 0.01
    assert min(wide.quantities, key=lambda test: test.p).spread < 1


def hierarchy_names(fit: Fit) -> list[str]:
    """Variables that the model has, without what is derived."""
    names = [p.name for p in fit.spec.parameters]
    return [
        str(name)
        for name in fit.posterior
        if str(name) == "nu" or any(str(name).startswith(n) for n in names)
    ]


def test_simulated_losses_scatter_about_the_curve(make_fit: Callable[..., Fit]) -> None:
    fit = make_fit(width=1e-9)
    design = arrays(fit.spec, fit.frame, fit.runs)
    truth = fit.posterior.isel(chain=[0], draw=[0])
    rng = np.random.default_rng(2)
    again = np.stack([_simulated(fit.spec, design, truth, rng).log_loss for _ in range(400)])
    mean = hierarchy.log_mean(fit.spec, design, truth).values.ravel()
    assert_allclose(np.median(again, axis=0), mean, atol=0.002)
    # Standard deviation of a t of nu degrees of freedom and scale 0.005.
    nu = float(truth["nu"].item())
    assert_allclose(again.std(), np.hypot(0.005 * np.sqrt(nu / (nu - 2)), mean.std()), rtol=0.1)


def test_real_and_simulated_runs_are_fitted_together(two_families: Fit) -> None:
    design = arrays(two_families.spec, two_families.frame, two_families.runs)
    both = _together(design, design)
    assert len(both.run) == 2 * len(design.run)
    assert len(set(both.run)) == len(both.run)
    assert_allclose(both.inputs["params"][len(design.run) :], design.inputs["params"])


@pytest.mark.parametrize("count", [9, 0, 2.5, "many"])
def test_too_few_replications_are_refused(count: object, two_families: Fit) -> None:
    with pytest.raises(FitError, match="replications is"):
        sbc(grid(("web",)), replications=count)  # type: ignore[arg-type]
    with pytest.raises(FitError, match="replications is"):
        two_families.calibrate(replications=count)
