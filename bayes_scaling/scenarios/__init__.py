"""Budgets, prices, limits and risk measures: what a decision is made for."""

__all__: list[str] = []
