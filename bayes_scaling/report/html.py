"""Writing reports: one HTML file that needs nothing else, or its content as JSON."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bayes_scaling.core.files import path_of, write_bytes
from bayes_scaling.errors import FileError
from bayes_scaling.inference import Fit
from bayes_scaling.plots import number_format as _format
from bayes_scaling.report.content import report_content
from bayes_scaling.results.belonging import ResultLike

__all__ = ["json_text", "render_html", "write_json", "write_report"]

DOWNLOAD = "bayes-scaling-report.json"


def write_report(
    path: str | os.PathLike[str],
    fit: Fit,
    *results: ResultLike | Mapping[str, Any],
    title: str | None = None,
    seed: int = 0,
) -> Path:
    """Write a report of a fit and what was decided from it, whole or not at all.

    Parameters
    ----------
    path : path-like
        ``.html`` for a self-contained page (nothing is loaded from elsewhere), ``.json``
        for its content, ``.md`` for a summary in Markdown.
    fit : Fit
        The fit.
    *results : Plan, BudgetFrontier, Backtest, … or mapping
        Allocation plans and whatever else belongs to the fit, as :func:`load_result` reads it.
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
        If a result belongs to another fit.
    """
    suffix = path_of(path).suffix.lower()
    if suffix not in (".html", ".htm", ".json", ".md"):
        raise FileError(f"cannot write {path}: {suffix!r} is not .html, .json or .md")
    if suffix == ".json":
        return write_json(path, fit, *results, title=title, seed=seed)
    content = report_content(fit, results, title=title, seed=seed)
    if suffix == ".md":
        from bayes_scaling.report.markdown import render_markdown

        return write_bytes(path, render_markdown(content))
    return write_bytes(path, render_html(content, fit))


def write_json(
    path: str | os.PathLike[str],
    fit: Fit,
    *results: ResultLike | Mapping[str, Any],
    title: str | None = None,
    seed: int = 0,
) -> Path:
    """Write the content of a report as JSON, whole or not at all.

    Parameters
    ----------
    path, fit, *results, title, seed
        As :func:`write_report`; any suffix.

    Raises
    ------
    FileError
        If the file cannot be written.
    ScenarioError
        If a result belongs to another fit.
    """
    return write_bytes(path, json_text(report_content(fit, results, title=title, seed=seed)))


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

    from bayes_scaling.explorer.payload import explorer
    from bayes_scaling.explorer.scripts import Scripts, data_block, scripts_for
    from bayes_scaling.report.figures import figures_of, of_others, told

    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(f"bayes_scaling.{name}") for name in ("report", "explorer")]
        ),
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
    scripts = scripts_for(explored.functions if explored else ())
    template = environment.get_template("report.html.j2")
    return template.render(
        r=content,
        figures=figures_of(content, fit),
        told=told(content),
        drawn=of_others(content),
        is_note=is_note,
        explorer=explored,
        scripts=Scripts(tuple(map(Markup, scripts.texts)), scripts.policy),
        report_data=Markup(data_block(content)),  # noqa: S704  (escaped for scripts)
        explore_data=Markup(data_block(explored.data) if explored else ""),  # noqa: S704
        download=DOWNLOAD,
    )
