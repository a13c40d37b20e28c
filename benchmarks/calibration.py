"""Do intervals hold beyond the data? Default settings against baselines, on real families.

uv run python benchmarks/calibration.py [--ratio 8 4 30] [--draws 1000] [-o FILE.csv]

Every root (families that share runs or makers) is fitted below a threshold of compute, with a
population prior learned from the other roots alone, and scored above. Results are appended row by
row, so that an interrupted run goes on where it stopped. Losses are scored on their log.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from families import load
from numpy.typing import NDArray
from population import LAWS, learn, read_errors
from scipy.optimize import minimize

import bayes_scaling as bs
from bayes_scaling.forecast.evaluation.scoring import COVERAGES, score_draws
from bayes_scaling.model import Extent, Population

Floats = NDArray[np.float64]
Method = Callable[[pd.DataFrame, pd.DataFrame], tuple[Floats, dict[str, float]]]

HUBER = 1e-3
BOOTSTRAPS = 200
DRAWS = 4000
BASELINES = ("pooled additive Bayes", "additive Bayes by family", "Huber", "Huber, bootstrap")
TWICE = {"ml_scalefit__massivetext__chinchilla"}
"""Families whose runs another family has as well, digitised anew; scored once."""


def _huber_fit(rows: pd.DataFrame, start: Floats | None = None) -> Floats:
    """Hoffmann et al. 2022, Section 3.3: log-sum-exp of three terms, Huber loss on log loss."""
    n, d = np.log(rows["params"].to_numpy()), np.log(rows["tokens"].to_numpy())
    y = np.log(rows["loss"].to_numpy())

    def lost(v: Floats) -> float:
        off = np.abs(_additive(v, n, d) - y)
        # A sum and not a mean: divided by the number of runs it would stop early.
        return float(
            np.where(off < HUBER, 0.5 * off**2, HUBER * (off - 0.5 * HUBER)).sum() / HUBER**2
        )

    if start is not None:
        return np.asarray(minimize(lost, start, method="L-BFGS-B").x)
    grid = [
        np.array([a, b, e, alpha, beta])
        for a in (2.0, 6.0, 10.0)
        for b in (2.0, 6.0, 10.0)
        for e in (-1.0, 0.0, 0.7)
        for alpha in (0.3, 0.6)
        for beta in (0.3, 0.6)
    ]
    best = sorted(grid, key=lost)[:12]
    fits = [minimize(lost, point, method="L-BFGS-B") for point in best]
    return np.asarray(min(fits, key=lambda fit: fit.fun).x)


def _additive(v: Floats, n: Floats, d: Floats) -> Floats:
    terms = np.stack([v[0] - v[3] * n, v[1] - v[4] * d, np.full_like(n, v[2])])
    result: Floats = np.logaddexp.reduce(terms, axis=0)
    return result


def _by_family(
    small: pd.DataFrame, large: pd.DataFrame, draw: Callable[[pd.DataFrame, pd.DataFrame], Floats]
) -> Floats:
    logs = np.empty((len(large), DRAWS))
    for name, rows in large.groupby("family"):
        at = large.index.get_indexer(rows.index)
        logs[at] = draw(small[small["family"] == name], rows)
    return logs


def huber(small: pd.DataFrame, large: pd.DataFrame) -> tuple[Floats, dict[str, float]]:
    """Point fit of each family, with the scatter of its residuals."""

    def draw(rows: pd.DataFrame, ahead: pd.DataFrame) -> Floats:
        v = _huber_fit(rows)
        rng = np.random.default_rng(0)
        left = np.log(rows["loss"]) - _additive(v, *_logs(rows))
        return _additive(v, *_logs(ahead))[:, None] + rng.choice(left, (len(ahead), DRAWS))

    return _by_family(small, large, draw), {}


def bootstrap(small: pd.DataFrame, large: pd.DataFrame) -> tuple[Floats, dict[str, float]]:
    """The same for 200 resamples of a family's runs."""

    def draw(rows: pd.DataFrame, ahead: pd.DataFrame) -> Floats:
        rng = np.random.default_rng(0)
        first, parts = _huber_fit(rows), []
        each = DRAWS // BOOTSTRAPS
        for _ in range(BOOTSTRAPS):
            again = rows.iloc[rng.integers(len(rows), size=len(rows))]
            v = _huber_fit(again, first)
            left = np.log(again["loss"]) - _additive(v, *_logs(again))
            parts.append(
                _additive(v, *_logs(ahead))[:, None] + rng.choice(left, (len(ahead), each))
            )
        return np.concatenate(parts, axis=1)

    return _by_family(small, large, draw), {}


