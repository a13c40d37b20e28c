"""Writing reports: one HTML file that needs nothing else, or its content as JSON."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bayes_scaling._files import write_bytes
from bayes_scaling.errors import FileError
from bayes_scaling.inference import Fit
from bayes_scaling.report import _format
from bayes_scaling.report._plans import PlanLike
from bayes_scaling.report.content import report_content

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["json_text", "render_html", "write_json", "write_report"]

DOWNLOAD = "bayes-scaling-report.json"
_MOST_FAMILIES = 8
_MOST_PARAMETERS = 6


def write_report(
    path: str | os.PathLike[str],
    fit: Fit,
    *plans: PlanLike | Mapping[str, Any],
    title: str | None = None,
    seed: int = 0,
) -> Path:
    """Write a report of a fit and plans made from it, whole or not at all.

    Parameters
    ----------
    path : path-like
        ``.html`` for a self-contained page (nothing is loaded from elsewhere), ``.json``
        for its content, ``.md`` for a summary in Markdown.
    fit : Fit
        The fit.
    *plans : Plan or mapping
        Allocation plans; the content of their files will do.
    title : str, optional
        Title of the report.
    seed : int
        Seed of forecasts.

    Returns
    -------
    pathlib.Path
        The file written.

    Raises
    ------
    FileError
        If the suffix is none of these, or the file cannot be written.
    ScenarioError
        If a plan belongs to another fit.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in (".html", ".htm", ".json", ".md"):
        raise FileError(f"cannot write {path}: {suffix!r} is not .html, .json or .md")
    if suffix == ".json":
        return write_json(path, fit, *plans, title=title, seed=seed)
    content = report_content(fit, plans, title=title, seed=seed)
    if suffix == ".md":
        from bayes_scaling.report.markdown import render_markdown

        return write_bytes(path, render_markdown(content))
    return write_bytes(path, render_html(content, fit))


def write_json(
    path: str | os.PathLike[str],
    fit: Fit,
    *plans: PlanLike | Mapping[str, Any],
    title: str | None = None,
    seed: int = 0,
) -> Path:
    """Write the content of a report as JSON, whole or not at all.

    Parameters
    ----------
    path, fit, *plans, title, seed
        As :func:`write_report`; any suffix.

    Raises
    ------
    FileError
        If the file cannot be written.
    ScenarioError
        If a plan belongs to another fit.
    """
    return write_bytes(path, json_text(report_content(fit, plans, title=title, seed=seed)))


def json_text(content: Mapping[str, Any]) -> str:
    """The content of a report as JSON."""
    return json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def render_html(content: Mapping[str, Any], fit: Fit) -> str:
    """The page of a report.

    Parameters
    ----------
    content : mapping
        As :func:`bayes_scaling.report.report_content` gives it.
    fit : Fit
        The same fit, for the figures.
    """
    import jinja2
    from markupsafe import Markup

    from bayes_scaling.report.explorer import explorer
    from bayes_scaling.report.scripts import Scripts, data_block, scripts_for

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bayes_scaling.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        name: getattr(_format, name)
        for name in ("count", "flops", "loss", "number", "percent", "times")
    }
    law_notes = content["law"]["notes"]

    def is_note(text: str) -> bool:
        """Whether a plan's warning repeats what the report says of the law."""
        return any(note in text for note in law_notes)

    explored = explorer(fit, content["plans"])
    scripts = scripts_for(explored)
    template = environment.get_template("report.html.j2")
    return template.render(
        r=content,
        figures=_figures(content, fit),
        is_note=is_note,
        explorer=explored,
        scripts=Scripts(tuple(map(Markup, scripts.texts)), scripts.policy),
        report_data=Markup(data_block(content)),  # noqa: S704  (escaped for scripts)
        explore_data=Markup(data_block({"problems": explored["problems"]}) if explored else ""),  # noqa: S704
        download=DOWNLOAD,
    )


def _figures(content: Mapping[str, Any], fit: Fit) -> dict[str, list[dict[str, str]]]:
    """Figures of each section: address, alternative text, caption."""
    from bayes_scaling.report.plots import plot_allocation, plot_forecast
    from bayes_scaling.report.plots_fit import (
        plot_exponents,
        plot_predictive,
        plot_prior_predictive,
        plot_residuals,
    )
    from bayes_scaling.report.plots_sampler import plot_energy, plot_ranks

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


def _figure(figure: "Figure", alt: str, caption: str) -> dict[str, str]:
    from bayes_scaling.report.style import data_uri

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
