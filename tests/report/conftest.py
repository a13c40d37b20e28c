"""Fits of known draws, so that reports are tested without sampling."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from bayes_scaling.core.caveat import version_1
from bayes_scaling.decisions import Risk, Scenario, allocate
from bayes_scaling.inference import Fit
from bayes_scaling.inference.compiled import Sampled
from bayes_scaling.inference.settings import SamplerSettings
from bayes_scaling.inference.tree import assemble
from bayes_scaling.model import ReferenceFrame, Spec, arrays, simulate, specify
from bayes_scaling.runs import load_runs

TRUTH = {
    "chinchilla": {"floor": 1.8, "A": 400.0, "B": 1800.0, "alpha_N": 0.34, "alpha_D": 0.36},
    "product": {"L0": 30.0, "alpha_N": 0.05, "alpha_D": 0.06, "alpha_C": 0.01},
}
CHAINS, DRAWS = 4, 250
HOSTILE = "<script>alert(1)</script>\"' & $x^2$ \\frac{ ]]>"


def table_of_runs(
    families: tuple[str, ...], law: str, runs: int, targets: int, run_name: str
) -> pd.DataFrame:
    """Runs about C = 6·N·D with ``targets`` of the largest compute kept out, per family."""
    rng = np.random.default_rng(7)
    parts = []
    for family in families:
        flops = np.geomspace(1e18, 1e21, runs + targets)
        ratio = np.exp(rng.uniform(np.log(5), np.log(80), runs + targets))
        params = np.sqrt(flops / 6 / ratio)
        parts.append(
            pd.DataFrame(
                {
                    "family": family,
                    "run": [f"{run_name}{family[:3]}{i}" for i in range(runs + targets)],
                    "params": params,
                    "tokens": params * ratio,
                    "role": ["fit"] * runs + ["target"] * targets,
                }
            )
        )
    made = simulate(law, pd.concat(parts, ignore_index=True), TRUTH[law], noise=0.005, seed=3)
    return made.drop(columns="loss_curve")


def draws_about(
    spec: Spec, frame: ReferenceFrame, truth: dict[str, float], width: float, apart: float
) -> xr.Dataset:
    """Free variables near a truth in published units; the first chain ``apart`` from the others."""
    rng = np.random.default_rng(5)
    values = spec.law.move(truth, frame.reference) | {spec.noise_parameter.name: 0.005}
    names = [parameter.name for parameter in spec.parameters]
    centre = np.log([values[name] for name in names])
    shape = (CHAINS, DRAWS)
    data = xr.Dataset(coords={"chain": range(CHAINS), "draw": range(DRAWS)})
    shift = apart * (np.arange(CHAINS) == 0)
    around = centre + width * rng.normal(size=(*shape, len(spec.families), len(names)))
    around += shift[:, None, None, None]
    data["theta"] = ("chain", "draw", "family", "parameter"), around
    if len(spec.families) > 1:
        scatter = width * rng.normal(size=(*shape, len(names)))
        data["mu"] = ("chain", "draw", "pooled"), centre + scatter
        tau = np.exp(np.log(0.05) + 0.2 * rng.normal(size=(*shape, len(names))))
        data["tau"] = ("chain", "draw", "partial"), tau
        data = data.assign_coords(pooled=names, partial=names)
    data["log_excess_nu"] = ("chain", "draw"), np.log(20.0) + 0.1 * rng.normal(size=shape)
    return data.assign_coords(family=list(spec.families), parameter=names)


def known_fit(
    families: tuple[str, ...] = ("web", "code"),
    *,
    law: str = "chinchilla",
    runs: int = 24,
    targets: int = 3,
    run_name: str = "r-",
    width: float = 0.001,
    apart: float = 0.0,
    divergences: int = 0,
    lose: bool = False,
) -> Fit:
    """A fit of known draws.

    ``width`` is the sd of log parameters, ``apart`` moves one chain away, ``lose`` blanks the
    outcome of the first held-out run.
    """
    table = table_of_runs(families, law, runs, targets, run_name)
    if lose:
        table.loc[table.index[table["role"] == "target"][0], "loss"] = np.nan
    loaded = load_runs(table)
    rows = loaded.fit_rows()
    spec, frame = specify(rows, law)
    rng = np.random.default_rng(1)
    diverging = np.zeros((CHAINS, DRAWS), dtype=bool)
    diverging.ravel()[:divergences] = True
    stats = xr.Dataset(
        {
            "diverging": (("chain", "draw"), diverging),
            "energy": (("chain", "draw"), rng.normal(size=(CHAINS, DRAWS))),
            "lp": (("chain", "draw"), rng.normal(size=(CHAINS, DRAWS))),
        },
        coords={"chain": range(CHAINS), "draw": range(DRAWS)},
    )
    tree = assemble(
        spec=spec,
        frame=frame,
        design=arrays(spec, frame, rows),
        sampled=Sampled(draws_about(spec, frame, TRUTH[law], width, apart), stats, 1.0, 2.0),
        settings=SamplerSettings(draws=DRAWS, tune=100, chains=CHAINS, seed=11),
        runs=loaded,
        caveats=(version_1("A warning <b>in words</b>."),),
    )
    return Fit(tree)


@pytest.fixture(scope="session")
def make_fit() -> Callable[..., Fit]:
    return known_fit


@pytest.fixture(scope="session")
def fit() -> Fit:
    return known_fit()


@pytest.fixture(scope="session")
def plan(fit: Fit) -> Any:
    return allocate(
        fit, Scenario(compute_budget=1e23, risk=Risk("cvar", 0.9), family="web", target_loss=2.05)
    )


@pytest.fixture(scope="session")
def failed() -> Fit:
    return known_fit(("web",), apart=0.03, divergences=40)


@pytest.fixture(scope="session")
def hostile() -> Fit:
    return known_fit((HOSTILE, "数据 🦙"), run_name=HOSTILE)