def _logs(rows: pd.DataFrame) -> tuple[Floats, Floats]:
    return np.log(rows["params"].to_numpy()), np.log(rows["tokens"].to_numpy())


def bayes(law: str, prior: Population | str, pooling: str, draws: int) -> Method:
    """A fit and a forecast, as users make them."""

    def method(small: pd.DataFrame, large: pd.DataFrame) -> tuple[Floats, dict[str, float]]:
        fit = bs.fit(small, law, prior=prior, pooling=pooling, draws=draws, progress=False)
        forecast = fit.predict(large[["params", "tokens", "flops", "family"]])
        losses = forecast.loss_run.transpose("point", "chain", "draw").to_numpy()
        summary = fit.summary()
        quality = {
            "r_hat": float(summary["r_hat"].max()),
            "ess": float(summary["ess_bulk"].min()),
            "divergences": float(fit.dt["sample_stats"]["diverging"].sum()),
            "seconds": float(fit.dt.attrs["sample_seconds"]),
            "noise": float(fit.posterior["sigma"].median()),
        }
        return np.log(losses.reshape(len(large), -1)), quality

    return method


def methods(populations: dict[str, Population], draws: int) -> dict[str, Method]:
    """What is compared: the defaults first, then variants, then baselines."""
    gamma, additive = (populations[name] for name in LAWS)
    return {
        "default": bayes("chinchilla-gamma", gamma, "auto", draws),
        "default, pooled": bayes("chinchilla-gamma", gamma, "partial", draws),
        "additive, population": bayes("chinchilla", additive, "partial", draws),
        "gamma, weak": bayes("chinchilla-gamma", "weak", "partial", draws),
        "pooled additive Bayes": bayes("chinchilla", "weak", "partial", draws),
        "additive Bayes by family": bayes("chinchilla", "weak", "none", draws),
        "Huber": huber,
        "Huber, bootstrap": bootstrap,
    }


def score(logs: Floats, large: pd.DataFrame) -> pd.DataFrame:
    """Scores of one method at held-out runs."""
    scored = score_draws(np.exp(logs), large["loss"].to_numpy())
    named = {"log_error": "error", "interval_score": "interval"}
    named |= {f"inside_{percent}": f"in_{percent}" for percent in COVERAGES}
    kept = ["error", "crps", "interval", "width", *(f"in_{p}" for p in COVERAGES), "pit"]
    return scored.rename(columns=named)[kept].assign(family=large["family"].to_numpy())


def distances(small: pd.DataFrame, large: pd.DataFrame) -> Floats:
    """How far each held-out run lies beyond the fitted ones of its family, natural log."""
    found = np.empty(len(large))
    for name, rows in large.groupby("family"):
        logs = [np.log(rows[size].to_numpy()) for size in ("params", "tokens", "flops")]
        extent = Extent.of(small[small["family"] == name])
        found[large.index.get_indexer(rows.index)] = extent.distance(*logs)
    return found


