"""Figures as SVG for a page, without matplotlib, whose import alone takes longer than a report."""
