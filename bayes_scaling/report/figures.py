"""The figures of a report, and what results beside the plans have to show."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from bayes_scaling.inference import Fit
from bayes_scaling.plots import number_format as _format
from bayes_scaling.report.sections.other_results import sentences
from bayes_scaling.results.kinds import KINDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["figures_of", "of_others", "told"]

_MOST_FAMILIES = 8
_MOST_PARAMETERS = 6
_HEADINGS = {
    "next_runs": "{family}: the next small run",
    "frontier": "{family}: what budgets buy",
    "marginal": "{family}: what more of each factor buys",
    "shapes": "{family}: depth and width",
    "verdict": "{run}: {advice}",
    "backtest": "Backtest on these runs",
    "comparison": "Laws compared on these runs",
}


def figures_of(content: Mapping[str, Any], fit: Fit) -> dict[str, list[dict[str, str]]]:
    """Figures of each section: address, alternative text, caption."""
    from bayes_scaling.plots.loss_contours import plot_contours
    from bayes_scaling.plots.plan_and_forecast import plot_allocation, plot_forecast
    from bayes_scaling.plots.sampler_plots import plot_energy, plot_ranks

    plans = content["plans"]
    names, families = _worst(content)
    return {
        "forecast": [
            _figure(
                plot_forecast(fit, family, plans=[p for p in plans if p["family"] == family]),
                _forecast_words(content, family),
                "",
            )
            for family in _families_shown(content, fit)
        ],
        "plans": [
            _figure(
                plot_allocation(plan),
                f"Loss and risk against model size for {plan['family']}: lowest risk at "
                f"{_format.count(plan['recommended']['params'])} parameters.",
                "Each size gets the tokens that the budget leaves. Shaded: sizes of nearly the "
                "lowest risk.",
            )
            if plan.get("curve")
            else {}
            for plan in plans
        ],
        "contours": [
            _figure(
                plot_contours(fit, plan),
                f"Contours of the expected loss for {plan['family']} over parameters and tokens, "
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
                "Alike where the sampler explored the tails.",
            ),
        ],
    }


def _of_fit(fit: Fit) -> dict[str, list[dict[str, str]]]:
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


def of_others(content: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """A figure of every result that has one, by kind and in their order."""
    from bayes_scaling.plots.backtest_plots import plot_backtest
    from bayes_scaling.plots.curve_plots import plot_curve
    from bayes_scaling.plots.decision_plots import plot_frontier, plot_marginal, plot_shapes

    drawn: dict[str, tuple[Callable[[Any], Figure], str]] = {
        "frontier": (plot_frontier, "Loss and size of the model against the budget."),
        "marginal": (plot_marginal, "Expected loss and gain after doublings of each factor."),
        "shapes": (plot_shapes, "Loss over the best shape against the number of layers."),
        "backtest": (plot_backtest, "Coverage, error and width of forecasts by their distance."),
        "verdict": (plot_curve, "The training curve, its forecast, and what running on gains."),
    }
    return {
        kind: [
            _figure(
                plot(KINDS[kind].from_dict(entry)), f"{alt} {' '.join(sentences(kind, entry))}", ""
            )
            for entry in content["others"][kind]
            if kind != "verdict" or entry.get("points")
        ]
        for kind, (plot, alt) in drawn.items()
    }


def told(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Results beside the plans in the order of the page: kind, heading, content, what it says."""
    return [
        {
            "kind": kind,
            "place": place,
            "heading": heading.format(**entry),
            "content": entry,
            "sentences": sentences(kind, entry),
        }
        for kind, heading in _HEADINGS.items()
        for place, entry in enumerate(content["others"][kind])
    ]


def _figure(figure: "Figure", alt: str, caption: str) -> dict[str, str]:
    from bayes_scaling.plots.style import data_uri

    return {"src": data_uri(figure), "alt": alt, "caption": caption}


def _families_shown(content: Mapping[str, Any], fit: Fit) -> list[str]:
    """Families of plans first, then the others by their largest run."""
    planned = [plan["family"] for plan in content["plans"] if plan["family"] in fit.families]
    rest = sorted(content["data"]["families"], key=lambda line: -line["flops_max"])
    return list(dict.fromkeys([*planned, *(line["family"] for line in rest)]))[:_MOST_FAMILIES]


def _forecast_words(content: Mapping[str, Any], family: str) -> str:
    rows = [row for row in content["forecasts"] if row["family"] == family]
    said = "; ".join(
        f"{row['multiple']:g} times the largest run: {_format.loss(row['q50'])} "
        f"({_format.loss(row['q05'])} to {_format.loss(row['q95'])})"
        for row in rows
    )
    return f"Loss against compute for {family}, with forecast. {said}."


def _worst(content: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Names of the law's parameters, and the family whose chains agree least."""
    own = [
        row
        for row in content["parameters"]
        if row["family"] is not None and any(row["name"] == p["name"] for p in content["priors"])
    ]
    # An R-hat that is not a number is the worst there is.
    worst = max(own, key=lambda row: row["r_hat"] or float("inf"))
    names = [row["name"] for row in own if row["family"] == worst["family"]]
    return names[:_MOST_PARAMETERS], [worst["family"]]