def split(rows: pd.DataFrame, ratio: float, fewest: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Runs at a family's largest compute over ``ratio`` or less, and those above."""
    limit = rows.groupby("family")["flops"].transform("max") / ratio * (1 + 1e-6)
    below = rows["flops"] <= limit
    enough = below.groupby(rows["family"]).transform("sum") >= fewest
    small, large = rows[below & enough], rows[~below & enough]
    return small.reset_index(drop=True), large.reset_index(drop=True)


def run(
    ratios: list[float],
    draws: int,
    out: Path,
    only: list[str] | None,
    errors: pd.DataFrame | None,
) -> None:
    """Score every method on every root at every ratio, appending to a file."""
    tables = load()
    done = pd.read_csv(out) if out.exists() else pd.DataFrame(columns=["root", "ratio", "method"])
    finished = set(zip(done["root"], done["ratio"].astype(float), done["method"], strict=True))
    for root, populations in foreign_populations(tables, out, errors).items():
        rows = pd.concat(
            [t for n, t in tables.items() if t["root"].iloc[0] == root and n not in TWICE]
        ).drop(columns="root")
        for ratio in ratios:
            small, large = split(rows, ratio, 6)
            if not len(large):
                continue
            for name, method in methods(populations, draws).items():
                if (root, float(ratio), name) in finished or (only and name not in only):
                    continue
                logs, quality = method(small, large)
                part = score(logs, large).assign(
                    distance=distances(small, large),
                    root=root,
                    ratio=ratio,
                    method=name,
                    fitted=len(small),
                    **quality,
                )
                part = part.reindex(columns=COLUMNS)
                part.to_csv(out, mode="a", header=not out.exists(), index=False)
                _say(f"{root} {ratio:g} {name}: {part['in_90'].mean():.2f} of {len(part)}")


COLUMNS = [
    *("root", "ratio", "method", "family", "fitted", "error", "crps", "interval", "width"),
    *("distance", "in_50", "in_80", "in_90", "in_95", "pit"),
    *("r_hat", "ess", "divergences", "seconds", "noise"),
]


def foreign_populations(
    tables: dict[str, pd.DataFrame], out: Path, errors: pd.DataFrame | None
) -> dict[str, dict[str, Population]]:
    """By root and law, what the families of all other roots teach."""
    roots = sorted({str(rows["root"].iloc[0]) for rows in tables.values()})
    return {root: _without(root, tables, out, errors) for root in roots}


def _without(
    root: str, tables: dict[str, pd.DataFrame], out: Path, errors: pd.DataFrame | None
) -> dict[str, Population]:
    """Populations learned from the other roots, kept beside the results."""
    path = out.with_name(f"{out.stem}-without-{root}.json")
    if not path.exists():
        learned = {name: learn(name, tables, root, errors).to_dict() for name in LAWS}
        path.write_text(json.dumps(learned), encoding="utf-8")
    content = json.loads(path.read_text(encoding="utf-8"))
    return {name: Population.from_dict(name, value) for name, value in content.items()}


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Macro averages over families, by ratio and method."""
    table = table.assign(absolute=table["error"].abs())
    columns = ["in_50", "in_80", "in_90", "in_95", "error", "absolute", "crps", "interval", "width"]
    families = table.groupby(["ratio", "method", "root", "family"])[columns].mean()
    macro = families.groupby(["ratio", "method"]).mean()
    least = families["in_90"].groupby(["ratio", "method"]).min().rename("least_in_90")
    data_sets = families.groupby(["ratio", "method", "root"])[["interval", "crps"]].mean()
    geometric = np.exp(np.log(data_sets).groupby(["ratio", "method"]).mean()).add_prefix("geo_")
    quality = table.groupby(["ratio", "method"]).agg(
        r_hat=("r_hat", "max"), ess=("ess", "min"), divergences=("divergences", "max")
    )
    return macro.join(least).join(geometric).join(quality)


def by_family(table: pd.DataFrame) -> pd.DataFrame:
    """Coverage of the 90% interval and mean error of each family, by ratio and method."""
    rows = ["ratio", "family"]
    return table.pivot_table(["in_90", "error"], rows, "method", aggfunc="mean")


def against_baselines(table: pd.DataFrame) -> pd.DataFrame:
    """Scores of the default over those of the best baseline on each root, and geometric means.

    Rows: interval score, CRPS and absolute error of the median, by ratio; the best baseline is
    that of the score and root in question.
    """
    scores = {"interval score": "interval", "CRPS": "crps", "absolute error": "absolute"}
    table = table.assign(absolute=table["error"].abs())
    names = ["ratio", "root", "method"]
    families = table.groupby([*names, "family"])[list(scores.values())].mean().reset_index()
    roots = families.pivot_table(list(scores.values()), names[:2], "method")
    parts = []
    for said, column in scores.items():
        found = roots[column]
        best = found[[name for name in BASELINES if name in found]].min(axis=1)
        part = (found["default"] / best).rename("over").reset_index()
        over = part.pivot_table("over", "ratio", "root")
        over["geometric mean"] = np.exp(np.log(over).mean(axis=1))
        parts.append(over.assign(score=said).set_index("score", append=True))
    return pd.concat(parts).sort_index(level=0, sort_remaining=False)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def main() -> None:
    """Parse, run, print the summary."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratio", type=float, nargs="+", default=[8.0, 4.0, 30.0])
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--only", nargs="+", help="Names of methods.")
    parser.add_argument("-o", "--out", type=Path, default=Path("calibration.csv"))
    parser.add_argument("--errors", type=Path, help="Results under the draft population.")
    given = parser.parse_args()
    errors = read_errors(given.errors) if given.errors else None
    run(given.ratio, given.draws, given.out, given.only, errors)
    scored = pd.read_csv(given.out)
    for table in (summarise(scored), by_family(scored), against_baselines(scored)):
        sys.stdout.write(table.to_string(float_format="{:.4f}".format) + "\n\n")


if __name__ == "__main__":
    main()
