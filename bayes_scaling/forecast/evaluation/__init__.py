"""Scores, backtests, comparisons and averages of fits."""

__all__: list[str] = []
