"""Draw the figures of the data set's README.

uv run python data/byte_lm/figures.py
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import summary
from design import Shape, peak_rate
from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, ScalarFormatter

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "figures"
# Okabe and Ito (2008), for colour-blind readers.
FAMILY_COLOURS = {"cpp": "#D55E00", "prose": "#0072B2", "python": "#009E73"}
MARKERS = ("o", "s", "^", "D", "v")
STYLE = {
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "font.size": 9.5,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "savefig.dpi": 110,
}


def panels(families: list[str], height: float = 3.4) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with a panel for each family, on one scale of loss."""
    figure, axes = plt.subplots(
        1, len(families), figsize=(10.5, height), sharey=True, layout="constrained"
    )
    named = dict(zip(families, np.atleast_1d(axes), strict=True))
    for family, panel in named.items():
        panel.set_title(family)
    named[families[0]].set_ylabel("validation loss (nats/byte)")
    return figure, named


def ticks(panel: Axes, axis: str, values: list[float]) -> None:
    """Label a logarithmic axis at the given values, as plain numbers."""
    chosen = panel.xaxis if axis == "x" else panel.yaxis
    chosen.set_major_locator(FixedLocator(values))
    chosen.set_major_formatter(ScalarFormatter())
    chosen.set_minor_locator(NullLocator())
    chosen.set_minor_formatter(NullFormatter())


def draw_levels(runs: pd.DataFrame) -> Figure:
    """Loss against size at each level of compute."""
    grid = runs[runs["role"] == "grid"]
    grid = grid.assign(level=summary.level_of(grid))
    levels = sorted(grid["level"].unique())
    colours = mpl.colormaps["viridis"](np.linspace(0, 0.85, len(levels)))
    figure, named = panels(sorted(grid["family"].unique()))
    for family, panel in named.items():
        for level, colour in zip(levels, colours, strict=True):
            chosen = grid[(grid["family"] == family) & (grid["level"] == level)]
            chosen = chosen.sort_values("params")
            best = chosen.loc[chosen["loss"].idxmin()]
            panel.plot(
                chosen["params"], chosen["loss"], "o-", ms=4, color=colour, label=f"{level:.0e}"
            )
            panel.plot(best["params"], best["loss"], "o", ms=9, mfc="none", color=colour)
        panel.set(xscale="log", yscale="log", xlabel="parameters N")
        ticks(panel, "y", [1.4, 1.6, 1.8, 2.0, 2.4, 2.8])
    named[max(named)].legend(title="FLOP of a run")
    return figure


def draw_compute(runs: pd.DataFrame, forecast: pd.DataFrame | None) -> Figure:
    """Loss against compute, the targets, and what was forecast for them beforehand."""
    figure, named = panels(sorted(runs["family"].unique()), height=4.2)
    for family, panel in named.items():
        mine, colour = runs[runs["family"] == family], FAMILY_COLOURS[family]
        seen = mine[mine["role"].isin(["grid", "seed"])]
        panel.plot(seen["flops"], seen["loss"], "o", ms=3.5, color="#8A8A8A", label="grid, seeds")
        if forecast is not None:
            for law, shift, tone in (
                ("chinchilla", 0.93, "#56B4E9"),
                ("chinchilla-gamma", 1.07, "#CC79A7"),
            ):
                table = forecast[(forecast["family"] == family) & (forecast["law"] == law)]
                # Targets of equal compute would hide one another.
                rank = table.groupby(table["flops"].round(-12))["params"].rank() - 1
                x = table["flops"] * shift * 1.35**rank
                span = np.abs(table[["q05", "q95"]].to_numpy().T - table["q50"].to_numpy())
                panel.errorbar(
                    x, table["q50"], yerr=span, fmt="_", ms=6, color=tone, capsize=2,
                    label=f"{law}, 90%",
                )  # fmt: skip
        targets = mine[mine["role"] == "target"]
        rank = targets.groupby(targets["flops"].round(-12))["params"].rank() - 1
        panel.plot(
            targets["flops"] * 1.35**rank, targets["loss"], "D", ms=5, color=colour,
            label="targets, side by side",
        )  # fmt: skip
        panel.set(xscale="log", yscale="log", xlabel="training FLOP C")
        ticks(panel, "y", [1.2, 1.4, 1.6, 1.8, 2.0, 2.4, 2.8])
    named[min(named)].legend(loc="lower left")
    return figure


