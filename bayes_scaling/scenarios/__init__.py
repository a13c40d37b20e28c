"""Budgets, prices, limits and risk measures: what a decision is made for."""
