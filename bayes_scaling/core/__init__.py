"""Shared foundations: files, messages, records, caveats, summaries of draws, random streams."""

__all__: list[str] = []
