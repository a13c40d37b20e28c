"""Fits as NetCDF files, and reading them without trusting them."""

__all__: list[str] = []
