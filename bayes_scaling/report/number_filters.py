"""Filters of templates that write numbers for people."""

from typing import TYPE_CHECKING

from bayes_scaling.plots import number_format

if TYPE_CHECKING:
    import jinja2

__all__ = ["with_formats"]

_FORMATS = ("count", "flops", "loss", "number", "percent", "times")


def with_formats(environment: "jinja2.Environment") -> "jinja2.Environment":
    """Return an environment whose filters write numbers for people."""
    environment.filters |= {name: getattr(number_format, name) for name in _FORMATS}
    return environment
