"""Speed of our fit against the model most people would write, side by side.

    uv run python benchmarks/fit_speed.py [RUNS.csv] [--seeds 3]

Both fit the same additive law with the same Student-t likelihood on log loss to the same runs, one
after the other, each in a process of its own and so with its own compilation. The plain model has
non-centred family effects, inputs centred on the whole table and ``pm.sample`` at its defaults.
Compared is the smallest bulk effective sample size over the parameters of families (floor,
exponents, amplitudes, noise), per second of sampling and per second end to end (model, compiling,
sampling). Without a table, seven simulated families of 45 runs are fitted.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from bayes_scaling.model import simulate
from bayes_scaling.runs import load_runs

NAMES = ("floor", "A", "B", "alpha_N", "alpha_D", "sigma")


def seven_families() -> pd.DataFrame:
    """Seven IsoFLOP-like families of 45 runs with known parameters."""
    rng = np.random.default_rng(0)
    rows, truth = [], {}
    for i in range(7):
        name = f"family{i}"
        truth[name] = {
            "floor": 1.8 * np.exp(0.2 * rng.normal()),
            "A": 400.0,
            "B": 1800.0,
            "alpha_N": 0.34 * np.exp(0.1 * rng.normal()),
            "alpha_D": 0.36 * np.exp(0.1 * rng.normal()),
        }
        for log_c in np.linspace(18, 21, 5):
            for log_ratio in np.linspace(-1.2, 1.2, 9):
                params = np.sqrt(10**log_c / 6 / 20) * 10**log_ratio
                rows.append((name, params, 10**log_c / 6 / params))
    design = pd.DataFrame(rows, columns=["family", "params", "tokens"])
    return simulate("chinchilla", design, truth, noise=0.004, nu=5, seed=1)


def ours(table: pd.DataFrame, seed: int) -> dict[str, float]:
    """Fit with our model of the same law, weak priors."""
    import arviz as az

    from bayes_scaling.inference.compiled import compile_model
    from bayes_scaling.inference.settings import SamplerSettings
    from bayes_scaling.model import arrays, specify
    from bayes_scaling.model.hierarchy import named

    began = time.perf_counter()
    spec, frame = specify(table)
    sampled = compile_model(spec, frame, arrays(spec, frame, table)).sample(
        SamplerSettings(seed=seed)
    )
    total = time.perf_counter() - began
    posterior = named(spec, frame, sampled.draws)[list(NAMES)]
    return {
        "ess": float(min(value.min() for value in az.ess(posterior).values())),
        "r_hat": float(max(value.max() for value in az.rhat(posterior).values())),
        "divergences": int(sampled.stats["diverging"].sum()),
        "sampling": sampled.sample_seconds,
        "total": total,
    }


def plain(table: pd.DataFrame, seed: int) -> dict[str, float]:
    """Fit as most people would write it."""
    import arviz as az
    import pymc as pm

    began = time.perf_counter()
    family, names = pd.factorize(table["family"])
    log_n = np.log(table["params"]) - np.log(table["params"]).mean()
    log_d = np.log(table["tokens"]) - np.log(table["tokens"]).mean()
    scale = float(np.log(table["loss"]).mean())
    medians = {
        "floor": (np.log(0.5) + scale, 0.7),
        "A": (np.log(0.2) + scale, 1.0),
        "B": (np.log(0.2) + scale, 1.0),
        "alpha_N": (np.log(0.35), 0.6),
        "alpha_D": (np.log(0.35), 0.6),
        "sigma": (np.log(0.01), 1.0),
    }
    with pm.Model(coords={"family": names}):
        values = {}
        for name, (location, sd) in medians.items():
            mu = pm.Normal(f"mu_{name}", location, sd)
            tau = pm.HalfNormal(f"tau_{name}", 0.5)
            z = pm.Normal(f"z_{name}", dims="family")
            values[name] = pm.Deterministic(name, pm.math.exp(mu + tau * z), dims="family")
        loss = (
            values["floor"][family]
            + values["A"][family] * pm.math.exp(-values["alpha_N"][family] * log_n.to_numpy())
            + values["B"][family] * pm.math.exp(-values["alpha_D"][family] * log_d.to_numpy())
        )
        nu = pm.Gamma("nu", 2.0, 0.1)
        observed = np.log(table["loss"].to_numpy())
        pm.StudentT(
            "y", nu=nu, mu=pm.math.log(loss), sigma=values["sigma"][family], observed=observed
        )
        tree = pm.sample(random_seed=seed, progressbar=False)
    total = time.perf_counter() - began
    posterior = tree["posterior"].to_dataset()[list(NAMES)]
    sampling = tree["sample_stats"].attrs.get("sampling_time") or tree["posterior"].attrs.get(
        "sampling_time"
    )
    return {
        "ess": float(min(value.min() for value in az.ess(posterior).values())),
        "r_hat": float(max(value.max() for value in az.rhat(posterior).values())),
        "divergences": int(tree["sample_stats"]["diverging"].sum()),
        "sampling": float(sampling) if sampling else float("nan"),
        "total": total,
    }


def child(which: str, path: str, seed: int) -> dict[str, float]:
    """Run one fit in a fresh process."""
    command = [sys.executable, __file__, path, "--child", which, "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def compare(path: str, seeds: int) -> None:
    """Fit both ways with each seed and print the ratios."""
    results = []
    for seed in range(seeds):
        for which in ("ours", "plain"):
            row = child(which, path, seed)
            row = {"fit": which, "seed": seed} | row
            row["ess/s sampling"] = row["ess"] / row["sampling"]
            row["ess/s end to end"] = row["ess"] / row["total"]
            results.append(row)
            print(json.dumps(row), flush=True)
    table = pd.DataFrame(results)
    print(table.to_string(index=False, float_format="{:.4g}".format))
    middle = table.groupby("fit")[["ess/s sampling", "ess/s end to end"]].median()
    ratio = middle.loc["ours"] / middle.loc["plain"]
    print(f"ours over plain, medians of {seeds} seeds:")
    print(ratio.to_string(float_format="{:.1f}".format))


def main() -> None:
    """Parse, and compare or be one of the compared."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="?")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", choices=["ours", "plain"])
    arguments = parser.parse_args()
    if arguments.child:
        rows = load_runs(arguments.runs).fit_rows()
        fit = ours if arguments.child == "ours" else plain
        print(json.dumps(fit(rows, arguments.seed)))
        return
    path = arguments.runs
    if path is None:
        path = str(Path(__file__).with_name("fit_speed_runs.csv"))
        seven_families().to_csv(path, index=False)
    rows = load_runs(path).fit_rows()
    print(f"{len(rows)} runs in {rows['family'].nunique()} families", flush=True)
    compare(path, arguments.seeds)


if __name__ == "__main__":
    main()
