"""A report as a page of Markdown, for a pull request or a wiki."""

import re

from bayes_scaling.report.content_records import ReportContent
from bayes_scaling.report.number_filters import with_formats

__all__ = ["escaped", "render_markdown"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|~$:@^=])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def escaped(text: object) -> str:
    r"""Return text that Markdown and HTML show as it is, on one line.

    Everything that starts a construct of GitHub's Markdown is escaped by a backslash or as an HTML
    entity, mentions and bare addresses included.

    Examples
    --------
    >>> escaped("a|b <script>")
    'a\\|b &lt;script&gt;'
    """
    line = " ".join(str(text).split())
    shown = "".join(ch if ch.isprintable() else repr(ch)[1:-1] for ch in line)
    safe = "".join(_HTML.get(ch, ch) for ch in _SPECIAL.sub(r"\\\1", shown))
    # Neither a plain full stop nor a hyphen within a word means anything.
    safe = re.sub(r"(?<=\w)\\([.\-])(?=\s|\d|$)|(?<=\w)\\(:)(?=\s|$)", r"\1\2", safe)
    return re.sub(r"(?i)\b(www|https?)(?=\\?[.:])", lambda m: f"{m[0][0]}&#8203;{m[0][1:]}", safe)


def render_markdown(content: ReportContent) -> str:
    """Return the summary of a report.

    Parameters
    ----------
    content : ReportContent
        As :func:`bayes_scaling.report.report_content` returns it.
    """
    import jinja2

    from bayes_scaling.report.figures import entries_of

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("bayes_scaling.report"),
        # Not HTML: what is printed is escaped for Markdown, unless it is a number made here.
        autoescape=False,  # noqa: S701
        finalize=escaped,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = with_formats(made).get_template("report.md.j2")
    return template.render(r=content, entries=entries_of(content.others))
