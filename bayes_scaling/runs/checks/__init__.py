"""Checks of a table of runs, each of which reports findings."""

__all__: list[str] = []
