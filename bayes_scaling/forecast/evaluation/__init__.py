"""Scores, backtests, comparisons and averages of fits."""
