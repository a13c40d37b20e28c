"""Examples in docstrings: they run, and every public function has one."""

import doctest
import importlib
import inspect
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import bayes_scaling as bs
from bayes_scaling.laws import registry
from tests.conftest import TRUTH, grid, handmade

ROOT = Path(bs.__file__).parent
ROOMS = (
    *("bayes_scaling", "bayes_scaling.runs", "bayes_scaling.runs.datasets"),
    *("bayes_scaling.laws", "bayes_scaling.model"),
    *("bayes_scaling.inference", "bayes_scaling.forecast", "bayes_scaling.decisions"),
    *("bayes_scaling.scenarios", "bayes_scaling.curves", "bayes_scaling.plots"),
    *("bayes_scaling.report", "bayes_scaling.exports", "bayes_scaling.results"),
    "bayes_scaling.schemas",
)
"""Packages whose ``__all__`` is public."""

EXTRAS = ("huggingface.py", "lightning.py")
"""Modules that import what is not installed everywhere."""

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def _module(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


EXAMPLES = sorted(
    _module(path)
    for path in ROOT.rglob("*.py")
    if ">>>" in path.read_text(encoding="utf-8") and path.name not in EXTRAS
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with one file of each kind that examples read."""
    path = tmp_path_factory.mktemp("examples")
    fit = handmade()
    bs.simulate("chinchilla", grid(), TRUTH).to_csv(path / "runs.csv", index=False)
    fit.save(path / "fit.nc")
    shaped = handmade("depth-width", TRUTH | {"aspect": 64.0, "curvature": 0.3})
    shaped.save(path / "shaped.nc")
    (path / "scenario.toml").write_text(
        'family = "web"\ncompute_budget = "1e21 FLOP"\nmoney_budget = "100 kUSD"\n'
        '[compute]\nspeed = "989 TFLOP/s"\nutilisation = 0.4\nprice = "2.5 USD/hour"\n'
        '[risk]\nmeasure = "cvar"\nlevel = 0.9\n',
        encoding="utf-8",
    )
    plan = bs.allocate(fit, bs.load_scenario(path / "scenario.toml"))
    (path / "plan.json").write_text(json.dumps(plan.to_dict()), encoding="utf-8")
    (path / "configs.csv").write_text(
        "family,params,tokens\nweb,1e9,2e10\nweb,7e9,1.4e11\ncode,1e9,2e10\n", encoding="utf-8"
    )
    _curve().to_csv(path / "curve.csv", index=False)
    return path


def _curve() -> pd.DataFrame:
    """Half of a training run: warmup, then a cosine, with scatter about a power law."""
    step = np.arange(50, 5001, 50)
    lr = 3e-3 * np.minimum(step / 500, 0.55 + 0.45 * np.cos(np.pi * step / 10_000))
    loss = 2.8 + 30 * step**-0.5 + np.random.default_rng(0).normal(0, 0.01, step.size)
    return pd.DataFrame({"run": "a", "step": step, "loss": loss.round(4), "lr": lr})


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run(name, folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("MPLBACKEND", "agg")
    monkeypatch.setattr(registry, "_REGISTERED", {})
    module = importlib.import_module(name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    tests = finder.find(module, name, extraglobs={"bs": bs, "np": np, "pd": pd})
    failures: list[str] = []
    for test in tests:
        doctest.DocTestRunner(optionflags=FLAGS).run(test, out=failures.append, clear_globs=True)
    assert not failures, "".join(failures)
    assert any(test.examples for test in tests)


def test_public_functions_have_an_example():
    missing = set()
    for room in ROOMS:
        package = importlib.import_module(room)
        for name in getattr(package, "__all__", ()):
            value = getattr(package, name)
            if inspect.isfunction(value) and ">>>" not in (value.__doc__ or ""):
                missing.add(name)
    assert not missing, sorted(missing)
