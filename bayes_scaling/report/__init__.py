"""Reports of a fit and of what was decided from it, as HTML, JSON, Markdown and PDF."""

import warnings
from typing import Any

from bayes_scaling.report.content import report_content
from bayes_scaling.report.html import render_html, write_json, write_report
from bayes_scaling.report.pdf import write_pdf
from bayes_scaling.results.kinds import load_result

__all__ = [
    "load_result",
    "render_html",
    "report_content",
    "write_json",
    "write_pdf",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Return what stands in :mod:`bayes_scaling.plots` since version 0.2."""
    from bayes_scaling import plots

    if name not in plots.__all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    text = f"bayes_scaling.report.{name} is deprecated; use bayes_scaling.plots.{name}"
    warnings.warn(text, DeprecationWarning, stacklevel=2)
    return getattr(plots, name)