def draw_repeats(runs: pd.DataFrame) -> Figure:
    """Validation and training loss against epochs over the same text."""
    chosen = summary.repeats(runs)
    figure, named = panels(sorted(chosen["family"].unique()))
    for family, panel in named.items():
        mine = chosen[chosen["family"] == family]
        for (params, table), marker in zip(mine.groupby("params"), MARKERS, strict=False):
            colour = FAMILY_COLOURS[family]
            same = table[table["unique_tokens"] == table["unique_tokens"].max()]
            other = table[table["unique_tokens"] != table["unique_tokens"].max()]
            style = {"marker": marker, "ms": 5}
            name = f"{params / 1e3:.0f}k parameters"
            panel.plot(same["epochs"], same["loss"], "-", color=colour, label=name, **style)
            panel.plot(
                same["epochs"], same["train_loss"], ":", color="#8A8A8A",
                label=f"{name}, training", **style,
            )  # fmt: skip
            panel.plot(other["epochs"], other["loss"], ls="", mfc="none", color=colour, **style)
        panel.set(xscale="log", xlabel="epochs over 256 KiB (hollow: 128 KiB)")
        ticks(panel, "x", [2, 4, 8, 16, 32])
    named[max(named)].legend()
    return figure


def draw_shapes(runs: pd.DataFrame) -> Figure:
    """Loss against the ratio of width to depth at equal size and tokens."""
    table = summary.shapes(runs)
    chosen = runs[runs["role"] == "shape"]
    figure, named = panels(sorted(chosen["family"].unique()))
    for family, panel in named.items():
        for (size, losses), marker in zip(table.loc[family].iterrows(), MARKERS, strict=False):
            width = [np.sqrt(size / 12 / layers) for layers in losses.index]
            aspect = np.array(width) / losses.index.to_numpy()
            panel.plot(
                aspect, losses, marker=marker, ms=5, color=FAMILY_COLOURS[family],
                alpha=0.45 + 0.25 * MARKERS.index(marker), label=f"{size / 1e3:.0f}k",
            )  # fmt: skip
        panel.set(xscale="log", xlabel="width over layers")
        ticks(panel, "x", [1, 3, 10, 30, 100])
    named[max(named)].legend(title="$12\\,n_{layer}\\,d^2$")
    return figure


def draw_seeds(runs: pd.DataFrame) -> Figure:
    """Distance of each replicate from the mean of its configuration."""
    figure, panel = plt.subplots(figsize=(7.2, 3.4), layout="constrained")
    table, shift = summary.seeds(runs), {"cpp": -0.22, "prose": 0.0, "python": 0.22}
    fresh = runs[runs["role"].isin(["grid", "seed"])]
    sizes = sorted(table["params"].unique())
    for row in table.itertuples():
        same = (fresh["params"] == row.params) & (fresh["tokens"] == row.tokens)
        losses = fresh.loc[same & (fresh["family"] == row.family), "loss"]
        x = sizes.index(row.params) + shift[row.family]
        panel.plot(
            [x] * len(losses), 100 * (losses / row.mean - 1), "o", ms=5, alpha=0.8,
            color=FAMILY_COLOURS[row.family],
            label=row.family if row.params == sizes[0] else None,
        )  # fmt: skip
        panel.plot([x - 0.08, x + 0.08], [100 * row.relative] * 2, "-", color="#333333", lw=1)
        panel.plot([x - 0.08, x + 0.08], [-100 * row.relative] * 2, "-", color="#333333", lw=1)
    panel.set_xticks(range(len(sizes)), [f"{size / 1e3:.1f}k" for size in sizes])
    panel.set(xlabel="parameters", ylabel="loss against the mean of its seeds (%)")
    panel.legend(title="bars: ±1 sd", loc="upper right", ncols=3)
    return figure


