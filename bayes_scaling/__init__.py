"""Bayesian neural scaling laws: fit small runs, forecast large ones, decide under risk."""
