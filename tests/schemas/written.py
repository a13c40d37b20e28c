"""Files of every kind, written by what writes them, from fits made by hand."""

import json

import numpy as np
import pytest
import xarray as xr

from bayes_scaling.curves import Curve, Utility, monitor
from bayes_scaling.decisions import (
    Alternative,
    Compute,
    Fixed,
    Pert,
    Scenario,
    allocate,
    best_shape,
    budget_frontier,
    marginal,
    next_runs,
)
from bayes_scaling.forecast import backtest, compare
from bayes_scaling.inference import Procedure
from bayes_scaling.inference.diagnostics.calibration import Calibration
from bayes_scaling.report import write_json
from tests.conftest import TRUTH, handmade
from tests.report.conftest import HOSTILE, known_fit

__all__ = ["every_kind"]

RICH = Scenario(
    money_budget=2e5,
    time_budget="3e6 s",
    family="web",
    target_loss=2.1,
    value_per_nat=1e6,
    compute=Compute(Pert(8e14, 1e15, 2e15), Fixed(0.4), Fixed(2 / 3600), devices=64),
    alternatives=(Alternative("twenty | <b>", tokens_per_param=20.0),),
)


def _decisions(folder):
    plain, shaped = handmade(), handmade("depth-width", TRUTH | {"aspect": 64.0, "curvature": 0.3})
    simple = Scenario(compute_budget=1e21, family="web")
    plan = allocate(plain, RICH)
    reported = known_fit()
    return {
        "plan": plan.save(folder / "plan.json"),
        "plan, least cost": allocate(
            plain, Scenario(family="web", target_loss=2.3, minimise="cost")
        ).save(folder / "cheapest.json"),
        "plan, shape": allocate(shaped, simple).save(folder / "shaped.json"),
        "plan, unseen": allocate(plain, Scenario(compute_budget=1e21, family="new")).save(
            folder / "unseen.json"
        ),
        "frontier": budget_frontier(plain, RICH, factors=[0.5, 1]).save(folder / "frontier.json"),
        "frontier, plain": budget_frontier(plain, simple, factors=[1]).save(folder / "line.json"),
        "marginal": marginal(plain, 1e9, 2e10, scenario=RICH).save(folder / "marginal.json"),
        "marginal, free": marginal(plain, 1e9, 2e10, family="web").save(folder / "free.json"),
        "shapes": best_shape(shaped, 1e9, family="web").save(folder / "shapes.json"),
        "next_runs": next_runs(plain, RICH, batch=2).save(folder / "next.json"),
        "next_runs, plain": next_runs(plain, simple).save(folder / "one.json"),
        "report": write_json(
            folder / "report.json",
            reported,
            allocate(reported, Scenario(compute_budget=1e23, family="web")),
            budget_frontier(reported, Scenario(compute_budget=1e23, family="web"), factors=[1]),
        ),
        "report, failed": write_json(
            folder / "failed.json", known_fit(("web",), apart=0.03, divergences=40)
        ),
        "report, hostile": write_json(folder / "hostile.json", known_fit((HOSTILE,))),
        "forecast": plain.predict(params=1e9, tokens=2e10, family="web").save(folder / "f.json"),
    }


def _curves(folder):
    t = np.arange(100, 3000, 50.0)
    loss = 2 + 3 * (t / 100) ** -0.3 + 0.005 * np.random.default_rng(0).normal(size=t.size)
    bad = np.where(np.arange(t.size) < 30, loss, np.geomspace(3, 1e4, t.size))
    utility = Utility(cost=1.0, value_per_nat=1e5)
    judged = monitor(Curve("r", t, loss), 6000.0, reference=2.5, utility=utility)
    return {
        "verdict": judged.save(folder / "verdict.json"),
        "verdict, diverged": monitor(Curve("r", t, bad), 6000.0).save(folder / "diverged.json"),
    }


def _tests(folder, patch):
    sharp, blunt = handmade(width=0.01), handmade(width=0.1)
    patch.setattr(Procedure, "run", lambda *_, **__: sharp)
    runs = sharp.runs[["run", "family", "params", "tokens", "flops", "loss"]]
    tested = backtest(runs, ["chinchilla"], ratio=[2, 8], progress=False)
    pair = {"sharp": sharp, "blunt": blunt}
    return {
        "backtest": tested.save(folder / "backtest.json"),
        "comparison": compare(pair, ratio=8).save(folder / "comparison.json"),
        "comparison, loo": compare(pair, ratio=None).save(folder / "loo.json"),
    }


def every_kind(folder):
    """Content of every kind of file, as read back, by the name of its schema and what it is."""
    with pytest.MonkeyPatch.context() as patch:
        paths = _decisions(folder) | _curves(folder) | _tests(folder, patch)
    found = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in paths.items()}
    ranks = xr.Dataset({"nu": ("sample", np.random.default_rng(0).uniform(size=50))})
    calibration = Calibration.of(ranks, "prior", 1)
    found["sbc"] = calibration.to_dict()
    found["diagnosis"] = handmade().diagnose().to_dict()
    return json.loads(json.dumps(found, allow_nan=False))
