"""The figures that the README quotes, printed from the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from design import LEVELS

if TYPE_CHECKING:
    from pathlib import Path


def level_of(runs: pd.DataFrame) -> pd.Series:
    """Return each run's nearest level of compute (FLOP)."""
    levels = np.array(list(LEVELS))
    distance = np.abs(np.log(runs["flops"].to_numpy(float))[:, None] - np.log(levels))
    return pd.Series(levels[distance.argmin(axis=1)], index=runs.index)


def rate_rule(search: pd.DataFrame) -> tuple[pd.DataFrame, float, float]:
    """Find each searched configuration's best rate, and the rule through them.

    Returns
    -------
    tuple
        Per configuration the best rate by a parabola in the logarithm of the rate through the
        three rates about the best one, as ``optimum``, with whether the best one has a neighbour
        on either side; then a and b of the rule ``a / (d_model n_layer^b)`` by least squares.
    """
    rows = []
    for (layers, width, steps), group in search.groupby(["n_layer", "d_model", "steps"]):
        ordered = group.sort_values("lr")
        x, y = np.log(ordered["lr"].to_numpy()), ordered["loss"].to_numpy()
        best = int(y.argmin())
        first = min(max(best - 1, 0), len(y) - 3)
        square, linear, _ = np.polyfit(x[first : first + 3], y[first : first + 3], 2)
        rows.append((layers, width, steps, np.exp(-linear / 2 / square), 0 < best < len(y) - 1))
    table = pd.DataFrame(rows, columns=["n_layer", "d_model", "steps", "optimum", "bracketed"])
    scaled = np.log(table["optimum"] * table["d_model"])
    slope, intercept = np.polyfit(np.log(table["n_layer"]), scaled, 1)
    return table, float(np.exp(intercept)), float(-slope)


def by_level(runs: pd.DataFrame) -> pd.DataFrame:
    """Describe each level of compute of each family's grid.

    Returns
    -------
    pandas.DataFrame
        Per family and level: runs, least and greatest FLOP, the sizes (parameters) at the ends
        and at the least loss, that loss, the size at the least loss by a parabola through the
        loss in the logarithm of size, and the root of the mean square relative distance from a
        cubic through all sizes.
    """
    grid = runs[runs["role"] == "grid"]
    rows = []
    for (family, level), group in grid.groupby(["family", level_of(grid)]):
        ordered = group.sort_values("params")
        x, y = np.log(ordered["params"].to_numpy(float)), ordered["loss"].to_numpy()
        best = int(y.argmin())
        cubic = np.polyval(np.polyfit(x - x.mean(), np.log(y), 3), x - x.mean())
        rows.append(
            {
                "family": family,
                "level": level,
                "runs": len(group),
                "flops_min": group["flops"].min(),
                "flops_max": group["flops"].max(),
                "params_min": ordered["params"].iloc[0],
                "params_best": ordered["params"].iloc[best],
                "params_max": ordered["params"].iloc[-1],
                "loss_best": y[best],
                "bracketed": 0 < best < len(y) - 1,
                "rough": np.sqrt(((np.log(y) - cubic) ** 2).sum() / (len(y) - 4)),
            }
        )
    return pd.DataFrame(rows)


def seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """Describe the replicated configurations: mean and standard deviation over seeds."""
    cells = ["family", "params", "tokens"]
    fresh = runs[runs["role"].isin(["grid", "seed"])]
    table = fresh.groupby(cells)["loss"].agg(["count", "mean", "std"])
    table = table[table["count"] > 1]
    return table.assign(relative=table["std"] / table["mean"]).reset_index()


def repeats(runs: pd.DataFrame) -> pd.DataFrame:
    """List the runs on repeated text, by size and amounts."""
    chosen = runs[runs["role"] == "repeat"]
    chosen = chosen.assign(epochs=chosen["tokens"] / chosen["unique_tokens"])
    columns = ["family", "params", "unique_tokens", "epochs", "tokens", "loss", "train_loss"]
    return chosen[columns].sort_values(columns[:4])


def shapes(runs: pd.DataFrame) -> pd.DataFrame:
    """Tabulate the runs of equal size: loss by family and size, over layers."""
    chosen = runs[runs["role"] == "shape"]
    # Sizes of a row agree within half a percent, so two digits name it.
    matrices = 12 * chosen["n_layer"] * chosen["d_model"] ** 2
    digits = 10 ** (np.floor(np.log10(matrices)) - 1)
    chosen = chosen.assign(matrices=(matrices / digits).round() * digits)
    return chosen.pivot_table(index=["family", "matrices"], columns="n_layer", values="loss")


def correlations(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the correlation matrix of the logarithms of N, D, U and C over the whole table."""
    columns = {"params": "log N", "tokens": "log D", "unique_tokens": "log U", "flops": "log C"}
    return np.log(runs[list(columns)].astype(float)).rename(columns=columns).corr()


def outcome(runs: pd.DataFrame, forecast: pd.DataFrame) -> pd.DataFrame:
    """Set the forecast that was written down beside what the targets reached."""
    reached = runs.loc[runs["role"] == "target", ["run", "loss", "loss_se"]]
    table = forecast.merge(reached, on="run", validate="many_to_one")
    inside = table["loss"].between(table["q05"], table["q95"])
    error = np.log(table["q50"] / table["loss"])
    columns = ["law", "run", "params", "tokens", "flops", "q05", "q50", "q95", "loss"]
    return table[columns].assign(inside=inside, error=error)


def show(runs: pd.DataFrame, folder: Path) -> None:
    """Print everything."""
    pd.set_option("display.width", 160)
    print(f"{len(runs)} runs, {runs['wall_s'].sum() / 60:.1f} core-minutes, ", end="")
    print(f"{runs['flops'].sum():.3g} FLOP of training")
    counts = runs.pivot_table(index="role", columns="family", values="run", aggfunc="count")
    print(counts.to_string())
    optima, scale, power = rate_rule(pd.read_csv(folder / "lr_search.csv"))
    print(f"\nlearning rates\n{optima.to_string(float_format='{:.4g}'.format)}")
    print(f"rule by least squares: {scale:.3f} / (d_model n_layer^{power:.3f})")
    for title, table in (
        ("levels of compute", by_level(runs)),
        ("seeds", seeds(runs)),
        ("repeated text", repeats(runs)),
        ("shapes: loss by layers", shapes(runs)),
        ("correlations", correlations(runs)),
    ):
        print(f"\n{title}\n{table.to_string(float_format='{:.4g}'.format)}")
    forecast = folder / "forecast.csv"
    if forecast.exists():
        table = outcome(runs, pd.read_csv(forecast))
        print(f"\nforecast and outcome\n{table.to_string(float_format='{:.4g}'.format)}")
        scores = table.assign(size=table["error"].abs()).groupby("law")
        print(scores[["inside", "error", "size"]].mean().to_string(float_format="{:.4g}".format))
