"""Tables, a training curve and a scenario that ``latency.py`` times commands on."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from tables import TRUTH, table_of

import bayes_scaling as bs

__all__ = ["CURVE_END", "GRID_FLOP", "SOURCES", "few", "proportional", "write"]

CURVE_END = 20_000
"""Planned end of the curve's run, in steps."""
GRID_FLOP = 1.9e18
"""Largest compute of the public grid's runs that are fitted."""
_FEWEST = 3
_SCENARIO = """\
compute_budget = 3e13
target_loss = 1.2
family = "prose"

[risk]
measure = "cvar"
level = 0.9
"""


def write(folder: Path, public: Path | None) -> None:
    """Write what commands read into a folder.

    Parameters
    ----------
    folder : Path
        Where they go.
    public : Path, optional
        Folder of the public tables; theirs are left out without it.
    """
    for name, make in SOURCES.items():
        path = folder / name
        if not path.exists():
            make().to_csv(path, index=False)
    if public:
        _grid(public).to_csv(folder / "grid.csv", index=False)
        _quantised(public).to_csv(folder / "few.csv", index=False)
    (folder / "scenario.toml").write_text(_SCENARIO, "utf-8")


def _bundled() -> pd.DataFrame:
    return bs.datasets.load("byte_lm").fit_rows()


def _part() -> pd.DataFrame:
    whole = _bundled()
    return whole[np.arange(len(whole)) % 5 > 0]


def _points() -> pd.DataFrame:
    """Six points beyond the bundled runs."""
    families = ("cpp", "prose", "python")
    rows = [(name, size, 50 * size) for name in families for size in (1e6, 1e7)]
    return pd.DataFrame(rows, columns=["family", "params", "tokens"])


def _curve() -> pd.DataFrame:
    """A power law with correlated noise at 93 steps."""
    rng = np.random.default_rng(0)
    step = 100.0 * np.arange(1, 94)
    noise = np.zeros(len(step))
    for i, shock in enumerate(rng.normal(0.0, 0.003, len(step))):
        noise[i] = 0.6 * noise[i - 1] + shock
    return pd.DataFrame({"step": step, "loss": (2.2 + 12.0 * step**-0.4) * np.exp(noise)})


def proportional(sizes: dict[str, int], ratio: float, decades: float, seed: int) -> pd.DataFrame:
    """Simulate families whose tokens are a multiple of their parameters in every run.

    Parameters
    ----------
    sizes : dict
        Runs by family.
    ratio : float
        Tokens a parameter.
    decades : float
        Range of parameters, from 10 million up.
    seed : int
        Of sizes, truths and noise.
    """
    rng = np.random.default_rng(seed)
    design = pd.DataFrame({"family": np.repeat(list(sizes), list(sizes.values()))})
    params = 10 ** rng.uniform(7.0, 7.0 + decades, len(design))
    design = design.assign(params=params, tokens=ratio * params)
    design["run"] = [f"run{i}" for i in range(len(design))]
    truth = {name: TRUTH | {"floor": TRUTH["floor"] + 0.1 * rng.normal()} for name in sizes}
    return bs.simulate("chinchilla", design, truth, noise=0.01, seed=seed)


def few() -> pd.DataFrame:
    """Ten families of 3 to 5 runs with 100 tokens a parameter."""
    return proportional({f"family{i}": 3 + i % 3 for i in range(10)}, 100.0, 1.0, 1)


def _simulated_grid() -> pd.DataFrame:
    sizes = {"width1": 96, "width2": 74, "width3": 60, "width4": 34}
    return proportional(sizes, 20.0, 1.2, 0)


def _grid(public: Path) -> pd.DataFrame:
    table = pd.read_csv(public / "gadre_grid.csv")
    table = table[table["outlier"].isna()].astype({"N": float, "D": float})
    table = table[6 * table["N"] * table["D"] < GRID_FLOP]
    names = {"N": "params", "D": "tokens", "run_id": "run"}
    return table.rename(columns=names)[["run", "family", "params", "tokens", "loss"]]


def _quantised(public: Path) -> pd.DataFrame:
    table = pd.read_csv(public / "precision_quest.csv")
    largest = table.groupby("family")["flops"].transform("max")
    table = table[table["flops"] < largest / 8]
    table = table[table.groupby("family")["flops"].transform("size") >= _FEWEST]
    table = table.assign(params=table["params_nonemb"], run=[f"run{i}" for i in range(len(table))])
    return table[["run", "family", "params", "tokens", "flops", "loss"]]


SOURCES: dict[str, Callable[[], pd.DataFrame]] = {
    "runs.csv": _bundled,
    "part.csv": _part,
    "at.csv": _points,
    "curve.csv": _curve,
    "grid-simulated.csv": _simulated_grid,
    "few-simulated.csv": few,
    "families500.csv": lambda: table_of(500, 12),
    **{f"runs{n}.csv": lambda n=n: table_of(1, n) for n in (1_000, 10_000, 100_000)},
    **{f"runs{n}.csv": lambda n=n: table_of(1, n) for n in (50, 100, 200, 400, 800, 1600, 3000)},
    **{f"families{n}.csv": lambda n=n: table_of(n, 12) for n in (1, 2, 5, 10, 20, 50)},
    "calibration.csv": lambda: table_of(1, 20),
}
"""Tables that anyone can make, by the name of their file."""
