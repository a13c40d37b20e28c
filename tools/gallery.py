"""Draw the gallery of the documentation: every figure function on the bundled runs.

uv run python tools/gallery.py [FIT.nc]

Fits the bundled runs with default settings, or takes the fit of them that is named. Takes about two
minutes: a backtest and a law of shapes are fitted too.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

import bayes_scaling as bs
from bayes_scaling import plots
from bayes_scaling.curves import Schedule
from bayes_scaling.decisions import ShapeLimits

DOCS = Path(__file__).resolve().parent.parent / "docs"
FAMILY = "prose"
SCENARIO = bs.Scenario(
    compute_budget=3e13,
    risk=bs.Risk("cvar", 0.9),
    family=FAMILY,
    target_loss=1.2,
    alternatives=(bs.Alternative("twenty tokens per parameter", tokens_per_param=20.0),),
)
HEAD = """\
# Gallery

Every figure, on the bundled runs, drawn by `uv run python tools/gallery.py`. Functions of
`bayes_scaling.plots` return a `matplotlib.figure.Figure`, whose axes are `figure.axes`; none of
them touches `pyplot` or your settings. `plots.style.save_figure(figure, "name.svg")` writes PNG,
SVG or PDF whole or not at all, and so does `--plot FILE` on the command line.

`fit` is a fit, `plan` is `bs.allocate(fit, scenario)`, `tested` is
`bs.backtest(runs, ratio=[4, 8, 16])`, and `verdict` is `bs.monitor(curve, end)`.
"""


class Shown(NamedTuple):
    """A figure, the call that made it, and what it is for."""

    call: str
    figure: Figure
    says: str


def of_fit(fit: bs.Fit) -> Iterator[Shown]:
    """Figures of a fit and its sampler."""
    names = ["floor", "alpha_N", "alpha_D", "gamma"]
    yield Shown("plot_forecast(fit)", plots.plot_forecast(fit), "The forecast beyond the data.")
    yield Shown("plot_exponents(fit)", plots.plot_exponents(fit), "Posterior against prior.")
    yield Shown("plot_residuals(fit)", plots.plot_residuals(fit), "What the law leaves over.")
    yield Shown(
        "plot_predictive(fit)", plots.plot_predictive(fit), "PIT and coverage of the fitted runs."
    )
    yield Shown(
        "plot_prior_predictive(fit)",
        plots.plot_prior_predictive(fit),
        "What the priors expect of these runs.",
    )
    yield Shown("plot_ranks(fit, names)", plots.plot_ranks(fit, names), "Do chains agree?")
    yield Shown("plot_energy(fit)", plots.plot_energy(fit), "Were the tails explored?")


def of_decisions(fit: bs.Fit) -> Iterator[Shown]:
    """Figures of a plan, budgets and factors."""
    plan = bs.allocate(fit, SCENARIO)
    chosen = plan.recommended
    yield Shown("plot_allocation(plan)", plots.plot_allocation(plan), "Loss and risk by size.")
    yield Shown(
        "plot_contours(fit, plan)",
        plots.plot_contours(fit, plan),
        "Loss over parameters and tokens, and the optimum of every draw.",
    )
    yield Shown("plot_regret(plan)", plots.plot_regret(plan), "What not knowing the law costs.")
    yield Shown("plot_alternatives(plan)", plots.plot_alternatives(plan), "Plans that were named.")
    yield Shown(
        "plot_frontier(bs.budget_frontier(fit, scenario))",
        plots.plot_frontier(bs.budget_frontier(fit, SCENARIO)),
        "What budgets buy, and what a target needs.",
    )
    yield Shown(
        "plot_marginal(bs.marginal(fit, params, tokens, family=family))",
        plots.plot_marginal(bs.marginal(fit, chosen.params, chosen.tokens, family=FAMILY)),
        "Diminishing returns of each factor.",
    )


def of_others(runs: bs.Runs) -> Iterator[Shown]:
    """Figures that need fits of their own."""
    shaped = bs.fit(runs, law="depth-width", seed=0, progress=False)
    limits = ShapeLimits(width_multiple=8)
    yield Shown(
        "plot_shapes(bs.best_shape(shaped, params))",
        plots.plot_shapes(bs.best_shape(shaped, 2e5, family=FAMILY, limits=limits)),
        "Depth against width, from a fit of a law that reads shapes.",
    )
    tested = bs.backtest(runs, ratio=[4, 8, 16], progress=False)
    yield Shown("plot_backtest(tested)", plots.plot_backtest(tested), "Do forecasts hold?")
    yield Shown("plot_pit(tested)", plots.plot_pit(tested), "Where the runs came.")
    table = runs.table
    name = table[table["role"] == "grid"].nlargest(1, "flops")["run"].iloc[0]
    log = bs.datasets.load_table("byte_lm_curves").query("run == @name")
    curve = bs.Curve.of(name, log["step"], log["val_loss"], lr=log["lr"])
    plan = Schedule(np.r_[0.0, curve.t], np.r_[0.0, curve.lr])
    end = float(curve.t[-1])
    verdict = bs.monitor(curve.until(end / 2), end, schedule=plan, reference=1.5, seed=0)
    yield Shown("plot_curve(verdict)", plots.plot_curve(verdict), "Stop, or go on?")


def main() -> None:
    """Fit, draw everything, write the page."""
    runs = bs.datasets.load("byte_lm")
    fit = bs.load_fit(sys.argv[1]) if sys.argv[1:] else bs.fit(runs, seed=0)
    folder = DOCS / "gallery"
    folder.mkdir(exist_ok=True)
    parts = [HEAD]
    for shown in (*of_fit(fit), *of_decisions(fit), *of_others(runs)):
        name = shown.call.partition("(")[0]
        shown.figure.savefig(folder / f"{name}.png", dpi=80)
        picture = f"![{shown.says}](gallery/{name}.png)"
        parts.append(f"## {name}\n\n{shown.says} `{shown.call}`\n\n{picture}\n")
    (DOCS / "gallery.md").write_text("\n".join(parts), encoding="utf-8")
    print(f"gallery.md and {len(parts) - 1} figures written")


if __name__ == "__main__":
    main()
