"""Score three ways of using a family's own errors, on studies that taught the population nothing.

uv run python benchmarks/unseen.py [--ratio 8 30] [--draws 500] [-o FILE.csv]

Every family of the public studies in ../shared is fitted by itself at 1/ratio of its largest
compute with default settings, and scored above. The scale of the discrepancy is then drawn in three
ways from the same fit: from the population alone, widened by the family's own rolling errors (the
default), and both narrowed and widened by them. Results are appended row by row; an interrupted run
goes on.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from calibration import split
from residual_tests import STUDIES, studies
from scipy.special import ndtr

import bayes_scaling as bs
from bayes_scaling.forecast.evaluation.scoring import score_draws
from bayes_scaling.inference import Fit
from bayes_scaling.inference.rolling import SPAN, log_evidence, rolling_steps

FEWEST = 8
SPREAD = 1.5
"""Least ratio of compute that fitted runs must span."""
WAYS = ("population", "widened", "narrowed and widened")


def with_scale(fit: Fit, z: np.ndarray) -> Fit:
    """The fit with standardised log scales z of its discrepancy, dims (chain, draw)."""
    known = fit.spec.discrepancy
    if known is None:
        raise ValueError("the fit has no discrepancy")
    posterior = fit.posterior.copy()
    sigma = posterior["sigma"].transpose("chain", "draw", "family").values[..., 0]
    scale = np.exp(known.log_scale(np.log(sigma)) + known.spread * z)
    posterior["discrepancy"] = posterior["discrepancy"].copy(data=scale[..., None])
    tree = fit.dt.copy()
    tree["posterior"] = type(tree)(posterior)
    return Fit(tree)


def scales(fit: Fit, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Standardised log scales by way, from the same random numbers."""
    known = fit.spec.discrepancy
    if known is None:
        raise ValueError("the fit has no discrepancy")
    sizes = fit.dt["posterior"].sizes
    population = np.random.default_rng(0).normal(size=(sizes["chain"], sizes["draw"]))
    own = population
    (steps,) = rolling_steps(fit.law, rows).values()
    if steps:
        log_weight = log_evidence(known, steps) - 0.5 * SPAN**2
        weight = np.exp(log_weight - log_weight.max())
        below = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
        own = np.interp(ndtr(population), below, SPAN)
    return dict(zip(WAYS, (population, np.maximum(population, own), own), strict=True))


def _at_one_size(rows: pd.DataFrame) -> bool:
    return bool(rows["flops"].max() < SPREAD * rows["flops"].min())


def run(ratios: list[float], draws: int, out: Path) -> None:
    """Fit and score every family, appending to a file."""
    done = pd.read_csv(out) if out.exists() else pd.DataFrame(columns=["family", "ratio"])
    finished = set(zip(done["family"], done["ratio"].astype(float), strict=True))
    for name, rows in studies().items():
        if not name.startswith(tuple(STUDIES)):
            continue
        for ratio in ratios:
            small, large = split(rows, ratio, FEWEST)
            if (name, ratio) in finished or not len(large) or _at_one_size(small):
                continue
            accept = ["sweep", "implausible-size"]
            runs = bs.load_runs(small, accept=accept)
            fit = bs.fit(runs, draws=draws, progress=False)
            parts = []
            for way, z in scales(fit, runs.fit_rows()).items():
                forecast = with_scale(fit, z).predict(
                    large[["params", "tokens", "flops", "family"]]
                )
                losses = forecast.loss_run.transpose("point", "chain", "draw").to_numpy()
                scored = score_draws(losses.reshape(len(large), -1), large["loss"].to_numpy())
                held = scored[["inside_50", "inside_90", "interval_score", "log_error"]].mean()
                parts.append({"family": name, "ratio": ratio, "way": way, **held})
            table = pd.DataFrame(parts).assign(fitted=len(small), above=len(large))
            table.to_csv(out, mode="a", header=not out.exists(), index=False)
            sys.stderr.write(table.to_string(index=False, header=False) + "\n")


def main() -> None:
    """Parse, run, print averages over families."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratio", type=float, nargs="+", default=[8.0, 30.0])
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("-o", "--out", type=Path, default=Path("unseen.csv"))
    given = parser.parse_args()
    run(given.ratio, given.draws, given.out)
    table = pd.read_csv(given.out)
    scores = ["inside_50", "inside_90", "interval_score"]
    averages = table.groupby(["ratio", "way"])[scores].mean()
    averages["lowest inside_90"] = table.groupby(["ratio", "way"])["inside_90"].min()
    logs = np.log(table["interval_score"]).groupby([table["ratio"], table["way"]]).mean()
    averages["geometric interval_score"] = np.exp(logs)
    averages["families"] = table.groupby(["ratio", "way"])["family"].nunique()
    sys.stdout.write(averages.to_string(float_format="{:.3f}".format) + "\n")


if __name__ == "__main__":
    main()
