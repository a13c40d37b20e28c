"""Depth against width."""
