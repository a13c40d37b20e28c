"""Which pilots to run: by the value of information, the largest, the least certain, or at random.

uv run python benchmarks/design.py [--budget 9e12] [--seeds 3] [-o design.csv]

On the bundled sweep, one family at a time. Eight runs at the smallest two levels of compute are
there; the others are a pool, and a pilot reveals what a run of the pool reached. Each way of
choosing spends the same budget of compute, refitting after every pilot. Then: the error of the
forecast of the family's real targets (10 and 33 times the pool's largest compute), its interval
score, and the regret of the size chosen for 1e14 FLOP under the law fitted to every run there is,
targets included. Prior and discrepancy are those shipped, which these families helped to learn; it
is so for every way.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import bayes_scaling as bs
from bayes_scaling.decisions import Scenario, next_runs
from bayes_scaling.decisions.allocation.problem_from_fit import problem_from_fit
from bayes_scaling.inference import Procedure
from bayes_scaling.runs import load_runs

TARGET = 1e14
START, SMALL = 8, 1.5e11
"""Runs there are at first, and the compute that is between the second level and the third."""
COLUMNS = ["run", "family", "params", "tokens", "flops", "loss"]
Choose = Callable[[bs.Fit, pd.DataFrame, np.random.Generator], int]


def by_value(fit: bs.Fit, pool: pd.DataFrame, rng: np.random.Generator) -> int:
    """Most loss saved for the cost."""
    at = pool[["params", "tokens"]].reset_index(drop=True)
    found = next_runs(fit, Scenario(compute_budget=TARGET), at=at, seed=int(rng.integers(1000)))
    best = found.table.iloc[0]
    same = np.isclose(at["params"], best["params"]) & np.isclose(at["tokens"], best["tokens"])
    return int(np.flatnonzero(same)[0])


def by_certainty(fit: bs.Fit, pool: pd.DataFrame, rng: np.random.Generator) -> int:
    """Least certain forecast of the target left for the cost."""
    at = pool[["params", "tokens"]].reset_index(drop=True)
    table = next_runs(
        fit, Scenario(compute_budget=TARGET), at=at, seed=int(rng.integers(1000))
    ).table
    best = table.loc[((1 - table["sd_left"]) / table["flops"]).idxmax()]
    same = np.isclose(at["params"], best["params"]) & np.isclose(at["tokens"], best["tokens"])
    return int(np.flatnonzero(same)[0])


def largest(_fit: bs.Fit, pool: pd.DataFrame, _rng: np.random.Generator) -> int:
    """The largest that can be afforded."""
    return int(pool["flops"].to_numpy().argmax())


def by_variance(fit: bs.Fit, pool: pd.DataFrame, _rng: np.random.Generator) -> int:
    """The least certain run."""
    draws = fit.predict(pool[["params", "tokens", "family"]]).loss_curve
    return int(np.log(draws).std(("chain", "draw")).to_numpy().argmax())


def at_random(_fit: bs.Fit, pool: pd.DataFrame, rng: np.random.Generator) -> int:
    """Any."""
    return int(rng.integers(len(pool)))


WAYS: dict[str, Choose] = {
    "value of information": by_value,
    "certainty of the target": by_certainty,
    "largest": largest,
    "variance": by_variance,
    "random": at_random,
}


def regret(fit: bs.Fit, truth: bs.Fit) -> float:
    """Loss at the size chosen under a fit, over that at the best one, under the law of all runs."""
    chosen = float(np.median(problem_from_fit(fit, Scenario(compute_budget=TARGET), 0).optimum[0]))
    made = problem_from_fit(truth, Scenario(compute_budget=TARGET), 0)
    best = float(np.median(made.optimum[0]))
    full = np.ones(made.draws.size)
    losses = [np.exp(made.log_curve(at * full)).mean() for at in (chosen, best)]
    return float(losses[0] - losses[1])


def run(budget: float, seeds: int, out: Path) -> None:
    """Every way, family and seed, appending to a file."""
    whole = bs.datasets.load("byte_lm").table
    done = set()
    if out.exists():
        had = pd.read_csv(out)
        done = set(zip(had["family"], had["way"], had["seed"], strict=True))
    procedure = Procedure.of("chinchilla-gamma", draws=500)
    for family, rows in whole.groupby("family"):
        targets = rows[rows["role"] == "target"]
        grid = rows[rows["role"] == "grid"].sort_values("flops", kind="stable")
        truth, compiled = procedure.run(
            load_runs(pd.concat([grid, targets])[COLUMNS].assign(role="fit"))
        )
        small = grid[grid["flops"] < SMALL]
        for seed in range(seeds):
            start = small.sample(START, random_state=seed)
            for way, choose in WAYS.items():
                if (family, way, seed) in done:
                    continue
                have, pool, left = start, grid.drop(start.index), budget
                rng = np.random.default_rng(seed)
                fit, compiled = procedure.run(load_runs(have[COLUMNS]), compiled=compiled)
                while len(affordable := pool[pool["flops"] <= left]):
                    pick = affordable.iloc[[choose(fit, affordable, rng)]]
                    have, pool = pd.concat([have, pick]), pool.drop(pick.index)
                    left -= float(pick["flops"].iloc[0])
                    fit, compiled = procedure.run(load_runs(have[COLUMNS]), compiled=compiled)
                scored = bs.score(fit, targets[COLUMNS])
                row = {
                    "family": family,
                    "way": way,
                    "seed": seed,
                    "pilots": len(have) - START,
                    "error": float(scored["log_error"].mean()),
                    "absolute": float(scored["log_error"].abs().mean()),
                    "crps": float(scored["crps"].mean()),
                    "interval_score": float(scored["interval_score"].mean()),
                    "inside_90": float(scored["inside_90"].mean()),
                    "regret": regret(fit, truth),
                }
                pd.DataFrame([row]).to_csv(out, mode="a", header=not out.exists(), index=False)
                sys.stderr.write(f"{family} {seed} {way}: {row['absolute']:.3f}\n")


def main() -> None:
    """Parse, run, print means over families and seeds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--budget", type=float, default=9e12)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path, default=Path("design.csv"))
    given = parser.parse_args()
    run(given.budget, given.seeds, given.out)
    table = pd.read_csv(given.out).drop(columns=["family", "seed"])
    means = table.groupby("way").mean().loc[list(WAYS)]
    sys.stdout.write(means.to_string(float_format="{:.4f}".format) + "\n")


if __name__ == "__main__":
    main()
