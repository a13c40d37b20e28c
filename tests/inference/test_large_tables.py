"""What keeps fits of large tables small: blocks of runs, and fewer draws of the groups by run."""

from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import bayes_scaling as bs
from bayes_scaling.errors import FileError
from bayes_scaling.inference import Fit, tree
from bayes_scaling.inference.diagnostics.checks import loo_check
from bayes_scaling.model import arrays, hierarchy, run_blocks
from tests.conftest import CHAINS, DRAWS, handmade

BY_RUN = ("posterior_predictive", "log_likelihood")


@pytest.fixture(scope="module")
def thinned() -> Fit:
    """A fit of 40 runs whose groups by run may hold 20 draws of each chain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "MOST_BY_RUN", CHAINS * DRAWS * 40 // 5)
        return handmade(noise="student-t")


def test_groups_by_run_keep_evenly_spaced_draws(thinned: Fit, two_families: Fit) -> None:
    every_fifth = np.arange(4, DRAWS, 5)
    for name in BY_RUN:
        group = thinned.dt[name].to_dataset()
        assert group.attrs == {"thin": 5}
        assert_array_equal(group["draw"], every_fifth)
        assert two_families.dt[name].attrs == {}
    whole = two_families.dt["log_likelihood"]["loss"]
    assert_array_equal(thinned.dt["log_likelihood"]["loss"], whole.sel(draw=every_fifth))
    assert_array_equal(thinned.posterior["alpha_N"], two_families.posterior["alpha_N"])
    assert thinned.dt["log_prior"].sizes["draw"] == DRAWS
    # 1,000 draws of the prior make 40,000 values, 3,200 are allowed.
    assert thinned.dt["prior_predictive"].sizes["draw"] == 1000 // 13


def test_such_a_fit_is_diagnosed_and_read_back(thinned: Fit, tmp_path: Path) -> None:
    read = bs.load_fit(thinned.save(tmp_path / "fit.nc"))
    for name in BY_RUN:
        assert read.dt[name].identical(thinned.dt[name])
    diagnosis = read.diagnose()
    assert diagnosis.loo.runs == 40
    assert len(diagnosis.parameters) == len(read.summary())
    alike = tree.thinned_alike(read.dt)
    assert {alike[n].sizes["draw"] for n in ("posterior", "log_prior", *BY_RUN)} == {20}
    assert loo_check(alike)[0].elpd == diagnosis.loo.elpd


@pytest.mark.parametrize("thin", [0, -5, 2, 7, 10**6, 5.0, "5"])
def test_a_thinning_that_is_not_that_of_the_draws(
    thin: object, thinned: Fit, tmp_path: Path
) -> None:
    wrong = Fit(thinned.dt.copy())
    wrong.dt["log_likelihood"].attrs["thin"] = thin
    with pytest.raises(FileError):
        bs.load_fit(wrong.save(tmp_path / "wrong.nc"))


@pytest.mark.parametrize("values", [1, 300, 1 << 16])
def test_blocks_hold_every_run_at_every_draw_once(
    values: int, two_families: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_blocks, "_VALUES", values)
    monkeypatch.setattr(run_blocks, "_FEWEST_RUNS", 3)
    spec, rows = two_families.spec, two_families.runs.sample(frac=1.0, random_state=0)
    rows["loss_se"] = np.where(rows["family"] == "web", 0.02, 0.0)
    design, draws = arrays(spec, two_families.frame, rows), two_families.posterior
    mean, scale = np.full((2, CHAINS * DRAWS, 40), np.nan)
    for block in run_blocks.run_blocks(spec, design, draws):
        assert np.isnan(mean[block.place]).all()
        mean[block.place], scale[block.place] = block.mean, block.scale
    assert_allclose(mean, run_blocks.flat(hierarchy.log_mean(spec, design, draws)), rtol=1e-13)
    assert_allclose(scale, run_blocks.flat(hierarchy.noise_scale(spec, design, draws)), rtol=1e-13)
