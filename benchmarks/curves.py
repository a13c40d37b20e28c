"""How well curves are extrapolated, against least squares and the published MCMC.

uv run --with emcee python benchmarks/curves.py [curves_1d.csv] [--domains BB,LM,NMT,Nano,DD]

Each curve of the public benchmark is fitted on its context half and forecast on its target half.
RMSLE is sqrt(mean((ln median - ln y)²)) of a curve, then the mean over curves; log density is per
target point; "inside" is the share of target points within the 90% interval. Rivals, in the same
process: least squares of a power law with a floor and of M4 (best of ten starts), and emcee on M4
as published (100 walkers, 150 samples of which 50 are discarded).
"""

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from bayes_scaling.curves import Curve, fit_curve
from bayes_scaling.laws import get
from bayes_scaling.laws.training_curves import DEFAULT_CURVES

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "curves_1d.csv"
STARTS = 10
WALKERS, SAMPLES, BURN = 100, 150, 50


def logs(context: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, float]:
    """Log x relative to its middle, log y, and the middle."""
    x, y = np.log(context["x"].to_numpy()), np.log(context["y"].to_numpy())
    middle = (x[0] + x[-1]) / 2
    return x - middle, y, middle


def curve_of(name: str) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A law's log curve of logs of its parameters."""
    law = get(name)

    def log_curve(x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        p = dict(zip(law.names, np.exp(theta), strict=True))
        return law.log_curve({"t": x}, p)

    return log_curve


def starts(name: str, level: float, rng: np.random.Generator, count: int) -> np.ndarray:
    """Points of the law's prior."""
    parameters = get(name).parameters
    median = np.array([np.log(p.prior.median) + (level if p.of_loss else 0.0) for p in parameters])
    return median + np.array([p.prior.sd for p in parameters]) * rng.normal(
        size=(count, len(parameters))
    )


def squares(name: str, context: pd.DataFrame, target: pd.DataFrame) -> dict[str, float]:
    """Least squares on log loss, best of several starts."""
    x, y, middle = logs(context)
    log_curve = curve_of(name)
    best = None
    for start in starts(name, float(y.mean()), np.random.default_rng(0), STARTS):
        found = least_squares(lambda th: np.nan_to_num(log_curve(x, th) - y, nan=1e3), start)
        if best is None or found.cost < best.cost:
            best = found
    assert best is not None
    off = log_curve(np.log(target["x"].to_numpy()) - middle, best.x) - np.log(target["y"])
    return {"rmsle": float(np.sqrt((off**2).mean()))}


def scores(draws: np.ndarray, density: np.ndarray, target: pd.DataFrame) -> dict[str, float]:
    """Of draws of the loss, (draw, point), and the log density at what came."""
    y = target["y"].to_numpy()
    low, q25, median, q75, high = np.quantile(draws, [0.05, 0.25, 0.5, 0.75, 0.95], axis=0)
    return {
        "rmsle": float(np.sqrt((np.log(median / y) ** 2).mean())),
        "log_density": float(density.mean()),
        "inside": float(((low <= y) & (y <= high)).mean()),
        "inside_50": float(((q25 <= y) & (y <= q75)).mean()),
    }


def chains(context: pd.DataFrame, target: pd.DataFrame) -> dict[str, float]:
    """Emcee on M4 with as many samples as published; empty where it is not installed."""
    try:
        import emcee
    except ImportError:
        return {}
    x, y, middle = logs(context)
    log_curve, name = curve_of("curve-m4"), "curve-m4"
    parameters = get(name).parameters
    level = float(y.mean())
    centre = np.array([np.log(p.prior.median) + (level if p.of_loss else 0.0) for p in parameters])
    wide = np.array([p.prior.sd for p in parameters])

    def log_posterior(theta: np.ndarray) -> float:
        sigma = np.exp(theta[-1])
        prior = -0.5 * (((theta[:-1] - centre) / wide) ** 2).sum()
        prior -= 0.5 * ((theta[-1] - np.log(0.01)) / 1.5) ** 2
        off = y - log_curve(x, theta[:-1])
        value = prior - 0.5 * ((off / sigma) ** 2).sum() - len(y) * theta[-1]
        return float(value) if np.isfinite(value) else -np.inf

    rng = np.random.default_rng(0)
    begin = np.column_stack(
        [starts(name, level, rng, WALKERS), np.log(0.01) + rng.normal(size=WALKERS)]
    )
    sampler = emcee.EnsembleSampler(WALKERS, begin.shape[1], log_posterior)
    sampler.random_state = np.random.RandomState(0).get_state()
    sampler.run_mcmc(begin, SAMPLES)
    kept = sampler.get_chain(discard=BURN, flat=True)
    at = np.log(target["x"].to_numpy()) - middle
    curves = np.stack([log_curve(at, theta[:-1]) for theta in kept])
    sigma = np.exp(kept[:, -1:])
    y_log = np.log(target["y"].to_numpy())
    density = np.exp(-0.5 * ((y_log - curves) / sigma) ** 2) / sigma / np.sqrt(2 * np.pi)
    return scores(
        np.exp(curves + sigma * rng.normal(size=curves.shape)),
        np.log(np.maximum(density.mean(axis=0), 1e-300)) - y_log,
        target,
    )


def ours(
    context: pd.DataFrame, target: pd.DataFrame, seed: int, also: tuple[str, ...]
) -> dict[str, float]:
    """The package, default settings, with laws more where they are named."""
    laws = (*DEFAULT_CURVES, *also) if also else None
    fit = fit_curve(Curve.of("curve", context["x"], context["y"]), laws=laws, seed=seed)
    density = [fit.log_density(x, y) for x, y in target[["x", "y"]].itertuples(index=False)]
    return scores(fit.forecast(target["x"]), np.array(density), target)


def main() -> None:
    """Score every curve and print means by domain."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", nargs="?", default=SHARED)
    parser.add_argument("--domains", default="BB,LM,NMT,Nano,DD")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ours", action="store_true", help="Leave the rivals out.")
    parser.add_argument("--also", default="", help="Laws beside the default ones, with commas.")
    given = parser.parse_args()
    also = tuple(filter(None, given.also.split(",")))
    table = pd.read_csv(given.table)

    def mine(context: pd.DataFrame, target: pd.DataFrame) -> dict[str, float]:
        return ours(context, target, given.seed, also)

    ways: dict[str, Callable[[pd.DataFrame, pd.DataFrame], dict[str, float]]] = {
        "bayes_scaling": mine,
        "least squares, power law": lambda c, t: squares("curve-power", c, t),
        "least squares, M4": lambda c, t: squares("curve-m4", c, t),
        "emcee, M4": chains,
    }
    if given.ours:
        ways = {"bayes_scaling": mine}
    rows = []
    for (domain, name), curve in table.groupby(["domain", "curve"]):
        if domain not in given.domains.split(","):
            continue
        halves = [curve[curve["half"] == half] for half in ("context", "target")]
        for way, score in ways.items():
            began = time.perf_counter()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = score(*halves)
            seconds = time.perf_counter() - began
            if found:
                rows.append({"domain": domain, "curve": name, "way": way, "s": seconds} | found)
    result = pd.DataFrame(rows)
    whole = result[result["domain"] != "DD"].assign(domain="NLP and Nano")
    means = pd.concat([result, whole]).groupby(["way", "domain"], sort=False)
    shown = means.mean(numeric_only=True)
    sys.stdout.write(shown.to_string(float_format="{:.4f}".format, na_rep="") + "\n")


if __name__ == "__main__":
    main()
