"""Forecast OLMo 7B and 13B from the runs of 190M to 3B, print what came of it, and draw it.

uv run python tools/olmo_forecast.py [SEED]

The prior has not seen the study. Prints the table that the README and the documentation show, and
without a seed writes docs/olmo.png.
"""

import sys
from pathlib import Path

import bayes_scaling as bs
from bayes_scaling.plots import plot_forecast
from bayes_scaling.plots.style import COLOURS

TARGET = Path(__file__).resolve().parent.parent / "docs" / "olmo.png"


def main() -> None:
    """Fit, forecast, print, draw."""
    runs = bs.datasets.load("olmo_ladder")
    unseen = bs.population("chinchilla-gamma", without="olmo")
    fit = bs.fit(runs, prior=unseen, seed=int(sys.argv[1]) if sys.argv[1:] else 0)
    targets = fit.targets
    table = fit.predict(targets).to_frame()
    table["beyond"] = targets["flops"] / fit.runs["flops"].max()
    print("| run | compute over the largest fitted | 90% interval | median | what came | error |")
    print("| --- | --- | --- | --- | --- | --- |")
    for (_, row), loss, name in zip(
        table.iterrows(), targets["loss"], ("OLMo 7B", "OLMo 13B"), strict=True
    ):
        print(
            f"| {name} | {row['beyond']:.0f}× | {row['q05']:.4f} to {row['q95']:.4f} | "
            f"{row['q50']:.4f} | {loss:.4f} | {row['q50'] / loss - 1:+.1%} |"
        )
    if sys.argv[1:]:
        return
    figure = plot_forecast(fit)
    axes = figure.axes[0]
    around = [table["q50"] - table["q05"], table["q95"] - table["q50"]]
    axes.errorbar(
        targets["flops"], table["q50"], around, fmt="_", color=COLOURS["plan"], lw=2.2, ms=9
    )
    for x, y, name in zip(targets["flops"], targets["loss"], ("7B", "13B"), strict=True):
        axes.annotate(name, (x, y), xytext=(8, 8), textcoords="offset points")
    figure.savefig(TARGET, dpi=110)


if __name__ == "__main__":
    main()
