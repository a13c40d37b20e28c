"""Figures of fits, forecasts, decisions and training curves."""
