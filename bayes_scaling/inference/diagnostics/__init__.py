"""Convergence, residuals, prior contribution and simulation-based calibration of a fit."""

__all__: list[str] = []
