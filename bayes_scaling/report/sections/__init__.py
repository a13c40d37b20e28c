"""Sections of a report, each from the fit and its results."""

__all__: list[str] = []
