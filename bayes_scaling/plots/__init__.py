"""Figures of fits, forecasts, decisions and training curves."""

__all__: list[str] = []
