"""The figures of a report, and what results beside the plans have to show."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bayes_scaling.inference import Fit
from bayes_scaling.plots import number_format as _format
from bayes_scaling.report.content_records import OtherResults, ReportContent
from bayes_scaling.report.sections.other_results import sentences

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

__all__ = ["Entry", "PageFigure", "entries_of", "figures_of"]

_MOST_FAMILIES = 8
_MOST_PARAMETERS = 6
_BUDGETS = 30
"""Budgets of a forecast: no screen tells its smooth curve from one of more."""
_NAMES = ("family", "run", "advice")
_HEADINGS = {
    "next_runs": "{family}: the next small run",
    "frontier": "{family}: what budgets buy",
    "marginal": "{family}: what more of each factor buys",
    "shapes": "{family}: depth and width",
    "verdict": "{run}: {advice}",
    "backtest": "Backtest on these runs",
    "comparison": "Laws compared on these runs",
}


@dataclass(frozen=True)
class PageFigure:
    """A figure of a page: address, alternative text, caption."""

    src: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Entry:
    """A result beside the plans, as a page shows it.

    Attributes
    ----------
    kind : str
        Name of its type in the content.
    heading : str
        Heading.
    result : Result
        The result.
    sentences : list of str
        What it says, in words.
    """

    kind: str
    heading: str
    result: Any
    sentences: list[str]

    @property
    def figure(self) -> PageFigure | None:
        """Its figure; None where it has none."""
        return _of_result(self)


def figures_of(content: ReportContent, fit: Fit) -> dict[str, list[PageFigure | None]]:
    """Return the figures of each section."""
    from bayes_scaling.plots.forecast_plots import plot_forecast
    from bayes_scaling.plots.plan_plots import plot_allocation, plot_contours
    from bayes_scaling.plots.sampler_plots import plot_energy, plot_ranks

    plans = content.plans
    names, families = _worst(content)
    return {
        "forecast": [
            _figure(
                plot_forecast(
                    fit,
                    family,
                    plans=[p for p in plans if p.family == family],
                    points=_BUDGETS,
                ),
                _forecast_words(content, family),
                "",
            )
            for family in _families_shown(content, fit)
        ],
        "plans": [
            _figure(
                plot_allocation(plan),
                f"Loss and risk against model size for {plan.family}: lowest risk at "
                f"{_format.count(plan.recommended.params)} parameters.",
                "Each size gets the tokens that the budget leaves. Shaded: sizes of nearly the "
                "lowest risk.",
            )
            if plan.curve_points
            else None
            for plan in plans
        ],
        "contours": [
            _figure(
                plot_contours(fit, plan),
                f"Contours of the expected loss for {plan.family} over parameters and tokens, "
                "with the runs, the budget, the recommended plan and the optimum.",
                "Along a line the expected loss is the same; the budget touches the lowest it can.",
            )
            for plan in plans
        ],
        **_of_fit(fit),
        "sampler": [
            _figure(
                plot_ranks(fit, names, families=families),
                "Rank differences of each chain for the parameters of one family.",
                "One line a chain, near zero where chains agree.",
            ),
            _figure(
                plot_energy(fit),
                "Energy fraction of each chain, and distributions of energy.",
                "The same where the sampler explored the tails.",
            ),
        ],
    }


def _of_fit(fit: Fit) -> dict[str, list[PageFigure | None]]:
    from bayes_scaling.plots.fit_plots import (
        plot_exponents,
        plot_predictive,
        plot_prior_predictive,
        plot_residuals,
    )

    return {
        "exponents": [
            _figure(
                plot_exponents(fit),
                "Posterior and prior intervals of exponents and floor by family; the numbers are "
                "in the table of parameters.",
                "A posterior as wide as its prior has learned nothing from the runs.",
            )
        ],
        "priors": [
            _figure(
                plot_prior_predictive(fit),
                "Prior predictive intervals of the loss of every fitted run, and observed losses.",
                "What the priors alone expect of these runs: wide, and around what came.",
            )
        ],
        "fit": [
            _figure(
                plot_residuals(fit),
                "Residuals of the fitted runs in percent against compute.",
                "Above zero: worse than the fit says. A slope here is carried into forecasts.",
            ),
            _figure(
                plot_predictive(fit),
                "Histogram of PIT values and coverage of predictive intervals on fitted runs.",
                "Bars within the grey band and a line along the diagonal: intervals hold on the "
                "data that were fitted.",
            ),
        ],
    }


def entries_of(others: OtherResults) -> list[Entry]:
    """Return results beside the plans in the order of the page."""
    return [
        Entry(
            kind=kind,
            heading=heading.format(**{name: getattr(result, name, "") for name in _NAMES}),
            result=result,
            sentences=sentences(result),
        )
        for kind, heading in _HEADINGS.items()
        for result in getattr(others, kind)
    ]


def _of_result(entry: Entry) -> PageFigure | None:
    from bayes_scaling.plots.backtest_plots import plot_backtest
    from bayes_scaling.plots.curve_plots import plot_curve
    from bayes_scaling.plots.decision_plots import plot_frontier, plot_marginal, plot_shapes

    plots: dict[str, tuple[Callable[[Any], Figure], str]] = {
        "frontier": (plot_frontier, "Loss and size of the model against the budget."),
        "marginal": (plot_marginal, "Expected loss and gain after doublings of each factor."),
        "shapes": (plot_shapes, "Loss over the best shape against the number of layers."),
        "backtest": (plot_backtest, "Coverage, error and width of forecasts by their distance."),
        "verdict": (plot_curve, "The training curve, its forecast, and what running on gains."),
    }
    if entry.kind not in plots or (entry.kind == "verdict" and not entry.result.points):
        return None
    plot, alt = plots[entry.kind]
    return _figure(plot(entry.result), f"{alt} {' '.join(entry.sentences)}", "")


def _figure(figure: "Figure", alt: str, caption: str) -> PageFigure:
    from bayes_scaling.plots.style import data_uri

    return PageFigure(data_uri(figure), alt, caption)


def _families_shown(content: ReportContent, fit: Fit) -> list[str]:
    """Families of plans first, then the others by their largest run."""
    planned = [plan.family for plan in content.plans if plan.family in fit.families]
    rest = sorted(content.data.families, key=lambda line: -line.flops_max)
    return list(dict.fromkeys([*planned, *(line.family for line in rest)]))[:_MOST_FAMILIES]


def _forecast_words(content: ReportContent, family: str) -> str:
    rows = [row for row in content.forecasts if row.family == family]
    listed = "; ".join(
        f"{row.multiple:g} times the largest run: {_format.loss(row.q50)} "
        f"({_format.loss(row.q05)} to {_format.loss(row.q95)})"
        for row in rows
    )
    return f"Loss against compute for {family}, with forecast. {listed}."


def _worst(content: ReportContent) -> tuple[list[str], list[str]]:
    """Names of the law's parameters, and the family whose chains agree least."""
    named = {prior.name for prior in content.priors}
    own = [row for row in content.parameters if row.family is not None and row.name in named]
    # An R-hat that is not a number is the worst there is.
    worst = max(own, key=lambda row: _or_infinity(row.r_hat))
    names = [row.name for row in own if row.family == worst.family]
    return names[:_MOST_PARAMETERS], [str(worst.family)]


def _or_infinity(value: float | None) -> float:
    return math.inf if value is None or math.isnan(value) else value
