"""Depth against width."""

__all__: list[str] = []
