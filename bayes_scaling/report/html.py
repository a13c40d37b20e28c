"""Writing reports: one HTML file that needs nothing else, or its content as JSON or Markdown."""

import os
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from bayes_scaling.core.caveat import texts
from bayes_scaling.core.files import path_of, write_bytes
from bayes_scaling.core.progress import Progress, ProgressOption
from bayes_scaling.core.result import Result
from bayes_scaling.errors import FileError
from bayes_scaling.inference import Fit
from bayes_scaling.report.content import report_content
from bayes_scaling.report.content_records import ReportContent
from bayes_scaling.report.number_filters import with_formats
from bayes_scaling.results.belonging import ResultLike

if TYPE_CHECKING:
    import jinja2

__all__ = ["render_html", "write_json", "write_report"]

DOWNLOAD = "bayes-scaling-report.json"


def write_report(
    path: str | os.PathLike[str],
    fit: Fit,
    *results: ResultLike,
    title: str | None = None,
    seed: int = 0,
    progress: ProgressOption = True,
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
    progress : bool, callable or Progress
        Whether to show how far it is and the time left, in a terminal or notebook; or a function
        that takes each message as text. See :mod:`bayes_scaling.core.progress`.

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

    Examples
    --------
    >>> path = bs.write_report("report.md", bs.load_fit("fit.nc"), bs.load_result("plan.json"))
    >>> path.read_text(encoding="utf-8").splitlines()[0].startswith("# ")
    True
    """
    suffix = path_of(path).suffix.lower()
    if suffix not in (".html", ".htm", ".json", ".md"):
        raise FileError(f"cannot write {path}: {suffix!r} is not .html, .json or .md")
    with Progress.of(progress).stage(
        "report", "checking the fit, forecasting", 2, "parts"
    ) as stage:
        if suffix == ".json":
            return write_json(path, fit, *results, title=title, seed=seed)
        content = report_content(fit, results, title=title, seed=seed)
        stage.advance()
        stage.text = "drawing figures"
        if suffix == ".md":
            from bayes_scaling.report.markdown import render_markdown

            return write_bytes(path, render_markdown(content))
        return write_bytes(path, render_html(content, fit))


def write_json(
    path: str | os.PathLike[str],
    fit: Fit,
    *results: ResultLike,
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

    Examples
    --------
    >>> bs.report.write_json("report.json", bs.load_fit("fit.nc")).name
    'report.json'
    """
    return report_content(fit, results, title=title, seed=seed).save(path)


def render_html(content: ReportContent, fit: Fit) -> str:
    """Render a report as one HTML page.

    Parameters
    ----------
    content : ReportContent
        As :func:`report_content` returns it.
    fit : Fit
        The same fit, for the figures.

    Examples
    --------
    >>> fit = bs.load_fit("fit.nc")
    >>> page = bs.report.render_html(bs.report.report_content(fit), fit)
    >>> page.startswith("<!DOCTYPE html>")
    True
    """
    from markupsafe import Markup

    from bayes_scaling.explorer.payload import explorer
    from bayes_scaling.explorer.scripts import Scripts, data_block, scripts_for
    from bayes_scaling.report.figures import entries_of, figures_of
    from bayes_scaling.report.study import FAILED

    entries = entries_of(content.others)
    explored = explorer(fit, content.plans)
    scripts = scripts_for(explored.functions if explored else ())
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            r=content,
            figures=figures_of(content, fit),
            entries=entries,
            repeated=_of_the_law(content, [entry.result for entry in entries]),
            failed=FAILED,
            schema=content.__struct_config__.tag,
            explorer=explored,
            scripts=Scripts(tuple(map(Markup, scripts.texts)), scripts.policy),
            report_data=Markup(data_block(content.to_dict())),  # noqa: S704  (escaped for scripts)
            explore_data=Markup(data_block(explored.data) if explored else ""),  # noqa: S704
            download=DOWNLOAD,
        )
    )


@cache
def _templates() -> "jinja2.Environment":
    import jinja2

    from bayes_scaling.report.template_cache import TemplateCache

    versions = f"{version('bayes-scaling')}-{version('jinja2')}"
    folders = [jinja2.PackageLoader(f"bayes_scaling.{name}") for name in ("report", "explorer")]
    return with_formats(
        jinja2.Environment(
            loader=jinja2.ChoiceLoader(folders),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            bytecode_cache=TemplateCache(versions),
        )
    )


def _of_the_law(content: ReportContent, results: Sequence[Result]) -> set[str]:
    """Return texts of caveats that the section on the law has."""
    caveats = [one for each in (*content.plans, *results) for one in getattr(each, "caveats", ())]
    return {*content.law.notes, *texts(c for c in caveats if c.code == "law-limitation")}
