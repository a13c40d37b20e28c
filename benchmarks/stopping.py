"""Forecasts of the bundled runs from their beginnings, and what stopping early would have saved.

uv run python benchmarks/stopping.py [--runs 20] [-o stopping.csv]

From the first 25% and 50% of each run's steps its final validation loss is forecast: by the law of
learning rates alone, with a prior from shorter runs of the family (a population learned from
runs of less compute only), by laws of steps, and by the last value, least squares of a power law
with a floor, and Holt's exponential smoothing of the log loss on a grid of log steps. Absolute
error and CRPS are of log loss; "inside" is the share within the 90% interval. Then each run is
watched at every tenth of its plan, and stopped where the rule says so at several prices of
training: steps saved, and the loss that this cost.
"""

import argparse
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

import bayes_scaling as bs
from bayes_scaling.curves import Curve, CurvePopulation, Schedule, Utility, Watch, fit_curve, learn
from bayes_scaling.laws import get

if TYPE_CHECKING:
    from collections.abc import Callable

PARTS = (0.25, 0.5)
POOLED = 24
PRICES = (1e-3, 3e-3, 1e-2)
"""Share of the loss that a tenth more training must save."""

Draws = np.ndarray


def sweep() -> tuple[dict[str, Curve], dict[str, Schedule], pd.DataFrame]:
    """Curves and schedules of the runs on fresh text, and what the runs were."""
    table = bs.datasets.load_table("byte_lm_curves")
    runs = bs.datasets.load("byte_lm").table.set_index("run")
    curves, schedules = {}, {}
    for name, rows in table.groupby("run", sort=False):
        if name in runs.index and len(rows) > 12:
            step, lr = rows["step"].to_numpy(float), rows["lr"].to_numpy(float)
            curves[str(name)] = Curve.of(str(name), step, rows["val_loss"], lr=lr)
            schedules[str(name)] = Schedule(np.r_[0.0, step], np.r_[0.0, lr])
    return curves, schedules, runs.loc[list(curves)]


def last_value(curve: Curve, _end: float) -> Draws:
    """What it is now."""
    return np.repeat(curve.loss[-1], 2)


def squares(curve: Curve, end: float) -> Draws:
    """Least squares of a power law with a floor on log loss, from the second half of log steps."""
    law = get("curve-power")
    kept = curve.t >= np.sqrt(curve.t[0] * curve.t[-1])
    x, y = np.log(curve.t[kept] / end), np.log(curve.loss[kept])

    def off(theta: np.ndarray) -> np.ndarray:
        found = law.log_curve({"t": x}, dict(zip(law.names, np.exp(theta), strict=True)))
        return np.nan_to_num(found - y, nan=1e3)

    level = y[-1]
    found = min(
        (least_squares(off, [level + a, level + b, c]) for a, b, c in
         ((-0.7, -0.7, -1.0), (-0.2, -2.0, -0.5), (-2.0, -0.2, -1.5))),
        key=lambda one: one.cost,
    )  # fmt: skip
    p = dict(zip(law.names, np.exp(found.x), strict=True))
    return np.repeat(np.exp(law.log_curve({"t": 0.0}, p)), 2)


def smoothing(curve: Curve, end: float) -> Draws:
    """Holt's linear smoothing of log loss on a grid of log steps, carried on to the end."""
    grid = np.linspace(np.log(curve.t[0]), np.log(curve.t[-1]), 32)
    y = np.interp(grid, np.log(curve.t), np.log(curve.loss))
    level, slope = y[0], y[1] - y[0]
    for value in y[1:]:
        before, level = level, 0.5 * value + 0.5 * (level + slope)
        slope = 0.3 * (level - before) + 0.7 * slope
    ahead = (np.log(end) - grid[-1]) / (grid[1] - grid[0])
    return np.repeat(np.exp(level + slope * ahead), 2)


def scored(draws: Draws, final: float) -> dict[str, float]:
    """Of a forecast, in log loss."""
    logs, came = np.log(draws), np.log(final)
    low, median, high = np.quantile(logs, [0.05, 0.5, 0.95])
    half = np.random.default_rng(0).permutation(logs)
    spread = np.abs(logs - half).mean() / 2
    return {
        "error": abs(median - came),
        "bias": median - came,
        "crps": np.abs(logs - came).mean() - spread,
        "inside": float(low <= came <= high),
        "width": high - low,
    }


def forecasts(
    early: Curve, end: float, schedule: Schedule, population: CurvePopulation | None
) -> dict[str, Draws]:
    """By every way."""
    ways: dict[str, Callable[[], Draws]] = {
        "law of learning rates": lambda: fit_curve(early, schedule=schedule).forecast([end])[:, 0],
        "laws of steps": lambda: fit_curve(early).forecast([end])[:, 0],
        "last value": lambda: last_value(early, end),
        "least squares": lambda: squares(early, end),
        "exponential smoothing": lambda: smoothing(early, end),
    }
    if population is not None:
        ways["learning rates, pooled"] = lambda: fit_curve(
            early, schedule=schedule, population=population
        ).forecast([end])[:, 0]
    return {name: way() for name, way in ways.items()}


def stopped(curve: Curve, schedule: Schedule, population: CurvePopulation, price: float) -> float:
    """Step at which the rule stops a run that is watched at every tenth of its plan."""
    end = float(curve.t[-1])
    fitting = {"schedule": schedule, "population": population}
    watching = Watch(end, utility=Utility(least_gain=price), fitting=fitting)
    for tenth in range(2, 10):
        early = curve.until(end * tenth / 10)
        if len(early) >= 6 and watching.judge(early).advice == "stop":
            return float(early.t[-1])
    return end


def main() -> None:
    """Forecast, watch, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="Of each family, the largest.")
    parser.add_argument("-o", "--output", type=Path, default=Path("stopping.csv"))
    given = parser.parse_args()
    curves, schedules, runs = sweep()
    rows, stops = [], []
    for family, members in runs.groupby("family"):
        order = members.sort_values("flops").index.tolist()
        tested = order[-given.runs :]
        pooled = order[: -given.runs][-POOLED:]
        population = learn(
            [curves[name] for name in pooled],
            schedules={name: schedules[name] for name in pooled},
        )
        sys.stderr.write(f"{family}: {population}\n")
        for name in tested:
            curve, schedule = curves[name], schedules[name]
            end, final = float(curve.t[-1]), float(curve.loss[-1])
            for part in PARTS:
                early = curve.until(part * end)
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    for way, draws in forecasts(early, end, schedule, population).items():
                        rows.append(
                            {"family": family, "run": name, "part": part, "way": way}
                            | scored(draws, final)
                        )
            for price in PRICES:
                at = stopped(curve, schedule, population, price)
                loss = float(np.interp(at, curve.t, curve.loss))
                stops.append(
                    {
                        "price": price,
                        "stopped": at < end,
                        "steps saved": 1 - at / end,
                        "loss lost": np.log(loss / final),
                    }
                )
        pd.DataFrame(rows).to_csv(given.output, index=False)
    shown = pd.DataFrame(rows).groupby(["part", "way"]).mean(numeric_only=True)
    sys.stdout.write(shown.to_string(float_format="{:.4f}".format) + "\n\n")
    rule = pd.DataFrame(stops).groupby("price").mean(numeric_only=True)
    sys.stdout.write(rule.to_string(float_format="{:.4f}".format) + "\n")


if __name__ == "__main__":
    main()
