"""What else a law's errors could have been, scored over roots left out.

uv run python -m benchmarks.extrapolation.alternatives [--cache FOLDER] [--law NAME]

From the forecasts that ``learning.py`` makes and keeps: errors are learned from all roots but one
in each way, and score what came of the forecasts of that one. Printed: averages over roots, by
distance.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_scaling import laws
from bayes_scaling.forecast.evaluation.scoring import score_draws
from benchmarks.extrapolation.law_errors import SHARED, Ahead, Errors, Floats, Scorer, learn_errors
from benchmarks.extrapolation.learning import CACHE, CURVATURE_SD, forecasts, tables_of

Ways = Mapping[str, Callable[[Errors], Errors]]
WAYS: Ways = {
    "as shipped": lambda errors: errors,
    "no quadratic": lambda errors: replace(errors, share=1e-4),
    "quadratic alone": lambda errors: replace(errors, share=1 - 1e-4),
    "quadratic in half": lambda errors: replace(errors, share=0.5),
    "scale whatever the noise": lambda errors: replace(errors, noise_power=0.0),
    "no discrepancy": lambda errors: replace(errors, level=1e-4),
}
"""From errors as they are searched to those that are scored."""


def predictive(ahead: Ahead, errors: Errors, rng: np.random.Generator) -> Floats:
    """Draws of the log loss of each run, dims (run, draw)."""
    parts = []
    for curve, sigma, nu in zip(ahead.curves, ahead.sigma, ahead.nu, strict=True):
        runs, draws = curve.shape
        known = errors.discrepancy
        scale = np.exp(known.log_scale(np.log(sigma)) + known.spread * rng.normal(size=draws))
        shared, own = rng.normal(size=draws), rng.normal(size=(runs, draws))
        unit = np.sqrt(SHARED) * shared + np.sqrt(1 - SHARED) * own
        error = scale * known.growth(ahead.distance)[:, None] * unit
        noise = np.clip(rng.standard_t(nu, size=(runs, draws)), -20, 20)
        parts.append(curve + error + sigma * noise)
    return np.where(rng.random(parts[0].shape[1]) < errors.share, parts[1], parts[0])


def evaluate(ahead: list[Ahead], way: Callable[[Errors], Errors]) -> pd.DataFrame:
    """Score forecasts of each root under errors that it did not inform."""
    scorer, rows = Scorer.of(ahead), []
    for root in sorted({each.root for each in ahead}):
        errors = learn_errors(scorer, root, way)
        density = scorer.log_density(errors)
        for place, each in enumerate(ahead):
            if each.root == root:
                draws = predictive(each, errors, np.random.default_rng(place))
                scores = score_draws(np.exp(draws), np.exp(each.log_loss))
                columns = ["inside_50", "inside_90", "log_error", "interval_score"]
                kept = scores[columns].mean().to_dict()
                one = {"root": root, "ratio": each.ratio, "log density": density[place]}
                rows.append(one | {"absolute": scores["log_error"].abs().mean()} | kept)
    return pd.DataFrame(rows)


def summarise(scored: pd.DataFrame) -> pd.DataFrame:
    """Average over roots: means, the lowest coverage, and geometric means of scores."""
    by_root = scored.groupby(["ratio", "root"]).mean()
    found = by_root[["log density", "inside_50", "inside_90", "log_error"]].groupby("ratio").mean()
    found["lowest inside_90"] = by_root["inside_90"].groupby("ratio").min()
    for name in ("absolute", "interval_score"):
        found[f"geo {name}"] = np.exp(np.log(by_root[name]).groupby("ratio").mean())
    return found


def main() -> None:
    """Score every way and print averages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--law", default=laws.DEFAULT)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--sd", type=float, nargs="+", default=[CURVATURE_SD])
    parser.add_argument("--way", nargs="+", default=list(WAYS), choices=list(WAYS))
    given = parser.parse_args()
    tables, parts = tables_of(given.law), {}
    for sd in given.sd:
        ahead = forecasts(laws.get(given.law), tables, given.cache, sd)
        for name in given.way:
            label = name if sd == CURVATURE_SD else f"{name}, curvature sd {sd:g}"
            parts[label] = summarise(evaluate(ahead, WAYS[name]))
            sys.stderr.write(f"{label}\n")
    table = pd.concat(parts, names=["way"]).sort_index(level="ratio", sort_remaining=False)
    sys.stdout.write(table.to_string(float_format="{:.4f}".format) + "\n")


if __name__ == "__main__":
    main()
