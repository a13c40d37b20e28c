"""The log density of a model and its gradient, compiled once for tables of every size."""
