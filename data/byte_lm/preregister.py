"""Write down the forecast of the target runs, before they are trained.

uv run python data/byte_lm/preregister.py

Fits the grid and its replicates, nothing else, and writes ``forecast.csv`` (every target under
every law) and ``forecast.json`` (what the forecast was made from). It refuses to write over a
forecast once a target has a record: what was written down beforehand stays as it is.
"""

from __future__ import annotations

import argparse
import json
from importlib.metadata import version
from pathlib import Path

import design
import pandas as pd

import bayes_scaling as bs

HERE = Path(__file__).resolve().parent
LAWS = ("chinchilla", "chinchilla-gamma")  # the first was the default then
SEED = 0
LEVELS = (0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975)


def fitted_runs(path: Path) -> bs.Runs:
    """Return the runs that the forecast may see."""
    runs = bs.load_runs(path)
    return runs.select(runs.table["role"].isin(["grid", "seed"]).to_numpy(dtype=bool))


def planned() -> pd.DataFrame:
    """Return the target runs as configurations."""
    runs = [run for family in design.FAMILIES for run in design.targets(family)]
    return pd.DataFrame(
        {
            "run": [run.name for run in runs],
            "family": [run.family for run in runs],
            "params": [float(run.shape.params) for run in runs],
            "tokens": [float(run.tokens) for run in runs],
            "flops": [float(run.flops) for run in runs],
        }
    )


def optimum(fit: bs.Fit, family: str, flops: float) -> dict[str, float]:
    """Return the posterior of the compute-optimal size for a budget."""
    plan = bs.allocate(fit, bs.Scenario(flops, family=family), seed=SEED)
    return {name: round(value, 1) for name, value in plan.content["optimum"]["params"].items()}


def forecast(runs: bs.Runs, configs: pd.DataFrame) -> tuple[pd.DataFrame, list[dict]]:
    """Return the forecast table, and a description of the fit behind each law."""
    tables, fits = [], []
    for law in LAWS:
        fit = bs.fit(runs, law=law, prior="weak", seed=SEED)
        predicted = fit.predict(configs, seed=SEED)
        tables.append(predicted.to_frame(quantiles=LEVELS).assign(law=law))
        summary = fit.summary()
        budgets = sorted({round(flops, -12) for flops in configs["flops"]})
        fits.append(
            {
                "law": law,
                "r_hat": float(summary["r_hat"].max()),
                "divergences": int(fit.dt["sample_stats"]["diverging"].sum()),
                "verdict": fit.diagnose().verdict,
                "warnings": list(predicted.warnings),
                "optimal_params": {
                    family: {f"{flops:.2g}": optimum(fit, family, flops) for flops in budgets}
                    for family in fit.families
                },
            }
        )
    table = pd.concat(tables, ignore_index=True)
    return table[["law", *(name for name in table.columns if name != "law")]], fits


def main() -> None:
    """Fit, forecast, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the two files")
    out = parser.parse_args().out
    configs = planned()
    trained = [name for name in configs["run"] if (HERE / "records" / f"{name}.json").exists()]
    if trained and out.resolve() == HERE:
        parser.error(f"{trained[0]} is trained already; give another folder with --out")
    runs = fitted_runs(HERE / "runs.csv")
    table, fits = forecast(runs, configs)
    table.round(6).to_csv(out / "forecast.csv", index=False, lineterminator="\n")
    content = {
        "quantity": "loss_run",
        "loss_unit": runs.loss_unit,
        "fitted_runs": len(runs),
        "runs_hash": runs.hash,
        "largest_fitted_flops": float(runs.table["flops"].max()),
        "seed": SEED,
        "versions": {name: version(name) for name in ("bayes-scaling", "pymc", "nutpie", "numpy")},
        "fits": fits,
    }
    (out / "forecast.json").write_text(json.dumps(content, indent=1) + "\n")
    print(table.to_string())


if __name__ == "__main__":
    main()
