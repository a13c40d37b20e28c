"""Fits made by hand, so that what follows a posterior is tested without sampling."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from hypothesis import settings
from msgspec.structs import fields

from bayes_scaling.forecast import Backtest
from bayes_scaling.forecast.evaluation.backtest_result import FamilyScores, PointScore
from bayes_scaling.inference.compiled import Sampled
from bayes_scaling.inference.fit_result import Fit
from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.inference.tree import assemble
from bayes_scaling.laws import Law
from bayes_scaling.laws.log_quadratic import curvature_names
from bayes_scaling.model import (
    Noise,
    Pooling,
    Population,
    ReferenceFrame,
    Spec,
    arrays,
    simulate,
    specify,
)
from bayes_scaling.model.mixed_draws import order_of
from bayes_scaling.runs import ACCEPTABLE, load_runs

# How long an example takes depends on what else the machine does, and is not what is tested.
settings.register_profile("bayes_scaling", deadline=None)
settings.load_profile("bayes_scaling")

TRUTH = {"floor": 1.8, "A": 400.0, "B": 1800.0, "alpha_N": 0.34, "alpha_D": 0.36}
CHAINS, DRAWS = 4, 100


def grid(families: tuple[str, ...] = ("web", "code"), seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = 20 * len(families)
    table = pd.DataFrame(
        {
            "run": [f"r{i}" for i in range(rows)],
            "family": np.repeat(families, 20),
            "params": np.exp(rng.uniform(np.log(1e7), np.log(1e9), rows)),
            "tokens": np.exp(rng.uniform(np.log(1e9), np.log(1e11), rows)),
        }
    )
    layers = np.resize([4.0, 8.0, 12.0, 16.0, 24.0], rows)
    width = np.sqrt(table["params"] / 12 / layers)
    return table.assign(n_layer=layers, d_model=width, batch_tokens=np.resize([2e5, 1e6], rows))


def _stats(rng: np.random.Generator) -> xr.Dataset:
    shape = (CHAINS, DRAWS)
    return xr.Dataset(
        {
            "diverging": (("chain", "draw"), np.zeros(shape, dtype=bool)),
            "energy": (("chain", "draw"), rng.normal(size=shape)),
            "lp": (("chain", "draw"), rng.normal(size=shape)),
        },
        coords={"chain": range(CHAINS), "draw": range(DRAWS)},
    )


def standardised(
    spec: Spec, frame: ReferenceFrame, truth: dict[str, float], family: int
) -> list[float]:
    """Logs of the parameters of a family where the priors of a model hold."""
    where = {n: v[family] for n, v in frame.centres.items()} if frame.own else frame.reference
    scale = frame.loss_scales[family] if frame.own else 1.0
    flat = dict.fromkeys(curvature_names(spec.law), 1.0)
    moved = flat | spec.law.move(truth, where) | {"sigma": 0.005}
    return [np.log(moved[p.name] / (scale if p.of_loss else 1.0)) for p in spec.parameters]


def handmade(
    law: str | Law = "chinchilla",
    truth: dict[str, float] | None = None,
    *,
    families: tuple[str, ...] = ("web", "code"),
    pooling: str = "partial",
    width: float = 0.02,
    seed: int = 0,
    prior: str | Population = "weak",
    loss_unit: str | None = None,
    noise: Noise = "student-t",
) -> Fit:
    """A fit whose draws scatter about a known truth, every log parameter by ``width``."""
    rng = np.random.default_rng(seed)
    values = truth or TRUTH
    # Some truths that are easy to follow give losses that no text has.
    simulated = simulate(law, grid(families), values, seed=seed)
    runs = load_runs(simulated, loss_unit=loss_unit, accept=ACCEPTABLE)
    rows = runs.fit_rows()
    spec, frame = specify(rows, law, pooling=pooling, prior=prior, noise=noise)
    design = arrays(spec, frame, rows)
    by_family = np.array([standardised(spec, frame, values, i) for i in range(len(spec.families))])
    centre = by_family.mean(axis=0)
    coords = {"chain": range(CHAINS), "draw": range(DRAWS)}
    names = [p.name for p in spec.parameters]

    def labels(*kinds: Pooling) -> list[str]:
        return [p.name for p in spec.pooled(*kinds)]

    def near(*dims: str, centre: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        scatter = width * rng.normal(size=(CHAINS, DRAWS, *centre.shape))
        return ("chain", "draw", *dims), centre + scatter

    draws = xr.Dataset(coords=coords)
    draws["log_excess_nu"] = ("chain", "draw"), np.log(4 + 0.1 * rng.random((CHAINS, DRAWS)))
    if pooled := labels("partial", "shared"):
        draws["mu"] = near("pooled", centre=centre[[names.index(n) for n in pooled]])
        draws = draws.assign_coords(pooled=pooled)
    if partial := labels("partial"):
        tau = np.exp(rng.normal(np.log(0.1), 0.1, (CHAINS, DRAWS, len(partial))))
        draws["tau"] = ("chain", "draw", "partial"), tau
        draws = draws.assign_coords(partial=partial)
    if own := labels("partial", "none"):
        columns = [names.index(n) for n in own]
        draws["theta"] = near("family", "parameter", centre=by_family[:, columns])
        draws = draws.assign_coords(family=list(spec.families), parameter=own)
    stats = _stats(rng)
    if spec.curvature_share:
        order = order_of([share for _, share in spec.components], DRAWS)
        stats["component"] = ("chain", "draw"), np.tile(order, (CHAINS, 1))
        # Curvatures are known to a fiftieth of the others.
        scale = np.where(np.isin(own, curvature_names(spec.law)), 0.02, 1.0)
        flat = (scale < 1.0) & (order == 0)[:, None]
        draws["theta"] = draws["theta"] * np.where(flat, 0.0, scale)[:, None, :]
    sampled = Sampled(draws, stats, 1.0, 1.0)
    tree = assemble(
        spec=spec,
        frame=frame,
        design=design,
        sampled=sampled,
        settings=SamplerSettings(draws=DRAWS, chains=CHAINS, seed=seed),
        runs=runs,
        caveats=(),
    )
    return Fit(tree, law if isinstance(law, Law) else None)


def backtest_of(points: pd.DataFrame) -> Backtest:
    """A backtest of runs of which some scores are given; the others are made up."""
    blank: dict[str, Any] = {
        field.encode_name: {"family": "web", "law": "chinchilla", "run": "r", "ratio": 8.0}.get(
            field.name, True if field.name.startswith("inside") else 0.5
        )
        for field in fields(PointScore)
    }
    whole = points.assign(**{name: blank[name] for name in blank if name not in points})
    scores = pd.DataFrame(columns=[field.encode_name for field in fields(FamilyScores)])
    return Backtest.of(
        whole.assign(fitted=12), scores, ratios=(8.0,), split="compute", runs_hash="hash"
    )


def codes(result: Any) -> list[str]:
    """Codes of the caveats of a result."""
    return [caveat.code for caveat in result.caveats]


@pytest.fixture(scope="session")
def make_fit() -> Callable[..., Fit]:
    return handmade


@pytest.fixture(scope="session")
def two_families() -> Fit:
    return handmade()


@pytest.fixture(scope="session")
def one_family() -> Fit:
    return handmade(families=("web",))
