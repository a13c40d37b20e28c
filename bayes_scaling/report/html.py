"""Writing reports: one HTML file that needs nothing else, or its content as JSON or Markdown."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from bayes_scaling.core.files import path_of, write_bytes
from bayes_scaling.errors import FileError
from bayes_scaling.inference import Fit
from bayes_scaling.plots import number_format as _format
from bayes_scaling.report.content import report_content
from bayes_scaling.report.content_records import ReportContent
from bayes_scaling.results.belonging import ResultLike

if TYPE_CHECKING:
    import jinja2

__all__ = ["render_html", "with_formats", "write_json", "write_report"]

DOWNLOAD = "bayes-scaling-report.json"
_FORMATS = ("count", "flops", "loss", "number", "percent", "times")


def write_report(
    path: str | os.PathLike[str],
    fit: Fit,
    *results: ResultLike,
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

    Examples
    --------
    >>> path = bs.write_report("report.md", bs.load_fit("fit.nc"), bs.load_result("plan.json"))
    >>> path.read_text(encoding="utf-8").splitlines()[0].startswith("# ")
    True
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


def with_formats(environment: "jinja2.Environment") -> "jinja2.Environment":
    """Return an environment whose filters write numbers for people."""
    environment.filters |= {name: getattr(_format, name) for name in _FORMATS}
    return environment


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
    import jinja2
    from markupsafe import Markup

    from bayes_scaling.explorer.payload import explorer
    from bayes_scaling.explorer.scripts import Scripts, data_block, scripts_for
    from bayes_scaling.report.figures import entries_of, figures_of
    from bayes_scaling.report.study import FAILED

    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader(
            [jinja2.PackageLoader(f"bayes_scaling.{name}") for name in ("report", "explorer")]
        ),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def is_note(text: str) -> bool:
        """Whether a plan's caveat repeats what the report says of the law."""
        return any(note in text for note in content.law.notes)

    explored = explorer(fit, content.plans)
    scripts = scripts_for(explored.functions if explored else ())
    template = with_formats(made).get_template("report.html.j2")
    return template.render(
        r=content,
        figures=figures_of(content, fit),
        entries=entries_of(content.others),
        is_note=is_note,
        failed=FAILED,
        schema=content.__struct_config__.tag,
        explorer=explored,
        scripts=Scripts(tuple(map(Markup, scripts.texts)), scripts.policy),
        report_data=Markup(data_block(content.to_dict())),  # noqa: S704  (escaped for scripts)
        explore_data=Markup(data_block(explored.data) if explored else ""),  # noqa: S704
        download=DOWNLOAD,
    )