def draw_curves(runs: pd.DataFrame, curves: pd.DataFrame) -> Figure:
    """Validation loss along the runs nearest to optimal at each level, and the targets.

    Without the last point, which is measured on other chunks than those before it.
    """
    curves = curves[curves.duplicated("run", keep="last")]
    best = summary.by_level(runs)
    grid = runs[runs["role"] == "grid"].assign(level=summary.level_of)
    figure, named = panels(sorted(runs["family"].unique()))
    for family, panel in named.items():
        for row in best[best["family"] == family].itertuples():
            same = (grid["family"] == family) & (grid["level"] == row.level)
            run = grid.loc[same & (grid["params"] == row.params_best), "run"].iloc[0]
            curve = curves[curves["run"] == run]
            panel.plot(
                curve["tokens"], curve["val_loss"], "-", lw=1.1, color="#8A8A8A",
                label="best of each level" if row.level == best["level"].min() else None,
            )  # fmt: skip
        for count, run in enumerate(
            runs.loc[(runs["family"] == family) & (runs["role"] == "target"), "run"]
        ):
            curve = curves[curves["run"] == run]
            panel.plot(
                curve["tokens"], curve["val_loss"], "-", lw=1.3, color=FAMILY_COLOURS[family],
                label=None if count else "targets",
            )  # fmt: skip
        panel.set(xscale="log", yscale="log", xlabel="tokens so far")
        ticks(panel, "y", [1.2, 1.5, 2, 2.5, 3, 4])
        panel.legend()
    return figure


def draw_search(search: pd.DataFrame) -> Figure:
    """Loss against the learning rate over the rule's, by depth."""
    figure, panel = plt.subplots(figsize=(7.2, 3.6), layout="constrained")
    depths = sorted(search["n_layer"].unique())
    colours = dict(
        zip(depths, mpl.colormaps["viridis"](np.linspace(0, 0.9, len(depths))), strict=True)
    )
    for (layers, width, steps), group in search.groupby(["n_layer", "d_model", "steps"]):
        ordered = group.sort_values("lr")
        rule = peak_rate(Shape(layers, width))
        first = not panel.get_lines() or layers not in [
            line.get_gid() for line in panel.get_lines()
        ]
        panel.plot(
            ordered["lr"] / rule, 100 * (ordered["loss"] / ordered["loss"].min() - 1), "o-", ms=4,
            color=colours[layers], gid=layers,
            label=f"{layers} layer{'s' if layers > 1 else ''}" if first else None,
        )  # fmt: skip
        del steps
    panel.axvline(1, color="#333333", lw=1)
    panel.set(xscale="log", xlabel="peak learning rate over the rule's", ylim=(-0.5, 12))
    panel.set_ylabel("loss above the best rate's (%)")
    ticks(panel, "x", [0.25, 0.5, 1, 2, 4])
    panel.legend()
    return figure


def main() -> None:
    """Draw them all."""
    mpl.use("Agg")
    mpl.rcParams.update(STYLE)
    runs = pd.read_csv(HERE / "runs.csv")
    curves = pd.read_parquet(HERE / "curves.parquet")
    written = HERE / "forecast.csv"
    drawn = {
        "levels": draw_levels(runs),
        "compute": draw_compute(runs, pd.read_csv(written) if written.exists() else None),
        "repeats": draw_repeats(runs),
        "shapes": draw_shapes(runs),
        "seeds": draw_seeds(runs),
        "curves": draw_curves(runs, curves),
        "lr_search": draw_search(pd.read_csv(HERE / "lr_search.csv")),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, figure in drawn.items():
        figure.savefig(FOLDER / f"{name}.png")
        print(f"figures/{name}.png")


if __name__ == "__main__":
    main()
