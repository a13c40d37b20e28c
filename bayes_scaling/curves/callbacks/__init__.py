"""Callbacks of trainers that stop a run when the rule says stop, one module a library."""

__all__: list[str] = []
